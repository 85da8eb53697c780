"""Votes that cannot be taken, and votes that are odd and can."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from tests.journeys.conftest import Shell
from tests.journeys.refusals import refused


@pytest.fixture
def answers(shell: Shell, project: Path) -> list[str | Path]:
    """The command that imports `votes.csv` as answers of ann into a project with items and rules' votes."""
    assert shell("import", project / "items.csv", "-p", project).status == 0
    assert shell("annotate", "-p", project).status == 0
    return ["import", "votes.csv", "--votes-by", "ann", "-p", project]


def labels(shell: Shell, votes: str, *words: str) -> pl.DataFrame:
    """What `aggregate --votes --out` makes of the votes."""
    Path("votes.csv").write_text(votes)
    answer = shell("aggregate", "--votes", "votes.csv", "--out", "labels.csv", "--reliabilities", "people.csv", *words)
    assert answer.status == 0, answer.err
    return pl.read_csv("labels.csv")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("item,label\nm1,hamm\n", ("line 2, field 'label'", "unknown class 'hamm': did you mean 'ham'?", "ham, spam")),
        ("item,label\nm1,Ham\n", ("unknown class 'Ham': did you mean 'ham'?",)),
        ("item,label\nnobody,ham\n", ("line 2, field 'item'", "unknown item 'nobody'", "import the items first")),
        ("item,label\n,ham\n", ("line 2, field 'item': is missing",)),
        ("item,label,confidence\nm1,ham,2\n", ("field 'confidence'", "between 0 and 1, found '2'")),
        ("item,label,kind\nm1,ham,persn\n", ("field 'kind'", "'persn'", "person")),
    ],
)
def test_a_wrong_answer(shell: Shell, answers: list[str | Path], rows: str, words: tuple[str, ...]) -> None:
    """The message names file, line, field, what was found and what is known."""
    Path("votes.csv").write_text(rows)

    refused(shell, answers, 1, "votes.csv, line 2", *words, "Nothing was imported", "--on-bad-rows skip")


def test_a_thousand_wrong_answers(shell: Shell, answers: list[str | Path]) -> None:
    """Five are shown and the rest counted."""
    Path("votes.csv").write_text("item,label\n" + "".join(f"m{i},x\n" for i in range(100)))

    answer = refused(shell, answers, 1, "and 95 more bad rows")

    assert len(answer.err.splitlines()) == 7


def test_wrong_answers_can_be_left_out(shell: Shell, answers: list[str | Path]) -> None:
    """The good ones are taken, the others listed."""
    Path("votes.csv").write_text("item,label\nm1,ham\nnobody,ham\nm2,x\n")

    result = shell(*answers, "--on-bad-rows", "skip", "--json").json

    assert result["votes"] == 1
    assert [text.partition(":")[0] for text in result["bad_rows"]] == [
        "votes.csv, line 3, field 'item'",
        "votes.csv, line 4, field 'label'",
    ]


def test_unanswered_rows_are_told(shell: Shell, answers: list[str | Path]) -> None:
    """A file that comes back half filled in is taken, and says what is left."""
    Path("votes.csv").write_text("item,label\nm1,ham\nm2,\nm3,\n")

    answer = shell(*answers)

    assert answer.status == 0
    assert "1 new vote." in answer.out
    assert "2 rows without a label" in answer.out


def test_an_answer_needs_somebody_who_gave_it(shell: Shell, answers: list[str | Path]) -> None:
    """Votes without an annotator, or with an empty name, are refused."""
    Path("votes.csv").write_text("item,label\nm1,ham\n")
    project = answers[-1]

    refused(shell, ["import", "votes.csv", "-p", project], 1, "field 'annotator': no such column", "--votes-by NAME")
    refused(shell, ["import", "votes.csv", "--votes-by", " ", "-p", project], 2, "--votes-by needs a name")
    both: list[str | Path] = ["import", "votes.csv", "--votes-by", "a", "--labels-by", "b", "-p", project]
    refused(shell, both, 2, "--votes-by", "--labels-by")


