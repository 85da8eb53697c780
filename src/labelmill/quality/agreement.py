"""How far annotators agree beyond chance: Krippendorff's alpha, Cohen's kappa, percent agreement."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError
from labelmill.quality._units import Units, units_of

__all__ = ["Agreement", "Kappa", "agreement", "cohen_kappa", "krippendorff_alpha"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the annotators agree, with bootstrap intervals over items.

    Parameters
    ----------
    alpha, alpha_low, alpha_high : float
        Krippendorff's alpha: 1 perfect, 0 as by chance, below 0 worse; NaN where all votes name one class or no item
        has two votes.
    percent, percent_low, percent_high : float
        Share of pairs of votes on an item that are equal.
    n_items : int
        Items with two votes or more: only these count.
    n_votes : int
        Votes on them.
    confidence : float
        Of the intervals.
    """

    alpha: float
    alpha_low: float
    alpha_high: float
    percent: float
    percent_low: float
    percent_high: float
    n_items: int
    n_votes: int
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; what is not defined is None."""
        return {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in asdict(self).items()}


@dataclass(frozen=True)
class Kappa:
    """Cohen's kappa of every pair of annotators.

    Parameters
    ----------
    annotators : tuple of str
    kappa : ndarray of float64, shape (n_annotators, n_annotators)
        NaN where a pair shares no item or both name one and the same class throughout.
    counts : ndarray of int64, shape (n_annotators, n_annotators)
        Items both voted on.
    """

    annotators: tuple[str, ...]
    kappa: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]

    @property
    def mean(self) -> float:
        """Mean kappa over pairs, weighted by the items they share; NaN without any."""
        above = np.triu(np.isfinite(self.kappa), 1)
        weights = self.counts[above]
        return float(np.average(self.kappa[above], weights=weights)) if weights.sum() else float("nan")


def krippendorff_alpha(votes: VoteTable) -> float:
    r"""Krippendorff's alpha for classes, missing votes allowed.

    :math:`\alpha = 1 - D_o / D_e`. With :math:`n_{uc}` votes for class c among the :math:`m_u \ge 2` on item u,
    :math:`D_o = \frac1n \sum_u \frac{m_u^2 - \sum_c n_{uc}^2}{m_u - 1}` and
    :math:`D_e = \frac{n^2 - \sum_c n_c^2}{n (n - 1)}`, n and n_c summed over those items (Krippendorff 2011,
    "Computing Krippendorff's Alpha-Reliability", https://repository.upenn.edu/asc_papers/43). Time grows with the
    votes, not with items × annotators.

    Returns
    -------
    float
        NaN where no item has two votes or all votes name one class.

    Examples
    --------
    >>> krippendorff_alpha(VoteTable.from_matrix([[0, 0], [1, 1], [0, 1], [1, 1]], classes=["a", "b"]))
    0.5333333333333333
    """
    tally = _tally(votes)
    return float(_alpha(tally.weight, tally)[0])


def agreement(votes: VoteTable, *, n_resamples: int = 200, confidence: float = 0.95, seed: int = 0) -> Agreement:
    """Alpha and percent agreement with percentile bootstrap intervals.

    Parameters
    ----------
    votes : VoteTable
    n_resamples : int
        Draws of items with replacement; 0 leaves the intervals NaN.
    confidence : float
        In (0, 1).
    seed : int

    Raises
    ------
    UsageError
        If `n_resamples` is negative or `confidence` is no probability.
    """
    if n_resamples < 0 or not 0 < confidence < 1:
        raise UsageError(
            f"n_resamples must be 0 or more and confidence in (0, 1), found {n_resamples} and {confidence}"
        )
    tally = _tally(votes)
    alpha, percent = _alpha(tally.weight, tally)
    rng = np.random.default_rng(seed)
    n_items = int(tally.weight.sum())
    draws = np.array(
        [_alpha(_resample(tally.weight, rng), tally) for _ in range(n_resamples if n_items else 0)]
    ).reshape(-1, 2)
    low, high = _percentiles(draws, confidence)
    return Agreement(
        alpha=float(alpha),
        alpha_low=float(low[0]),
        alpha_high=float(high[0]),
        percent=float(percent),
        percent_low=float(low[1]),
        percent_high=float(high[1]),
        n_items=n_items,
        n_votes=int((tally.weight * tally.n_votes).sum()),
        confidence=confidence,
    )


def cohen_kappa(votes: VoteTable) -> Kappa:
    r"""Cohen's kappa of every pair, over the items both voted on.

    :math:`\kappa = (p_o - p_e) / (1 - p_e)`, :math:`p_o` the share of equal votes, :math:`p_e = \sum_c p_{ac} p_{bc}`
    from the class shares of both on the shared items (Cohen 1960, doi:10.1177/001316446002000104).

    Raises
    ------
    UsageError
        Above 2,000 annotators: the table of pairs would not fit.
    """
    if votes.n_annotators > 2000:
        raise UsageError(f"kappa of {votes.n_annotators} annotators: choose at most 2000 with votes.select_annotators")
    units = units_of(votes)
    both, agreed = units.pairs()
    by_chance = np.zeros(both.shape)
    any_vote = units.votes_for()
    for label in units.labels_seen:
        named = (units.votes_for(label).multiply(units.weight[:, None]).T @ any_vote).toarray()
        by_chance += named * named.T  # cell (a, b): a names the class on items shared with b
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = by_chance / both.astype(np.float64) ** 2
        kappa = np.where((both > 0) & (expected < 1), (agreed / both - expected) / (1 - expected), np.nan)
    return Kappa(votes.annotators, kappa, both)


@dataclass(frozen=True)
class _Tally:
    """Units with two votes or more; `classes` is sparse (n_units, n_classes): votes for each class."""

    weight: npt.NDArray[np.int64]
    n_votes: npt.NDArray[np.int64]
    n_equal: npt.NDArray[np.float64]
    classes: Any


def _tally(votes: VoteTable) -> _Tally:
    from scipy import sparse

    units: Units = units_of(votes)
    ones = np.ones(len(units.unit))
    classes = sparse.csr_array((ones, (units.unit, units.label)), shape=(units.n_units, max(votes.n_classes, 1)))
    n_votes = np.bincount(units.unit, minlength=units.n_units)
    is_paired = n_votes > 1
    classes = classes[np.flatnonzero(is_paired)]
    n_equal = np.asarray(classes.multiply(classes).sum(axis=1)).reshape(-1)
    return _Tally(units.weight[is_paired], n_votes[is_paired], n_equal, classes)


def _alpha(weight: npt.NDArray[np.int64], tally: _Tally) -> tuple[float, float]:
    """Alpha and percent agreement of units taken `weight` times each."""
    per_class = tally.classes.T @ weight
    n = per_class.sum()
    m = tally.n_votes
    observed = (weight * ((m * m - tally.n_equal) / (m - 1))).sum() / n if n else np.nan
    expected = (n * n - (per_class * per_class).sum()) / (n * (n - 1)) if n > 1 else 0.0
    pairs = (weight * m * (m - 1)).sum()
    percent = (weight * (tally.n_equal - m)).sum() / pairs if pairs else np.nan
    return (float(1 - observed / expected) if expected > 0 else np.nan), float(percent)


def _resample(weight: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    n = int(weight.sum())
    if n == len(weight):
        return np.bincount(rng.integers(n, size=n), minlength=n)
    return rng.multinomial(n, weight / n)


def _percentiles(
    draws: npt.NDArray[np.float64], confidence: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The two ends for each column; draws in which alpha is not defined are left out."""
    low, high = np.full(2, np.nan), np.full(2, np.nan)
    for column in range(2):
        seen = draws[:, column][np.isfinite(draws[:, column])]
        if len(seen):
            low[column], high[column] = np.quantile(seen, [(1 - confidence) / 2, (1 + confidence) / 2])
    return low, high
