"""Batches that are picked: the same on every engine, with a slice at random, balanced, and with reasons."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tests.pipeline.lakes import machine_votes, people_votes, project

from labelmill.domain.ports import Pool
from labelmill.errors import UsageError
from labelmill.pipeline import _pick_step, _reduce
from labelmill.pipeline._asked import asked_at_random
from labelmill.pipeline._features import features_of_project
from labelmill.pipeline._pools import silent
from labelmill.pipeline.aggregate import aggregate, read_consensus
from labelmill.pipeline.select import Selected, select
from labelmill.pipeline.workspace import Workspace
from labelmill.selection.core_set import CoreSet
from labelmill.stores import item_set

PICKING = ["auto", "core_set", "typiclust", "probcover", "herding", "uherding", "cluster_margin", "badge"]


@pytest.fixture(autouse=True)
def many_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions of 25 items in groups of 4."""
    monkeypatch.setattr(item_set, "FILE_ROWS", 25)
    monkeypatch.setattr(_reduce, "LEAF_PARTITIONS", 4)


def filled(
    folder: Path, n: int = 200, *, kind: str = "choice", encoder: str = "hashing", votes: bool = True
) -> Workspace:
    project(folder, n, kind=kind)
    settings = folder / "labelmill.toml"
    options = "options = {dimensions = 32}\n" if encoder else ""
    settings.write_text(f'{settings.read_text()}[features]\nencoder = "{encoder}"\n{options}')
    workspace = Workspace.open(folder)
    if votes:
        machine_votes(workspace, 3)
    answer = '["a"]' if kind == "multi_choice" else "a"
    people_votes(workspace, {"ann": {f"i{i}": answer for i in range(0, 60, 5)}})
    aggregate(workspace)
    return workspace


def told(result: Selected) -> list[tuple[str, float, str, bool]]:
    return [(task.item, task.priority, task.why, task.at_random) for task in result.tasks]


def test_the_same_batch_on_every_engine(tmp_path: Path) -> None:
    """Items, order, scores and reasons are those of one plain process."""
    plain, other = filled(tmp_path / "plain"), filled(tmp_path / "other")
    expected = told(select(plain, count=12, strategy="auto"))

    found = select(other, count=12, strategy="auto", engine="processes", workers=2)

    assert len(expected) == 12
    assert expected == told(found)


@pytest.mark.parametrize(
    ("strategy", "kind"), [*((name, "choice") for name in PICKING), ("auto", "multi_choice"), ("badge", "multi_choice")]
)
def test_a_batch_holds_different_items_that_nobody_answered(strategy: str, kind: str, tmp_path: Path) -> None:
    """As many as asked for, none answered, each with a reason, best first."""
    workspace = filled(tmp_path / "p", 60, kind=kind)
    answered = {f"i{i}" for i in range(0, 60, 5)}

    tasks = select(workspace, count=9, strategy=strategy).tasks

    assert 9 == len({task.item for task in tasks} - answered)
    assert all(task.why for task in tasks)
    assert sorted((task.priority for task in tasks), reverse=True) == [task.priority for task in tasks]


def test_parts_together_cover_what_the_whole_covers(tmp_path: Path) -> None:
    """Picked in eight parts and then among those, the radius is at most a tenth above that of one pool."""
    workspace = filled(tmp_path / "p")
    items = read_consensus(workspace).consensus.items
    vectors = features_of_project(workspace).of_all(workspace.lake)
    known = np.array([int(item[1:]) % 5 == 0 and int(item[1:]) < 60 for item in items])
    whole = CoreSet().pick(Pool(np.full((200, 3), 1 / 3), silent(list(items)), 0, vectors, known), 20)

    tasks = select(workspace, count=20, strategy="core_set").tasks

    parts = [items.index(task.item) for task in tasks]
    assert radius(vectors, known, parts) <= 1.1 * radius(vectors, known, whole.tolist())


def radius(vectors: npt.NDArray[np.float32], known: npt.NDArray[np.bool_], chosen: list[int]) -> float:
    centres = np.concatenate([vectors[known], vectors[chosen]])
    return float(np.linalg.norm(vectors[:, None] - centres[None], axis=2).min(axis=1).max())


