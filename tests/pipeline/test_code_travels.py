"""The user's code reaches workers that do not share the driver's disk, and votes there as it does here."""

from __future__ import annotations

import io
import resource
import shutil
import signal
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from labelmill.domain.vote import Fault
from labelmill.errors import AnnotationError, ProjectError, RulesError
from labelmill.pipeline import _code_bundle, _code_here
from labelmill.pipeline._code_bundle import Code, load_code, publish_code
from labelmill.pipeline._code_here import annotators_here, check_files
from labelmill.pipeline.project import Project
from labelmill.stores.lake import Lake

RULES = """\
import importlib
from dataclasses import dataclass
from pathlib import Path

from labelmill import dictionary, keyword, labeling_function
from words import WORDS
from kinds.spam import threshold

HERE = Path(__file__).parent
FOLDER = str(HERE)
plugin = importlib.import_module("found_by_name")

money = keyword("spam", WORDS)


@dataclass
class Limits:
    place: Path
    most: int


LIMITS = Limits(HERE / "data", threshold)


def within(folder):
    def inner(x):
        return (Path(folder) / "data" / x.id).exists()
    return inner


is_there = within(FOLDER)


@labeling_function()
def by_path(x):
    return "spam" if (HERE / "data" / "none.txt").exists() else None


@labeling_function()
def by_text(x):
    return "spam" if FOLDER + x.text else None


@labeling_function()
def by_object(x):
    return "spam" if len(x.text) > LIMITS.most else None


@labeling_function()
def by_closure(x):
    return "spam" if is_there(x) else None


@labeling_function()
def lazily(x):
    import late
    return late.answer(x)
"""

FILES = {
    "rules.py": RULES,
    "words.py": 'from pathlib import Path\nWORDS = (Path(__file__).parent / "data/w.txt").read_text().split()\n',
    "kinds/__init__.py": "",
    "kinds/spam.py": "from . import limits\nthreshold = limits.MOST\n",
    "kinds/limits.py": "MOST = 100\n",
    "found_by_name.py": "",
    "late.py": 'def answer(x):\n    return "ham"\n',
    "data/w.txt": "free prize winner\n",
    "data/named.csv": "a,b\n",
    "unused.py": "",
    "items.csv": "id,text\n",
}


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for copies that is this test's own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


Make = Callable[..., Project]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a project of files."""

    def project(files: dict[str, str] = FILES, settings: str = "") -> Project:
        folder = tmp_path / "project"
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        (folder / "labelmill.toml").write_text(f'[schema]\nclasses = ["ham", "spam"]\n{settings}')
        return Project.open(folder)

    return project


@contextmanager
def no_more_than(n_bytes: int) -> Iterator[None]:
    """Files may not grow beyond this."""
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def published(project: Project, lake: Lake, *, must_travel: bool = True) -> tuple[Code, tuple[tuple[str, str], ...]]:
    """The project's code in the lake, and what the driver saw."""
    assert project.code is not None
    loaded = load_code(project, project.code)
    return publish_code(lake, loaded, must_travel=must_travel), tuple(loaded.fingerprints.items())


def test_what_travels(make: Make, tmp_path: Path) -> None:
    """The rules, every module they import however and whenever, what they read while loading, and what is named."""
    lake = Lake(tmp_path / "lake")

    code, _ = published(make(settings='[annotators]\nfiles = ["data/*.csv"]\n'), lake)

    assert {name for name, _ in code.files} == set(FILES) - {"unused.py", "items.csv"}
    with zipfile.ZipFile(io.BytesIO(lake.read_code(code.bundle))) as archive:
        assert archive.namelist() == sorted(name for name, _ in code.files)


def test_same_files_same_archive(make: Make, tmp_path: Path) -> None:
    """The archive's digest follows from the files alone, not from when they were written or packed."""
    lake = Lake(tmp_path / "lake")

    first, _ = published(make(), lake)
    shutil.rmtree(tmp_path / "project")
    second, _ = published(make(), lake)

    assert first == second


