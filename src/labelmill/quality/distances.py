"""How far two labels are apart: by name, by rank, by value, or as the caller says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, get_args

import numpy as np
import numpy.typing as npt

from labelmill.errors import UsageError, nearest

__all__ = [
    "LEVELS",
    "Counts",
    "Distance",
    "Level",
    "Moments",
    "Nominal",
    "Squared",
    "Table",
    "distance_of",
    "numbers_of",
]

Floats = npt.NDArray[np.float64]

Level = Literal["nominal", "ordinal", "interval", "ratio", "linear", "quadratic"]

LEVELS: tuple[Level, ...] = get_args(Level)

MOST_LABELS = 3000
"""Different labels up to which a table of their distances is made: 72 MB."""

CELLS = 4_000_000
"""Cells of a table that are made at a time."""


@dataclass(frozen=True)
class Counts:
    """Votes of each unit for each label.

    Parameters
    ----------
    table : ndarray or sparse array, shape (n_units, n_labels)
        How many votes.
    n_votes : ndarray of int64, shape (n_units,)
        Their sum.
    """

    table: Any
    n_votes: npt.NDArray[np.int64]

    @property
    def is_sparse(self) -> bool:
        """Whether most cells are not stored."""
        return not isinstance(self.table, np.ndarray)


class Distance(Protocol):
    """Disagreement of every two labels: 0 on equal, symmetric, never negative."""

    @property
    def largest(self) -> float:
        """Between any two labels that may be given; agreement is 1 minus the share of it."""

    def given(self, margins: Floats) -> Distance:
        """The distance where these are the votes for each label, shape (..., n_labels)."""

    def within(self, counts: Counts) -> Floats:
        """Sum over the ordered pairs of votes of each unit, shape (n_units,) or (n_units, n_draws)."""

    def between(self, row: npt.NDArray[np.intp], left: npt.NDArray[Any], right: npt.NDArray[Any]) -> Floats:
        """Of pairs of label indices, each read in a row of the margins given, shape (n_pairs,)."""

    def expected(self, left: Floats, right: Floats) -> Floats:
        """Sum over pairs of labels, one weighed by `left` and one by `right`, both (..., n_labels)."""


@dataclass(frozen=True)
class Nominal:
    """0 for the same label, 1 for two: no label is nearer to one than to another."""

    largest: float = 1.0

    def given(self, margins: Floats) -> Self:  # noqa: ARG002 -- the role's signature
        """The same whatever the votes."""
        return self

    def within(self, counts: Counts) -> Floats:
        """Squares of the counts taken from the square of their sum."""
        m = counts.n_votes.astype(np.float64)
        if counts.is_sparse:
            return np.asarray(m * m - counts.table.multiply(counts.table).sum(axis=1).reshape(-1))
        return np.asarray(m * m - np.einsum("uk,uk->u", counts.table, counts.table))

    def between(self, row: npt.NDArray[np.intp], left: npt.NDArray[Any], right: npt.NDArray[Any]) -> Floats:  # noqa: ARG002 -- the role's signature
        """1 where they differ."""
        return np.asarray(left != right, dtype=np.float64)

    def expected(self, left: Floats, right: Floats) -> Floats:
        """All pairs but those of equal labels."""
        return np.asarray(left.sum(axis=-1) * right.sum(axis=-1) - (left * right).sum(axis=-1))


@dataclass(frozen=True)
class Squared:
    """Squared difference of two values: sums of powers stand for all pairs.

    Parameters
    ----------
    value : ndarray of float64, shape (n_labels,) or (n_rows, n_labels)
        Of each label; several rows where it depends on the margins.
    is_rank : bool
        Values are ranks by the margins: see `given`.
    """

    value: Floats
    is_rank: bool = False

    @property
    def largest(self) -> float:
        """Of the two values furthest apart."""
        return float(np.ptp(self.value) ** 2) if self.value.size else 0.0

    def given(self, margins: Floats) -> Squared:
        r"""Ranks by the margins: two labels are as far apart as votes lie between them.

        Krippendorff's ordinal difference, :math:`\sum_{g=c}^k n_g - (n_c + n_k) / 2`, is that of the ranks
        :math:`\sum_{g \le c} n_g - n_c / 2`.
        """
        if not self.is_rank:
            return self
        ranks = np.cumsum(margins, axis=-1) - margins / 2
        middle = margins.sum(axis=-1, keepdims=True) / 2
        return Squared(ranks - middle)

    def within(self, counts: Counts) -> Floats:
        """Twice the votes times the sum of squares, less twice the square of the sum."""
        m = counts.n_votes.astype(np.float64)
        m = m if self.value.ndim == 1 else m[:, None]
        sums, squares = counts.table @ self.value.T, counts.table @ (self.value**2).T
        return np.asarray(np.maximum(2 * (m * squares - sums**2), 0.0))

    def moments(self, counts: Counts) -> Counts:
        """Votes, sum of values and sum of squares of each unit, shape (n_units, 3), in place of counts."""
        powers = [np.ones_like(self.value), self.value, self.value**2]
        return Counts(np.stack([np.asarray(counts.table @ power) for power in powers], axis=1), counts.n_votes)

    def between(self, row: npt.NDArray[np.intp], left: npt.NDArray[Any], right: npt.NDArray[Any]) -> Floats:
        """The difference, squared."""
        if self.value.ndim == 1:
            return np.asarray((self.value[left] - self.value[right]) ** 2)
        return np.asarray((self.value[row, left] - self.value[row, right]) ** 2)

    def expected(self, left: Floats, right: Floats) -> Floats:
        """From the sums of values and of squares on both sides."""
        x, squares = self.value, self.value**2
        pairs = (left * squares).sum(-1) * right.sum(-1) + (right * squares).sum(-1) * left.sum(-1)
        return np.asarray(np.maximum(pairs - 2 * (left * x).sum(-1) * (right * x).sum(-1), 0.0))


@dataclass(frozen=True)
class Moments:
    """Squared difference where margins are sums of powers of the values, not votes for each of very many labels.

    Parameters
    ----------
    largest : float
    """

    largest: float

    def given(self, margins: Floats) -> Self:  # noqa: ARG002 -- the role's signature
        """The same whatever the votes."""
        return self

    def within(self, counts: Counts) -> Floats:
        """Of counts that are sums of powers, see `Squared.moments`."""
        n, sums, squares = counts.table.T
        return np.asarray(np.maximum(2 * (n * squares - sums**2), 0.0))

    def between(self, row: npt.NDArray[np.intp], left: npt.NDArray[Any], right: npt.NDArray[Any]) -> Floats:
        """Not known: there are no labels.

        Raises
        ------
        TypeError
            Always.
        """
        raise TypeError(f"moments do not tell labels apart: {row}, {left}, {right}")

    def expected(self, left: Floats, right: Floats) -> Floats:
        """From the sums of values and of squares on both sides; what is less than rounding is nothing."""
        pairs = left[..., 2] * right[..., 0] + right[..., 2] * left[..., 0] - 2 * left[..., 1] * right[..., 1]
        least = 1e-12 * self.largest * left[..., 0] * right[..., 0]
        return np.asarray(np.where(pairs > least, pairs, 0.0))

    def shares(self, margins: Floats) -> Floats:
        """Means of powers."""
        return np.asarray(margins / np.maximum(margins[..., :1], np.finfo(float).tiny))


@dataclass(frozen=True)
class Table:
    """Any distance, written out.

    Parameters
    ----------
    cells : ndarray of float64, shape (n_labels, n_labels)
    """

    cells: Floats

    @property
    def largest(self) -> float:
        """The largest cell."""
        return float(self.cells.max()) if self.cells.size else 0.0

    def given(self, margins: Floats) -> Self:  # noqa: ARG002 -- the role's signature
        """The same whatever the votes."""
        return self

    def within(self, counts: Counts) -> Floats:
        """A quadratic form of each unit's counts."""
        n_units, n_labels = counts.table.shape
        step = max(CELLS // max(n_labels, 1), 1)
        parts = [np.zeros(0)]
        for start in range(0, n_units, step):
            some = counts.table[start : start + step]
            seen = some.toarray() if counts.is_sparse else some
            parts.append(((some @ self.cells) * seen).sum(axis=1))
        return np.concatenate(parts)

    def between(self, row: npt.NDArray[np.intp], left: npt.NDArray[Any], right: npt.NDArray[Any]) -> Floats:  # noqa: ARG002 -- the role's signature
        """Looked up."""
        return np.asarray(self.cells[left, right])

    def expected(self, left: Floats, right: Floats) -> Floats:
        """A bilinear form."""
        return np.asarray(((left @ self.cells) * right).sum(axis=-1))


def distance_of(
    level: Level | Callable[[Any, Any], float],
    names: Sequence[str],
    *,
    by_rank_of_votes: bool = False,
) -> Distance:
    r"""The distance that a level of measurement, or a function of two labels, gives to these labels.

    Parameters
    ----------
    level : str or callable
        `nominal`: 0 or 1. `ordinal`: by the places in the order of the labels, see `by_rank_of_votes`. `interval`:
        squared difference of numbers. `ratio`: squared difference over sum. `linear`, `quadratic`: difference of
        numbers, or of places in the order of the labels where they are no numbers, as it is or squared. A function
        gets two labels, as numbers where all are numbers, as texts otherwise.
    names : sequence of str
        The labels in their order.
    by_rank_of_votes : bool
        `ordinal` counts the votes between two labels (Krippendorff 2011, section "ordinal metric differences")
        instead of the pairs of places, :math:`\binom{|i - j| + 1}{2}` (Gwet 2014, Handbook of Inter-Rater
        Reliability, ordinal weights).

    Raises
    ------
    UsageError
        If the level is unknown, needs numbers and got names, or there are too many different labels for it.
    """
    if callable(level):
        return _table(level, names)
    if level not in LEVELS:
        raise UsageError(f"unknown level {level!r}: {nearest(str(level), LEVELS)}")
    if level == "nominal":
        return Nominal()
    numbers = numbers_of(names)
    if level in ("interval", "ratio") and numbers is None:
        name = next(name for name in names if numbers_of([name]) is None)
        raise UsageError(
            f"the level {level} needs labels that are finite numbers, found {name!r}: "
            "take nominal, or ordinal with the classes in order"
        )
    places = np.arange(len(names), dtype=np.float64)
    if level == "ordinal":
        return Squared(places, is_rank=True) if by_rank_of_votes else _places_apart(places)
    value = places if numbers is None else numbers
    if level == "ratio":
        return _ratio(value)
    if level == "linear":
        _check_few(len(value))
        return Table(np.abs(value[:, None] - value))
    middle = (value.min() + value.max()) / 2 if value.size else 0.0
    return Squared(value - middle)


def numbers_of(names: Sequence[str]) -> Floats | None:
    """The labels as finite numbers, or None where one is none."""
    try:
        numbers = np.array([float(name) for name in names], dtype=np.float64)
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _places_apart(places: Floats) -> Table:
    _check_few(len(places))
    apart = np.abs(places[:, None] - places)
    return Table(apart * (apart + 1) / 2)


def _ratio(value: Floats) -> Table:
    if value.size and value.min() < 0:
        raise UsageError(f"the level ratio needs numbers from 0 up, found {value.min():g}: take interval")
    _check_few(len(value))
    total = value[:, None] + value
    share = np.divide(value[:, None] - value, total, out=np.zeros_like(total), where=total > 0)
    return Table(share**2)


def _table(function: Callable[[Any, Any], float], names: Sequence[str]) -> Table:
    _check_few(len(names))
    numbers = numbers_of(names)
    labels = list(names) if numbers is None else numbers.tolist()
    cells = np.array([[function(a, b) for b in labels] for a in labels], dtype=np.float64).reshape(len(names), -1)
    wrong = ~np.isfinite(cells) | (cells < 0) | (cells != cells.T)
    wrong |= np.eye(len(names), dtype=np.bool_) & (cells != 0)
    if wrong.any():
        i, j = np.argwhere(wrong)[0]
        raise UsageError(
            f"the distance of {labels[i]!r} and {labels[j]!r} is {cells[i, j]}, the other way round {cells[j, i]}: "
            "it must be finite, not negative, the same both ways, and 0 for equal labels"
        )
    return Table(cells)


def _check_few(n_labels: int) -> None:
    if n_labels > MOST_LABELS:
        raise UsageError(
            f"{n_labels} different labels are too many for this level (at most {MOST_LABELS}): "
            "round the numbers, or take the level interval"
        )
