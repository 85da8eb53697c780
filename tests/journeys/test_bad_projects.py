"""Project files and project folders that cannot be used."""

from __future__ import annotations

import fcntl
import io
from pathlib import Path

import pytest
from tests.journeys.conftest import Shell
from tests.journeys.refusals import refused

CLASSES = '[schema]\nclasses = ["ham", "spam"]\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[shema]\nclasses = ["a", "b"]\n', ("unknown section [shema]", "did you mean 'schema'?")),
        ('[schema]\nclases = ["a", "b"]\n', ("unknown key 'clases' in [schema]", "did you mean 'classes'?")),
        ("schema = 3\n", ("'schema' must be a section", "[schema]")),
        ("", ("[schema] needs classes", 'classes = ["ham", "spam"]')),
        ("[schema]\nclasses = []\n", ("has no classes",)),
        ('[schema]\nclasses = "ham"\n', ("schema.classes must be a list of texts, found 'ham'",)),
        ('[schema]\nclasses = ["ham", 3]\n', ("schema.classes must be a list of texts",)),
        ('[schema]\nclasses = ["ham", "spam", "ham"]\n', ("names the class 'ham' twice",)),
        ('[schema]\nclasses = ["ham", ""]\n', ("non-empty text, found ''",)),
        ('[schema]\nclasses = ["ham", "ABSTAIN"]\n', ("'ABSTAIN'", "cannot be a class")),
        (f'{CLASSES}kind = "choise"\n', ("schema.kind = 'choise'", "did you mean 'choice'?")),
        (f'{CLASSES}modality = "txt"\n', ("unknown modality 'txt'", "did you mean 'text'?")),
        (f'{CLASSES}[annotate]\nengine = "proceses"\n', ("annotate.engine", "did you mean 'processes'?")),
        (f'{CLASSES}[annotate]\nworkers = "two"\n', ("annotate.workers must be a whole number, found 'two'",)),
        (f"{CLASSES}[annotate]\nworkers = true\n", ("annotate.workers must be a whole number, found True",)),
        (f"{CLASSES}[annotate]\nworkers = -1\n", ("annotate.workers must be at least 0, found -1",)),
        (f"{CLASSES}[annotate]\ntimeout = nan\n", ("annotate.timeout must lie between", "found nan")),
        (f"{CLASSES}[annotate]\ntimeout = inf\n", ("annotate.timeout must lie between", "found inf")),
        (f"{CLASSES}[annotate]\ntimeout = 0\n", ("annotate.timeout must lie between", "found 0")),
        (f'{CLASSES}[aggregate]\nmodel = "dawidskene"\n', ("aggregate.model", "did you mean 'dawid_skene'?")),
        (f'{CLASSES}[train]\nlearner = "tfidf_linaer"\n', ("train.learner", "did you mean 'tfidf_linear'?")),
        (f'{CLASSES}[select]\nstrategy = "entrpy"\n', ("select.strategy", "did you mean 'entropy'?")),
        (f"{CLASSES}[select]\ncount = 0\n", ("select.count must be at least 1, found 0",)),
        (f"{CLASSES}[select]\nrandom_share = 2\n", ("select.random_share must lie between 0 and 1, found 2.0",)),
        (f'{CLASSES}[select]\nbalance_classes = "yes"\n', ("select.balance_classes must be true or false",)),
        (f"{CLASSES}[certify]\nerror = 2\n", ("certify.error must lie between 0 and 1, found 2",)),
        (f"{CLASSES}[certify]\nconfidence = nan\n", ("certify.confidence must lie between 0 and 1, found nan",)),
        (f'{CLASSES}[export]\nformats = ["cvs"]\n', ("export.formats", "'cvs'", "did you mean 'csv'?")),
        (f"{CLASSES}[export]\nformats = []\n", ("export.formats is empty", "parquet")),
        (f"{CLASSES}[project]\nseed = -1\n", ("project.seed must be at least 0, found -1",)),
        (f'{CLASSES}[source]\nencoding = "cp12525"\n', ("source.encoding = 'cp12525'", "utf-8")),
        ("[schema\n", ("is not valid TOML", "line 1")),
        ('[schema]\nname = "a"\nname = "b"\n', ("is not valid TOML", "line 3")),
    ],
)
def test_a_wrong_project_file(shell: Shell, project: Path, text: str, words: tuple[str, ...]) -> None:
    """The message names the file, the key, what was found and the nearest known name."""
    (project / "labelmill.toml").write_text(text)

    refused(shell, ["import", project / "items.csv", "-p", project], 2, "labelmill.toml", *words)