def test_the_copy_votes_like_the_original(make: Make, tmp_path: Path) -> None:
    """Rules loaded from the copy have the driver's fingerprints, although their globals hold other paths."""
    lake = Lake(tmp_path / "lake")
    code, fingerprints = published(make(), lake)
    shutil.move(tmp_path / "project", tmp_path / "elsewhere")

    annotators = annotators_here(lake.uri, code, fingerprints, isolated=False)

    assert [a.name for a in annotators] == ["money", "by_path", "by_text", "by_object", "by_closure", "lazily"]


def test_files_that_are_there_are_used_in_place(make: Make, tmp_path: Path, shelf: Path) -> None:
    """Where the driver's files lie at the driver's path, nothing is unpacked."""
    lake = Lake(tmp_path / "lake")
    code, fingerprints = published(make(), lake)

    annotators_here(lake.uri, code, fingerprints, isolated=False)

    assert list(shelf.iterdir()) == []


def test_a_changed_file_is_not_used_in_place(make: Make, tmp_path: Path) -> None:
    """A worker whose files differ, a word list too, takes the copy and so votes like the driver."""
    lake = Lake(tmp_path / "lake")
    code, fingerprints = published(make(), lake)
    (tmp_path / "project" / "data" / "w.txt").write_text("other words")

    assert annotators_here(lake.uri, code, fingerprints, isolated=False)


def test_a_rule_that_depends_on_what_lies_elsewhere(make: Make, tmp_path: Path) -> None:
    """A worker that would vote otherwise refuses, and names the rule."""
    lake = Lake(tmp_path / "lake")
    outside = tmp_path / "outside.txt"
    outside.write_text("here")
    rules = (
        "from pathlib import Path\nfrom labelmill import keyword\n"
        f'money = keyword("spam", Path("{outside}").read_text().split())\n'
    )
    code, fingerprints = published(make({"rules.py": rules}), lake)
    shutil.move(tmp_path / "project", tmp_path / "elsewhere")
    outside.write_text("there")

    with pytest.raises(AnnotationError, match=r"'money' would vote otherwise .* outside the project's folder"):
        annotators_here(lake.uri, code, fingerprints, isolated=False)


def test_a_library_of_another_version(make: Make, tmp_path: Path) -> None:
    """The message names the library and both versions."""
    lake = Lake(tmp_path / "lake")
    rules = (
        "import click\nfrom labelmill import labeling_function as f\n@f()\ndef g(x):\n    return click.style('ham')\n"
    )
    code, ((name, fingerprint),) = published(make({"rules.py": rules}), lake)
    shutil.move(tmp_path / "project", tmp_path / "elsewhere")
    older = replace(code, libraries=(("click", "1.0"),))

    with pytest.raises(AnnotationError, match=r"click \d+\.\d+\S* there and 1\.0 here: install the same versions"):
        annotators_here(lake.uri, older, ((name, f"{fingerprint[:-1]}x"),), isolated=False)


def test_a_file_that_did_not_travel(make: Make, tmp_path: Path) -> None:
    """A rule that misses its file on a worker stops the run, with the line that lets the file travel."""
    lake = Lake(tmp_path / "lake")
    project = make()
    code, fingerprints = published(project, lake)
    shutil.move(tmp_path / "project", tmp_path / "elsewhere")
    annotators_here(lake.uri, code, fingerprints, isolated=False)
    copy = _code_here._here(lake.uri, code).root
    missing = f"FileNotFoundError: [Errno 2] No such file or directory: '{copy}/data/late.csv'"
    foreign = "FileNotFoundError: [Errno 2] No such file or directory: '/data/late.csv'"

    check_files(lake.uri, code, [Fault("1", "reader", foreign, "")])
    with pytest.raises(AnnotationError) as refused:
        check_files(lake.uri, code, [Fault("1", "reader", missing, "")])

    assert "the rule 'reader' opens data/late.csv" in str(refused.value)
    assert '[annotators]\nfiles = ["data/late.csv"]' in str(refused.value)


