"""Coefficients of agreement: each is 1 minus the disagreement seen over the disagreement expected by chance.

They differ in what they expect by chance and in how much an item counts. All work on any distance between labels, on
many draws of items at once, and on tables of two annotators as well as on all votes together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from labelmill.quality.distances import Distance, Moments

__all__ = ["COEFFICIENTS", "Coefficient", "Metric", "Reach", "chance_corrected"]

Floats = npt.NDArray[np.float64]

Metric = Literal["krippendorff", "fleiss", "gwet", "cohen", "scott", "percent"]

Reach = Literal["votes", "items", "pairs"]


@dataclass(frozen=True)
class Coefficient:
    """What makes a coefficient.

    Parameters
    ----------
    name : str
        As people write it.
    expected : callable
        Margins of both sides as shares, shape (..., n_labels), number of votes (...,) and distance -> expected
        disagreement (...,).
    reach : {"votes", "items", "pairs"}
        What counts alike in the disagreement seen and in the margins: votes, items, or pairs of votes.
    is_of_pairs : bool
        Defined for two annotators; of more it is the mean over pairs, weighed by the items they share.
    """

    name: str
    expected: Callable[[Floats, Floats, Floats, Distance], Floats]
    reach: Reach
    is_of_pairs: bool = False


def krippendorff(left: Floats, right: Floats, n_votes: Floats, distance: Distance) -> Floats:
    r"""Chance as drawing two of the n votes at hand without putting the first back.

    :math:`D_e = \frac{n}{n - 1} \sum_{ck} p_c p_k \delta_{ck}` with the pooled shares p of the votes on items with two
    or more (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", https://repository.upenn.edu/asc_papers/43,
    the general form). The disagreement seen is
    :math:`D_o = \frac1n \sum_u \frac{1}{m_u - 1} \sum_{ck} n_{uc} n_{uk} \delta_{ck}`: an item counts by its votes.
    """
    pooled = (left + right) / 2
    return np.asarray(distance.expected(pooled, pooled) * n_votes / np.maximum(n_votes - 1, 1))


def fleiss(left: Floats, right: Floats, n_votes: Floats, distance: Distance) -> Floats:  # noqa: ARG001 -- one signature for all
    r"""Chance as two annotators who both follow the pooled shares.

    :math:`D_e = \sum_{ck} p_c p_k \delta_{ck}`, which for classes is :math:`1 - \sum_c p_c^2` (Fleiss 1971,
    doi:10.1037/h0031619, equations 4 to 6). Where items have different numbers of votes, p is the mean over items of
    their own shares and the disagreement seen the mean over items with two votes or more (Gwet 2014, Handbook of
    Inter-Rater Reliability, 4th edition, chapter 2). For two annotators this is Scott's pi.
    """
    pooled = (left + right) / 2
    return distance.expected(pooled, pooled)


def scott(left: Floats, right: Floats, n_votes: Floats, distance: Distance) -> Floats:
    """Chance as two annotators who both follow their pooled shares (Scott 1955, doi:10.1086/266577).

    Of more than two annotators we give the mean over pairs, weighed by the items they share.
    """
    return fleiss(left, right, n_votes, distance)


def cohen(left: Floats, right: Floats, n_votes: Floats, distance: Distance) -> Floats:  # noqa: ARG001 -- one signature for all
    r"""Chance as two annotators who each follow their own shares.

    :math:`D_e = \sum_{ck} p_{ac} p_{bk} \delta_{ck}` (Cohen 1960, doi:10.1177/001316446002000104; with weights Cohen
    1968, doi:10.1037/h0026256). Of more than two annotators we give the mean over pairs, weighed by the items they
    share.
    """
    return distance.expected(left, right)


def gwet(left: Floats, right: Floats, n_votes: Floats, distance: Distance) -> Floats:  # noqa: ARG001 -- one signature for all
    r"""Chance only where an annotator guesses, which hard and rare classes tell.

    With q classes and agreement weights :math:`w_{ck} = 1 - \delta_{ck} / \max \delta`, the agreement expected is
    :math:`p_e = \frac{\sum_{ck} w_{ck}}{q (q - 1)} \sum_c p_c (1 - p_c)`: AC1 for classes (Gwet 2008,
    doi:10.1348/000711006X126600, equation 5), AC2 with weights (Gwet 2014, Handbook of Inter-Rater Reliability, 4th
    edition, chapter 5). Classes that nobody named count among the q.
    """
    pooled = (left + right) / 2
    q = pooled.shape[-1]
    if q < 2 or distance.largest == 0:
        return np.zeros(pooled.shape[:-1])
    every = np.ones(q)
    weights = q * q - distance.expected(every, every) / distance.largest
    return np.asarray(distance.largest * (1 - weights / (q * (q - 1)) * (pooled * (1 - pooled)).sum(axis=-1)))


def percent(left: Floats, right: Floats, n_votes: Floats, distance: Distance) -> Floats:  # noqa: ARG001 -- one signature for all
    """Nothing is put down to chance: the share of pairs of votes that agree, each by its distance."""
    return np.full(left.shape[:-1], distance.largest)


COEFFICIENTS: Mapping[Metric, Coefficient] = {
    "krippendorff": Coefficient("Krippendorff's alpha", krippendorff, "votes"),
    "fleiss": Coefficient("Fleiss' kappa", fleiss, "items"),
    "gwet": Coefficient("Gwet's AC", gwet, "items"),
    "cohen": Coefficient("Cohen's kappa", cohen, "pairs", is_of_pairs=True),
    "scott": Coefficient("Scott's pi", scott, "pairs", is_of_pairs=True),
    "percent": Coefficient("percent agreement", percent, "pairs"),
}
"""Coefficients by the name of the metric."""


def chance_corrected(
    metric: Metric, observed: Floats, left: Floats, right: Floats, n_votes: Floats, distance: Distance
) -> tuple[Floats, Floats]:
    """The coefficient, and the disagreement that it expects by chance.

    Parameters
    ----------
    observed : ndarray of float64, shape (...)
        Mean disagreement.
    left, right : ndarray of float64, shape (..., n_labels)
        Votes of each side for each label, in any unit; all zero where there are none. Of `Moments`, sums of powers.
    n_votes : ndarray of float64, shape (...)
        Votes behind them.

    Returns
    -------
    value, expected : ndarray of float64, shape (...)
        NaN where nothing is left to chance: there are no votes, or all name one label (for Gwet: there is one class).
    """
    shares = _shares if not isinstance(distance, Moments) else distance.shares
    expected = COEFFICIENTS[metric].expected(shares(left), shares(right), n_votes, distance)
    is_defined = (expected > 0) & (n_votes > 0) & np.isfinite(observed)
    if metric not in ("gwet", "percent"):  # rounding may leave more than nothing where all name one label
        is_defined &= np.count_nonzero(left + right, axis=-1) > 1
    expected = np.where(is_defined, expected, np.nan)
    with np.errstate(invalid="ignore"):
        return 1 - observed / expected, expected


def _shares(margins: Floats) -> Floats:
    return np.asarray(margins / np.maximum(margins.sum(axis=-1, keepdims=True), np.finfo(float).tiny))