def test_what_is_offered_is_picked_from_where_it_is_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offers beyond the limit are thinned on the way: the batch is whole all the same."""
    monkeypatch.setattr(_pick_step, "MOST_OFFERED", 10)
    workspace = filled(tmp_path / "p")

    tasks = select(workspace, count=6, strategy="herding").tasks

    assert 6 == len({task.item for task in tasks})


def test_a_strategy_that_needs_features_says_what_to_set(tmp_path: Path) -> None:
    """Without an encoder it refuses before any work is done, and names the setting."""
    workspace = filled(tmp_path / "p", 30, encoder="")

    with pytest.raises(UsageError, match=r"\[features\] encoder"):
        select(workspace, count=3, strategy="herding")


def test_auto_without_an_encoder_says_so(tmp_path: Path) -> None:
    """It takes the smallest margins and tells what would let it do better; with an encoder there is nothing to tell."""
    bare = filled(tmp_path / "bare", 60, encoder="")
    margins = [task.item for task in select(bare, count=10, strategy="margin").tasks]

    result = select(bare, count=10, strategy="auto", random_share=0)

    worst = {task.item: task.priority for task in select(bare, count=60, strategy="margin").tasks}
    assert worst[margins[-1]] <= min(worst[task.item] for task in result.tasks)
    assert "[features] encoder" in result.note
    assert "" == select(filled(tmp_path / "p", 60), count=10, strategy="auto").note


def test_a_share_is_drawn_at_random_and_remembered(tmp_path: Path) -> None:
    """A quarter of a batch by margin is drawn; those items are marked, told apart, and spread over the batch."""
    workspace = filled(tmp_path / "p", 100)

    tasks = select(workspace, count=20, random_share=0.25).tasks

    drawn = [place for place, task in enumerate(tasks) if task.at_random]
    assert 5 == len(drawn)
    assert {tasks[place].item for place in drawn} == asked_at_random(workspace)
    assert all(("at random" in task.why) == task.at_random for task in tasks)
    assert drawn[0] < 5
    assert drawn[-1] > 14
    assert 20 == len({task.item for task in tasks})
    assert sorted((task.priority for task in tasks), reverse=True) == [task.priority for task in tasks]


def test_the_random_share_does_not_look_at_doubt(tmp_path: Path) -> None:
    """What is drawn follows from the seed and the items alone: another strategy draws the same."""
    workspace = filled(tmp_path / "p", 100)

    drawn = [
        {task.item for task in select(workspace, count=20, strategy=name, random_share=0.3).tasks if task.at_random}
        for name in ("margin", "herding")
    ]

    assert drawn[0] == drawn[1]
    assert 6 == len(drawn[0])


@pytest.mark.parametrize("strategy", ["margin", "herding"])
def test_classes_are_balanced(strategy: str, tmp_path: Path) -> None:
    """Of a class with many answers fewer are asked, until all have as many; the others get the same number."""
    workspace = filled(tmp_path / "p")
    consensus = read_consensus(workspace).consensus
    label = dict(zip(consensus.items, consensus.labels, strict=True))

    tasks = select(workspace, count=18, strategy=strategy, balance_classes=True).tasks

    counts = Counter(label[task.item] for task in tasks)  # twelve answers say "a"
    assert counts["a"] < min(counts["b"], counts["c"])
    assert abs(counts["b"] - counts["c"]) <= 1
    assert 18 == len({task.item for task in tasks})


def test_several_classes_cannot_be_balanced(tmp_path: Path) -> None:
    """An answer that is no single class is refused with the setting's name."""
    workspace = filled(tmp_path / "p", 30, kind="multi_choice")

    with pytest.raises(UsageError, match="balance_classes"):
        select(workspace, count=3, balance_classes=True)


def test_reasons_carry_the_items_numbers(tmp_path: Path) -> None:
    """The margin in the reason is that of the probabilities; where nobody voted there is none."""
    workspace = filled(tmp_path / "p", 60)
    consensus = read_consensus(workspace).consensus
    sorted_ = np.sort(consensus.probabilities, axis=1)
    margin = dict(zip(consensus.items, (sorted_[:, -1] - sorted_[:, -2]).tolist(), strict=True))
    said = {item for item, label in zip(consensus.items, consensus.labels, strict=True) if label is not None}

    tasks = select(workspace, count=60, strategy="margin").tasks

    for task in tasks:
        expected = f"margin {margin[task.item]:.2f}: the annotators so far are" if task.item in said else "nobody has"
        assert task.why.startswith(expected)


def test_the_file_to_fill_in_says_why(tmp_path: Path) -> None:
    """Its column `why` holds the reasons."""
    workspace = filled(tmp_path / "p", 60)

    tasks = select(workspace, count=4, strategy="herding", out=tmp_path / "ask.jsonl").tasks

    text = (tmp_path / "ask.jsonl").read_text()
    assert 4 == text.count(tasks[0].why) == text.count("stands for many others")


def test_expected_savings_go_by_how_right_people_are(tmp_path: Path) -> None:
    """People that the label model trusts little are expected to save less."""
    workspace = filled(tmp_path / "p", 60)

    tasks = select(workspace, count=3, strategy="expected_error_reduction").tasks

    assert all(0 < task.priority < 1 for task in tasks)
