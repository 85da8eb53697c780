"""The same project gives the same bytes on every engine, with any number of workers."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from tests.journeys.conftest import Shell, join, texts
from tests.journeys.test_project import fill_in

from labelmill.pipeline.workspace import Workspace
from labelmill.stores import item_set

ROWS = 13
"""Items of a file, so that 120 mails are ten partitions."""

OUTPUTS = ("votes", "consensus", "documents", "models", "releases")
"""Folders of the lake that hold results; the records of runs hold times."""

TELL_THE_PLACE = {"votes/imported/manifest.json", "releases/v1/provenance.json", "releases/v1/manifest.json"}
"""Files that name the project's folder, or the runs that were made."""

_PLAIN: dict[str, str] = {}
"""Found once for all engines."""

ENGINES = [
    pytest.param("serial", None, id="serial"),
    pytest.param("processes", 1, id="processes-1"),
    pytest.param("processes", 3, id="processes-3"),
    pytest.param("ray", 2, id="ray"),
    pytest.param("spark", None, id="spark"),
]


@pytest.fixture
def many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the lake into many partitions, and stop the clock: answers hold the time they came."""
    monkeypatch.setattr(item_set, "FILE_ROWS", ROWS)
    defaults = Workspace.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "now", lambda: "2026-01-01T00:00:00.000+00:00")


@pytest.fixture
def expected(shell: Shell, project: Path, many_files: None, tmp_path: Path) -> dict[str, str]:
    """What the whole line leaves behind on one plain process."""
    if not _PLAIN:
        copy = tmp_path / "expected" / "mails"
        shutil.copytree(project, copy)
        _turn(shell, copy, "serial", None)
        _PLAIN.update(_outputs(copy))
    return _PLAIN


@pytest.mark.parametrize(("engine", "workers"), ENGINES[1:])
def test_the_same_bytes(
    engine: str,
    workers: int | None,
    shell: Shell,
    project: Path,
    many_files: None,
    expected: dict[str, str],
    request: pytest.FixtureRequest,
) -> None:
    """Votes, consensus, the items asked about and the release are those of one plain process."""
    join(engine, request)
    _turn(shell, project, engine, workers)

    found = _outputs(project)

    assert sorted(found) == sorted(expected)
    assert [name for name in found if found[name] != expected[name]] == []


def _turn(shell: Shell, project: Path, engine: str, workers: int | None) -> None:
    """Import, annotate, aggregate, train, predict, select, answer, aggregate, select, export."""
    where = ["--engine", engine, *([] if workers is None else ["--workers", workers])]
    ask = project / "ask.csv"
    steps: list[list[str | Path]] = [
        ["import", project / "items.csv"],
        ["annotate", *map(str, where)],
        ["aggregate", *map(str, where)],
        ["train"],
        ["import", _more_items(project)],
        ["annotate", *map(str, where)],
        ["predict", *map(str, where)],
        ["aggregate", *map(str, where)],
        ["select", "--count", "10", "--out", ask, *map(str, where)],
    ]
    _all_well(shell, project, steps)
    fill_in(ask, {name: label for name, _, label in texts(140)})
    steps = [
        ["import", ask, "--votes-by", "ann"],
        ["aggregate", *map(str, where)],
        ["select", "--count", "10", "--out", project / "more.csv", *map(str, where)],
        ["export", project / "out", "--name", "v1"],
    ]
    _all_well(shell, project, steps)


def _all_well(shell: Shell, project: Path, steps: list[list[str | Path]]) -> None:
    for step in steps:
        answer = shell(*step, "-p", project)
        assert answer.status == 0, f"{step[0]}: {answer.err}"


def _more_items(project: Path) -> Path:
    """Twenty mails that come after the learner was trained."""
    path = project / "more_items.csv"
    lines = ["id,text", *(f"{name},{text}" for name, text, _ in texts(140)[120:])]
    path.write_text("\n".join(lines) + "\n")
    return path


def _outputs(project: Path) -> dict[str, str]:
    """Hash of every result by its name."""
    lake = project / ".labelmill"
    files = [path for folder in OUTPUTS for path in (lake / folder).rglob("*") if path.is_file()]
    named = {path.relative_to(lake).as_posix(): path for path in files}
    named = {name: path for name, path in named.items() if name not in TELL_THE_PLACE}
    named |= {name: project / name for name in ("ask.csv", "more.csv")}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in named.items()}
