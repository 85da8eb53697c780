"""The reference pages that follow from the code: commands, settings, plugins, errors.

They lie in the repository so that they can be read anywhere. After a change, write them anew:

    python tests/docs/test_reference_pages.py
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
import pytest

from labelmill import errors, registry
from labelmill.cli.main import cli
from labelmill.pipeline.settings import ATTRIBUTE_SETTINGS, SETTINGS, Setting

P = TypeVar("P", bound=click.Parameter)
FOLDER = Path(__file__).parents[2] / "docs" / "reference"
NOTE = "<!-- Written from the code by tests/docs/test_reference_pages.py: do not edit. -->\n"

COMMANDS = """\
# Commands

`labelmill COMMAND --help` says the same in the shell. `labelmill --debug COMMAND` shows the traceback of an error.

Exit status: 0 done, 1 the work failed or was refused, 2 the call was wrong, 130 stopped. Finished work is kept; the
same command goes on. With `--json` a command prints one JSON object and no progress.
"""

SETTINGS_INTRO = """\
# Settings of `labelmill.toml`

The file describes a project. An unknown section or key, a wrong type or an impossible value is refused by name, with
the nearest known one. Paths start at the folder of the file.
"""

PLUGINS = """\
# Plugins

A plugin is a file in the folder of its kind, and its name is the file's name. Another package adds its own as an
[entry point](https://packaging.python.org/en/latest/specifications/entry-points/) in the group `labelmill.<kind>`;
it is asked only when no built-in plugin has the name. Load one yourself with `labelmill.registry.find(kind, name)`.
"""

ERRORS = """\
# Errors

Every error that labelmill raises on purpose is one of these, from `labelmill.errors`. Catch `LabelmillError` to catch
them all. The message names the thing, the value that was found, the values that are allowed, and the next step.
"""

KINDS = {
    "annotator": ("Annotators", "What makes votes in `rules.py`.", "add-a-labeling-function"),
    "label_model": ("Label models", "Votes in, consensus out: `[aggregate] model`.", "add-a-label-model"),
    "structured_model": (
        "Structured models",
        "Many spans, boxes, numbers or texts in, one value out.",
        "add-a-structured-model",
    ),
    "query_strategy": ("Query strategies", "What to ask people next: `[select] strategy`.", "add-a-query-strategy"),
    "learner": ("Learners", "What learns from the consensus and votes too: `[train] learner`.", "add-a-learner"),
    "encoder": ("Encoders", "What turns items into vectors: `[features] encoder`.", "add-an-encoder"),
    "label_kind": ("Label kinds", "What an answer is: `[schema] kind`.", "add-a-label-kind"),
    "format": ("Formats", "Files in and out: by their ending, or `--format`.", "add-a-format"),
    "engine": ("Engines", "Where the work runs: `[annotate] engine`.", "add-an-engine"),
}


def commands_page() -> str:
    """Every command with what it does, an example and its options."""
    return "\n".join([COMMANDS, *_group(cli, "labelmill", "##")])


def settings_page() -> str:
    """Every setting by section."""
    parts = [SETTINGS_INTRO]
    for section in dict.fromkeys(setting.section for setting in SETTINGS):
        rows = [_row(s) for s in SETTINGS if s.section == section]
        parts.append(_table_of_settings(f"## `[{section}]`", rows))
        if section == "schema":
            parts.append(_table_of_settings("### `[[schema.attributes]]`", [_row(s) for s in ATTRIBUTE_SETTINGS]))
    return "\n".join(parts)


def _table_of_settings(title: str, rows: list[str]) -> str:
    return "\n".join([f"{title}\n", "| key | type | default | meaning |", "|---|---|---|---|", *rows, ""])


def _row(s: Setting) -> str:
    return f"| `{s.name}` | {_plain_type(s.type)} | {_shown(s.default)} | {_cell(s.help)} |"


def plugins_page() -> str:
    """Every plugin that ships, by kind."""
    parts = [PLUGINS]
    for kind, (title, meaning, how_to) in KINDS.items():
        rows = [_plugin_row(kind, name) for name in registry.names(kind, installed=False)]
        parts.append(
            "\n".join(
                [
                    f"## {title} (`{kind}`)\n",
                    f"{meaning} Your own: [how to](../how-to/{how_to}.md).\n",
                    "| name | what it is | options |",
                    "|---|---|---|",
                    *rows,
                    "",
                ]
            )
        )
    return "\n".join(parts)


def errors_page() -> str:
    """Every error with its exit status, as a tree."""
    rows = []
    for error, depth in _tree(errors.LabelmillError, 0):
        text = " ".join((inspect.getdoc(error) or "").split())
        indent = "&emsp;" * depth
        rows.append(f"| {indent}`{error.__name__}` | {error.exit_status} | {_cell(text)} |")
    return "\n".join([ERRORS, "| error | exit status | what it means, and what to do |", "|---|---|---|", *rows, ""])


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "settings.md": settings_page,
    "plugins.md": plugins_page,
    "errors.md": errors_page,
}


@pytest.mark.parametrize("name", PAGES)
def test_page_says_what_the_code_says(name: str) -> None:
    """The page in the repository is the one that follows from the code: write it anew as the head of this file says."""
    assert (FOLDER / name).read_text(encoding="utf-8") == NOTE + PAGES[name]()


def test_every_kind_of_plugin_has_a_section() -> None:
    """The page of plugins covers every kind."""
    assert set(KINDS) == set(registry.FOLDERS)


def _group(group: click.Group, path: str, mark: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield _command(command, f"{path} {name}", mark)
        if isinstance(command, click.Group):
            yield from _group(command, f"{path} {name}", mark + "#")


def _command(command: click.Command, path: str, mark: str) -> str:
    prose, _, examples = inspect.cleandoc(command.help or "").partition("\b\n")
    shown = [line.strip() for line in examples.splitlines()[1:] if line.strip()]
    if not shown and not isinstance(command, click.Group):
        shown = [" ".join([path, *map(_argument, _of_type(command, click.Argument))])]
    parts = [f"{mark} `{path}`\n", prose.strip() + "\n"]
    if shown:
        parts.append(
            "\n".join(
                ["<!-- not run: each line for itself; names and options are checked -->", "```bash", *shown, "```\n"]
            )
        )
    rows = [f"| `{_argument(argument)}` | {_spoken_type(argument)} |" for argument in _of_type(command, click.Argument)]
    rows += [_option_row(command, option) for option in _of_type(command, click.Option)]
    if rows:
        parts.append("\n".join(["| argument or option | meaning |", "|---|---|", *rows, ""]))
    return "\n".join(parts)


def _of_type(command: click.Command, kind: type[P]) -> list[P]:
    return [parameter for parameter in command.params if isinstance(parameter, kind)]


def _argument(argument: click.Argument) -> str:
    name = (argument.name or "").upper().replace("_", "-")
    return name if argument.required else f"[{name}]"


def _option_row(command: click.Command, option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else f" {_spoken_type(option)}"
    meaning = re.sub(r"\s*\[default: (.*?)\]$", r" *Default: \1.*", option.help or "")
    default = option.get_default(click.Context(command))
    if option.show_default and default is not None:
        shown = (option.opts if default else option.secondary_opts)[0].lstrip("-") if option.is_flag else default
        meaning = f"{meaning} *Default: {shown}.*".lstrip()
    return f"| {names}{_cell(value)} | {_cell(meaning)} |"


def _spoken_type(parameter: click.Parameter) -> str:
    """What may stand there, in the same words whatever version of click is installed."""
    if isinstance(parameter.type, click.Choice):
        return " or ".join(f"`{choice}`" for choice in parameter.type.choices)
    if isinstance(parameter.type, click.Path):
        return "folder" if parameter.type.file_okay is False else "path"
    return {"integer": "whole number", "integer range": "whole number", "float": "number", "float range": "number"}.get(
        parameter.type.name, "text"
    )


def _plugin_row(kind: str, name: str) -> str:
    plugin = registry.find(kind, name)
    first = " ".join((inspect.getdoc(plugin) or "").partition("\n\n")[0].split())
    options = [_option(p) for p in inspect.signature(plugin).parameters.values() if p.kind is p.KEYWORD_ONLY]
    return f"| `{name}` | {_cell(first)} | {', '.join(options) or '–'} |"


def _option(parameter: inspect.Parameter) -> str:
    return (
        f"`{parameter.name}`" if parameter.default is parameter.empty else f"`{parameter.name}={parameter.default!r}`"
    )


def _tree(error: type[errors.LabelmillError], depth: int) -> Iterator[tuple[type[errors.LabelmillError], int]]:
    yield error, depth
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _tree(child, depth + 1)


def _plain_type(kind: type) -> str:
    return {
        str: "text",
        int: "whole number",
        float: "number",
        list: "list of texts",
        bool: "true or false",
        dict: "tables",
        Mapping: "table",
    }[kind]


def _shown(default: Any) -> str:
    if default is None:
        return "needed"
    text = repr(default).replace("'", '"')
    return f"`{text}`"


def _cell(text: str) -> str:
    """Text as it may stand in a table."""
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    for page, write in PAGES.items():
        (FOLDER / page).write_text(NOTE + write(), encoding="utf-8")
