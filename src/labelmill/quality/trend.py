"""Annotators who get better or worse as time goes by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from labelmill.quality._peers import Peers
from labelmill.quality.multiplicity import adjusted

__all__ = ["FEW", "Trends", "trends"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEW: Final = 30
"""Votes below which nobody is tested."""

MOST_SHARED: Final = 1.5
"""Times the others' change on the same items that is taken for the items'."""


@dataclass(frozen=True)
class Trends:
    """When each annotator changed, if it did.

    Parameters
    ----------
    p : ndarray of float64, shape (n_annotators,)
        Chance of so large a change if nothing changed; 1 where there is too little to tell.
    level : ndarray of float64, shape (n_annotators,)
        p beside the other annotators; see `labelmill.quality.multiplicity.adjusted`.
    n_before : ndarray of int64, shape (n_annotators,)
        Votes before the likeliest moment of change.
    before, after : ndarray of float64, shape (n_annotators,)
        Share of right votes until then and from then on, by what the others say; NaN without votes.
    others_before, others_after : ndarray of float64, shape (n_annotators,)
        The same share of the other votes on these items: what of the change lies in the items.
    order : ndarray of int64, shape (n_votes,)
        Votes by annotator, then by time.
    """

    p: Floats
    level: Floats
    n_before: Ints
    before: Floats
    after: Floats
    others_before: Floats
    others_after: Floats
    order: Ints


def trends(peers: Peers, at: npt.NDArray[np.float64]) -> Trends:
    r"""Tests whether each annotator is as right later as it was before.

    Of n votes in the order of time, with residuals :math:`r_t` about their mean, the statistic is the largest
    :math:`|\sum_{s \le t} r_s| / (\sigma \sqrt n)`: the CUSUM of Brown, Durbin and Evans (1975,
    doi:10.1111/j.2517-6161.1975.tb01532.x) in the form of Ploberger and Kraemer (1992, doi:10.2307/2951597). It tends
    to the supremum of a Brownian bridge, whose tail (Kolmogorov's) is the p-value: a little too large for few votes,
    never too small. A residual is the probability that the vote is right, less that of the other votes on the same
    item, times how much better than chance the annotator is beside them: harder items later on are no drift.

    Parameters
    ----------
    peers : Peers
    at : ndarray of float64, shape (n_votes,)
        When each vote of `peers` was given, in any unit; NaN where unknown: such votes are left out.
    """
    timed = np.flatnonzero(np.isfinite(at))
    order = timed[np.lexsort((at[timed], peers.annotator[timed]))]
    owner = peers.annotator[order]
    n = np.bincount(owner, minlength=peers.n_annotators)
    start = np.cumsum(n) - n
    others = _others(peers)
    residual = (peers.right - _share_of_others(peers, others) * others)[order]
    residual -= (_sums(residual, owner, len(n)) / np.maximum(n, 1))[owner]
    spread = np.sqrt(_sums(residual**2, owner, len(n)) / np.maximum(n - 1, 1))
    path = np.cumsum(residual)
    path -= np.concatenate([[0.0], path])[start][owner]
    n_before, height = _peaks(np.abs(path), owner, n, start)
    usable = (n >= FEW) & (spread > 1e-9) & _has_passed(at[order], n, start)
    statistic = np.where(usable, height / (np.maximum(spread, 1e-9) * np.sqrt(np.maximum(n, 1))), 0.0)
    p = np.where(usable, special.kolmogorov(statistic), 1.0)
    level = np.ones(len(n))
    level[usable] = adjusted(p[usable])
    shares = [_shares(values[order], owner, n, n_before, start) for values in (peers.right, others)]
    return Trends(p, level, n_before, *shares[0], *shares[1], order)


def _others(peers: Peers) -> Floats:
    """Shape (n_votes,): mean of how right the other votes on the item are; that of all votes without any."""
    right = peers.right
    n = np.bincount(peers.item, minlength=peers.n_items)[peers.item]
    total = np.bincount(peers.item, right, minlength=peers.n_items)[peers.item]
    usual = float(right.mean()) if len(right) else 0.0
    return np.where(n > 1, (total - right) / np.maximum(n - 1, 1), usual)


def _share_of_others(peers: Peers, others: Floats) -> Floats:
    """Shape (n_votes,): how much of what hardens an item for the others hardens it for the annotator."""
    n, chance = np.maximum(peers.per_annotator(), 1), 1 / max(peers.n_classes, 1)
    own, theirs = (peers.per_annotator(values) / n - chance for values in (peers.right, others))
    share = np.clip(own / np.maximum(theirs, 0.05), 0.0, MOST_SHARED)
    return np.asarray(share[peers.annotator])


def _has_passed(at: Floats, n: Ints, start: Ints) -> npt.NDArray[np.bool_]:
    """Shape (n_annotators,): whether any time passed: votes imported at once have no order."""
    passed = np.zeros(len(n), dtype=np.bool_)
    has = n > 0
    passed[has] = at[start[has]] < at[(start + n - 1)[has]]
    return passed


def _peaks(height: Floats, owner: Ints, n: Ints, start: Ints) -> tuple[Ints, Floats]:
    """Votes until the highest point of each annotator's path, and its height; the first of equal ones."""
    order = np.lexsort((np.arange(len(height)), -height, owner))
    n_before, found = np.zeros(len(n), dtype=np.int64), np.zeros(len(n))
    has = n > 0
    top = order[start[has]]
    n_before[has] = top - start[has] + 1
    found[has] = height[top]
    return n_before, found


def _shares(right: Floats, owner: Ints, n: Ints, n_before: Ints, start: Ints) -> tuple[Floats, Floats]:
    is_before = np.arange(len(right)) - start[owner] < n_before[owner]
    sums = [_sums(right * part, owner, len(n)) for part in (is_before, ~is_before)]
    with np.errstate(invalid="ignore", divide="ignore"):
        before, after = sums[0] / n_before, sums[1] / (n - n_before)
    return before, after


def _sums(values: Floats, owner: Ints, n: int) -> Floats:
    return np.bincount(owner, values, minlength=n).astype(np.float64)
