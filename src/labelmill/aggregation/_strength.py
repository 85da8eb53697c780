"""How many votes a prior is worth, learned from how widely annotators differ."""

from __future__ import annotations

import numpy as np
from scipy.special import digamma

from labelmill.aggregation._tally import Floats

__all__ = ["likelier_strength"]

LONGEST_STEP = np.log(4.0)


def likelier_strength(
    strength: float,
    counts: Floats,
    mean: Floats,
    totals: Floats,
    *,
    between: tuple[float, float],
    log_cells: Floats | None = None,
) -> float:
    r"""One Newton step towards the strength of a Dirichlet prior under which the counts are likeliest.

    .. math:: \frac{d \log L}{d s} = A - B, \quad A = \sum m (\psi(n + s m) - \psi(s m)), \quad
              B = \sum (\psi(N + s) - \psi(s))

    Minka's fixed point (2000, "Estimating a Dirichlet distribution", section 4) goes from s to s A / B, which creeps
    where annotators differ little: fifty steps and more. We look for the root of log A - log B over log s instead,
    where the fixed point is a step at slope -1, and take the slope there is.

    Parameters
    ----------
    strength : float
        s now, above 0.
    counts, mean : ndarray of float64
        n and m: expected counts of every cell, and the prior's mean for it, which sums to 1 over each row's cells.
    totals : ndarray of float64
        N: sum of the counts of every row.
    between : pair of float
        Smallest and largest strength.
    log_cells : ndarray of float64, optional
        Digamma of n + s m where it is known already.
    """
    prior = strength * mean
    cells = digamma(counts + prior) if log_cells is None else log_cells
    gain = float((mean * (cells - digamma(prior))).sum())
    spread = float((digamma(totals + strength) - digamma(strength)).sum())
    if not (gain > 0.0 and spread > 0.0):
        return strength
    gain_slope = float((mean**2 * (_trigamma(counts + prior) - _trigamma(prior))).sum())
    spread_slope = float((_trigamma(totals + strength) - _trigamma(np.array(strength))).sum())
    slope = strength * (gain_slope / gain - spread_slope / spread)
    pull = np.log(gain / spread)
    step = -pull / slope if slope < 0.0 else pull
    return float(np.clip(strength * np.exp(np.clip(step, -LONGEST_STEP, LONGEST_STEP)), *between))


def _trigamma(x: Floats) -> Floats:
    """Derivative of the digamma function above 0, within two percent: it only sets the length of a step."""
    y = 1.0 / (x + 1.0)
    return np.asarray(1.0 / (x * x) + y * (1.0 + y * (0.5 + y / 6.0)))
