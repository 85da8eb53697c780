"""`labelmill check`: from votes to what needs a person."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import numpy as np
import polars as pl
import pytest
from tests.journeys.conftest import Shell
from tests.journeys.refusals import refused
from tests.quality.crowds import Crowd, honest

from labelmill.cli.check import command


@pytest.fixture
def crowd(shell: Shell) -> Crowd:
    """Votes with times as `votes.csv`, the truth of some items as `truth.csv`: person 0 never looks."""
    crowd = honest(0, n_items=300, n_people=12)
    crowd.label[crowd.own(0)] = 0
    _write(crowd, Path("votes.csv"))
    lines = [f"item {i},class {crowd.truth[i]}" for i in range(0, 300, 3)]
    Path("truth.csv").write_text("\n".join(["item,label", *lines, ""]))
    return crowd


def _write(crowd: Crowd, path: Path) -> None:
    start = np.datetime64("2026-03-02T09:00:00", "ms")
    table = crowd.table()
    pl.DataFrame(
        {
            "item": np.array(table.items)[crowd.item],
            "worker": np.array(table.annotators)[crowd.who],
            "label": np.array(table.classes)[crowd.label],
            "at": [str(start + np.timedelta64(int(1000 * at), "ms")) for at in crowd.at],
            "duration": crowd.seconds.round(2),
        }
    ).write_csv(path)


def test_the_answer_reads_well(shell: Shell, crowd: Crowd) -> None:
    """What was checked, who it is about, how sure, what to do, and a table that begins with them."""
    answer = shell("check", "--votes", "votes.csv", "--truth", "truth.csv")

    assert answer.status == 0, answer.err
    assert "1,500 votes on 300 items by 12 annotators; compared with the consensus by auto and 100 known" in answer.out
    assert "1 finding, the weightiest first. Were all in order, there would be any with a chance of 5%." in answer.out
    assert "spammer  person 0 says 'class 0' on 100% of" in answer.out
    assert re.search(r"Chance of it by luck: .*one in .*\. Read some of its votes; leave it out", answer.out)
    table = answer.out[answer.out.index("  annotator") :].splitlines()
    assert table[1].startswith("! person 0")


def test_one_object_for_machines(shell: Shell, crowd: Crowd) -> None:
    """`--json` holds findings, annotators, pairs, balance and weights, without NaN."""
    found = shell("check", "--votes", "votes.csv", "--json").json

    assert [["person 0"]] == [finding["annotators"] for finding in found["findings"]]
    assert found["findings"][0]["level"] < 0.05 / len(found["tests"])
    assert {"spammers", "copies", "drift"} <= set(found["tests"])
    assert len(found["annotators"]) == 12
    assert found["annotators"][0]["seconds"] > 0
    assert set(found["weights"]) == {"class 0", "class 1", "class 2"}
    assert found["pairs"][0]["shared"] >= 5


def test_a_report_with_pictures(shell: Shell, crowd: Crowd) -> None:
    """One file with the findings and every figure; nothing is left half-written."""
    answer = shell("check", "--votes", "votes.csv", "--out", "check.html")

    page = Path("check.html").read_text(encoding="utf-8")
    assert "Report: check.html" in answer.out
    for part in ("findings", "annotators", "confusion", "pairs", "drift", "agreement", "balance"):
        assert f'<section id="{part}">' in page
    assert page.count("<svg") > 20
    assert {"check.html", "truth.csv", "votes.csv"} == {path.name for path in Path().iterdir()}


def test_older_votes(shell: Shell, crowd: Crowd) -> None:
    """`--against` tells what changed since; the votes themselves are refused as older ones."""
    _write(honest(1, n_items=300, n_people=12, balance=[0.05, 0.05, 0.9]), Path("old.csv"))

    answer = shell("check", "--votes", "votes.csv", "--against", "old.csv")

    assert "shift  The consensus says 'class 2' on" in answer.out
    refused(
        shell, ["check", "--votes", "votes.csv", "--against", "votes.csv"], 2, "--against and --votes are the same file"
    )


def test_in_a_project(shell: Shell, project: Path) -> None:
    """Rules and people of a project; a gold answer counts as the truth; a report is written."""
    shell("import", project / "items.csv", "-p", project)
    lines = [
        "item,annotator,label",
        *(f"m{i},{who},{'spam' if i % 3 == 0 else 'ham'}" for i in range(120) for who in "ab"),
    ]
    (project / "votes.csv").write_text("\n".join([*lines, *(f"m{i},c,ham" for i in range(120)), ""]))
    imported = shell("import", project / "votes.csv", "-p", project)
    assert imported.status == 0, imported.err
    assert shell("annotate", "-p", project).status == 0

    answer = shell("check", "-p", project, "--out", "check.html")

    assert answer.status == 0, answer.err
    assert "spammer  c says 'ham' on 100% of 120 items" in answer.out
    assert Path("check.html").exists()


def test_a_project_without_votes(shell: Shell, project: Path) -> None:
    """It is said what to do first."""
    refused(shell, ["check", "-p", project], 1, "there are no items yet")


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("item,annotator,label,at\n1,a,x,yesterday\n", (), ("line 2, field 'at'", "2026-01-31T09:30:00Z")),
        ("item,annotator,label,seconds\n1,a,x,-3\n", (), ("line 2, field 'seconds'", "above 0, found '-3'")),
        ("item,annotator,lable\n1,a,x\n", (), ("field 'label'", "did you mean 'lable'?")),
        ("item,annotator,label\n1,a,z\n", ("--classes", "x,y"), ("line 2", "unknown class 'z'")),
    ],
)
def test_a_row_that_cannot_be_taken(shell: Shell, text: str, words: tuple[str, ...], said: tuple[str, ...]) -> None:
    """File, line and field are named, and no report is written."""
    Path("votes.csv").write_text(text)

    refused(shell, ["check", "--votes", "votes.csv", "--out", "out.html", *words], 1, "votes.csv", *said)
    assert not Path("out.html").exists()


def test_bad_rows_can_be_left_out(shell: Shell, crowd: Crowd) -> None:
    """They are counted and listed."""
    with Path("votes.csv").open("a") as file:
        file.write("item 1,person 3,class 1,never,2\n")

    answer = shell("check", "--votes", "votes.csv", "--on-bad-rows", "skip")

    assert "1 bad row left out" in answer.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--truth", "truth.csv"), "--truth goes with --votes"),
        (("--votes", "votes.csv", "--engine", "serial"), "works in a project only"),
        (("--votes", "votes.csv", "--out", "votes.csv"), "same file"),
        (("--votes", "votes.csv", "--truth", "other.csv"), "none of the 1 items of the truth has votes"),
    ],
)
def test_what_does_not_go_together(shell: Shell, crowd: Crowd, words: tuple[str, ...], said: str) -> None:
    """Refused, with the next step."""
    Path("other.csv").write_text("item,label\nelsewhere,class 1\n")

    refused(shell, ["check", *words], 2, said)


@pytest.mark.parametrize(
    "spelled", ["2026-03-02T09:00:0{}Z", "2026-03-02 09:00:0{}", "2026-03-02T10:00:0{}+01:00", "177244200{}"]
)
def test_spellings_of_times(spelled: str) -> None:
    """ISO 8601 with and without offset, and seconds since 1970, are read as the same moments."""
    from labelmill.pipeline._vote_times import seconds_at

    read = seconds_at(pl.Series([spelled.format(3), "", "soon", None]))

    assert [1772442003.0, None, None, None] == read.to_list()


def test_the_options_name_what_there_is() -> None:
    """The kinds of annotators are those of the domain."""
    from labelmill.domain.vote import ANNOTATOR_KINDS

    kinds: Any = next(option for option in command.params if option.name == "kind").type
    assert isinstance(kinds, click.Choice)
    assert list(ANNOTATOR_KINDS) == list(kinds.choices)
