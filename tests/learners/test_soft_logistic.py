"""Logistic regression on probabilistic targets."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse

from labelmill.learners._soft_logistic import fit_soft

Floats = npt.NDArray[np.float64]


def problem(n_items: int, n_terms: int, n_classes: int, seed: int) -> tuple[sparse.csr_array, Floats, Floats]:
    """A sparse matrix, soft targets and weights."""
    rng = np.random.default_rng(seed)
    matrix = sparse.csr_array(rng.random((n_items, n_terms)) * (rng.random((n_items, n_terms)) < 0.4))
    return matrix, rng.dirichlet(np.full(n_classes, 0.3), n_items), rng.uniform(0.2, 3, n_items)


def log_softmax(scores: Floats) -> Floats:
    """Logarithms of the class probabilities."""
    normal: Floats = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    return normal


def test_soft_targets_are_learned_as_they_are() -> None:
    """The fit is where a general solver finds the least weighted cross-entropy to the targets plus ridge."""
    matrix, targets, weights = problem(40, 6, 3, seed=1)
    rows = np.vstack([matrix.toarray(), np.zeros(6)])  # the last is the imaginary item
    goals = np.vstack([weights[:, None] * targets, np.full(3, 1 / 3)])

    def written_out(flat: Floats) -> float:
        table = flat.reshape(7, 3)
        return float(-(goals * log_softmax(rows @ table[:-1] + table[-1])).sum() + 0.25 * (table[:-1] ** 2).sum())

    general = optimize.minimize(written_out, np.zeros(21), method="BFGS", options={"gtol": 1e-6})
    table = general.x.reshape(7, 3)
    expected = np.exp(log_softmax(matrix @ table[:-1] + table[-1]))

    found = fit_soft(matrix, targets, weights, regularization=0.5)

    np.testing.assert_allclose(expected, found.predict_proba(matrix), atol=2e-3)


@pytest.mark.parametrize("n_classes", [2, 3])
@settings(max_examples=20, deadline=None)
@given(n_items=st.integers(1, 30), n_terms=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_weight_two_is_the_item_twice(n_items: int, n_terms: int, n_classes: int, seed: int) -> None:
    """Whole weights are counts of copies, none included."""
    matrix, targets, _ = problem(n_items, n_terms, n_classes, seed)
    counts = np.random.default_rng(seed).integers(0, 4, n_items)
    copied = np.repeat(np.arange(n_items), counts)

    weighted = fit_soft(matrix, targets, counts.astype(float), regularization=0.3)
    repeated = fit_soft(matrix[copied], targets[copied], np.ones(len(copied)), regularization=0.3)

    np.testing.assert_allclose(repeated.predict_proba(matrix), weighted.predict_proba(matrix), atol=2e-3)


@pytest.mark.parametrize("n_classes", [2, 4])
@settings(max_examples=20, deadline=None)
@given(scale=st.floats(-12, 6), strength=st.floats(-6, 6), seed=st.integers(0, 10**6))
def test_no_warning_of_the_solver_escapes(n_classes: int, scale: float, strength: float, seed: int) -> None:
    """Weights and ridges of any size give finite probabilities; here every warning is an error."""
    matrix, targets, weights = problem(20, 5, n_classes, seed)

    found = fit_soft(matrix, targets, weights * 10**scale, regularization=10**strength)

    assert np.isfinite(found.predict_proba(matrix)).all()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_without_terms_the_answer_is_the_share_of_each_class(n_classes: int) -> None:
    """Intercepts alone give class shares, one imaginary item added; a class that never occurs has its part of that."""
    targets = np.repeat(np.eye(n_classes), [600, *[0] * (n_classes - 1)], axis=0)

    found = fit_soft(sparse.csr_array((600, 1)), targets, np.ones(600), regularization=0.03)

    expected = np.array([600 + 1 / n_classes, *[1 / n_classes] * (n_classes - 1)]) / 601
    np.testing.assert_allclose(expected, found.predict_proba(sparse.csr_array((1, 1)))[0], atol=2e-3)
