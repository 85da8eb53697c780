from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from labelmill.errors import FailedError, UsageError
from labelmill.pipeline.init import init
from labelmill.pipeline.mill import Mill
from labelmill.pipeline.repair import repair, repairs
from labelmill.pipeline.report import story

CLASSES = ("cat", "dog", "emu")
N = 80


@pytest.fixture
def mill(tmp_path: Path) -> Mill:
    """Three people on eighty items; ann errs on the first four, bob and cid on one further item each."""
    folder = tmp_path / "p"
    init(folder, classes=CLASSES)
    truth = [CLASSES[k] for k in np.random.default_rng(0).integers(3, size=N)]
    pl.DataFrame({"id": [f"i{n}" for n in range(N)], "text": truth}).write_csv(tmp_path / "items.csv")
    wrong = {"ann": range(4), "bob": [10], "cid": [20]}
    rows = [
        (f"i{n}", name, CLASSES[(CLASSES.index(truth[n]) + 1) % 3] if n in errors else truth[n])
        for name, errors in wrong.items()
        for n in range(N)
    ]
    pl.DataFrame(rows, schema=["item", "annotator", "label"], orient="row").write_csv(tmp_path / "votes.csv")
    mill = Mill.open(folder)
    mill.ingest(tmp_path / "items.csv")
    mill.ingest(tmp_path / "votes.csv")
    return mill


def _answer(mill: Mill, path: Path, answers: dict[str, str], by: str) -> None:
    asked = pl.read_csv(path)
    filled = asked.with_columns(label=pl.col("item").replace_strict(answers, default=""))
    filled.write_csv(path)
    mill.ingest(path, votes_by=by, purpose="review")


def _truth(mill: Mill) -> dict[str, str]:
    return {item.id: item.data for item in mill.lake.items()}


def test_the_planted_errors_are_the_suspects(mill: Mill) -> None:
    """Every wrong vote is found and no right one."""
    found = repair(mill).suspects

    assert {(f"i{n}", "ann") for n in range(4)} | {("i10", "bob"), ("i20", "cid")} == set(
        found.select("item", "annotator").iter_rows()
    )
    assert (found["consensus"] == found["item"].replace_strict(_truth(mill))).all()


def test_people_are_asked_blind(mill: Mill, tmp_path: Path) -> None:
    """The file shows the item and an empty label, and neither old label nor suggestion."""
    done = repair(mill, out=tmp_path / "ask.csv", count=3)

    asked = pl.read_csv(tmp_path / "ask.csv")
    assert len(done.tasks) == asked.height == 3
    assert {"suggestion", "confidence"}.isdisjoint(asked.columns)
    assert asked["label"].is_null().all()


def test_an_answer_supersedes_the_suspect_vote(mill: Mill, tmp_path: Path) -> None:
    """In the name of who erred, with who was asked as the reason; the old vote stays in the lake."""
    ask, truth = tmp_path / "ask.csv", _truth(mill)
    repair(mill, out=ask)
    _answer(mill, ask, truth, "lead")

    done = repair(mill, out=tmp_path / "again.csv")

    assert {(r.item, r.annotator, r.new) for r in done.settled} == {
        *((f"i{n}", "ann", truth[f"i{n}"]) for n in range(4)),
        ("i10", "bob", truth["i10"]),
        ("i20", "cid", truth["i20"]),
    }
    assert done.settled[0].reason == "lead was asked again"
    assert done.suspects.is_empty()
    assert not done.tasks
    assert sorted(repairs(mill)) == sorted(done.settled)
    votes = mill.lake.imported_votes().filter((pl.col("item") == "i0") & (pl.col("annotator") == "ann"))
    assert votes["value"].to_list()[-1] == truth["i0"]
    assert votes.height == 2
    assert votes["reason"].to_list() == [None, "repair: lead was asked again"]
    assert len(story(mill).repairs) == 6


def test_a_confirmed_vote_stays(mill: Mill, tmp_path: Path) -> None:
    """Where the answer is what the suspect had said, nothing is superseded."""
    ask = tmp_path / "ask.csv"
    suspects = repair(mill, out=ask).suspects
    _answer(mill, ask, dict(suspects.select("item", "label").iter_rows()), "lead")

    done = repair(mill)

    assert done.settled == []
    assert done.confirmed == 6


def test_what_is_not_answered_stays_asked(mill: Mill, tmp_path: Path) -> None:
    """Open questions come back in the next file, also beyond the count."""
    first = repair(mill, out=tmp_path / "one.csv", count=4)

    second = repair(mill, out=tmp_path / "two.csv", count=1)

    assert [task.item for task in first.tasks] == [task.item for task in second.tasks]


def test_the_consensus_repairs_what_clears_the_bar(mill: Mill) -> None:
    """With its probability as the reason; what does not clear it is left."""
    posterior = repair(mill).suspects["posterior"]
    bar = float(posterior.median())  # type: ignore[arg-type]  # a number

    done = repair(mill, bar=bar)

    assert len(done.taken) == int((posterior >= bar).sum())
    assert done.suspects.height + len(done.taken) == posterior.len()
    assert all("the consensus says" in r.reason for r in done.taken)
    held = mill.lake.imported_votes().unique(["item", "annotator"], keep="last")
    for item, annotator, _, new, _ in done.taken:
        row = held.filter((pl.col("item") == item) & (pl.col("annotator") == annotator))
        assert row["value"].to_list() == [new]


def test_bad_options_are_refused(mill: Mill) -> None:
    """A bar that is no probability, a count of none."""
    with pytest.raises(UsageError, match="a probability above"):
        repair(mill, bar=0.4)
    with pytest.raises(UsageError, match="at least 1"):
        repair(mill, count=0)


def test_only_for_one_class_an_item(tmp_path: Path) -> None:
    """Other kinds are refused."""
    init(tmp_path / "m", classes=CLASSES, kind="multi_choice")
    with pytest.raises(FailedError, match="one class an item"):
        repair(Mill.open(tmp_path / "m"))
