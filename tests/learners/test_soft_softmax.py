"""Softmax regression on probabilistic targets."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse
from sklearn.linear_model import LogisticRegression

from labelmill.learners._soft_softmax import Softmax, fit_softmax

Floats = npt.NDArray[np.float64]


def problem(n_items: int, n_terms: int, n_classes: int, seed: int) -> tuple[sparse.csr_array, Floats, Floats]:
    """A sparse matrix, soft targets and weights."""
    rng = np.random.default_rng(seed)
    matrix = sparse.csr_array(rng.random((n_items, n_terms)) * (rng.random((n_items, n_terms)) < 0.4))
    return matrix, rng.dirichlet(np.full(n_classes, 0.3), n_items), rng.uniform(0.2, 3, n_items)


def loss(model: Softmax, matrix: sparse.csr_array, targets: Floats, weights: Floats, regularization: float) -> float:
    """The sum of the docstring, written out."""
    fitted = -(weights[:, None] * targets * np.log(model.probabilities(matrix))).sum()
    even = -np.log(np.exp(model.intercepts) / np.exp(model.intercepts).sum()).mean()
    return float(fitted + even + regularization / 2 * (model.coefficients**2).sum())


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_fit_is_the_minimum_that_a_general_optimizer_finds(n_classes: int) -> None:
    """No table of coefficients has a lower sum."""
    matrix, targets, weights = problem(40, 6, n_classes, seed=1)

    def written_out(flat: Floats) -> float:
        table = flat.reshape(7, n_classes)
        return loss(Softmax(table[:-1], table[-1]), matrix, targets, weights, 0.5)

    found = fit_softmax(matrix, targets, weights, regularization=0.5, tolerance=1e-10)

    general = optimize.minimize(written_out, np.zeros(7 * n_classes), method="BFGS", options={"gtol": 1e-6})
    assert general.fun == pytest.approx(loss(found, matrix, targets, weights, 0.5), abs=1e-7)


def test_soft_targets_equal_weighted_copies_of_rows() -> None:
    """scikit-learn on one weighted copy of each item for each class gives the same probabilities."""
    matrix, targets, weights = problem(60, 8, 3, seed=2)
    copies = sparse.vstack(
        [*[matrix] * 3, sparse.csr_array((1, 8)), sparse.csr_array((1, 8)), sparse.csr_array((1, 8))]
    )
    labels = np.concatenate([np.repeat([0, 1, 2], 60), [0, 1, 2]])
    shares = np.concatenate([(weights[:, None] * targets).T.ravel(), np.full(3, 1 / 3)])
    peer = LogisticRegression(C=1 / 0.7, tol=1e-10, max_iter=5000).fit(copies, labels, sample_weight=shares)

    found = fit_softmax(matrix, targets, weights, regularization=0.7, tolerance=1e-9)

    np.testing.assert_allclose(peer.predict_proba(matrix), found.probabilities(matrix), atol=1e-5)


def test_start_does_not_change_the_answer() -> None:
    """A fit that begins at another fit ends where it would have ended anyway."""
    matrix, targets, weights = problem(50, 10, 4, seed=3)
    far = fit_softmax(matrix, targets[:, ::-1], weights, regularization=0.01)

    fresh = fit_softmax(matrix, targets, weights, regularization=1.0)
    warm = fit_softmax(matrix, targets, weights, regularization=1.0, start=far)

    np.testing.assert_allclose(fresh.probabilities(matrix), warm.probabilities(matrix), atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 30), st.integers(0, 6), st.integers(1, 6), st.integers(0, 10**6))
def test_weight_two_is_the_item_twice(n_items: int, n_terms: int, n_classes: int, seed: int) -> None:
    """Whole weights are counts of copies."""
    matrix, targets, _ = problem(n_items, n_terms, n_classes, seed)
    counts = np.random.default_rng(seed).integers(0, 4, n_items)
    copied = np.repeat(np.arange(n_items), counts)

    weighted = fit_softmax(matrix, targets, counts.astype(float), regularization=0.3)
    repeated = fit_softmax(matrix[copied], targets[copied], np.ones(len(copied)), regularization=0.3)

    np.testing.assert_allclose(repeated.probabilities(matrix), weighted.probabilities(matrix), atol=1e-4)


def test_without_terms_the_answer_is_the_share_of_each_class() -> None:
    """Intercepts alone give class shares, one imaginary item added."""
    targets = np.repeat(np.eye(3), [6, 3, 0], axis=0)

    found = fit_softmax(sparse.csr_array((9, 0)), targets, np.ones(9), regularization=1.0)

    expected = np.array([6 + 1 / 3, 3 + 1 / 3, 1 / 3]) / 10
    np.testing.assert_allclose(expected, found.probabilities(sparse.csr_array((1, 0)))[0], atol=1e-6)
