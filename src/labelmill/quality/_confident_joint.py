"""How many labels of each class truly belong to each class, estimated from the confident predictions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["SLACK", "calibrated", "prune_counts", "thresholds_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SLACK = 1e-6
"""A probability this far below a threshold still reaches it, and one this far above another is still level with it."""

OUT_OF_REACH = 2.0
"""Threshold of a class that nobody was given: no probability reaches it."""


def thresholds_of(sums: Floats, counts: Ints) -> Floats:
    """The mean probability of class k among the items given class k: from there up a prediction of k is confident.

    t_k = mean of p_ik over the items i given k (Northcutt, Jiang and Chuang 2021, equation 2).

    Parameters
    ----------
    sums : ndarray of float64, shape (n_classes,)
        Probability of the given class, summed over the items given it.
    counts : ndarray of int64, shape (n_classes,)
        Items given each class.
    """
    means = np.divide(sums, counts, out=np.full(len(sums), OUT_OF_REACH), where=counts > 0)
    return np.asarray(np.maximum(means, 2 * SLACK))


def calibrated(confident: Ints, counts: Ints) -> Ints:
    """The confident counts scaled to all items: rows sum to the items given each class.

    Q_kj = C_kj / (sum over j of C_kj) * n_k (equation 3 of the paper, times n), rounded to whole items.

    Parameters
    ----------
    confident : ndarray of int64, shape (n_classes, n_classes)
        `[k, j]`: items given k that are confidently j.
    counts : ndarray of int64, shape (n_classes,)
        Items given each class.
    """
    # By columns of given classes, in this order of steps: cleanlab rounds what these steps give, and so do we.
    share = np.ascontiguousarray(confident.T) / np.maximum(confident.sum(axis=1), 1)
    scaled = share * counts
    scaled = scaled / max(scaled.sum(), np.finfo(np.float64).tiny) * int(counts.sum())
    return np.array([_rounded(row) for row in scaled.T], dtype=np.int64).reshape(confident.shape)


def prune_counts(joint: Ints, *, min_examples_per_class: int, frac_noise: float) -> Ints:
    """How many labels to flag: `[k, j]` of those given k that truly are j; the diagonal is what stays.

    Parameters
    ----------
    joint : ndarray of int64, shape (n_classes, n_classes)
        Calibrated counts `[given, true]`.
    min_examples_per_class : int
        So many labels of each class are kept: what the diagonal lacks is taken from the rest of the row in equal parts.
    frac_noise : float
        Share of the estimated errors to flag.
    """
    kept = np.maximum(joint.diagonal(), min_examples_per_class)
    lacking = kept - joint.diagonal()
    n_sources = np.maximum(np.count_nonzero(joint, axis=1) - 1.0, 1.0)
    wrong = np.maximum(joint - (lacking / n_sources)[:, None], 0.0)
    flagged = wrong * frac_noise
    spared = wrong - flagged
    np.fill_diagonal(spared, 0.0)
    np.fill_diagonal(flagged, kept + np.ascontiguousarray(spared.T).sum(axis=0))
    return np.asarray(flagged.astype(np.int64))


def _rounded(row: Floats) -> Ints:
    """Whole numbers with the row's total; those rounded furthest the wrong way make up for it."""
    whole = row.round()
    total = np.sum(row).round()
    while (missing := int(total - whole.sum())) != 0:
        step = 1 if missing > 0 else -1
        # Not a stable sort: cleanlab breaks ties between classes by this one.
        changed = np.argsort(row - whole)[::-step][: min(abs(missing), len(row))]
        whole[changed] += step
    return np.asarray(whole.astype(np.int64))
