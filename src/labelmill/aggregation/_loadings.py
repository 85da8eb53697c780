"""How far each annotator goes with a class against the rest, from triplets of covariances."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._tally import Floats

__all__ = ["AgainstRest", "loadings"]

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
        Pairs of others whose covariance is far enough from 0 to divide by.
    """
    n_annotators = len(between)
    variance = np.maximum(np.diagonal(between), 0.0)  # rounding may leave less where a vote never varies
    noise = np.sqrt(np.outer(variance, variance) / max(n_items, 1.0))
    off = np.where(np.eye(n_annotators, dtype=np.bool_), 0.0, between)
    firm = np.triu(np.abs(off) > STANDARD_ERRORS * noise, 1)
    size, used = np.zeros(n_annotators), np.zeros(n_annotators, dtype=np.int64)
    for j in range(n_annotators):
        others = firm.copy()
        others[j], others[:, j] = False, False
        b, c = np.nonzero(others)
        used[j] = len(b) if variance[j] > 0 else 0
        if used[j]:
            size[j] = np.sqrt(np.median(np.abs(off[j, b] * off[j, c] / off[b, c])))
    size = np.minimum(size, np.sqrt(variance))
    return np.where(off @ size < 0, -size, size), used
