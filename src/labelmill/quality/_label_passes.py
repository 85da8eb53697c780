"""Two passes over given labels and probabilities, chunk by chunk, that never hold the matrix of probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.sums import Sums
from labelmill.errors import UsageError
from labelmill.quality._confident_joint import SLACK, thresholds_of

__all__ = ["Challenges", "FirstPass", "SecondPass", "first_pass", "rows_of", "second_pass"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]

CELLS = 2**17
"""Probabilities read at a time: they stay in the processor's cache. Sums follow these chunks, whatever the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class FirstPass:
    """What of each item is remembered, and the thresholds that follow from all.

    Parameters
    ----------
    given : ndarray of int32, shape (n_items,)
        Class each item was given.
    self_confidence : ndarray of float64, shape (n_items,)
        Probability of the given class.
    predicted : ndarray of int32, shape (n_items,)
        The likeliest class, the first of equal ones.
    highest : ndarray of float64, shape (n_items,)
        Its probability.
    thresholds : ndarray of float64, shape (n_classes,)
        From there up a prediction of the class is confident.
    counts : ndarray of int64, shape (n_classes,)
        Items given each class.
    """

    given: npt.NDArray[np.int32]
    self_confidence: Floats
    predicted: npt.NDArray[np.int32]
    highest: Floats
    thresholds: Floats
    counts: Ints

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.counts)

    @property
    def reached(self) -> Floats:
        """Shape (n_classes,): the thresholds less a slack for rounding."""
        return np.asarray(self.thresholds - SLACK)


@dataclass(frozen=True, slots=True, eq=False)
class Challenges:
    """Other classes that the model finds likelier than the given one: one entry an item and class.

    Parameters
    ----------
    item : ndarray of int, shape (n_challenges,)
        Position of the item, ascending.
    by : ndarray of int, shape (n_challenges,)
        The likelier class.
    margin : ndarray of float64, shape (n_challenges,)
        Its probability less that of the given class, above 0.
    """

    item: Places
    by: Places
    margin: Floats


@dataclass(frozen=True, slots=True, eq=False)
class SecondPass:
    """What the thresholds tell.

    Parameters
    ----------
    confident : ndarray of int32, shape (n_items,)
        The class an item confidently belongs to, -1 where there is none.
    joint : ndarray of int64, shape (n_classes, n_classes)
        `[k, j]`: items given k that confidently are j.
    challenges : Challenges
    """

    confident: npt.NDArray[np.int32]
    joint: Ints
    challenges: Challenges


def first_pass(given: npt.NDArray[np.int32], probabilities: Any, *, tolerance: float | None) -> FirstPass:
    """Read every probability once.

    Parameters
    ----------
    given : ndarray of int32, shape (n_items,)
    probabilities : array, shape (n_items, n_classes)
        Any array that is sliced by rows, such as a memory map.
    tolerance : float or None
        How far the sum of a row may be from 1; None does not look.

    Raises
    ------
    UsageError
        If a probability is none, or a row's sum is further from 1; names the row.
    """
    n_items, n_classes = probabilities.shape
    self_confidence, highest = np.empty(n_items), np.empty(n_items)
    predicted = np.empty(n_items, dtype=np.int32)
    sums = Sums((np.zeros(n_classes), np.zeros(n_classes)))
    for start, rows in _chunks(probabilities):
        end = start + len(rows)
        labels = given[start:end]
        row = np.arange(len(rows))
        likeliest = rows.argmax(axis=1)
        self_confidence[start:end] = rows[row, labels]
        predicted[start:end] = likeliest
        highest[start:end] = rows[row, likeliest]
        _check(rows, highest[start:end], start, tolerance)
        sums = sums.merged(_class_sums(labels, self_confidence[start:end], n_classes))
    counts = sums.arrays[1].astype(np.int64)
    return FirstPass(given, self_confidence, predicted, highest, thresholds_of(sums.arrays[0], counts), counts)


