r"""Acceptance sampling: which machine labels an audit of some of them lets stand.

n items lie in an order fixed in advance (least uncertain first); w_i says whether the machine is wrong on item i. An
audit S of m items is drawn uniformly without replacement, independently of that order, and its answers replace the
machine's labels. Of the others those before a cut keep the machine's label, those after it go to people, so what is
wrong in the release is :math:`R = |\{i \notin S : i \text{ before the cut}, w_i\}|`. At most E of it is allowed.

**Rule.** Cut just after the (c+1)-th audited item found wrong; no cut if at most c were. Here c is the largest number
with :math:`P(H(n, E + 1 + c, m) \le c) \le \alpha`, H(n, K, m) being the count of marked items among m drawn from n
of which K are marked. **Then** :math:`P(R > E) \le \alpha`, whatever w and the order are.

*Proof.* If R > E, let the (E+1)-th unaudited wrong item before the cut be the (E+1+j)-th wrong item: j <= c audited
wrong ones come before it. If there are at least E+1+c wrong items, the first E+1+c of them hold those E+1 unaudited
ones, hence at most c audited ones; their audited count is distributed as H(n, E+1+c, m), so this has probability at
most alpha. If there are only E+1+j' < E+1+c wrong items, at most j' of them are audited; and "at most j' of the
first E+1+j'" implies "at most j'+1 of the first E+2+j'", so that the probability only grows up to j' = c. QED.

Every cut is covered at once: this is the fixed-sequence test of all thresholds from small to large, stopped at the
first failure (Candès, Ilyas and Zrnic 2025, arXiv 2506.10908), for all of them count the same errors in the same
sample. We differ from the paper in three ways, each of which saves answers: the tail is that of draws without
replacement, the audit's corrections are credited (R leaves out S), and ties in uncertainty are broken at random
beforehand, so that every item is a threshold. Besides, a release that keeps at most E machine labels holds at most E
errors: so many are kept whatever the audit says.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.quality.bounds import hypergeometric_tail

__all__ = ["accepted_wrongs", "bound_on_wrongs", "kept_prefix", "smallest_audits"]

MOST_ACCEPTED = 20_000
"""No larger audit is planned unasked: it would measure the error far more finely than people need."""

ROUNDING = 1 - 1e-5
"""The tail is computed to within 1e-5 of itself; the risk is lowered by as much, so that rounding never favours us."""


def kept_prefix(
    positions: npt.NDArray[np.integer[Any]],
    wrong: npt.NDArray[np.bool_],
    *,
    n_items: int,
    n_allowed: int,
    n_accepted: int,
) -> npt.NDArray[np.int64]:
    """How many items, from the front of the order, keep the machine's label unless audited: the cut.

    Parameters
    ----------
    positions : ndarray of int, shape (..., n_audit)
        Places of the audited items in the order, ascending along the last axis.
    wrong : ndarray of bool, shape (..., n_audit)
        Where people's answer differs from the machine's label.
    n_items, n_allowed, n_accepted : int
        n, E and c of the file's docstring; c = -1 accepts nothing.

    Returns
    -------
    ndarray of int64, shape (...)
        In 0..n_items.
    """
    found = np.cumsum(wrong, axis=-1)
    stop = found > n_accepted
    n_before = (~stop).sum(axis=-1, keepdims=True)
    last = np.take_along_axis(positions, np.minimum(n_before, positions.shape[-1] - 1), -1)[..., 0] if stop.size else 0
    stopped = stop.any(axis=-1)
    nothing = np.int64(0 if n_accepted < 0 else n_items)
    tested = np.where(stopped & (n_accepted >= 0), np.asarray(last) + 1, nothing)
    n_passed = (positions - np.arange(positions.shape[-1]) <= n_allowed).sum(axis=-1)
    return np.asarray(np.maximum(tested, np.minimum(n_allowed + n_passed, n_items)), dtype=np.int64)


def accepted_wrongs(n_items: int, n_allowed: int, n_audit: int, *, risk: float) -> int:
    """The largest number c of wrong labels an audit of this size may find, -1 if even 0 proves nothing.

    Parameters
    ----------
    n_items, n_allowed, n_audit : int
        n, E and m of the file's docstring.
    risk : float
        alpha.

    Examples
    --------
    >>> accepted_wrongs(2000, 100, 60, risk=0.05), accepted_wrongs(2000, 100, 160, risk=0.05)
    (0, 3)
    """
    if n_audit >= n_items - n_allowed:
        return n_audit

    def is_proof(c: int) -> bool:
        return c < n_items - n_allowed and _tail(c, n_items, n_allowed, n_audit) <= risk * ROUNDING

    return _first_failure(is_proof, n_audit) - 1


def bound_on_wrongs(
    n_items: int, n_allowed: int, n_audit: int, *, n_found: int, n_accepted: int, n_kept: int, risk: float
) -> int:
    r"""Upper bound B on the wrong labels the rule lets stand, seen the audit: :math:`P(R > B) \le \alpha`, B <= E.

    With k wrong labels found and c accepted it is E(min(k, c)), the smallest E for which so many would have been
    accepted; or the number of machine labels kept, when that is no more than may be wrong anyway.

    *Proof.* R > B needs more than E labels kept, hence the cut of the rule. Let K items be wrong. No cut, k = j < c,
    and R = K - j > E(j) needs E(j) + j < K; let J be the largest such j < c: all these events lie within "k <= J",
    and E(J)+1+J <= K makes its probability at most alpha. R > E(c) with k >= c means, as in the file's proof, at most
    c audited among the first E(c)+1+c wrong items, which contains "k <= J" as J < c; its probability, too, is at most
    alpha. QED.

    Parameters
    ----------
    n_items, n_allowed, n_audit, n_accepted : int
        n, E, m and c of the file's docstring.
    n_found : int
        k: audited labels found wrong, on either side of the cut.
    n_kept : int
        Unaudited items before the cut.
    risk : float
        alpha.
    """
    if n_accepted < 0 or n_kept <= n_allowed:
        return n_kept
    found = min(n_found, n_accepted)
    low, high = 0, n_allowed
    while low < high:
        middle = (low + high) // 2
        if _tail(found, n_items, middle, n_audit) <= risk * ROUNDING:
            high = middle
        else:
            low = middle + 1
    return low


@lru_cache(maxsize=64)
def smallest_audits(n_items: int, n_allowed: int, risk: float) -> tuple[tuple[int, int], ...]:
    """The audit sizes worth considering: for each c the smallest m that makes c wrong labels acceptable.

    Every c up to 40, then a tenth more each time, up to 20,000; ends before an audit would cost as much as asking
    people everything that must be asked, n - E.

    Returns
    -------
    tuple of (int, int)
        Pairs (c, m), ascending.
    """
    ceiling, pairs, c = n_items - n_allowed, [], 0
    smallest = 1
    while c < min(ceiling, MOST_ACCEPTED):
        low, high = max(smallest, c + 1), ceiling
        while low < high:
            middle = (low + high) // 2
            if _tail(c, n_items, n_allowed, middle) <= risk * ROUNDING:
                high = middle
            else:
                low = middle + 1
        if low >= ceiling:
            break
        pairs.append((c, low))
        smallest = low
        c += 1 if c < 40 else 1 + c // 10
    return tuple(pairs)


def _tail(c: int, n_items: int, n_allowed: int, n_audit: int) -> float:
    """P(H(n, E + 1 + c, m) <= c); 0 where so many wrong items do not fit and the audit leaves at most E."""
    if n_audit >= n_items - n_allowed:
        return 0.0
    return hypergeometric_tail(c, n_items, min(n_allowed + 1 + c, n_items), n_audit)


def _first_failure(is_true: Callable[[int], bool], highest: int) -> int:
    """The smallest number in 0..highest for which a statement, true up to somewhere, no longer holds."""
    low, high = 0, highest
    while low < high:
        middle = (low + high) // 2
        if is_true(middle):
            low = middle + 1
        else:
            high = middle
    return low
