"""What there is, is in the documentation."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import labelmill
from labelmill import errors, registry
from labelmill.cli.main import cli
from labelmill.pipeline.settings import SETTINGS, Setting

DOCS = Path(__file__).parents[2] / "docs"


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")


COMMANDS = dict(_commands(cli, "labelmill"))
PLUGINS = [(kind, name) for kind in registry.FOLDERS for name in registry.names(kind, installed=False)]


def _page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", COMMANDS)
def test_command_is_documented(path: str) -> None:
    """Every command has a heading, and every option of it a line below."""
    page = _page("reference/commands.md")
    _, found, section = page.partition(f" `{path}`\n")

    assert found, f"docs/reference/commands.md has no heading `{path}`"
    for option in COMMANDS[path].params:
        if isinstance(option, click.Option):
            assert f"`{option.opts[-1]}" in section.partition("\n## ")[0]


@pytest.mark.parametrize("path", COMMANDS)
def test_command_has_an_example(path: str) -> None:
    """Every command is shown in use on some page."""
    pages = [*DOCS.rglob("*.md"), DOCS.parent / "README.md"]

    assert any(f"{path}" in line for page in pages for line in _code(page))


@pytest.mark.parametrize(("kind", "name"), PLUGINS)
def test_plugin_is_documented(kind: str, name: str) -> None:
    """Every plugin that ships is in the table of its kind."""
    section = _page("reference/plugins.md").partition(f"(`{kind}`)\n")[2].partition("\n## ")[0]

    assert f"| `{name}` |" in section


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name.endswith("Error")])
def test_error_is_documented(name: str) -> None:
    """Every error has a line that says what it means and what to do."""
    assert f"`{name}`" in _page("reference/errors.md")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_setting_is_documented(setting: Setting) -> None:
    """Every setting of the project file is in the table of its section."""
    section = _page("reference/settings.md").partition(f"## `[{setting.section}]`\n")[2].partition("\n## ")[0]

    assert f"| `{setting.name}` |" in section


@pytest.mark.parametrize("name", labelmill.__all__)
def test_public_name_is_documented(name: str) -> None:
    """Every public name of the package is in the Python reference."""
    assert f"::: labelmill.{name}\n" in _page("reference/python.md") or f"`{name}`" in _page("reference/python.md")


def test_every_dependency_has_its_reason() -> None:
    """The table of dependencies names what pyproject.toml asks for, and nothing else."""
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {
        re.split(r"[\[><=~!; ]", each)[0] for each in _flat(project["dependencies"], project["optional-dependencies"])
    }
    rows = [line.split("|")[1] for line in _page("decisions/dependencies.md").splitlines() if line.startswith("| `")]

    assert asked == {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


@pytest.mark.parametrize(
    "module", sorted(path.stem for path in Path(labelmill.__file__).parent.glob("testing/[!_]*.py"))
)
def test_promise_suite_is_documented(module: str) -> None:
    """Every promise suite that ships is named by the page that shows how to add such a plugin."""
    pages = "".join(path.read_text(encoding="utf-8") for path in (DOCS / "how-to").glob("*.md"))

    assert re.search(rf"from labelmill\.testing import {module}( as \w+)?\n", pages)


def _flat(needed: list[str], extras: dict[str, list[str]]) -> list[str]:
    return [*needed, *(each for extra in extras.values() for each in extra)]


def _code(page: Path) -> list[str]:
    lines, inside = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = not inside
        elif inside:
            lines.append(line)
    return lines