def second_pass(first: FirstPass, probabilities: Any, *, wants_challenges: bool = True) -> SecondPass:
    """Read only the rows that the first pass left open.

    An item is confidently of the one class whose threshold it reaches, or of the likeliest class if it reaches
    several. Where the likeliest class is reached it is that one; where even the lowest threshold is higher there is
    none; the rows between are looked at, and for challenges those where another class than the given is likelier.
    """
    reached, n = first.reached, first.n_classes
    likely = first.highest >= reached[first.predicted]
    confident = np.where(likely, first.predicted, np.int32(-1))
    is_open = ~likely & (first.highest >= reached.min(initial=np.inf))
    read = is_open | (first.predicted != first.given) if wants_challenges else is_open
    challenges: list[tuple[Places, Places, Floats]] = []
    for items, rows in rows_of(probabilities, np.flatnonzero(read)):
        asked = is_open[items]
        confident[items[asked]] = _confident(rows[asked], first.predicted[items[asked]], reached)
        if wants_challenges:
            own = first.self_confidence[items]
            row, by = np.divmod(np.flatnonzero(rows > own[:, None]), n)
            challenges.append((items[row], by, rows[row, by] - own[row]))
    cell = first.given.astype(np.int64) * (n + 1) + confident + 1  # column 0: not confident
    joint = np.bincount(cell, minlength=n * (n + 1)).reshape(n, n + 1)[:, 1:]
    return SecondPass(confident, joint.astype(np.int64), _joined(challenges))


def rows_of(probabilities: Any, items: Places) -> Iterator[tuple[Places, Floats]]:
    """The rows at these ascending positions, some at a time."""
    step = _step(probabilities.shape[1])
    for start in range(0, len(items), step):
        part = items[start : start + step]
        rows = probabilities.take(part, axis=0) if isinstance(probabilities, np.ndarray) else probabilities[part]
        yield part, _as_floats(rows)


def _chunks(probabilities: Any) -> Iterator[tuple[int, Floats]]:
    step = _step(probabilities.shape[1])
    for start in range(0, len(probabilities), step):
        yield start, _as_floats(probabilities[start : start + step])


def _step(n_classes: int) -> int:
    return max(CELLS // max(n_classes, 1), 1)


def _as_floats(rows: Any) -> Floats:
    """Half precision rounds so coarsely that rows no longer sum to 1: they are divided by their sum."""
    exact = np.asarray(rows, dtype=np.float64)
    if rows.dtype != np.float16:
        return exact
    total = np.einsum("ij->i", exact)
    return np.asarray(exact / np.where(np.abs(total - 1.0) < HALF, total, 1.0)[:, None])


HALF = 0.05
"""Rows in half precision whose sum is this near to 1 are meant to sum to 1."""


def _class_sums(labels: npt.NDArray[np.int32], self_confidence: Floats, n_classes: int) -> Sums:
    """Of each given class: the sum of its probabilities, and how many items."""
    total = np.bincount(labels, weights=self_confidence, minlength=n_classes).astype(np.float64)
    return Sums((total, np.bincount(labels, minlength=n_classes).astype(np.float64)))


def _check(rows: Floats, highest: Floats, start: int, tolerance: float | None) -> None:
    if not (rows.min(initial=0.0) >= 0.0 and highest.max(initial=0.0) <= 1.0):
        wrong = int(np.flatnonzero(~((rows >= 0.0) & (rows <= 1.0)).all(axis=1))[0])
        value = rows[wrong][~((rows[wrong] >= 0.0) & (rows[wrong] <= 1.0))][0]
        raise UsageError(f"probabilities, row {start + wrong}: {value:g} is no probability; all lie from 0 to 1")
    if tolerance is None:
        return
    total = np.einsum("ij->i", rows)
    off = np.abs(total - 1.0)
    if off.max(initial=0.0) > tolerance:
        wrong = int(np.argmax(off > tolerance))
        raise UsageError(
            f"probabilities, row {start + wrong}: the classes sum to {total[wrong]:.6g}, not 1: divide each row by its "
            "sum, or allow it with tolerance=None if the classes stand alone"
        )


def _confident(rows: Floats, predicted: npt.NDArray[np.int32], reached: Floats) -> npt.NDArray[np.int32]:
    reaches = rows >= reached
    n_reached = reaches.sum(axis=1)
    found = np.where(n_reached > 1, predicted, reaches.argmax(axis=1))
    return np.asarray(np.where(n_reached > 0, found, -1).astype(np.int32))


def _joined(parts: list[tuple[Places, Places, Floats]]) -> Challenges:
    if not parts:
        nothing = np.zeros(0, dtype=np.intp)
        return Challenges(nothing, nothing, np.zeros(0))
    item, by, margin = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Challenges(item, by, margin)
