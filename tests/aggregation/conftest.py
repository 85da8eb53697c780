"""Votes whose truth is known: made up, and real where the data lie beside the repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable

Ints = npt.NDArray[np.intp]
Gold = tuple[VoteTable, Ints, Ints]
"""Votes, the items with gold, and their gold classes."""

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture
def crowd() -> Callable[..., Gold]:
    """Makes votes of people, each with an accuracy of their own."""
    return _crowd


@pytest.fixture(scope="session")
def real_sets() -> Callable[[str, AnnotatorKind], dict[str, Gold]]:
    """Reads all real sets of a folder."""
    return _real_sets


@pytest.fixture(scope="session")
def accuracy() -> Callable[[npt.NDArray[np.float64], Ints, Ints], float]:
    """Share of items whose likeliest class is the gold one, in percent; a tie of m classes counts 1/m."""
    return _accuracy


def _crowd(
    *, n_items: int = 400, votes_each: int = 5, accuracies: list[float], n_classes: int = 3, seed: int = 0
) -> Gold:
    rng = np.random.default_rng(seed)
    n_people = len(accuracies)
    truth = rng.integers(n_classes, size=n_items)
    item = np.repeat(np.arange(n_items), votes_each)
    person = np.concatenate([rng.permutation(n_people)[:votes_each] for _ in range(n_items)])
    right = rng.random(len(item)) < np.asarray(accuracies)[person]
    wrong = (truth[item] + rng.integers(1, n_classes, size=len(item))) % n_classes
    label = np.where(right, truth[item], wrong)
    kinds: list[AnnotatorKind | None] = ["person"] * n_people
    table = VoteTable(
        [str(i) for i in range(n_items)],
        [f"person {j}" for j in range(n_people)],
        [f"class {k}" for k in range(n_classes)],
        item,
        person,
        label,
        kinds=kinds,
    )
    return table, np.arange(n_items), truth


def _real_sets(folder: str, kind: AnnotatorKind) -> dict[str, Gold]:
    if not (DATA / folder).is_dir():
        pytest.skip(f"no real votes at {DATA / folder}")
    return {path.name: _read(path, kind) for path in sorted((DATA / folder).iterdir()) if path.is_dir()}


def _read(path: Path, kind: AnnotatorKind) -> Gold:
    votes, truth = (pl.read_csv(path / f"{name}.csv", infer_schema=False) for name in ("votes", "truth"))
    classes = sorted({*votes["label"].drop_nulls(), *truth["label"]})
    table = VoteTable.of(votes, classes=classes, kinds=dict.fromkeys(votes["worker"].unique().to_list(), kind))
    place = {item: i for i, item in enumerate(table.items)}
    pairs = [(place[item], classes.index(label)) for item, label in truth.iter_rows() if item in place]
    items, gold = np.array(pairs, dtype=np.intp).T
    return table, items, gold


def _accuracy(probabilities: npt.NDArray[np.float64], items: Ints, gold: Ints) -> float:
    chosen = probabilities[items]
    best = chosen >= chosen.max(axis=1, keepdims=True) - 1e-9
    return 100.0 * float((best[np.arange(len(gold)), gold] / best.sum(axis=1)).mean())
