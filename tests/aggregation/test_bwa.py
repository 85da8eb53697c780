from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from labelmill.aggregation.bwa import BWA
from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError


def test_one_sweep_by_hand() -> None:
    """Two who agree on two items and part on a third: equal weights, and averages between the votes and the balance.

    Squared distances from the vote shares are 0, 0 and 1/2 for each, 1/6 a vote in the mean; b = 15 * 1/6, and
    v = (15 + 3) / (15 / 6 + 1 / 4) = 72 / 11. The shares 2.5 and 0.5, one added to each, make a balance of 0.7.
    """
    table = VoteTable.from_matrix([[0, 0], [0, 0], [0, 1]], classes=("a", "b"))

    model = BWA(max_iterations=1, tolerance=1e-9).fit(table)
    start = 72 / 11
    points = np.array([2 * start + 0.7, 2 * start + 0.7, start + 0.7]) / (2 * start + 1)
    distances = np.array(
        [
            4 * (1 - points[0]) ** 2 + 2 * (1 - points[2]) ** 2,
            4 * (1 - points[0]) ** 2 + 2 * points[2] ** 2,
        ]
    )

    np.testing.assert_allclose(18 / (15 / 6 + distances / 2), model.weights_)
    np.testing.assert_allclose((points.sum() + 1) / 5, model.class_balance_[0])


def test_the_answer_is_the_weighted_average() -> None:
    """A prediction is the class balance and the votes, averaged by their weights."""
    table = VoteTable.from_matrix([[0, 0, 1], [0, 1, 1], [0, 0, 0], [1, 1, 0]], classes=("a", "b"))

    model = BWA(balance_weight=2.0).fit(table)
    weights, balance = model.weights_, model.class_balance_
    expected = (weights[0] + weights[1] + 2 * balance[0]) / (weights.sum() + 2)

    np.testing.assert_allclose(expected, model.predict_proba(table)[0, 0])


def test_without_takes_out_the_vote_exactly() -> None:
    """What an item is believed without a vote is what is predicted for the item that never had it."""
    table = VoteTable.from_matrix([[0, 0, 1], [0, 1, 1], [0, 0, 0], [1, 1, 0]], classes=("a", "b"))
    model = BWA().fit(table)
    fewer = VoteTable.from_matrix([[0, -1, 1]], classes=("a", "b"))

    without = model.left_out(table).without(np.array([1]))

    np.testing.assert_allclose(model.predict_proba(fewer), without, atol=1e-12)


def test_finds_the_good_ones(crowd: Callable[..., Any], accuracy: Callable[..., float]) -> None:
    """Weights are in the order of the accuracies, and the answers better than the majority's."""
    table, items, gold = crowd(n_items=2000, accuracies=[0.95, 0.8, 0.65, 0.5, 0.35], votes_each=4)

    model = BWA().fit(table)

    assert np.argsort(-model.weights_).tolist() == [0, 1, 2, 3, 4]
    majority = accuracy(MajorityVote().fit(table).predict_proba(table), items, gold)
    assert accuracy(model.predict_proba(table), items, gold) > majority


def test_two_hundred_that_agree() -> None:
    """Where nobody ever differs weights are finite and equal."""
    table = VoteTable.from_matrix(np.repeat([[0], [1]], 200, axis=1).repeat(20, axis=0), classes=("a", "b"))

    weights = BWA().fit(table).weights_

    assert np.isfinite(weights).all()
    np.testing.assert_allclose(weights[0], weights)


@pytest.mark.parametrize("option", ["prior_votes", "balance_weight"])
def test_no_prior_is_refused(option: str) -> None:
    """Without a prior two who always agree would have infinite weights."""
    with pytest.raises(UsageError, match=f"{option} must be a finite number above 0"):
        BWA(**{option: 0.0}).fit(VoteTable.from_matrix([[0, 1]], classes=("a", "b")))  # type: ignore[arg-type]
