"""`labelmill agree`: from a file of votes to its agreement."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import click
import polars as pl
import pytest
from tests.journeys.conftest import Shell
from tests.journeys.refusals import refused
from tests.quality.agreement_examples import MISSING

from labelmill.cli.agree import command
from labelmill.quality.agreement import BY
from labelmill.quality.coefficients import Metric
from labelmill.quality.distances import LEVELS


@pytest.fixture
def votes(shell: Shell) -> Path:
    """Krippendorff's reliability data as a file."""
    rows = [
        f"{unit},{'ABCD'[j]},{label}" for j, row in enumerate(MISSING) for unit, label in enumerate(row) if label != "."
    ]
    path = Path("votes.csv")
    path.write_text("\n".join(["item,annotator,label", *rows, ""]))
    return path


def test_the_answer_reads_well(shell: Shell, votes: Path) -> None:
    """Coefficient and interval, equal pairs, what they rest on, and what the coefficient is worth."""
    answer = shell("agree", "--votes", votes)

    assert answer.status == 0, answer.err
    first, second, third, fourth = answer.out.splitlines()
    assert first.startswith("Krippendorff's alpha (nominal): 0.743, 95% interval 0.")
    assert second.startswith("Equal pairs of votes: 78.2%, 95% interval ")
    assert third == "11 items with two votes or more, by 4 annotators: 40 votes."
    assert "0.667" in fourth


def test_one_object_for_machines(shell: Shell, votes: Path) -> None:
    """`--json` holds the same, unrounded, with the parts."""
    found = shell("agree", "--votes", votes, "--metric", "fleiss", "--level", "ordinal", "--by", "pair", "--json").json

    assert (found["metric"], found["level"], found["n_items"]) == ("fleiss", "ordinal", 11)
    assert round(found["value"], 5) == 0.85021
    assert len(found["parts"]) == 6
    assert found["superseded"] == 0


@pytest.mark.parametrize(
    ("by", "rows", "first"), [("class", 5, "class"), ("pair", 6, "annotator"), ("item", 12, "item")]
)
def test_parts_go_to_a_file(shell: Shell, votes: Path, by: str, rows: int, first: str) -> None:
    """A row each; the table on the terminal names the file."""
    answer = shell("agree", "--votes", votes, "--by", by, "--out", "parts.csv")

    written = pl.read_csv("parts.csv")
    assert written.height == rows
    assert written.columns[0] == first
    assert "Written: parts.csv" in answer.out


def test_the_whole_goes_to_a_file(shell: Shell, votes: Path) -> None:
    """One row, and nothing else, in the format of the ending."""
    shell("agree", "--votes", votes, "--level", "interval", "--out", "agreement.json")

    (row,) = json.loads(Path("agreement.json").read_text())
    assert round(row["value"], 3) == 0.849


def test_the_classes_order_the_labels(shell: Shell) -> None:
    """Ratings that are words, from low to high; without the order they are refused."""
    Path("votes.csv").write_text("item,annotator,label\n1,a,low\n1,b,mid\n2,a,high\n2,b,high\n3,a,low\n3,b,low\n")
    ask: list[str | Path] = ["agree", "--votes", "votes.csv", "--level", "ordinal"]

    refused(shell, ask, 2, "name the classes from low to high", "--classes high,low,mid")
    assert shell(*ask, "--classes", "low,mid,high").status == 0


def test_an_annotator_who_votes_again(shell: Shell) -> None:
    """The later vote counts, and it is said."""
    Path("votes.csv").write_text("task,worker,label\n1,a,x\n1,b,y\n1,a,y\n2,a,x\n2,b,x\n")

    answer = shell("agree", "--votes", "votes.csv")

    assert "alpha (nominal): 1.000" in answer.out
    assert "1 vote of an annotator who voted on the item again further down" in answer.out


def test_one_class_has_no_coefficient(shell: Shell) -> None:
    """It is said why, and null in JSON."""
    Path("votes.csv").write_text("item,annotator,label\n1,a,x\n1,b,x\n")

    assert "not defined: all votes name one class, 'x'" in shell("agree", "--votes", "votes.csv").out
    assert shell("agree", "--votes", "votes.csv", "--json").json["value"] is None


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        (
            "item,annotator,label\n1,a,3\n1,b,x\n",
            ("--level", "interval"),
            ("line 3, field 'label'", "number, found 'x'"),
        ),
        ("item,annotator,label\n1,a,-3\n", ("--level", "ratio"), ("line 2, field 'label'", "from 0 up, found '-3'")),
        ("item,annotator,label\n1,a,inf\n", ("--level", "interval"), ("line 2", "expected a finite number")),
        ("item,annotator,label\n1,,x\n", (), ("line 2, field 'annotator': is missing",)),
        ("item,annotator,lable\n1,a,x\n", (), ("field 'label'", "did you mean 'lable'?")),
        ("item,annotator,label\n1,a,z\n", ("--classes", "x,y"), ("line 2", "unknown class 'z'")),
    ],
)
def test_a_row_that_cannot_be_taken(shell: Shell, text: str, words: tuple[str, ...], said: tuple[str, ...]) -> None:
    """File, line and field are named, and nothing is written."""
    Path("votes.csv").write_text(text)

    refused(shell, ["agree", "--votes", "votes.csv", "--out", "out.csv", *words], 1, "votes.csv", *said)
    assert not Path("out.csv").exists()


def test_bad_rows_can_be_left_out(shell: Shell) -> None:
    """They are counted and listed."""
    Path("votes.csv").write_text("item,annotator,label\n1,a,3\n1,b,x\n1,c,4\n2,a,5\n2,b,5\n")

    answer = shell("agree", "--votes", "votes.csv", "--level", "interval", "--on-bad-rows", "skip")

    assert "1 bad row left out" in answer.out
    assert "2 items with two votes or more, by 3 annotators: 4 votes." in answer.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--by", "item", "--metric", "cohen"), "take krippendorff or fleiss"),
        (("--by", "class", "--level", "ordinal"), "goes with the level nominal"),
        (("--out", "votes.csv"), "same file"),
    ],
)
def test_what_does_not_go_together(shell: Shell, votes: Path, words: tuple[str, ...], said: str) -> None:
    """Refused before anything is written."""
    before = votes.read_text()

    refused(shell, ["agree", "--votes", votes, *words], 2, said)
    assert votes.read_text() == before


def test_the_options_name_what_there_is() -> None:
    """The choices of the command are the metrics, levels and parts of the room."""
    choices = {
        option.name: list(option.type.choices) for option in command.params if isinstance(option.type, click.Choice)
    }

    assert choices["metric"] == list(get_args(Metric))
    assert choices["level"] == list(LEVELS)
    assert choices["by"] == list(BY)
