"""Facts about `labelmill.quality.kappa`."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from tests.quality.agreement_examples import CLASSES, as_rows

from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError
from labelmill.quality.kappa import Weights, cohen_kappa


def test_kappa_of_a_published_table() -> None:
    """31, 12, 4, 58 give 0.6757 (Fleiss and Paik 2003; value from the manual of the R package statpsych)."""
    pairs = [(0, 0)] * 31 + [(0, 1)] * 12 + [(1, 0)] * 4 + [(1, 1)] * 58

    result = cohen_kappa(VoteTable.from_matrix(pairs, classes=["no", "yes"]))

    assert round(float(result.kappa[0, 1]), 7) == 0.6756757
    assert result.counts[0, 1] == 105
    assert round(result.mean, 7) == 0.6756757


def test_kappa_equals_scikit_learns_on_shared_items() -> None:
    """Every pair, over the items both voted on."""
    rng = np.random.default_rng(0)
    matrix = rng.integers(-1, 4, size=(200, 5))

    result = cohen_kappa(as_rows(VoteTable.from_matrix(matrix, classes=CLASSES)))

    for a in range(5):
        for b in range(a):
            both = (matrix[:, [a, b]] >= 0).all(axis=1)
            assert cohen_kappa_score(matrix[both, a], matrix[both, b]) == pytest.approx(result.kappa[a, b])


def test_pairs_that_never_meet_have_no_kappa() -> None:
    """NaN in the table, and no mean."""
    result = cohen_kappa(VoteTable.from_matrix([[0, -1], [-1, 1]], classes=["a", "b"]))

    assert np.isnan(result.kappa[0, 1])
    assert np.isnan(result.mean)


@pytest.mark.parametrize("weights", ["linear", "quadratic"])
def test_weighted_kappa_equals_scikit_learns(weights: Weights) -> None:
    """Every pair of a dense table with missing votes, weighed by the difference of classes that are numbers."""
    matrix = np.random.default_rng(1).integers(-1, 5, size=(120, 4))

    result = cohen_kappa(VoteTable.from_matrix(matrix, classes=CLASSES), weights=weights)

    for a in range(4):
        for b in range(a):
            both = (matrix[:, [a, b]] >= 0).all(axis=1)
            expected = cohen_kappa_score(matrix[both, a], matrix[both, b], weights=weights)
            assert expected == pytest.approx(result.kappa[a, b])


def test_unknown_weights_are_refused() -> None:
    """With the nearest that are known."""
    with pytest.raises(UsageError, match="did you mean 'linear'"):
        cohen_kappa(VoteTable.from_matrix([[0, 1]], classes=["a", "b"]), weights="linaer")  # type: ignore[arg-type]
