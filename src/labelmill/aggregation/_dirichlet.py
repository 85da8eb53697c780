"""Dirichlet posteriors from expected counts: what variational EM takes the logarithms of, and what it pays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, gammaln

from labelmill.aggregation._tally import Floats

__all__ = ["divergence", "log_shares"]


def log_shares(counts: Floats, prior: npt.ArrayLike, *, axis: int) -> Floats:
    """E[log p] where p, along `axis`, has a Dirichlet posterior with parameters `counts + prior`.

    Parameters
    ----------
    counts : ndarray of float64
        Expected counts.
    prior : array_like, broadcasts to the shape of `counts`
        Counts credited beforehand, above 0.
    axis : int
        The axis over which p sums to 1.
    """
    concentration = counts + np.asarray(prior)
    return np.asarray(digamma(concentration) - digamma(concentration.sum(axis=axis, keepdims=True)))


def divergence(counts: Floats, prior: npt.ArrayLike, *, axis: int) -> float:
    """Kullback-Leibler divergence of these posteriors from their priors, summed, in nats; arguments as above."""
    if not counts.size:  # no class was ever named
        return 0.0
    before = np.broadcast_to(np.asarray(prior, dtype=np.float64), counts.shape)
    rows = gammaln((counts + before).sum(axis=axis)) - gammaln(before.sum(axis=axis))
    cells = gammaln(counts + before) - gammaln(before) - counts * log_shares(counts, before, axis=axis)
    return float(rows.sum() - cells.sum())
