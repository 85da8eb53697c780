"""Projects whose question changes under way, and results that find no room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.journeys.conftest import PROJECT, RULES, Shell
from tests.journeys.refusals import listing, refused

READERS: list[list[str | Path]] = [
    ["aggregate"],
    ["analyze"],
    ["select"],
    ["certify", "--plan"],
    ["export"],
    ["report"],
]


def ask(project: Path, classes: str) -> None:
    """Change the classes of the project file."""
    (project / "labelmill.toml").write_text(PROJECT.replace('"ham", "spam"', classes))


@pytest.fixture
def labelled(shell: Shell, project: Path) -> Path:
    """A project with rules' votes, a trained learner and a consensus."""
    for step in (["import", project / "items.csv"], ["annotate"], ["train"], ["aggregate"]):
        assert shell(*step, "-p", project).status == 0
    return project


@pytest.mark.parametrize("classes", ['"spam", "ham"', '"ham", "spam", "other"', '"ham", "eggs"'])
@pytest.mark.parametrize("words", READERS, ids=lambda words: str(words[0]))
def test_votes_under_other_classes_do_not_count(
    shell: Shell, labelled: Path, classes: str, words: list[str | Path]
) -> None:
    """A vote is a class index: after the classes change, or only their order, nothing is read from old ones."""
    ask(labelled, classes)

    refused(
        shell, [*words, "-p", labelled], 1, "the classes in labelmill.toml have changed since", "labelmill annotate"
    )


def test_annotating_again_makes_it_whole(shell: Shell, labelled: Path) -> None:
    """After `annotate` under the new order every label is what it was."""
    truth = shell("export", "before", "--format", "jsonl", "-p", labelled)
    ask(labelled, '"spam", "ham"')
    for step in (["annotate"], ["aggregate"], ["train"], ["aggregate"], ["export", "after", "--format", "jsonl"]):
        answer = shell(*step, "-p", labelled)
        assert answer.status == 0, (step, answer.err)

    assert truth.status == 0
    before, after = (
        [line.split(",")[:2] for line in Path(folder, "labels.jsonl").read_text().splitlines()]
        for folder in ("before", "after")
    )
    assert before == after


def test_answers_that_name_a_lost_class(shell: Shell, labelled: Path) -> None:
    """People's answers are names: a name that is gone is told, with what to do."""
    Path("answers.csv").write_text("item,label\nm1,ham\nm2,ham\n")
    shell("import", "answers.csv", "--votes-by", "ann", "-p", labelled)
    ask(labelled, '"spam", "eggs"')
    (labelled / "rules.py").write_text(RULES.replace('"ham"', '"eggs"'))
    assert shell("annotate", "-p", labelled).status == 0

    for command in ("aggregate", "train", "analyze"):
        refused(shell, [command, "-p", labelled], 1, "2 answers of people name 'ham'", "add it to [schema] classes")


def test_no_annotators_at_all(shell: Shell, project: Path) -> None:
    """A project of items alone has a consensus of nothing, and a report of it."""
    for step in (["import", project / "items.csv"], ["aggregate"], ["report"], ["export", "out"]):
        answer = shell(*step, "-p", project)

        assert answer.status == 0, (step, answer.err)


@pytest.mark.parametrize(
    ("words", "room"), [(["select", "--out", "ask.csv"], 1500), (["report", "--out", "r.html"], 6000)]
)
def test_a_result_without_room(shell: Shell, labelled: Path, words: list[str], room: int) -> None:
    """A file that does not fit is not there at all, and nobody counts as asked."""
    before = listing(Path.cwd())
    program = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}));"
        "from labelmill.cli.main import main; main()"
    )

    run = subprocess.run(
        [sys.executable, "-c", program, *words, "-p", labelled], capture_output=True, text=True, check=False
    )

    assert run.returncode == 1
    assert "too large" in run.stderr
    assert listing(Path.cwd()) == before
