"""Selecting at scale: the same items in the same order on every engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.pipeline.lakes import ENGINES, crowd, machine_votes, people_votes, project

from labelmill.domain.ports import Pool
from labelmill.errors import StorageError
from labelmill.pipeline import _reduce
from labelmill.pipeline._asked import asked_items
from labelmill.pipeline.aggregate import aggregate, read_consensus
from labelmill.pipeline.select import select
from labelmill.pipeline.submit import submit
from labelmill.pipeline.votes import ballots
from labelmill.pipeline.workspace import Workspace
from labelmill.selection.disagreement import Disagreement
from labelmill.stores import item_set
from labelmill.stores.lake import Lake

STRATEGIES = ["margin", "entropy", "least_confidence", "disagreement", "random"]


@pytest.fixture(autouse=True)
def many_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions of 25 items in groups of 4."""
    monkeypatch.setattr(item_set, "FILE_ROWS", 25)
    monkeypatch.setattr(_reduce, "LEAF_PARTITIONS", 4)


def filled(folder: Path, kind: str = "choice") -> Workspace:
    workspace = project(folder, 500, kind=kind)
    machine_votes(workspace, 3)
    if kind == "choice":
        crowd(workspace, 10, per_person=12)
    aggregate(workspace)
    return workspace


def chosen(workspace: Workspace, **options: object) -> list[tuple[str, float]]:
    result = select(workspace, count=40, **options)  # type: ignore[arg-type]  # options of select
    return [(task.item, task.priority) for task in result.tasks]


@pytest.mark.parametrize(("engine", "workers"), ENGINES[1:])
def test_the_same_items_on_every_engine(engine: str, workers: int | None, tmp_path: Path) -> None:
    """Items, order and scores are those of one plain process, with any number of workers; so is the file."""
    plain, other = filled(tmp_path / "plain"), filled(tmp_path / "other")

    expected = chosen(plain, out=tmp_path / "plain.csv")
    found = chosen(other, out=tmp_path / "other.csv", engine=engine, workers=workers)

    assert len(found) == 40
    assert found == expected
    assert (tmp_path / "plain.csv").read_bytes() == (tmp_path / "other.csv").read_bytes()


@pytest.mark.parametrize("kind", ["choice", "multi_choice"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_best_of_all_are_chosen(strategy: str, kind: str, tmp_path: Path) -> None:
    """No item left behind scores more than one that was chosen."""
    workspace = filled(tmp_path / "p", kind)
    everything = select(workspace, count=1_000, strategy=strategy)

    found = chosen(workspace, strategy=strategy)

    scores = [task.priority for task in everything.tasks]
    assert [score for _, score in found] == sorted(scores, reverse=True)[:40]
    assert len({item for item, _ in found}) == 40


def test_scores_are_those_of_the_whole(tmp_path: Path) -> None:
    """A strategy that looks at each item alone scores a partition as it scores the lake."""
    workspace = filled(tmp_path / "p")
    cast = ballots(workspace).first
    probabilities = read_consensus(workspace).consensus.probabilities
    score = dict(zip(cast.items, Disagreement().score(Pool(probabilities, cast)).tolist(), strict=True))

    found = chosen(workspace, strategy="disagreement")

    assert found == [(item, score[item]) for item, _ in found]
    assert max(score.values()) == found[0][1]


def test_equals_are_drawn_from_all_partitions(tmp_path: Path) -> None:
    """A tie does not follow the file, nor does another seed draw the same."""
    workspace = project(tmp_path / "p", 500)
    aggregate(workspace)

    first, second = ([int(item[1:]) for item, _ in chosen(workspace, seed=seed)] for seed in (1, 2))

    assert len({i // 25 for i in first}) > 10
    assert first != sorted(first)
    assert len(set(first) & set(second)) < 20


def test_nobody_is_asked_twice(tmp_path: Path) -> None:
    """Items that people answered, gold too, are left out; what is asked is remembered."""
    workspace = filled(tmp_path / "p")
    first = [item for item, _ in chosen(workspace)]
    people_votes(workspace, {"ann": dict.fromkeys(first[:20], "a")})
    people_votes(workspace, {"boss": dict.fromkeys(first[20:], "a")}, "gold")

    second = [item for item, _ in chosen(workspace)]

    assert set(first) & set(second) == set()
    assert asked_items(workspace) == {*first, *second}


def test_what_machines_said_in_files_is_asked(tmp_path: Path) -> None:
    """A file of votes by rules or models asks nobody: people are asked about its items as before."""
    workspace = filled(tmp_path / "p")
    first = chosen(workspace, strategy="margin")

    submit(workspace, {item: "a" for item, _ in first}, by="old rules", kind="rule")

    assert first == chosen(workspace, strategy="margin")


def test_only_chosen_rows_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file to fill in is made of the partitions of the chosen items, not of a search through the lake."""
    workspace = filled(tmp_path / "p")
    texts = dict(workspace.lake.items().frame.select("id", "data").iter_rows())
    monkeypatch.setattr(Lake, "items", None)

    tasks = select(workspace, count=7, out=tmp_path / "ask.csv").tasks

    rows = pl.read_csv(tmp_path / "ask.csv", infer_schema=False)
    consensus = read_consensus(workspace).consensus
    best = dict(zip(consensus.items, consensus.labels, strict=True))
    assert rows["item"].to_list() == [task.item for task in tasks]
    assert rows["text"].to_list() == [texts[task.item] for task in tasks]
    assert rows["suggestion"].to_list() == [best[task.item] or "" for task in tasks]
    assert rows["label"].to_list() == [None] * 7 or rows["label"].to_list() == [""] * 7


def test_answers_are_not_written_over(tmp_path: Path) -> None:
    """A file with answers that were not brought back is refused before any work is done."""
    workspace = filled(tmp_path / "p")
    select(workspace, count=3, out=tmp_path / "ask.csv")
    rows = pl.read_csv(tmp_path / "ask.csv", infer_schema=False)
    rows.with_columns(label=pl.lit("a")).write_csv(tmp_path / "ask.csv")

    with pytest.raises(StorageError, match="not imported yet"):
        select(workspace, count=3, out=tmp_path / "ask.csv")


def test_nothing_is_left_to_ask(tmp_path: Path) -> None:
    """Where people answered everything, there are no tasks, and the file has no rows."""
    workspace = project(tmp_path / "p", 30)
    people_votes(workspace, {"ann": {f"i{i}": "a" for i in range(30)}})
    aggregate(workspace)

    result = select(workspace, count=3, out=tmp_path / "ask.csv")

    assert result.tasks == []
    assert pl.read_csv(tmp_path / "ask.csv").columns[:2] == ["item", "label"]


def test_items_that_came_later_wait(tmp_path: Path) -> None:
    """An item that the consensus does not know yet is not asked about."""
    from tests.pipeline.lakes import add_items

    workspace = filled(tmp_path / "p")
    add_items(workspace, 500, 50)

    found = [int(item[1:]) for item, _ in chosen(workspace, strategy="random")]

    assert np.max(found) < 500
