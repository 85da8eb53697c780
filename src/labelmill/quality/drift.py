"""How far two sets of labels, or two runs of the same annotators, differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special

from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError
from labelmill.quality.multiplicity import adjusted

__all__ = ["Drift", "Shift", "drift", "shift"]

Floats = npt.NDArray[np.float64]

SMOOTHING: Final = 0.5
"""Items added to each class on both sides, so that a class seen once is no infinite change."""

LEAST_EXPECTED: Final = 5.0
"""Classes with fewer expected items are put together before the test (Cochran 1954, doi:10.2307/3001666)."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How far two distributions over the same classes differ.

    Parameters
    ----------
    n_old, n_new : int
        Items (or votes) on each side.
    psi : float
        Population stability index; by the usual rule of thumb below 0.1 little, above 0.25 a lot.
    jensen_shannon : float
        Divergence in bits: 0 the same, 1 nothing in common.
    effect : float
        Cohen's w: 0.1 small, 0.3 medium, 0.5 large.
    p : float
        Chance of so large a difference between draws from one distribution (chi-square).
    largest : str
        The class whose share changed most.
    old_share, new_share : float
        Of that class.
    """

    n_old: int
    n_new: int
    psi: float
    jensen_shannon: float
    effect: float
    p: float
    largest: str
    old_share: float
    new_share: float


@dataclass(frozen=True)
class Drift:
    """What changed from one table of votes to another.

    Parameters
    ----------
    labels : Shift
        Of the consensus, an item counted once; of the votes where there is no consensus.
    annotators : polars.DataFrame
        A row for each annotator of both tables, the most certain change first: `annotator`, `n_old`, `n_new`, `psi`,
        `jensen_shannon`, `effect`, `p`, `level` (p beside the other annotators), `class`, `old_share`, `new_share`.
    arrived, left : tuple of str
        Annotators of the new table only, and of the old one only.
    """

    labels: Shift
    annotators: pl.DataFrame
    arrived: tuple[str, ...]
    left: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "labels": asdict(self.labels),
            "annotators": self.annotators.to_dicts(),
            "arrived": list(self.arrived),
            "left": list(self.left),
        }


def drift(
    old: VoteTable,
    new: VoteTable,
    *,
    old_labels: npt.NDArray[np.integer] | None = None,
    new_labels: npt.NDArray[np.integer] | None = None,
) -> Drift:
    """What changed between two tables over the same classes: the labels, and what each annotator answers.

    Parameters
    ----------
    old, new : VoteTable
        With the same classes in the same order.
    old_labels, new_labels : ndarray of int, shape (n_items,), optional
        The consensus of each item, ABSTAIN (-1) without one: items are independent, votes on one item are not.

    Raises
    ------
    UsageError
        If the classes differ, or only one of the consensuses is given.
    """
    if tuple(old.classes) != tuple(new.classes):
        raise UsageError(
            f"the tables have different classes, {', '.join(old.classes)} and {', '.join(new.classes)}: "
            "read both with the same list"
        )
    if (old_labels is None) != (new_labels is None):
        raise UsageError("give the consensus of both tables, or of none")
    named = [_named(table) for table in (old, new)]
    if old_labels is None or new_labels is None:
        totals = [table.sum(axis=0) for table in named]
    else:
        totals = [np.bincount(x[x != ABSTAIN], minlength=old.n_classes) for x in (old_labels, new_labels)]
    places = {name: j for j, name in enumerate(old.annotators)}
    both = [(name, places[name], j) for j, name in enumerate(new.annotators) if name in places]
    rows = [{"annotator": name, **asdict(shift(named[0][i], named[1][j], old.classes))} for name, i, j in both]
    frame = pl.DataFrame(rows, schema=_SCHEMA).rename({"largest": "class"})
    frame = frame.with_columns(level=pl.Series(adjusted(frame["p"].to_numpy()), dtype=pl.Float64))
    known = {name for name, _, _ in both}
    return Drift(
        shift(totals[0], totals[1], old.classes),
        frame.sort("p", "annotator").select(_ORDER),
        tuple(name for name in new.annotators if name not in known),
        tuple(name for name in old.annotators if name not in known),
    )


def shift(old: npt.ArrayLike, new: npt.ArrayLike, classes: Sequence[str]) -> Shift:
    r"""How far two counts of the same classes differ.

    Shares p and q are smoothed by half an item a class. PSI is :math:`\sum (q - p) \ln (q / p)`, Jensen-Shannon
    :math:`H((p + q) / 2) - (H(p) + H(q)) / 2` (Lin 1991, doi:10.1109/18.61115), the effect
    :math:`\sqrt{\sum (q - p)^2 / p}` (Cohen 1988), and p-values come from the chi-square of the 2 × k table, the
    classes expected fewer than five times put together.

    Parameters
    ----------
    old, new : array of number, shape (n_classes,)
        Items of each class.
    classes : sequence of str

    Examples
    --------
    >>> found = shift([50, 50], [50, 50], ["ham", "spam"])
    >>> found.psi, found.p
    (0.0, 1.0)
    """
    counts = np.array([old, new], dtype=np.float64)
    n = counts.sum(axis=1)
    p, q = (counts + SMOOTHING) / (n + SMOOTHING * counts.shape[1])[:, None]
    middle = (p + q) / 2
    at = int(np.argmax(np.abs(q - p))) if len(p) else 0
    return Shift(
        int(n[0]),
        int(n[1]),
        float(((q - p) * np.log(q / p)).sum()),
        max(float((p * np.log2(p / middle) + q * np.log2(q / middle)).sum()) / 2, 0.0),
        float(np.sqrt(((q - p) ** 2 / p).sum())),
        _chi_square(counts),
        str(classes[at]) if len(p) else "",
        *(float(counts[side, at] / n[side]) if len(p) and n[side] else 0.0 for side in (0, 1)),
    )


def _chi_square(counts: Floats) -> float:
    n = counts.sum(axis=1)
    if not n.all():
        return 1.0
    total = counts.sum(axis=0)
    is_rare = total * n.min() / n.sum() < LEAST_EXPECTED
    table = np.column_stack([counts[:, ~is_rare], counts[:, is_rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    expected = n[:, None] * table.sum(axis=0) / n.sum()
    if table.shape[1] < 2 or expected.min() < 1:
        return 1.0
    return float(special.chdtrc(table.shape[1] - 1, ((table - expected) ** 2 / expected).sum()))


def _named(votes: VoteTable) -> Floats:
    """Shape (n_annotators, n_classes): votes of each for each class."""
    cast = votes.label != ABSTAIN
    cell = votes.annotator_index[cast].astype(np.int64) * votes.n_classes + votes.label[cast]
    shape = (votes.n_annotators, votes.n_classes)
    return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)


_SCHEMA: Mapping[str, Any] = {
    "annotator": pl.String,
    "n_old": pl.Int64,
    "n_new": pl.Int64,
    "psi": pl.Float64,
    "jensen_shannon": pl.Float64,
    "effect": pl.Float64,
    "p": pl.Float64,
    "largest": pl.String,
    "old_share": pl.Float64,
    "new_share": pl.Float64,
}
_ORDER = [
    "annotator", "n_old", "n_new", "psi", "jensen_shannon", "effect", "p", "level", "class", "old_share", "new_share"
]  # fmt: skip
