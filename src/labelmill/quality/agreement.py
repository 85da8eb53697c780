"""How far annotators agree beyond chance, over all, by class, by pair of annotators and by item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.errors import UsageError, nearest
from labelmill.quality._answers import Answers, answers_of
from labelmill.quality._draws import draws_of, interval, interval_around
from labelmill.quality._pooled import (
    FEW_LABELS,
    Pool,
    Statistic,
    alpha_of_coincidences,
    nominal_alpha,
    specific_agreement,
)
from labelmill.quality._vote_pairs import VotePairs
from labelmill.quality.coefficients import COEFFICIENTS, Metric
from labelmill.quality.distances import Distance, Level, Nominal, distance_of
from labelmill.quality.kappa import Kappa, cohen_kappa

__all__ = ["BY", "Agreement", "By", "Kappa", "agreement", "cohen_kappa", "krippendorff_alpha"]

Floats = npt.NDArray[np.float64]

By = Literal["class", "pair", "item", "attribute"]

BY: tuple[By, ...] = get_args(By)

MOST_INTERVALS: Final = 10_000
"""Pairs of annotators that get an interval, those that share the most items: the others share too few to tell."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the annotators agree, with bootstrap intervals over items.

    Parameters
    ----------
    metric : str
        Name in `COEFFICIENTS`.
    level : str
        Level of measurement, or `custom`.
    value, low, high : float
        The coefficient: 1 perfect, 0 as by chance, below 0 worse; NaN where it is not defined, see `reason`.
    percent, percent_low, percent_high : float
        Share of pairs of votes on an item that are equal.
    n_items : int
        Items with two votes or more: only these show agreement.
    n_annotators, n_votes : int
        On them.
    confidence : float
        Of the intervals.
    reason : str
        Why there is no value; empty where there is one.
    parts : polars.DataFrame or None
        By class (`class, n_votes, value, low, high`), pair (`annotator, other, n_items, percent, value, low, high`),
        item (`item, n_votes, percent, value`) or attribute of shapes (`attribute, n_pairs, percent, value, low, high`),
        if asked for; null where not defined.
    """

    metric: str
    level: str
    value: float
    low: float
    high: float
    percent: float
    percent_low: float
    percent_high: float
    n_items: int
    n_annotators: int
    n_votes: int
    confidence: float
    reason: str = ""
    parts: pl.DataFrame | None = field(default=None, compare=False)

    @property
    def alpha(self) -> float:
        """The value, of Krippendorff's alpha.

        Raises
        ------
        UsageError
            If another metric was asked for.
        """
        if self.metric != "krippendorff":
            raise UsageError(f"alpha is Krippendorff's: read `value`, which is {self.metric}")
        return self.value

    @property
    def alpha_low(self) -> float:
        """Lower end of its interval."""
        return self.low

    @property
    def alpha_high(self) -> float:
        """Upper end of its interval."""
        return self.high

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; what is not defined is None."""
        plain: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN}
        plain = {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in plain.items()}
        return plain if self.parts is None else plain | {"parts": self.parts.to_dicts()}


_PLAIN = tuple(name for name in Agreement.__dataclass_fields__ if name != "parts")