def test_a_person_is_not_called_like_a_rule(shell: Shell, answers: list[str | Path]) -> None:
    """One name is one annotator, whoever came first."""
    Path("votes.csv").write_text("item,label\nm1,ham\n")
    project = Path(answers[-1])
    refused(
        shell,
        ["import", "votes.csv", "--votes-by", "money", "-p", project],
        1,
        "'money' is the name of a rule of this project",
    )
    assert shell("import", "votes.csv", "--votes-by", "dana", "-p", project).status == 0

    with (project / "rules.py").open("a") as file:
        file.write('\n\ndana = keyword("spam", ["cash"])\n')

    refused(shell, ["annotate", "-p", project], 2, "rules.py", "the rule 'dana'", "another name")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("item,annotator,label\na,u,x\n,u,x\n", ("votes.csv, line 3, field 'item': is missing",)),
        ("item,annotator,label\na,u,x\na,,x\n", ("votes.csv, line 3, field 'annotator': is missing",)),
        ("item,annotator,label,kind\na,u,x,persn\n", ("field 'kind'", "did you mean 'person'?")),
        ("item,annotator,label,kind\na,u,x,rule\nb,u,x,person\n", ("'u' is called person and rule", "one kind each")),
    ],
)
def test_a_wrong_vote_between_files(shell: Shell, rows: str, words: tuple[str, ...]) -> None:
    """Without a project the same care is taken."""
    Path("votes.csv").write_text(rows)
    command: list[str | Path] = ["aggregate", "--votes", "votes.csv", "--out", "labels.csv"]

    refused(shell, command, 1, *words, "Nothing was written")


def test_an_unknown_class_between_files(shell: Shell) -> None:
    """With `--classes` every label is one of them."""
    Path("votes.csv").write_text("item,annotator,label\na,u,ham\na,v,hamm\n")
    command: list[str | Path] = ["aggregate", "--votes", "votes.csv", "--out", "labels.csv", "--classes", "ham,spam"]

    refused(shell, command, 1, "votes.csv, line 3, field 'label'", "unknown class 'hamm': did you mean 'ham'?")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("annotator,kind\nu,persn\n", ("kinds.csv, line 2", "did you mean 'person'?")),
        ("annotator,kind\nu\n", ("kinds.csv, line 2", "found 1 field")),
        ("annotator,kind\nu,rule\nu,person\n", ("kinds.csv, line 3", "'u' is called a rule further up")),
        ("annotator,sort\nu,rule\n", ("field 'kind': no such column",)),
    ],
)
def test_a_wrong_file_of_kinds(shell: Shell, rows: str, words: tuple[str, ...]) -> None:
    """`--annotators` is read with the same care."""
    Path("votes.csv").write_text("item,annotator,label\na,u,x\n")
    Path("kinds.csv").write_text(rows)
    command: list[str | Path] = ["aggregate", "--votes", "votes.csv", "--out", "l.csv", "--annotators", "kinds.csv"]

    refused(shell, command, 1, *words)


def test_a_tie_goes_to_the_first_class(shell: Shell) -> None:
    """A tie is decided by class order and marked."""
    table = labels(shell, "item,annotator,label\na,u,y\na,v,x\nb,u,y\n", "--model", "majority_vote")

    assert table.select("item", "label", "tied").rows() == [("a", "x", True), ("b", "y", False)]


def test_the_class_order_of_ties_can_be_given(shell: Shell) -> None:
    """`--classes` decides which class is first."""
    table = labels(shell, "item,annotator,label\na,u,y\na,v,x\n", "--model", "majority_vote", "--classes", "y,x")

    assert table.select("label", "tied").rows() == [("y", True)]


def test_a_single_class(shell: Shell) -> None:
    """Votes that know one class only give that class."""
    table = labels(shell, "item,annotator,label\na,u,x\nb,u,x\nb,v,x\n")

    assert table["label"].to_list() == ["x", "x"]


@pytest.mark.parametrize("words", [(), ("--classes", "x,y"), ("--model", "majority_vote"), ("--model", "ebcc")])
def test_all_abstain(shell: Shell, words: tuple[str, ...]) -> None:
    """Where nobody names a class no item has a label."""
    table = labels(shell, "item,annotator,label\na,u,\nb,u,ABSTAIN\n", *words)

    assert table["item"].to_list() == ["a", "b"]
    assert table["label"].to_list() == [None, None]