def test_a_project_file_in_another_encoding(shell: Shell, project: Path) -> None:
    """Bytes that are not UTF-8 are named by line."""
    (project / "labelmill.toml").write_bytes('[schema]\nname = "caf\xe9"\n'.encode("cp1252"))

    refused(shell, ["annotate", "-p", project], 2, "labelmill.toml, line 2", "0xe9 is not UTF-8")


def test_a_project_file_with_a_byte_order_mark(shell: Shell, project: Path) -> None:
    """Editors of Windows write one: it is passed over."""
    path = project / "labelmill.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert shell("import", project / "items.csv", "-p", project).status == 0


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('items = ["nowhere.csv"]', ("nowhere.csv: no such file", "[source]")),
        ('votes = ["wrong.csv"]', ("wrong.csv, line 2, field 'item'", "unknown item 'm1'")),
    ],
)
def test_a_source_that_cannot_be_taken(shell: Shell, project: Path, source: str, words: tuple[str, ...]) -> None:
    """`run` names the file of [source] that stops it."""
    (project / "wrong.csv").write_text("item,annotator,label\nm1,ann,ham\n")
    (project / "labelmill.toml").write_text(f"{CLASSES}[source]\n{source}\n")

    refused(shell, ["run", "-p", project], 1, *words)


COMMANDS: list[list[str | Path]] = [
    ["import", "items.csv"],
    ["annotate"],
    ["analyze"],
    ["aggregate"],
    ["train"],
    ["predict"],
    ["select"],
    ["certify"],
    ["export"],
    ["report"],
    ["run"],
    ["runs", "list"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: str(words[0]))
def test_outside_a_project(shell: Shell, command: list[str | Path]) -> None:
    """Every command that needs a project says how to make one and how to name one."""
    refused(shell, command, 2, f"no labelmill.toml in {Path.cwd()}", "labelmill init DIR", "--project DIR")


def test_a_folder_in_the_place_of_the_project_file(shell: Shell) -> None:
    """What cannot be read is named."""
    Path("labelmill.toml").mkdir()

    refused(shell, ["annotate"], 2, "labelmill.toml cannot be read", "Is a directory")


def test_a_file_in_the_place_of_the_lake(shell: Shell, project: Path) -> None:
    """A file where the project keeps its data is named, and stays."""
    (project / ".labelmill").write_text("mine")

    refused(shell, ["import", project / "items.csv", "-p", project], 1, ".labelmill", "file where a folder should be")


def test_two_at_once(shell: Shell, project: Path) -> None:
    """While one writes, another is refused with the process to wait for."""
    shell("import", project / "items.csv", "-p", project)
    with (project / ".labelmill" / "lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        for command in ("annotate", "train"):
            refused(shell, [command, "-p", project], 1, "another labelmill is writing", "pid")


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--classes", "a,a"], 2, ("names the class 'a' twice",)),
        (["--classes", ""], 2, ("non-empty text",)),
        (["--classes", "a,b,"], 2, ("non-empty text",)),
        (["--classes", "a,ABSTAIN"], 2, ("'ABSTAIN'",)),
        (["--classes", "a,b", "--kind", "choise"], 2, ("'choise'", "did you mean 'choice'?")),
        (["--classes", "a,b", "--modality", "txt"], 2, ("--modality", "'txt'", "'text'")),
        (["--classes", "a,b", "--name", "a\udcffb"], 2, ("choose another name",)),
        ([], 2, ("--classes is missing", "--classes ham,spam")),
    ],
)
def test_a_wrong_init(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, words: list[str | Path], status: int, told: tuple[str, ...]
) -> None:
    """A question that is none makes no folder."""
    monkeypatch.setattr("sys.stdin", io.StringIO())

    refused(shell, ["init", "new", *words], status, *told)

    assert not Path("new").exists()


def test_init_where_something_is(shell: Shell, project: Path) -> None:
    """A project is never overwritten, and a file is no folder."""
    Path("file").write_text("mine")

    refused(shell, ["init", project, "--classes", "a,b"], 2, "labelmill.toml is there already")
    refused(shell, ["init", "file", "--classes", "a,b"], 2, "is a file")
    refused(shell, ["init", "file/below", "--classes", "a,b"], 1, "file/below", "Not a directory")


@pytest.mark.parametrize("name", ["mäil 😀", 'a"quote', "back\\slash", "new\nline", "del\x7f", "{braces}"])
def test_init_with_odd_names(shell: Shell, project: Path, name: str) -> None:
    """Whatever can be a text can be a class and a project's name."""
    made = shell("init", f"new {name}", "--classes", f"{name},other", "--name", name)
    used = shell("import", project / "items.csv", "-p", f"new {name}")
    annotated = shell("annotate", "--engine", "serial", "-p", f"new {name}")

    assert (0, 0, 0) == (made.status, used.status, annotated.status), made.err + used.err + annotated.err
