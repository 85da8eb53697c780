"""How far each annotator goes with a class against the rest, from triplets of covariances."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._tally import Floats

__all__ = ["AgainstRest", "loadings"]

MOST_PAIRS = 20_000
"""Pairs that are divided by, the firmest: the median over so many moves no more. All of 200 annotators' are fewer."""
STANDARD_ERRORS = 2.0
"""A covariance nearer to zero than so many of its standard errors is not divided by."""


class AgainstRest(NamedTuple):
    """Covariances where votes are 1 for a class and -1 for others.

    `between` (n_annotators, n_annotators) is that of two annotators, `of_labels` (n_annotators, n_classes,
    n_annotators) that of "a says l" and another annotator.
    """

    between: Floats
    of_labels: Floats

    @classmethod
    def of(cls, covariance: Floats, k: int) -> Self:
        """The covariances for class k, from those of all pairs of labels `[a, l, b, m]`."""
        signs = np.where(np.arange(covariance.shape[1]) == k, 1.0, -1.0)
        of_labels = np.asarray(np.einsum("albm,m->alb", covariance, signs))
        return cls(np.asarray(np.einsum("alb,l->ab", of_labels, signs)), of_labels)


def loadings(between: Floats, n_items: float) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Covariance of each annotator with the standardised truth, and how many triplets it was found from.

    Parameters
    ----------
    between : ndarray of float64, shape (n_annotators, n_annotators)
        Covariances of the annotators' votes, variances on the diagonal.
    n_items : float
        Items they were counted on.

    Returns
    -------
    loading : ndarray of float64, shape (n_annotators,)
        0 where there is no triplet; never more than a standard deviation.
    used : ndarray of int64, shape (n_annotators,)
        Pairs of others whose covariance is far enough from 0 to divide by, of 20,000 at most.
    """
    n_annotators = len(between)
    variance = np.maximum(np.diagonal(between), 0.0)  # rounding may leave less where a vote never varies
    noise = np.sqrt(np.outer(variance, variance) / max(n_items, 1.0))
    off = np.where(np.eye(n_annotators, dtype=np.bool_), 0.0, between)
    b, c = _firmest(off, noise)
    size, used = np.zeros(n_annotators), np.zeros(n_annotators, dtype=np.int64)
    for j in np.flatnonzero(variance > 0):
        ratio = np.abs(off[j, b] * off[j, c] / off[b, c])[(b != j) & (c != j)]
        used[j] = len(ratio)
        if used[j]:
            size[j] = np.sqrt(np.median(ratio))
    size = np.minimum(size, np.sqrt(variance))
    return np.where(off @ size < 0, -size, size), used


def _firmest(off: Floats, noise: Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Pairs of annotators whose covariance is far enough from 0, those with the most standard errors."""
    firmness = np.triu(np.abs(off) / np.where(noise > 0, noise, np.inf), 1)
    firm = firmness[firmness > STANDARD_ERRORS]
    least = np.partition(firm, -MOST_PAIRS)[-MOST_PAIRS] if len(firm) > MOST_PAIRS else STANDARD_ERRORS
    b, c = np.nonzero((firmness > STANDARD_ERRORS) & (firmness >= least))
    return b, c