def agreement(
    votes: Any,
    *,
    metric: Metric = "krippendorff",
    level: Level | Callable[[Any, Any], float] = "nominal",
    by: By | None = None,
    classes: Sequence[str] | None = None,
    n_resamples: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
) -> Agreement:
    """A coefficient of agreement with its bootstrap interval, and its parts.

    Intervals are percentiles of draws of items; that of a mean over pairs of annotators is normal, with the spread of
    the draws.

    By class: the class against all others together, which for Fleiss is the kappa of a category in his paper; for
    `percent` it is specific agreement, how often a second vote names the class where a first one does. By pair: the
    coefficient of the two alone, on the items they share. By item: 1 minus the item's own disagreement over that
    expected over all, so that the mean over items gives the whole.

    Parameters
    ----------
    votes : VoteTable or table
        Columns `item`, `annotator`, `label`; see `VoteTable.of`. Labels may be any numbers too. The later of two votes
        of an annotator on an item counts; in a VoteTable that holds several, each counts.
    metric : str
        `krippendorff`, `fleiss`, `gwet`, `cohen`, `scott` or `percent`; what each is says
        `labelmill.quality.coefficients`.
    level : str or callable
        `nominal`, `ordinal`, `interval`, `ratio`, `linear`, `quadratic`, or a function of two labels that gives their
        distance; see `distance_of`.
    by : {"class", "pair", "item"}, optional
        Which parts to give.
    classes : sequence of str, optional
        Labels in their order, for votes that are no VoteTable.
    n_resamples : int
        Draws of items with replacement; 0 leaves the intervals NaN.
    confidence : float
        In (0, 1).
    seed : int

    Raises
    ------
    UsageError
        If an option is impossible, or does not go with another.

    Examples
    --------
    >>> votes = {"item": [1, 1, 2, 2, 3, 3], "annotator": list("ababab"), "label": [1, 2, 4, 4, 5, 5]}
    >>> round(agreement(votes, level="interval", n_resamples=0).value, 3)
    0.938
    """
    _check_options(metric, level, by, n_resamples, confidence)
    answers = answers_of(votes, level, classes=classes)
    if COEFFICIENTS[metric].is_of_pairs and by == "item":
        raise UsageError(f"{metric} compares two annotators and says nothing of an item: take krippendorff or fleiss")
    asked = _Asked(answers, metric, level, n_resamples, confidence, seed)
    (value, low, high), (percent, percent_low, percent_high) = asked.over_all()
    n_votes = np.bincount(answers.units.unit, minlength=answers.units.n_units)
    is_paired = n_votes > 1
    return Agreement(
        metric=metric,
        level="custom" if callable(level) else level,
        value=value,
        low=low,
        high=high,
        percent=percent,
        percent_low=percent_low,
        percent_high=percent_high,
        n_items=int(answers.units.weight[is_paired].sum()),
        n_annotators=len(np.unique(answers.units.annotator[is_paired[answers.units.unit]])),
        n_votes=int((answers.units.weight * n_votes)[is_paired].sum()),
        confidence=confidence,
        reason=_reason(answers, is_paired) if np.isnan(value) else "",
        parts=None if by is None else {"class": asked.by_class, "pair": asked.by_pair, "item": asked.by_item}[by](),
    )


def krippendorff_alpha(votes: Any, *, level: Level | Callable[[Any, Any], float] = "nominal") -> float:
    r"""Krippendorff's alpha, missing votes allowed.

    :math:`\alpha = 1 - D_o / D_e`. For classes, with :math:`n_{uc}` votes for class c among the :math:`m_u \ge 2` on
    item u, :math:`D_o = \frac1n \sum_u \frac{m_u^2 - \sum_c n_{uc}^2}{m_u - 1}` and
    :math:`D_e = \frac{n^2 - \sum_c n_c^2}{n (n - 1)}`, n and n_c summed over those items (Krippendorff 2011,
    "Computing Krippendorff's Alpha-Reliability", https://repository.upenn.edu/asc_papers/43). Time grows with the
    votes, not with items × annotators; for intervals and ranks too.

    Returns
    -------
    float
        NaN where no item has two votes or all votes name one class.

    Examples
    --------
    >>> from labelmill import VoteTable
    >>> krippendorff_alpha(VoteTable.from_matrix([[0, 0], [1, 1], [0, 1], [1, 1]], classes=["a", "b"]))
    0.5333333333333333
    """
    answers = answers_of(votes, level)
    unit = answers.units.unit
    distance, n_labels = distance_of(level, answers.names, by_rank_of_votes=True), len(answers.names)
    if n_labels and bool((unit[1:] >= unit[:-1]).all()):
        if n_labels <= FEW_LABELS:
            return alpha_of_coincidences(answers.units, n_labels, distance)
        if level == "nominal":
            return nominal_alpha(answers.units, n_labels)
    pool = Pool(answers.units.weight, answers.counts())
    return float(Statistic(pool, "krippendorff", distance)(pool.once)[0][0])


