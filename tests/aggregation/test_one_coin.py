from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import digamma, expit

from labelmill.aggregation.one_coin import OneCoin
from labelmill.domain.vote_table import VoteTable


def test_one_sweep_worked_by_hand() -> None:
    """From vote shares 4/3, 4/3 and 2/3 of 2 are right; the mean is (10/3 + 4) / (6 + 6), credited four times."""
    table = VoteTable.from_matrix([[0, 0, 1], [1, 1, 0]], classes=("a", "b"))
    right, wrong = 4 * 22 / 36, 4 * 14 / 36
    twice = digamma(4 / 3 + right) - digamma(2 / 3 + wrong)
    once = digamma(2 / 3 + right) - digamma(4 / 3 + wrong)

    answer = OneCoin(max_iterations=1).fit(table).predict_proba(table)

    np.testing.assert_allclose([expit(2 * twice - once), expit(once - 2 * twice)], answer[:, 0])


def test_finds_the_accuracies(crowd: Callable[..., Any]) -> None:
    """With many votes the accuracies are found, also those worse than chance."""
    accuracies = [0.95, 0.9, 0.8, 0.7, 0.6, 0.2]
    table, _, _ = crowd(n_items=3000, accuracies=accuracies)

    model = OneCoin().fit(table)

    np.testing.assert_allclose(accuracies, model.accuracy_, atol=0.04)
    np.testing.assert_allclose(accuracies, model.reliability_, atol=0.04)


def test_one_vote_moves_little(crowd: Callable[..., Any]) -> None:
    """A newcomer whose only vote is against four others is thought nearly as good as the crowd."""
    table, _, truth = crowd(accuracies=[0.9] * 5)
    newcomer = VoteTable(
        table.items,
        [*table.annotators, "newcomer"],
        table.classes,
        [*table.item_index, 0],
        [*table.annotator_index, 5],
        [*table.label, (truth[0] + 1) % 3],
    )

    assert OneCoin().fit(newcomer).accuracy_[5] > 0.7


def test_a_poor_crowd_does_not_empty_a_class(crowd: Callable[..., Any]) -> None:
    """Two votes an item by people right half the time leave each of three classes about its third."""
    table, _, _ = crowd(n_items=3000, votes_each=2, accuracies=[0.5] * 30)

    balance = OneCoin().fit(table).class_balance_

    np.testing.assert_allclose([1 / 3] * 3, balance, atol=0.05)


def test_nobody_is_infallible() -> None:
    """Two who never erred do not make a third, who erred once in a hundred, worth nothing."""
    matrix = np.tile([0, 1], 50)[:, None].repeat(3, axis=1)
    matrix[0, 2] = 1
    table = VoteTable.from_matrix(matrix, classes=("a", "b"))

    accuracy = OneCoin().fit(table).accuracy_

    assert accuracy[2] > 0.9
    assert accuracy.max() < 1.0
