"""What a person should act on: silent, lone, doubled and misleading annotators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from labelmill.quality.annotator_row import AnnotatorRow

__all__ = ["Note", "notes_on"]

NoteKind = Literal["no_votes", "only_conflicts", "near_duplicate", "below_chance"]

FEW = 20
"""Shared items below which a pair or a conflict rate says nothing."""

DUPLICATE_OVERLAP, DUPLICATE_AGREEMENT = 50, 0.995
"""Two annotators are near-duplicates when they agree so often on at least so many items ..."""

DUPLICATE_SHARED = 0.9
"""... which are at least this share of all items either of them votes on."""

MOST_PAIRS = 20
"""The pairs with the largest overlap are named, no more."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to act on.

    Parameters
    ----------
    kind : {"no_votes", "only_conflicts", "near_duplicate", "below_chance"}
    annotators : tuple of str
        Whom it is about.
    text : str
        What was seen and what to do.
    """

    kind: NoteKind
    annotators: tuple[str, ...]
    text: str


def notes_on(
    rows: Sequence[AnnotatorRow],
    pair_counts: npt.NDArray[np.int64] | None,
    pair_conflicts: npt.NDArray[np.float64] | None,
    *,
    n_classes: int,
) -> tuple[Note, ...]:
    """The notes on an analysis, silent annotators first; see `Analysis` for the arrays."""
    single = [note for j in range(len(rows)) for note in _single(rows[j], j, pair_counts, pair_conflicts, n_classes)]
    doubles = [] if pair_counts is None or pair_conflicts is None else _doubles(rows, pair_counts, pair_conflicts)
    rank = ("no_votes", "below_chance", "only_conflicts", "near_duplicate")
    return tuple(sorted([*single, *doubles], key=lambda note: rank.index(note.kind)))


def _single(
    row: AnnotatorRow,
    j: int,
    pair_counts: npt.NDArray[np.int64] | None,
    pair_conflicts: npt.NDArray[np.float64] | None,
    n_classes: int,
) -> Iterator[Note]:
    name = row.annotator
    if not row.n_votes:
        yield Note("no_votes", (name,), f"{name} never votes: check its condition, or remove it.")
        return
    chance = 1 / max(n_classes, 2)
    if row.accuracy_high is not None and row.accuracy_high < chance and row.accuracy is not None:
        n = (row.n_correct or 0) + (row.n_incorrect or 0)
        yield Note(
            "below_chance",
            (name,),
            f"{name} is right on {row.accuracy:.1%} of {n:,} items with known truth, below chance ({chance:.0%}): "
            "look whether it names the wrong class.",
        )
    elif row.learned_accuracy is not None and row.learned_accuracy < chance:
        yield Note(
            "below_chance",
            (name,),
            f"{name} has a learned accuracy of {row.learned_accuracy:.1%}, below chance ({chance:.0%}): "
            "look at items where it votes, it may name the wrong class.",
        )
    if _never_agrees(j, pair_counts, pair_conflicts):
        yield Note("only_conflicts", (name,), f"{name} contradicts every other annotator wherever they meet.")


def _never_agrees(
    j: int,
    pair_counts: npt.NDArray[np.int64] | None,
    pair_conflicts: npt.NDArray[np.float64] | None,
) -> bool:
    if pair_counts is None or pair_conflicts is None:
        return False
    met = (pair_counts[j] > 0) & (np.arange(len(pair_counts)) != j)
    return bool(met.any() and pair_counts[j][met].sum() >= FEW and (pair_conflicts[j][met] == 1).all())


def _doubles(
    rows: Sequence[AnnotatorRow], pair_counts: npt.NDArray[np.int64], pair_conflicts: npt.NDArray[np.float64]
) -> list[Note]:
    own = np.diagonal(pair_counts)
    either = own[:, None] + own[None, :] - pair_counts
    is_double = (
        (pair_counts >= DUPLICATE_OVERLAP)
        & (pair_conflicts <= 1 - DUPLICATE_AGREEMENT)
        & (pair_counts >= DUPLICATE_SHARED * either)
    )
    pairs = np.argwhere(np.triu(is_double, 1))
    pairs = pairs[np.argsort(-pair_counts[pairs[:, 0], pairs[:, 1]], kind="stable")][:MOST_PAIRS]
    return [
        Note(
            "near_duplicate",
            (rows[i].annotator, rows[j].annotator),
            f"{rows[i].annotator} and {rows[j].annotator} agree on {1 - pair_conflicts[i, j]:.1%} of "
            f"{pair_counts[i, j]:,} items and vote on nearly the same ones: they may be one voice counted twice.",
        )
        for i, j in pairs.tolist()
    ]