def _check_options(metric: str, level: Any, by: str | None, n_resamples: int, confidence: float) -> None:
    if metric not in COEFFICIENTS:
        raise UsageError(f"unknown metric {metric!r}: {nearest(str(metric), COEFFICIENTS)}")
    if by is not None and by not in BY:
        raise UsageError(f"cannot show agreement by {by!r}: {nearest(str(by), BY)}")
    if by == "attribute":
        raise UsageError("attributes belong to shapes and regions: name their kind, e.g. --label-kind box")
    if by == "class" and level != "nominal":
        raise UsageError("a class against all others has no order: by class goes with the level nominal")
    if n_resamples < 0 or not 0 < confidence < 1:
        raise UsageError(
            f"n_resamples must be 0 or more and confidence in (0, 1), found {n_resamples} and {confidence}"
        )


def _reason(answers: Answers, is_paired: npt.NDArray[np.bool_]) -> str:
    at = is_paired[answers.units.unit]
    if not at.any():
        return "no item has two votes"
    seen = np.unique(answers.units.label[at])
    if len(seen) == 1:
        return f"all votes name one class, {answers.names[seen[0]]!r}: nothing shows whether they agree beyond chance"
    return "no two annotators share items on which they name more than one class"


Estimate = tuple[float, float, float]


