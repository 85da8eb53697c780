"""Answers that come too fast, and whether they are worse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from labelmill.quality._peers import Peers
from labelmill.quality.multiplicity import adjusted

__all__ = ["Speeds", "seconds_between", "speeds"]

Floats = npt.NDArray[np.float64]

LONGEST: Final = 1800.0
"""A gap of more seconds is a break, not the time an answer took."""

FEW: Final = 20
"""Timed votes below which nobody's speed is judged, and annotators below which they are not compared."""

FAST: Final = -2.0
"""Robust standard deviations of log seconds below somebody's own median from which an answer is fast."""

PER_DEVIATION: Final = 1.4826
"""Standard deviations of a normal distribution in one median absolute deviation."""

EFFICIENCY: Final = 0.37
"""Of the median absolute deviation as an estimate of the spread of normal values: what is left of the votes' number."""

LEAST_SPREAD: Final = 0.1
"""Of log seconds, in case they are nearly all the same."""


@dataclass(frozen=True)
class Speeds:
    """How fast each annotator answers.

    Parameters
    ----------
    seconds : ndarray of float64, shape (n_annotators,)
        Median of an answer; NaN where it is not known.
    z : ndarray of float64, shape (n_annotators,)
        Log of the median among all annotators', in robust standard deviations; NaN where it cannot be compared.
    level : ndarray of float64, shape (n_annotators,)
        Chance of so low a z among them all; see `labelmill.quality.multiplicity.adjusted`.
    n_fast : ndarray of int64, shape (n_annotators,)
        Answers far below the annotator's own median.
    right_fast, right_others : ndarray of float64, shape (n_annotators,)
        Share of right answers among the fast and among its others, by what the others say; NaN without any.
    careless : ndarray of float64, shape (n_annotators,)
        Chance that the fast ones are so much worse, if speed made no difference, among all annotators.
    is_fast : ndarray of bool, shape (n_votes,)
        The fast answers.
    """

    seconds: Floats
    z: Floats
    level: Floats
    n_fast: npt.NDArray[np.int64]
    right_fast: Floats
    right_others: Floats
    careless: Floats
    is_fast: npt.NDArray[np.bool_]


def seconds_between(annotator: npt.NDArray[np.int64], at: Floats) -> Floats:
    """Shape (n_votes,): seconds since the same annotator's vote before; NaN for the first one and after a break.

    Parameters
    ----------
    annotator : ndarray of int64, shape (n_votes,)
    at : ndarray of float64, shape (n_votes,)
        When each vote was given, seconds; NaN where unknown.
    """
    order = np.lexsort((at, annotator))
    gap = np.full(len(at), np.nan)
    later, earlier = order[1:], order[:-1]
    between = np.where(annotator[later] == annotator[earlier], at[later] - at[earlier], np.nan)
    gap[later] = np.where((between > 0) & (between <= LONGEST), between, np.nan)
    return gap


def speeds(peers: Peers, seconds: Floats) -> Speeds:
    """Compares each answer's time with the annotator's own, and each annotator's with the others'.

    Times are compared as logarithms, by the robust z of Iglewicz and Hoaglin (1993, "How to Detect and Handle
    Outliers"): the distance from the median over 1.4826 median absolute deviations. Among all annotators a z is judged
    by Student's t with 0.37 (n - 1) degrees of freedom, as that spread knows no more than so many (Rousseeuw and Croux
    1993, doi:10.1080/01621459.1993.10476408). Whether fast answers are worse is told by a t-test of how right they are,
    after Welch (1947, doi:10.2307/2332510); in honest work they are the easy ones, and right more often.

    Parameters
    ----------
    peers : Peers
    seconds : ndarray of float64, shape (n_votes,)
        What each vote of `peers` took; NaN or not above 0 where unknown.
    """
    n = peers.n_annotators
    timed = np.flatnonzero(np.isfinite(seconds) & (seconds > 0))
    log, owner = np.log(seconds[timed]), peers.annotator[timed]
    n_timed = np.bincount(owner, minlength=n)
    median = _medians(log, owner, n)
    spread = np.maximum(PER_DEVIATION * _medians(np.abs(log - median[owner]), owner, n), LEAST_SPREAD)
    judged = n_timed >= FEW
    fast_ones = judged[owner] & ((log - median[owner]) / spread[owner] < FAST)
    is_fast = np.zeros(len(seconds), dtype=np.bool_)
    is_fast[timed] = fast_ones
    z, level = _among_all(median, judged)
    right = peers.right[timed]
    fast, others = _Part.of(right[fast_ones], owner[fast_ones], n), _Part.of(right[~fast_ones], owner[~fast_ones], n)
    careless = np.ones(n)
    compared = judged & (fast.n >= 5) & (others.n >= 5)
    careless[compared] = adjusted(_welch(fast, others)[compared])
    return Speeds(np.exp(median), z, level, fast.n.astype(np.int64), fast.mean, others.mean, careless, is_fast)


@dataclass(frozen=True)
class _Part:
    """Some of each annotator's votes: how many, how right in the mean, and the spread of that."""

    n: Floats
    mean: Floats
    variance: Floats

    @classmethod
    def of(cls, right: Floats, owner: npt.NDArray[np.int64], n_annotators: int) -> _Part:
        n = np.bincount(owner, minlength=n_annotators).astype(np.float64)
        total, squares = (np.bincount(owner, right**power, minlength=n_annotators) for power in (1, 2))
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / n
        spread = np.maximum(squares - total * np.nan_to_num(mean), 0.0) + 0.25  # one vote of doubt: none is without
        return cls(n, mean, spread / np.maximum(n - 1, 1))


def _welch(fast: _Part, others: _Part) -> Floats:
    """Chance that the fast ones are so much worse; 1 where they are not."""
    parts = [part.variance / np.maximum(part.n, 1) for part in (fast, others)]
    total = parts[0] + parts[1]
    freedom = total**2 / sum(
        part**2 / np.maximum(side.n - 1, 1) for part, side in zip(parts, (fast, others), strict=True)
    )
    t = np.nan_to_num(fast.mean - others.mean) / np.sqrt(total)
    return np.where(t < 0, special.stdtr(freedom, t), 1.0)


def _among_all(median: Floats, judged: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    z, level = np.full(len(median), np.nan), np.ones(len(median))
    if judged.sum() < FEW:
        return z, level
    own = median[judged]
    middle = np.median(own)
    spread = max(PER_DEVIATION * float(np.median(np.abs(own - middle))), LEAST_SPREAD)
    z[judged] = (own - middle) / spread
    freedom = EFFICIENCY * (judged.sum() - 1)
    level[judged] = adjusted(special.stdtr(freedom, z[judged]))
    return z, level


def _medians(values: Floats, owner: npt.NDArray[np.int64], n: int) -> Floats:
    """Shape (n,): median of each one's values; NaN without any."""
    order = np.lexsort((values, owner))
    size = np.bincount(owner, minlength=n)
    start = np.cumsum(size) - size
    found = np.full(n, np.nan)
    has = size > 0
    low, high = (start + (size - 1) // 2)[has], (start + size // 2)[has]
    found[has] = 0.5 * (values[order[low]] + values[order[high]])
    return found
