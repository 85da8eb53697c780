"""Pairs of annotators who answer alike more often than the truth and their own mistakes explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from labelmill.quality._meetings import FEW, Meetings, meetings_of
from labelmill.quality._peers import Peers
from labelmill.quality.multiplicity import adjusted

__all__ = ["Copies", "copies"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SHARES: Final = np.array([0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99])
"""Shares of copied answers that are tried."""

ALLOWED: Final = 0.1
"""Up to this share two people may answer alike because they read the guidelines alike: that is no copy."""


@dataclass(frozen=True)
class Copies:
    """Pairs that were tested, the surest first.

    Parameters
    ----------
    one, other : ndarray of int64, shape (n_pairs,)
        Annotators.
    n_shared, n_equal : ndarray of int64, shape (n_pairs,)
        Items both answered; those answered alike.
    n_expected : ndarray of float64, shape (n_pairs,)
        Those that would be answered alike by chance.
    n_same_errors : ndarray of float64, shape (n_pairs,)
        Equal answers that are wrong by what the others say, expected number.
    share : ndarray of float64, shape (n_pairs,)
        Likeliest share of answers that one took from the other.
    p : ndarray of float64, shape (n_pairs,)
        Bound on the chance to answer alike so often though they copy at most a tenth.
    level : ndarray of float64, shape (n_pairs,)
        p beside the other pairs; see `labelmill.quality.multiplicity.adjusted`.
    """

    one: npt.NDArray[np.int64]
    other: npt.NDArray[np.int64]
    n_shared: npt.NDArray[np.int64]
    n_equal: npt.NDArray[np.int64]
    n_expected: Floats
    n_same_errors: Floats
    share: Floats
    p: Floats
    level: Floats


def copies(peers: Peers, *, seed: int = 0) -> Copies:
    r"""Tests every pair that shares five items or more for copied answers.

    Given what the others say of item i and the first one's answer, the second gives the same with probability
    :math:`p_i`, of its own confusions. Copying a share c of the answers makes that :math:`c + (1 - c) p_i`, and

    .. math:: E = \frac{\mathrm{mean}_{c > c_0} L(c)}{\max_{c \le c_0} L(c)}, \qquad
              L(c) = \prod_{i\ equal} \frac{c + (1 - c) p_i}{p_i} \prod_{i\ different} (1 - c)

    is an e-value: in the mean at most 1 while no more than :math:`c_0 = 0.1` is copied, so that 1 / E bounds the
    p-value whatever the number of shared items (universal inference: Wasserman, Ramdas and Balakrishnan 2020,
    doi:10.1073/pnas.1922664117). Equal right answers weigh little, as p is near 1; equal wrong ones weigh 1 / p, as in
    Dong, Berti-Equille and Srivastava (2009, doi:10.14778/1687627.1687690). We differ in what p is: the crowd errs
    together on hard items, so p is never below the share of equal answers that all pairs together have where it is
    foretold to be p. Pairs of rules are tested by `copied_rules`.

    Parameters
    ----------
    peers : Peers
    seed : int
        Of the draw of items, should there be too many pairs of votes; see `meetings_of`.
    """
    meetings = meetings_of(peers, seed=seed)
    pair, place = meetings.by_pair()
    n_shared = np.bincount(place, minlength=len(pair)).astype(np.int64)
    chance = _never_below_usual(meetings)
    equal = meetings.is_equal
    n_equal = np.bincount(place, equal, minlength=len(pair)).astype(np.int64)
    expected = np.bincount(place, chance, minlength=len(pair)).astype(np.float64)
    errors = np.bincount(place[equal], 1 - meetings.right[equal], minlength=len(pair)).astype(np.float64)
    kept = np.flatnonzero(n_shared >= FEW)
    likelihood = _likelihoods(chance[equal], place[equal], n_shared - n_equal, len(pair))[:, kept]
    bound = likelihood[SHARES <= ALLOWED].max(axis=0, initial=-np.inf)
    above = likelihood[SHARES > ALLOWED]
    top = above.max(axis=0, initial=-np.inf)
    log_e = top + np.log(np.exp(above - top).mean(axis=0)) - bound
    p = np.exp(-np.maximum(log_e, 0.0))
    order = np.lexsort((kept, -log_e))
    found = kept[order]
    one, other = np.divmod(pair[found], max(peers.n_annotators, 1))
    return Copies(
        one,
        other,
        n_shared[found],
        n_equal[found],
        expected[found],
        errors[found],
        SHARES[likelihood.argmax(axis=0)][order] if len(kept) else np.zeros(0),
        p[order],
        adjusted(p)[order],
    )


def _likelihoods(
    chance: Floats, place: npt.NDArray[np.int64], n_different: npt.NDArray[np.int64], n_pairs: int
) -> Floats:
    """Shape (n_shares, n_pairs): log likelihood of each share of copied answers over that of none."""
    rows = [
        np.bincount(place, np.log1p(c * (1 / chance - 1)), minlength=n_pairs) + np.log1p(-c) * n_different
        for c in SHARES
    ]
    return np.stack(rows)


BINS: Final = 20
MOST_CERTAIN: Final = 0.999


def _never_below_usual(meetings: Meetings) -> Floats:
    """Shape (n_meetings,): the chance of an equal answer, at least what it is over all pairs."""
    chance, is_equal = meetings.chance, meetings.is_equal
    if not len(chance):
        return chance
    edges = np.unique(np.quantile(chance, np.linspace(0, 1, BINS + 1)[1:-1]))
    bin_ = np.searchsorted(edges, chance, side="right")
    n = np.bincount(bin_, minlength=len(edges) + 1)
    foretold = np.bincount(bin_, chance, minlength=len(edges) + 1)
    seen = (np.bincount(bin_, is_equal, minlength=len(edges) + 1) + foretold / np.maximum(n, 1)) / (n + 1)
    usual = np.maximum.accumulate(seen)
    return np.clip(np.maximum(chance, usual[bin_]), 1e-6, MOST_CERTAIN)