@dataclass(frozen=True)
class _Asked:
    """One question about agreement."""

    answers: Answers
    metric: Metric
    level: Level | Callable[[Any, Any], float]
    n_resamples: int
    confidence: float
    seed: int

    def over_all(self) -> tuple[Estimate, Estimate]:
        """Value with its interval, and percent agreement with its own."""
        pool, distance = self._pool(), self._distance()
        statistics = [Statistic(pool, "percent", Nominal())]
        if not COEFFICIENTS[self.metric].is_of_pairs:
            statistics.append(Statistic(pool, self.metric, distance))
        found = self._estimates(lambda times: np.stack([s(times)[0] for s in statistics], axis=1), pool.weight)
        if COEFFICIENTS[self.metric].is_of_pairs:
            pairs = self._vote_pairs()
            found += self._of_pairs(pairs, [pairs], distance)
        return found[1], found[0]

    def by_class(self) -> pl.DataFrame:
        """A row for each class, in order."""
        names, pool = self.answers.names, self._pool()
        if COEFFICIENTS[self.metric].is_of_pairs:
            pairs = self._vote_pairs()
            found = self._of_pairs(pairs, [pairs.against_the_rest(c) for c in range(len(names))], Nominal())
        else:
            found = [self._of_class(pool.against_the_rest(c).condensed()) for c in range(len(names))]
        paired = pool.with_votes(2)
        n_votes = np.asarray(paired.counts.table.T @ paired.weight)[: len(names)]
        return _frame({"class": list(names), "n_votes": n_votes.astype(np.int64)}, found)

    def by_pair(self) -> pl.DataFrame:
        """A row for each pair of annotators that share items, in the order of the votes."""
        pairs, distance = self._vote_pairs(), self._distance()
        percent, shared = pairs.values("percent", Nominal(), pairs.weigh(pairs.weight.astype(np.float64)))
        value, _ = pairs.values(self.metric, distance, pairs.weigh(pairs.weight.astype(np.float64)))
        most = np.argsort(-shared, kind="stable")[:MOST_INTERVALS]

        def of_most(times: Floats) -> Floats:
            return np.stack([pairs.values(self.metric, distance, pairs.weigh(one))[0][most] for one in times])

        found = np.stack([value, np.full(len(value), np.nan), np.full(len(value), np.nan)], axis=1)
        found[most] = np.array(self._estimates(of_most, pairs.weight), dtype=np.float64).reshape(-1, 3)
        names = self.answers.annotators
        heads = {
            "annotator": [names[j] for j in pairs.first],
            "other": [names[j] for j in pairs.second],
            "n_items": shared.astype(np.int64),
            "percent": percent,
        }
        return _frame(heads, found)

    def by_item(self) -> pl.DataFrame:
        """A row for each item, in order; null with fewer than two votes."""
        units = self.answers.units
        pool = Pool(units.weight, self.answers.counts())
        value, _ = Statistic(pool, self.metric, self._distance()).of_units(pool.once)
        _, unequal = Statistic(pool, "percent", Nominal()).of_units(pool.once)
        columns = {"n_votes": pool.counts.n_votes, "percent": 1 - unequal, "value": value}
        if units.item_unit is not None:
            columns = {name: column[units.item_unit] for name, column in columns.items()}
        frame = pl.DataFrame({"item": list(self.answers.items), **columns}, schema_overrides={"item": pl.String})
        return frame.with_columns(pl.col("percent", "value").fill_nan(None))

    def _pool(self) -> Pool:
        at_least = 1 if COEFFICIENTS[self.metric].reach == "items" else 2
        return Pool(self.answers.units.weight, self.answers.counts()).with_votes(at_least).condensed()

    def _distance(self) -> Distance:
        return distance_of(self.level, self.answers.names, by_rank_of_votes=self.metric == "krippendorff")

    def _vote_pairs(self) -> VotePairs:
        return VotePairs.of(self.answers.units, len(self.answers.names))

    def _of_class(self, pool: Pool) -> Estimate:
        """Of two labels, the rest and the class."""
        statistic = Statistic(pool, self.metric, Nominal())

        def values(times: Floats) -> Floats:
            value = specific_agreement(pool.counts, times) if self.metric == "percent" else statistic(times)[0]
            return value[:, None]

        return self._estimates(values, pool.weight)[0]

    def _of_pairs(self, pairs: VotePairs, tables: list[VotePairs], distance: Distance) -> list[Estimate]:
        """Means over the pairs of annotators, of each table; all have the cells of `pairs`."""

        def mean_of_each(times: Floats) -> Floats:
            weight = pairs.weigh(times)
            return np.array([table.mean(*table.values(self.metric, distance, weight)) for table in tables])

        is_mean = pairs.n_pairs > 1
        return self._estimates(
            lambda times: np.stack([mean_of_each(one) for one in times]), pairs.weight, is_mean=is_mean
        )

    def _estimates(
        self, values: Callable[[Floats], Floats], weight: npt.NDArray[np.int64], *, is_mean: bool = False
    ) -> list[Estimate]:
        """Value and interval of each column of `values`, a function of how many times each unit is taken.

        `is_mean`: over pairs of annotators; see `interval_around`.
        """
        found = values(weight[None].astype(np.float64))
        blocks = [values(times) for times in draws_of(weight, self.n_resamples, self.seed)]
        draws = np.concatenate([found[:0], *blocks])
        ends = interval_around(found[0], draws, self.confidence) if is_mean else interval(draws, self.confidence)
        low, high = ends
        return list(zip(found[0].tolist(), low.tolist(), high.tolist(), strict=True))


def _frame(heads: dict[str, Any], found: list[Estimate] | Floats) -> pl.DataFrame:
    columns = np.array(found, dtype=np.float64).reshape(-1, 3).T
    estimates = dict(zip(("value", "low", "high"), columns, strict=True))
    floats = [*estimates, *(["percent"] if "percent" in heads else [])]
    texts = {name: pl.String for name in heads if name in ("class", "annotator", "other")}
    return pl.DataFrame({**heads, **estimates}, schema_overrides=texts).with_columns(pl.col(floats).fill_nan(None))
