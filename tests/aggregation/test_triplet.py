from __future__ import annotations

import numpy as np
import pytest

from labelmill.aggregation import _loadings
from labelmill.aggregation._loadings import loadings
from labelmill.aggregation.triplet import Triplet
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable


def _covariance(loading: list[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    between = np.outer(loading, loading)
    np.fill_diagonal(between, 1.0)
    return between


def test_three_covariances_give_three_loadings() -> None:
    """Covariances 0.3, 0.24 and 0.2 are those of loadings 0.6, 0.5 and 0.4: sqrt(0.3 * 0.24 / 0.2) = 0.6."""
    found, used = loadings(_covariance([0.6, 0.5, 0.4]), 1000.0)

    np.testing.assert_allclose([0.6, 0.5, 0.4], found)
    assert used.tolist() == [1, 1, 1]


def test_many_annotators_are_judged_by_the_firmest_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty pairs instead of 1,225 give every annotator nearly the same loading, whatever the order of annotators."""
    rng = np.random.default_rng(0)
    truth, right = rng.integers(2, size=3000), rng.uniform(0.6, 0.9, 50)
    signs = np.where(rng.random((3000, 50)) < right, truth[:, None], 1 - truth[:, None]) * 2.0 - 1.0
    between, order = np.cov(signs, rowvar=False), rng.permutation(50)
    every, n_every = loadings(between, 3000.0)

    monkeypatch.setattr(_loadings, "MOST_PAIRS", 50)
    found, n_found = loadings(between, 3000.0)
    turned, _ = loadings(between[np.ix_(order, order)], 3000.0)

    assert n_every.min() > 1000
    assert n_found.max() == 50
    np.testing.assert_allclose(every, found, atol=0.06)
    np.testing.assert_allclose(found[order], turned)


def test_the_odd_one_out_is_the_negative_one() -> None:
    """One who goes against three others is the one worse than chance."""
    found, _ = loadings(_covariance([0.6, 0.5, -0.4, 0.7]), 1000.0)

    np.testing.assert_allclose([0.6, 0.5, -0.4, 0.7], found)


def test_nothing_is_divided_by_noise() -> None:
    """A covariance within two standard errors of zero is in no denominator: the three others are found without it."""
    between = _covariance([0.6, 0.5, 0.4, 0.0])
    between[0, 3] = between[3, 0] = 1e-9

    found, used = loadings(between, 1000.0)

    np.testing.assert_allclose([0.6, 0.5, 0.4], found[:3])
    assert found[3] < 1e-4
    assert used.tolist() == [1, 1, 1, 3]


def test_one_odd_pair_does_not_move_the_median() -> None:
    """Two of seven who share a secret change no loading of the other five."""
    between = _covariance([0.6] * 7)
    between[5, 6] = between[6, 5] = 0.9

    found, _ = loadings(between, 1000.0)

    np.testing.assert_allclose([0.6] * 5, found[:5])


def test_two_annotators_leave_the_anchor() -> None:
    """Two make no triplet: their labels have the anchor's precision, and the details say so."""
    matrix = np.tile([[0, 0], [1, 1], [0, 1], [1, ABSTAIN]], (50, 1))

    model = Triplet().fit(VoteTable.from_matrix(matrix, classes=("a", "b")))

    np.testing.assert_allclose([0.7, 0.7], model.reliability_)
    assert {"triplets": 0, "without_triplet": 4, "anchored": 4}.items() <= model.details_.items()


def test_an_annotator_who_always_says_the_same() -> None:
    """Its variance, none but for rounding, is no obstacle."""
    votes = VoteTable.from_matrix([[0, -1], [1, 1], [1, 1], [1, 1], [1, 1]], classes=("a", "b"))

    probabilities = Triplet().fit(votes).predict_proba(votes)

    assert np.isfinite(probabilities).all()
    assert probabilities.argmax(axis=1).tolist() == [0, 1, 1, 1, 1]
