"""How far annotators agree on spans, boxes, segments, numbers and texts, by the kind's own distance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.answers import AnswerTable
from labelmill.errors import UsageError
from labelmill.quality._attribute_agreement import agreement_on_attributes
from labelmill.quality._draws import draws_of, interval
from labelmill.quality.agreement import Agreement, By

__all__ = ["structured_agreement"]

Floats = npt.NDArray[np.float64]

MOST_PAIRS: Final = 20_000
"""Pairs of answers, by anybody on any items, from which chance is estimated; all of them where they are fewer."""


def structured_agreement(
    answers: AnswerTable, *, by: By | None = None, n_resamples: int = 200, confidence: float = 0.95, seed: int = 0
) -> Agreement:
    r"""Krippendorff's alpha of structured answers, by the distance of their kind.

    :math:`\alpha = 1 - D_o / D_e`: :math:`D_o` is the mean distance of two answers on one item, each item weighing as
    many answers as it has; :math:`D_e` that of two answers by anybody on any items, from at most 20,000 pairs
    (Krippendorff 2011, https://repository.upenn.edu/asc_papers/43; with such distances: Braylan, Alonso and Lease
    2022, https://doi.org/10.1145/3485447.3512242). Where places differ from item to item, as those of boxes do,
    :math:`D_e` is near 1 and alpha near the mean nearness, which is given as `percent`.

    Parameters
    ----------
    answers : AnswerTable
        Abstentions are left out.
    by : {"class", "pair", "item", "attribute"}, optional
        Which parts to give. By pair: against the :math:`D_e` of all. By class: with elements of the other classes
        taken away, for kinds whose values are lists of elements with a label. By attribute: over shapes that two
        annotators both drew, see `labelmill.quality._attribute_agreement`.
    n_resamples : int
        Draws of items with replacement; 0 leaves the intervals NaN.
    confidence : float
        In (0, 1).
    seed : int
        Of the draws, and of the pairs.

    Raises
    ------
    UsageError
        If an option is impossible, or the kind has no classes, or no attributes, to show agreement by.
    """
    if n_resamples < 0 or not 0 < confidence < 1:
        raise UsageError(
            f"n_resamples must be 0 or more and confidence in (0, 1), found {n_resamples} and {confidence}"
        )
    measured = _Measured(answers, answers.values, seed)
    (value, low, high), (near, near_low, near_high) = measured.estimates(n_resamples, confidence)
    parts = None if by is None else _parts(measured, by, n_resamples, confidence)
    return Agreement(
        metric="krippendorff",
        level="custom",
        value=value,
        low=low,
        high=high,
        percent=near,
        percent_low=near_low,
        percent_high=near_high,
        n_items=len(measured.shared),
        n_annotators=len({int(answers.annotator_index[p]) for positions in measured.shared for p in positions}),
        n_votes=sum(map(len, measured.shared)),
        confidence=confidence,
        reason=measured.reason if math.isnan(value) else "",
        parts=parts,
    )


@dataclass(frozen=True)
class _Measured:
    """Distances within items, and between answers on any items."""

    answers: AnswerTable
    values: Sequence[Any]
    seed: int

    @cached_property
    def shared(self) -> list[npt.NDArray[np.intp]]:
        """Positions of the answers of each item with two or more."""
        return [positions for positions in self.answers.by_item if len(positions) > 1]

    @cached_property
    def apart(self) -> Floats:
        """Mean distance of two answers, for each shared item."""
        return np.array([math.fsum(self.pairwise(p)) / (len(p) * (len(p) - 1) / 2) for p in self.shared])

    @cached_property
    def size(self) -> Floats:
        """How many answers each shared item has."""
        return np.array([len(positions) for positions in self.shared], dtype=np.float64)

    @cached_property
    def chance(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats]:
        """Shared items of both answers of each pair, and how far the two are apart."""
        where = np.repeat(np.arange(len(self.shared)), self.size.astype(np.intp))
        flat = np.concatenate([np.zeros(0, dtype=np.intp), *self.shared])
        n = len(flat)
        if n * (n - 1) // 2 <= MOST_PAIRS:
            left, right = np.triu_indices(n, 1)
        else:
            draw = np.random.default_rng(self.seed)
            left = draw.integers(n, size=MOST_PAIRS)
            right = (left + draw.integers(1, n, size=MOST_PAIRS)) % n
        distance = self.answers.kind.distance
        far = [
            distance(self.values[a], self.values[b])
            for a, b in zip(flat[left].tolist(), flat[right].tolist(), strict=True)
        ]
        return where[left], where[right], np.array(far)

    @property
    def expected(self) -> float:
        """Mean distance of two answers by anybody on any items; NaN where all are equal."""
        far = self.chance[-1]
        return float(far.mean()) if far.any() else math.nan

    @property
    def reason(self) -> str:
        """Why there is no alpha."""
        if not self.shared:
            return "no item has two answers"
        return "all answers are equal: nothing shows whether annotators agree beyond chance"

    def alpha(self, weight: Floats) -> float:
        """With each shared item counted so many times; NaN where it is not defined."""
        left, right, far = self.chance
        both = weight[left] * weight[right]
        total, votes = both.sum(), (weight * self.size).sum()
        if not votes or not total or not (both @ far):
            return math.nan
        return float(1.0 - (weight * self.size) @ self.apart / votes / (both @ far / total))

    def nearness(self, weight: Floats) -> float:
        """1 less the mean distance within items."""
        votes = (weight * self.size).sum()
        return float(1.0 - (weight * self.size) @ self.apart / votes) if votes else math.nan

    def estimates(self, n_resamples: int, confidence: float) -> tuple[tuple[float, float, float], ...]:
        """Value and both ends of the interval, of alpha and of nearness."""
        once = np.ones(len(self.shared))
        rows = [
            [self.alpha(weight), self.nearness(weight)]
            for block in _draws(len(self.shared), n_resamples, self.seed)
            for weight in block
        ]
        low, high = interval(np.array(rows, dtype=np.float64).reshape(-1, 2), confidence)
        values = (self.alpha(once), self.nearness(once))
        return tuple((value, float(low[i]), float(high[i])) for i, value in enumerate(values))

    def of_class(self, name: str) -> _Measured:
        """The same with elements of other classes taken away."""
        kept = [None if v is None else [e for e in v if e["label"] == name] for v in self.values]
        return _Measured(self.answers, kept, self.seed)

    def pairwise(self, positions: npt.NDArray[np.intp]) -> list[float]:
        """The distance of each two of these answers."""
        values = [self.values[p] for p in positions]
        return [self.answers.kind.distance(a, b) for a, b in combinations(values, 2)]


def _draws(n: int, n_resamples: int, seed: int) -> Iterator[Floats]:
    return draws_of(np.ones(n, dtype=np.int64), n_resamples, seed)


def _parts(measured: _Measured, by: By, n_resamples: int, confidence: float) -> pl.DataFrame:
    if by == "class":
        return _by_class(measured, n_resamples, confidence)
    if by == "attribute":
        return _by_attribute(measured, n_resamples, confidence)
    return _by_pair(measured, n_resamples, confidence) if by == "pair" else _by_item(measured)


def _by_class(measured: _Measured, n_resamples: int, confidence: float) -> pl.DataFrame:
    answers = measured.answers
    given = [value for value in answers.values if value is not None]
    if any(not isinstance(v, list) or any(not isinstance(e, Mapping) or "label" not in e for e in v) for v in given):
        raise UsageError("by class needs answers that are lists of elements with a label: spans, boxes, segments")
    rows = []
    for name in answers.classes:
        of_class = measured.of_class(name)
        (value, low, high), _ = of_class.estimates(n_resamples, confidence)
        n = sum(len(of_class.values[p]) for positions in measured.shared for p in positions)
        rows.append({"class": name, "n_votes": n, "value": value, "low": low, "high": high})
    return _frame(rows, {"class": pl.String, "n_votes": pl.Int64}, ("value", "low", "high"))


def _by_attribute(measured: _Measured, n_resamples: int, confidence: float) -> pl.DataFrame:
    rows = agreement_on_attributes(measured.answers, n_resamples=n_resamples, confidence=confidence, seed=measured.seed)
    return _frame(rows, {"attribute": pl.String, "n_pairs": pl.Int64}, ("percent", "value", "low", "high"))


def _by_pair(measured: _Measured, n_resamples: int, confidence: float) -> pl.DataFrame:
    """Each two annotators on the items they share, against the chance of all: a pair alone has too few answers."""
    names, expected = measured.answers.annotators, measured.expected
    apart: dict[tuple[str, str], list[float]] = {}
    for positions in measured.shared:
        people = [names[j] for j in measured.answers.annotator_index[positions].tolist()]
        for pair, distance in zip(combinations(people, 2), measured.pairwise(positions), strict=True):
            apart.setdefault(pair, []).append(distance)
    rows = []
    for (one, other), distances in sorted(apart.items()):
        far = np.array(distances)
        draws = [far @ w / w.sum() for block in _draws(len(far), n_resamples, measured.seed) for w in block]
        (low,), (high,) = interval(1.0 - np.array(draws, dtype=np.float64).reshape(-1, 1) / expected, confidence)
        value, near = 1.0 - far.mean() / expected, 1.0 - far.mean()
        row = {"annotator": one, "other": other, "n_items": len(far), "percent": near, "value": value}
        rows.append({**row, "low": low, "high": high})
    types = {"annotator": pl.String, "other": pl.String, "n_items": pl.Int64}
    return _frame(rows, types, ("percent", "value", "low", "high"))


def _by_item(measured: _Measured) -> pl.DataFrame:
    rows = [
        {
            "item": measured.answers.items[int(measured.answers.item_index[positions[0]])],
            "n_votes": len(positions),
            "percent": 1.0 - apart,
            "value": 1.0 - apart / measured.expected,
        }
        for positions, apart in zip(measured.shared, measured.apart.tolist(), strict=True)
    ]
    return _frame(rows, {"item": pl.String, "n_votes": pl.Int64}, ("percent", "value"))


def _frame(rows: list[dict[str, Any]], types: Mapping[str, Any], floats: Sequence[str]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema={**types, **dict.fromkeys(floats, pl.Float64)})
    return frame.with_columns(pl.col(floats).fill_nan(None))
