"""From scores to class probabilities, and the guards every label model keeps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from labelmill.aggregation._tally import Floats
from labelmill.domain.schema import ABSTAIN

__all__ = ["class_balance", "even_log_balance", "is_switched", "keep_unanimous", "posterior", "reliability"]

SHORT_AXIS = 9
LEAD = 0.01
"""Log-odds by which the only class named leads the others when the evidence speaks against it."""


def posterior(scores: Floats) -> tuple[Floats, Floats]:
    """Softmax over the last axis, written over the scores, and its log normaliser.

    Parameters
    ----------
    scores : ndarray of float64, shape (n_rows, n_states)
        Unnormalised log probabilities; overwritten.

    Returns
    -------
    probabilities : ndarray of float64, shape (n_rows, n_states)
        The same memory; rows sum to 1.
    log_normaliser : ndarray of float64, shape (n_rows,)
        Log of the sum of exponentials.
    """
    if not scores.size:
        return scores, np.zeros(len(scores))
    top = _row_max(scores)
    scores -= top[:, None]
    np.exp(scores, out=scores)
    total = np.einsum("ij->i", scores)  # much faster than sum(axis=1) on a short axis, and no BLAS threads spin
    scores /= total[:, None]
    return scores, np.log(total) + top


def keep_unanimous(probabilities: Floats, unanimous: npt.NDArray[np.intp]) -> Floats:
    """The probabilities, in place, with the only class named on an item at least as likely as any other.

    A row that speaks against it is changed no more than needed: nobody named another class, so another may come close
    but is never the answer.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n_rows, n_classes)
        Rows sum to 1; overwritten.
    unanimous : ndarray of int, shape (n_rows,)
        The only class named, else ABSTAIN.
    """
    if probabilities.shape[1] < 2:
        return probabilities
    rows = np.flatnonzero(unanimous != ABSTAIN)
    weak = rows[probabilities[rows, unanimous[rows]] < 0.5 + LEAD / 2]
    lifted, position, named = probabilities[weak], np.arange(len(weak)), unanimous[weak]
    own = lifted[position, named]
    lifted[position, named] = 0.0
    lifted[position, named] = np.maximum(own, lifted.max(axis=1, initial=0.0) * np.exp(LEAD))
    probabilities[weak] = lifted / lifted.sum(axis=1, keepdims=True)
    return probabilities


def class_balance(class_counts: Floats) -> Floats:
    """Share of each class with one item of each added, so that no class is ruled out; uniform without items."""
    return np.asarray((class_counts + 1.0) / max(class_counts.sum() + len(class_counts), 1.0))


def even_log_balance(n_classes: int) -> Floats:
    """Log share of each of so many equally likely classes."""
    return np.full(n_classes, -np.log(max(n_classes, 1)))


def reliability(counts: Floats) -> Floats:
    """Share of an annotator's votes that name the true class, from expected counts `[j, l, k]`; NaN without votes."""
    right, total = np.trace(counts, axis1=1, axis2=2), counts.sum(axis=(1, 2))
    return np.asarray(np.divide(right, total, out=np.full(len(counts), np.nan), where=total > 0))


def is_switched(counts: Floats) -> bool:
    """Whether the classes found fit the labels better under other names: label switching, not learning.

    Compares, over all annotators, the votes that name the class found with those of the best renaming.
    """
    pooled = counts.sum(axis=0)
    labels, classes = linear_sum_assignment(pooled, maximize=True)
    return bool(pooled[labels, classes].sum() > np.trace(pooled) * (1 + 1e-9) + 1e-9)


def _row_max(scores: Floats) -> Floats:
    if scores.shape[1] > SHORT_AXIS:
        return np.asarray(scores.max(axis=1))
    top = scores[:, 0].copy()
    for k in range(1, scores.shape[1]):  # column by column: a reduction over a short last axis is many times slower
        np.maximum(top, scores[:, k], out=top)
    return top
