"""How many items to audit so that people answer the fewest in all: the audit and what it leaves to them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from labelmill.quality.acceptance import smallest_audits

__all__ = ["AuditSize", "cheapest_audit"]

N_PLACES = 48
"""Places along the order at which the expected cut is evaluated."""

FEW = 24
"""Sizes looked at first."""


class AuditSize(NamedTuple):
    """How many items to audit, how many wrong ones among them pass, and how many answers to expect in all."""

    n_audit: int
    n_accepted: int
    expected_answers: float


def cheapest_audit(
    uncertainty: npt.NDArray[np.float64], *, n_allowed: int, target: float, risk: float, is_trusted: bool = False
) -> AuditSize:
    r"""The audit size with the fewest expected answers, averaged over beliefs about the machine.

    With :math:`\Lambda(x)` wrong labels among the first x items, an audit of m finds about Poisson(m/n Λ(x)) of them
    there, and the cut falls before x when it finds more than c: the answers to expect are
    :math:`m + (1 - m/n) \sum_x P(\mathrm{Poisson}(m/n\,\Lambda(x)) > c)`, less what may be kept anyway. Beliefs,
    equally likely: the uncertainties are the probabilities of being wrong; half of that; they say nothing about order
    and the error is a tenth, a fifth or two fifths of the target. The belief decides only the cost: the certificate
    holds whatever is true.

    Parameters
    ----------
    uncertainty : ndarray of float64, shape (n_items,)
        Ascending. Values outside [0, 1] are no probabilities and only their order is used.
    n_allowed : int
        How many wrong labels the release may hold.
    target : float
        The error asked for, as a share.
    risk : float
        What the audit may spend.
    is_trusted : bool
        Hold the first belief alone: the uncertainties are the probabilities of being wrong.

    Returns
    -------
    AuditSize
        Size 0 when no audit saves answers: people then answer everything but `n_allowed` items.
    """
    n = len(uncertainty)
    best = AuditSize(0, -1, float(max(0, n - n_allowed)))
    pairs = smallest_audits(n, n_allowed, risk) if n > n_allowed else ()
    if not pairs:
        return best
    sizes = np.array(pairs, dtype=np.float64)
    places = np.asarray((np.arange(N_PLACES) + 0.5) * (n / N_PLACES), dtype=np.float64)
    beliefs = _wrong_before(uncertainty, places, target)[: 1 if is_trusted else None]
    for some in (sizes[:FEW], sizes[FEW:]):  # an audit that alone costs more than the best is not looked at
        some = some[some[:, 1] < best.expected_answers]
        if len(some):
            expected = _expected_answers(some[:, 0], some[:, 1], places, beliefs, n_items=n, n_allowed=n_allowed)
            i = int(np.argmin(expected))
            found = AuditSize(int(some[i, 1]), int(some[i, 0]), float(expected[i]))
            best = min(best, found, key=lambda size: size.expected_answers)
    return best


def _expected_answers(
    n_accepted: npt.NDArray[np.float64],
    n_audit: npt.NDArray[np.float64],
    places: npt.NDArray[np.float64],
    beliefs: list[npt.NDArray[np.float64]],
    *,
    n_items: int,
    n_allowed: int,
) -> npt.NDArray[np.float64]:
    """The audit and what it leaves to people, shape (n_sizes,), averaged over the beliefs."""
    share = (n_audit / n_items)[:, None]
    # Items up to the place where n_allowed unaudited ones lie keep their label at no risk: they cost nothing.
    cost = (1 - share) * (places > n_allowed / (1 - share)) * (n_items / len(places))
    deferred = np.zeros_like(n_audit)
    for wrong in beliefs:
        is_cut = special.gammainc(n_accepted[:, None] + 1, share * wrong)  # P(Poisson > c)
        deferred += (cost * is_cut).sum(axis=1) / len(beliefs)
    return n_audit + deferred


def _wrong_before(
    uncertainty: npt.NDArray[np.float64], places: npt.NDArray[np.float64], target: float
) -> list[npt.NDArray[np.float64]]:
    """For each belief: expected number of wrong labels before each place, shape (n_places,)."""
    n = len(uncertainty)
    is_probability = uncertainty[0] >= 0 and uncertainty[-1] <= 1
    chance = uncertainty if is_probability else np.arange(n) / n * target  # twice as likely at the end as on average
    total = np.cumsum(chance)
    calibrated = total[np.minimum(places.astype(np.intp), n - 1)]
    return [calibrated, calibrated / 2, *(places * target * factor for factor in (0.1, 0.2, 0.4))]
