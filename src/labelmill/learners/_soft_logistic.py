"""scikit-learn's logistic regression on probabilistic targets."""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

__all__ = ["fit_soft", "soft_logistic"]

Floats = npt.NDArray[np.float64]

_LEAST_SHARE: Final = 0.01
"""Classes less likely than this are left out of the target of an item: a copy of its row costs more than it tells."""

_MOST_STEPS: Final = 1_000
"""Newton steps of a fit at most; about ten are taken."""


def fit_soft(
    matrix: sparse.csr_array, targets: Floats, weights: Floats, *, regularization: float
) -> LogisticRegression:
    """Logistic regression on probabilistic targets, by one weighted copy of a row for each class.

    The cross-entropy is linear in the targets, so the copies cost what the targets cost. One imaginary item without
    terms and with an even target joins in: with it every class occurs and the intercepts are finite, whatever the items
    say.

    Parameters
    ----------
    matrix : csr_array, shape (n_items, n_terms)
        With at least one column.
    targets : ndarray, shape (n_items, n_classes)
        Rows sum to 1. A sole class is fitted as the first of two.
    weights : ndarray, shape (n_items,)
        How often each item counts.
    regularization : float
        Strength of the ridge, 1 / C; above 0.
    """
    n_classes = max(2, targets.shape[1])
    item_index, classes = np.nonzero((targets > _LEAST_SHARE) & (weights[:, None] > 0))
    imaginary = sparse.csr_array((n_classes, matrix.shape[1]))
    copies = sparse.vstack([matrix[item_index], imaginary], format="csr")
    labels = np.append(classes, np.arange(n_classes))
    shares = np.append(targets[item_index, classes] * weights[item_index], np.full(n_classes, 1 / n_classes))
    classifier = soft_logistic(n_classes, regularization)
    # Vectors this short lose up to tenfold by more threads. A fit cut off at its last step is still one to predict by.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "Line Search failed", UserWarning)
        return classifier.fit(copies, labels, sample_weight=shares)


def soft_logistic(n_classes: int, regularization: float) -> LogisticRegression:
    """An unfitted classifier.

    Its solvers came closest to the minimum in the least time on word counts with uneven weights: liblinear for two
    classes (half the time of newton-cg), newton-cg for more (a fifth of the time of lbfgs).
    """
    solver, tolerance = ("liblinear", 1e-2) if n_classes <= 2 else ("newton-cg", 1e-5)
    return LogisticRegression(C=1 / regularization, solver=solver, tol=tolerance, max_iter=_MOST_STEPS)
