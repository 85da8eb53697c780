"""From scores to class probabilities, and the guards every label model keeps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from labelmill.aggregation._tally import CELLS_IN_CACHE, Floats
from labelmill.domain.schema import ABSTAIN

__all__ = [
    "class_balance",
    "even_log_balance",
    "is_switched",
    "keep_unanimous",
    "posterior",
    "reliability",
    "softmax_by_state",
]

LEAD = 0.01
"""Log-odds by which the only class named leads the others when the evidence speaks against it."""


def posterior(scores: Floats) -> tuple[Floats, Floats]:
    """Softmax over the last axis, written over the scores, and its log normaliser.

    The bits of a row depend on that row alone, not on how many others there are or where it stands.

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
    log_normaliser = np.zeros(len(scores))
    if scores.size:
        step = max(CELLS_IN_CACHE // scores.shape[1], 1)
        for start in range(0, len(scores), step):
            block = scores[start : start + step]
            by_state = np.ascontiguousarray(block.T)
            log_normaliser[start : start + step] = softmax_by_state(by_state)
            np.copyto(block, by_state.T)
    return scores, log_normaliser


def softmax_by_state(by_state: Floats) -> Floats:
    """Softmax over the first axis, written over the scores, and its log normaliser; as above, turned.

    Arithmetic along a short last axis starts a loop for each row, which costs more than turning the scores twice.

    Parameters
    ----------
    by_state : ndarray of float64, shape (n_states, n_rows)
        Unnormalised log probabilities; overwritten. Without states the log normalisers are 0.
    """
    if not len(by_state):
        return np.zeros(by_state.shape[1])
    top = by_state.max(axis=0)
    by_state -= top
    np.exp(by_state, out=by_state)
    total = by_state[0].copy()
    for state in by_state[1:]:  # a sum over the first axis would add in another order where there is a single row
        total += state
    by_state *= 1.0 / total
    return np.asarray(np.log(total, out=total) + top)


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
