"""Heads that learned from features vote again, and what they get confidently wrong is found; from the shell."""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path

import polars as pl
import pytest
from tests.journeys.conftest import Shell, texts

from labelmill.pipeline.mill import Mill

HEADS = ("auto_head", "linear_head", "label_spreading", "self_training", "torch_head")

WRONG = ("m3", "m7")
"""Mails whose imported label is the opposite of what they are."""


def write_mails(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    """A file of mails without their classes."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "text"), *(row[:2] for row in rows)])
    return path


@pytest.fixture
def labelled(project: Path, shell: Shell) -> Path:
    """A project of sixty mails, all labelled by one table of answers, two of them wrongly; features by hashing."""
    settings = (project / "labelmill.toml").read_text()
    (project / "labelmill.toml").write_text(
        f'{settings}[features]\nencoder = "hashing"\n[train]\nlearner = "auto_head"\n'
    )
    (project / "rules.py").write_text("")
    rows = [(f"m{i}", text, label) for i, (_, text, label) in enumerate(texts(60))]
    shell("import", write_mails(project / "mails.csv", rows), "-p", project)
    other = {"ham": "spam", "spam": "ham"}
    with (project / "votes.csv").open("w", newline="") as file:
        written = [(item, "crowd", other[label] if item in WRONG else label, "model") for item, _, label in rows]
        csv.writer(file).writerows([("item", "annotator", "label", "kind"), *written])
    answer = shell("import", project / "votes.csv", "-p", project)
    assert answer.status == 0, answer.err
    return project


def test_trained_heads_vote_again_through_the_engine(labelled: Path, shell: Shell) -> None:
    """Train each on the consensus, import new mails, predict on the engine: all vote on them, and rightly."""
    for head in HEADS:
        trained = shell("train", "--learner", head, "-p", labelled)
        assert trained.status == 0, trained.err
    new = [(f"n{i}", text, label) for i, (_, text, label) in enumerate(texts(30))]
    shell("import", write_mails(labelled / "more.csv", new), "-p", labelled)

    predicted = shell("predict", "-p", labelled, "--json")

    assert predicted.status == 0, predicted.err
    assert set(HEADS) == set(predicted.json["learners"])
    lake = Mill.open(labelled).lake
    truth = [int(label == "spam") for _, _, label in new]
    for head in HEADS:
        votes = next(found for found in lake.vote_sets() if head in found.annotators)
        said = pl.concat(lake.read_votes(votes.digest, partition.id, [head]) for partition in votes.partitions)
        assert sum(a == b for a, b in zip(said[head].to_list()[60:], truth, strict=True)) >= 27


def test_train_tells_what_the_best_head_was(labelled: Path, shell: Shell) -> None:
    """With new items that have no label there is a choice; its scores are told, and as JSON."""
    new = [(f"n{i}", text, label) for i, (_, text, label) in enumerate(texts(30))]
    shell("import", write_mails(labelled / "more.csv", new), "-p", labelled)

    shown = shell("train", "-p", labelled)
    told = shell("train", "-p", labelled, "--json").json["details"][0]

    assert {"linear", "spread", "product", "self_training"} == set(told["scores"])
    assert f"It took {told['head']}; surprise of held-out answers, in nats: {told['head']} " in shown.out


def test_mine_finds_the_labels_that_are_wrong(labelled: Path, shell: Shell) -> None:
    """The two wrong labels come first; they are written to be answered blind, and not found again once answered."""
    shell("train", "-p", labelled)
    shell("aggregate", "-p", labelled)

    mined = shell("mine", "--least", "0.5", "--out", labelled / "ask.csv", "-p", labelled, "--json")
    shown = shell("mine", "--least", "0.5", "-p", labelled)

    assert mined.status == 0, mined.err
    assert set(WRONG) == {row["item"] for row in mined.json["items"][:2]}
    written = pl.read_csv(labelled / "ask.csv", infer_schema=False)
    assert ["item", "label", "text"] == written.columns
    assert written["label"].null_count() == written.height
    assert "auto_head is sure of another answer than the consensus on" in shown.out

    answers = written.with_columns(label=pl.lit("ham"))
    answers.write_csv(labelled / "ask.csv")
    shell("import", labelled / "ask.csv", "--votes-by", "ann", "-p", labelled)
    shell("aggregate", "-p", labelled)
    again = shell("mine", "--least", "0.5", "-p", labelled, "--json")
    assert not set(WRONG) & {row["item"] for row in again.json["items"]}


def test_mine_puts_items_before_people(labelled: Path, shell: Shell) -> None:
    """They are first in the queue, with the reason and without a suggestion."""
    shell("train", "-p", labelled)
    shell("aggregate", "-p", labelled)

    queued = shell("mine", "--least", "0.5", "--count", "2", "--queue", "-p", labelled)

    assert queued.status == 0, queued.err
    assert "People are asked them first." in queued.out
    with sqlite3.connect(labelled / ".labelmill" / "people.db") as database:
        rows = database.execute("SELECT why, suggestions FROM tasks").fetchall()
    assert {("auto_head and the consensus are sure of different answers", None)} == set(rows)


def test_mine_without_a_learner_says_what_to_do(labelled: Path, shell: Shell) -> None:
    """Nothing was trained: the next step is named."""
    refused = shell("mine", "-p", labelled)

    assert refused.status != 0
    assert "labelmill train" in refused.err


def test_rare_classes_are_heard_where_the_project_says_so(labelled: Path, shell: Shell) -> None:
    """`class_weight` reaches whatever learner; a value that is none is refused with its key."""
    settings = (labelled / "labelmill.toml").read_text()
    (labelled / "labelmill.toml").write_text(settings + 'class_weight = "balanced"\nresample = "over"\n')
    taken = shell("train", "--learner", "linear_head", "-p", labelled)
    (labelled / "labelmill.toml").write_text(settings + 'class_weight = "balancd"\n')

    refused = shell("train", "-p", labelled)

    assert taken.status == 0, taken.err
    assert "train.class_weight is 'balancd': did you mean 'balanced'" in refused.err
