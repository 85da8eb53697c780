"""Vote tables that label models are tried on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable

__all__ = ["crowd", "ordinary_and_odd", "rows_of"]


def ordinary_and_odd() -> Iterator[VoteTable]:
    """Ordinary tables and those that break things."""
    rng = np.random.default_rng(0)
    yield crowd(rng, 80, 12, 3, votes_each=4)
    yield crowd(rng, 50, 6, 2, votes_each=1)
    yield _rules(rng, 120, 6, 2)
    yield _rules(rng, 90, 9, 4)
    yield _mixed(rng)
    yield VoteTable.from_matrix(np.zeros((6, 3)), classes=("only",))
    yield VoteTable.from_matrix(np.ones((30, 40)), classes=("a", "b"))
    yield VoteTable.from_matrix(np.full((5, 2), ABSTAIN), classes=("a", "b", "c"))
    yield VoteTable.from_matrix(np.zeros((0, 3)), classes=("a", "b"))
    yield VoteTable(["a", "b"], ["x", "y"], ("yes", "no"), [], [], [])
    yield VoteTable(["a", "b"], [], ("yes", "no"), [], [], [])
    yield VoteTable(["a", "a2"], ["x", "y"], ("yes", "no"), [0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 0, 1])
    yield VoteTable(["a", "b", "c"], ["x"], ("yes", "no", "never"), [0, 1], [0, 0], [0, 1])


def crowd(rng: np.random.Generator, n_items: int, n_annotators: int, n_classes: int, *, votes_each: int) -> VoteTable:
    """People who each answer some items, more or less well."""
    truth = rng.integers(n_classes, size=n_items)
    accuracy = rng.uniform(0.5, 0.95, size=n_annotators)
    item = np.repeat(np.arange(n_items), votes_each)
    annotator = np.concatenate([rng.permutation(n_annotators)[:votes_each] for _ in range(n_items)])
    right = rng.random(len(item)) < accuracy[annotator]
    label = np.where(right, truth[item], rng.integers(n_classes, size=len(item)))
    names = [f"person {j}" for j in range(n_annotators)]
    kinds: list[AnnotatorKind | None] = ["person"] * n_annotators
    return VoteTable(
        [f"item {i}" for i in range(n_items)], names, _class_names(n_classes), item, annotator, label, kinds=kinds
    )


def _rules(rng: np.random.Generator, n_items: int, n_annotators: int, n_classes: int) -> VoteTable:
    truth = rng.integers(n_classes, size=n_items)
    matrix = np.full((n_items, n_annotators), ABSTAIN)
    for j in range(n_annotators):
        names = j % n_classes
        fires = rng.random(n_items) < np.where(truth == names, 0.4, 0.1)
        matrix[fires, j] = names
    kinds: list[AnnotatorKind | None] = ["rule"] * n_annotators
    return VoteTable.from_matrix(matrix, classes=_class_names(n_classes), kinds=kinds)


def _mixed(rng: np.random.Generator) -> VoteTable:
    """Two people on some items, three rules, one model with probabilities on most."""
    n_items, n_classes = 70, 3
    truth = rng.integers(n_classes, size=n_items)
    matrix = np.full((n_items, 6), ABSTAIN)
    for j, (asked, accuracy) in enumerate([(0.5, 0.9), (0.3, 0.8), (0.3, 0.7), (0.3, 0.7), (0.3, 0.6)]):
        voted = rng.random(n_items) < asked
        right = rng.random(n_items) < accuracy
        matrix[voted, j] = np.where(right, truth, rng.integers(n_classes, size=n_items))[voted]
    soft = rng.dirichlet(np.ones(n_classes), size=n_items)
    soft[np.arange(n_items), truth] += 1.0
    soft /= soft.sum(axis=1, keepdims=True)
    soft[::9] = np.nan
    matrix[:, 5] = np.where(np.isnan(soft).any(axis=1), ABSTAIN, np.argmax(np.nan_to_num(soft), axis=1))
    item, annotator = np.nonzero(matrix != ABSTAIN)
    kinds: list[AnnotatorKind | None] = ["person", "person", "rule", "rule", "rule", "model"]
    return VoteTable(
        [f"item {i}" for i in range(n_items)],
        ["ann", "bob", "r1", "r2", "r3", "net"],
        _class_names(n_classes),
        item,
        annotator,
        matrix[item, annotator],
        kinds=kinds,
        soft={5: soft},
    )


def rows_of(table: VoteTable, rows: npt.NDArray[np.intp], times: npt.NDArray[np.int64] | None = None) -> VoteTable:
    """The table's rows at these places, in the form it has; they may repeat. Votes are in an order of their own."""
    items = [f"row {n}" for n in range(len(rows))]
    if "label" not in table.__dict__:
        return VoteTable.from_matrix(
            table.matrix[rows],
            classes=table.classes,
            annotators=table.annotators,
            items=items,
            kinds=table.kinds,
            multiplicity=times,
        )
    at = [np.flatnonzero(table.item_index == row) for row in rows]
    order = np.random.default_rng(11).permutation(sum(len(positions) for positions in at))
    votes = np.concatenate([np.zeros(0, dtype=np.intp), *at])[order]
    return VoteTable(
        items,
        table.annotators,
        table.classes,
        np.repeat(np.arange(len(rows)), [len(positions) for positions in at])[order],
        table.annotator_index[votes],
        table.label[votes],
        kinds=table.kinds,
        soft={j: p[rows] for j, p in table.soft.items()},
        multiplicity=times,
    )


def _class_names(n_classes: int) -> list[str]:
    return [f"class {k}" for k in range(n_classes)]