def test_an_annotator_without_votes(shell: Shell) -> None:
    """One who only abstains has no votes and no reliability, and disturbs nobody."""
    table = labels(shell, "item,annotator,label\na,u,x\nb,u,y\na,w,\n")
    people = pl.read_csv("people.csv")

    assert table["label"].to_list() == ["x", "y"]
    assert [("u", 2), ("w", 0)] == people.sort("annotator").select("annotator", "votes").rows()


def test_all_abstain_in_a_project(shell: Shell, project: Path) -> None:
    """A project whose rules never vote is aggregated; what needs votes says so."""
    (project / "rules.py").write_text('from labelmill import keyword\n\nnever = keyword("spam", ["zzz"])\n')
    for step in (["import", project / "items.csv"], ["annotate"], ["aggregate"], ["analyze"]):
        assert shell(*step, "-p", project).status == 0

    assert shell("aggregate", "-p", project, "--json").json["with_votes"] == 0
    refused(shell, ["train", "-p", project], 1, "nobody has voted yet", "labelmill annotate")


def test_a_project_of_one_class(shell: Shell, project: Path) -> None:
    """One class is a question without a choice: odd, and the line holds."""
    (project / "labelmill.toml").write_text('[schema]\nclasses = ["ham"]\n[annotate]\nengine = "serial"\n')
    (project / "rules.py").write_text('from labelmill import keyword\n\nthanks = keyword("ham", ["thanks"])\n')
    steps: list[list[str | Path]] = [["import", project / "items.csv"], ["annotate"], ["train"], ["run"], ["report"]]

    statuses = [shell(*step, "-p", project).status for step in steps]

    assert [0, 0, 0, 0, 0] == statuses


def test_votes_that_contradict_themselves(shell: Shell, answers: list[str | Path]) -> None:
    """The later answer of the same person counts."""
    Path("votes.csv").write_text("item,label\nm1,spam\nm1,ham\n")
    shell(*answers, "--purpose", "gold")

    result = shell("aggregate", "-p", answers[-1], "--json").json
    shell("export", "release", "--format", "jsonl", "-p", answers[-1])

    rows = [json.loads(line) for line in Path("release/labels.jsonl").read_text().splitlines()]
    assert result["details"]["gold_items"] == 1
    assert {"m1": "ham"}.items() <= {row["item"]: row["label"] for row in rows}.items()


TWICE = "item,annotator,label\ni,ann,cat\nk,ann,cat\ni,ann,dog\nk,ann,cat\n"


@pytest.mark.parametrize(
    ("repeats", "label", "words"),
    [("last", "dog", "the last counts"), ("first", "cat", "the first counts"), ("all", "cat", "all count")],
)
def test_an_annotator_who_votes_twice(shell: Shell, repeats: str, label: str, words: str) -> None:
    """The last vote counts, the first, or both, as asked; the output says how many there were."""
    Path("votes.csv").write_text(TWICE)
    command = ["aggregate", "--votes", "votes.csv", "--out", "labels.csv", "--model", "majority_vote"]

    answer = shell(*command, "--repeats", repeats)

    assert answer.status == 0, answer.err
    assert dict(pl.read_csv("labels.csv").select("item", "label").iter_rows()) == {"i": label, "k": "cat"}
    assert f"2 votes of an annotator who voted on the item before: {words}" in answer.out


def test_a_contradiction_can_be_refused(shell: Shell) -> None:
    """Line, annotator and both labels are named; saying the same again is no contradiction."""
    Path("votes.csv").write_text(TWICE)
    command: list[str | Path] = ["aggregate", "--votes", "votes.csv", "--out", "labels.csv", "--repeats", "refuse"]

    refused(shell, command, 1, "votes.csv, line 4, field 'label'", "'ann' says 'dog' of item 'i', and said 'cat'")
    assert not Path("labels.csv").exists()
    assert shell(*command, "--on-bad-rows", "skip").status == 0
    assert dict(pl.read_csv("labels.csv").select("item", "label").iter_rows()) == {"i": "cat", "k": "cat"}