def test_rules_that_load_only_on_the_driver(make: Make, tmp_path: Path) -> None:
    """What fails to load on a worker is told with the driver's path and the host."""
    lake = Lake(tmp_path / "lake")
    rules = f'from labelmill import keyword\nopen("{tmp_path}/outside.txt").close()\nmoney = keyword("spam", ["a"])\n'
    (tmp_path / "outside.txt").touch()
    code, fingerprints = published(make({"rules.py": rules}), lake)
    shutil.move(tmp_path / "project", tmp_path / "elsewhere")
    (tmp_path / "outside.txt").unlink()

    with pytest.raises(AnnotationError, match=r"load on the driver and not on .*/project/rules\.py, line 2") as refused:
        annotators_here(lake.uri, code, fingerprints, isolated=False)

    assert str(tmp_path / "temporary") not in str(refused.value)


def test_code_that_is_too_large(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays where all workers are on this machine, and is refused with the largest file where they are not."""
    lake = Lake(tmp_path / "lake")
    project = make({**FILES, "data/w.txt": "word " * 1000})
    monkeypatch.setattr(_code_bundle, "LARGEST", 4000)

    stays, fingerprints = published(project, lake, must_travel=False)

    assert stays.bundle == ""
    assert annotators_here(lake.uri, stays, fingerprints, isolated=False)
    with pytest.raises(RulesError, match=r"the largest is \S+/data/w\.txt"):
        published(project, lake)


@pytest.mark.parametrize("pattern", ["nothing/*.csv", "../secret.txt", "/etc/passwd"])
def test_named_files_that_cannot_travel(make: Make, tmp_path: Path, pattern: str) -> None:
    """A pattern that names nothing, or something outside the project, is refused by name."""
    (tmp_path / "secret.txt").touch()
    project = make(settings=f'[annotators]\nfiles = ["{pattern}"]\n')

    with pytest.raises(ProjectError, match=r"\[annotators\] files: "):
        published(project, Lake(tmp_path / "lake"))


@pytest.mark.parametrize("name", ["../evil.py", "/evil.py"])
def test_an_archive_that_leads_out_of_its_folder(make: Make, tmp_path: Path, name: str) -> None:
    """A name with which unpacking would write elsewhere is refused."""
    lake = Lake(tmp_path / "lake")
    code, fingerprints = published(make(), lake)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "print()")
    evil = replace(code, root=str(tmp_path / "gone"), bundle=lake.publish_code(buffer.getvalue()))

    with pytest.raises(AnnotationError, match="leads out of it"):
        annotators_here(lake.uri, evil, fingerprints, isolated=False)

    assert list((tmp_path / "temporary").rglob("evil.py")) == []


def test_a_full_disk_on_a_worker(make: Make, tmp_path: Path) -> None:
    """Without room for a copy the error names the host, the place and what to do."""
    lake = Lake(tmp_path / "lake")
    code, fingerprints = published(make({**FILES, "data/w.txt": "word " * 10_000}), lake)
    shutil.move(tmp_path / "project", tmp_path / "elsewhere")
    told = r"cannot be unpacked on \S+: .* in \S+/temporary; free some space there, or set TMPDIR"

    with no_more_than(20_000), pytest.raises(AnnotationError, match=told):
        annotators_here(lake.uri, code, fingerprints, isolated=False)

    assert annotators_here(lake.uri, code, fingerprints, isolated=False)


def test_a_copy_that_somebody_wrote_over_is_not_used(make: Make, tmp_path: Path) -> None:
    """Rules that write into their own folder do not spoil the next worker's copy."""
    lake = Lake(tmp_path / "lake")
    code, fingerprints = published(make(), lake)
    shutil.move(tmp_path / "project", tmp_path / "elsewhere")
    first = _code_here._here.__wrapped__(lake.uri, code).root
    (first / "words.py").write_text("WORDS = []\n")

    assert annotators_here(lake.uri, code, fingerprints, isolated=False)
