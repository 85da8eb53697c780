from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.aggregation.wawa import Wawa
from labelmill.domain.vote_table import VoteTable


def test_worked_by_hand() -> None:
    """Agreements 2, 2 and 0 of 2 with mean 4/6 give weights 8/9, 8/9, 2/9; shares are weights over their sum."""
    table = VoteTable.from_matrix([[0, 0, 1], [1, 1, 0]], classes=("a", "b"))

    model = Wawa().fit(table)

    np.testing.assert_allclose([8 / 9, 8 / 9, 2 / 9], model.weights_)
    np.testing.assert_allclose([[8 / 9, 1 / 9], [1 / 9, 8 / 9]], model.predict_proba(table))
    assert model.details_["mean_agreement"] == 4 / 6


def test_a_tie_is_half_an_agreement_for_both() -> None:
    """Two people who contradict each other once are equals: the tie stays, whatever the order of the classes."""
    table = VoteTable.from_matrix([[0, 1]], classes=("a", "b"))

    model = Wawa().fit(table)

    np.testing.assert_allclose([0.5, 0.5], model.weights_)
    np.testing.assert_allclose([[0.5, 0.5]], model.predict_proba(table))


def test_ties_go_to_those_who_agree_elsewhere() -> None:
    """Two against two is decided by who was with the majority on other items."""
    others = np.tile([[0, 0, 0, 1], [1, 1, 1, 0], [0, 0, 1, 0]], (20, 1))
    table = VoteTable.from_matrix(np.vstack([others, [[0, 0, 1, 1]]]), classes=("a", "b"))

    learned, majority = (model.fit(table).predict_proba(table)[-1] for model in (Wawa(), MajorityVote()))

    assert majority.tolist() == [0.5, 0.5]
    assert learned[0] > 0.6


def test_who_never_agrees_still_has_a_say() -> None:
    """Somebody always outvoted keeps a weight above zero, so that an item only they saw gets their answer."""
    agreed = np.tile([[0, 0, 1]], (50, 1))
    table = VoteTable.from_matrix(np.vstack([agreed, [[-1, -1, 1]]]), classes=("a", "b"))

    answer = Wawa().fit(table).predict_proba(table)[-1]

    np.testing.assert_allclose([0.0, 1.0], answer)


def test_without_takes_out_the_vote_itself() -> None:
    """What is left of an item with one vote is the class balance; of one with two, mostly the other vote."""
    table = VoteTable.from_matrix([[0, -1], [0, 1]], classes=("a", "b"))
    model = Wawa().fit(table)

    first, *_, last = model.left_out(table).without(np.arange(3))

    np.testing.assert_allclose(model.class_balance_, first)
    assert last[0] > model.class_balance_[0]


def test_finds_the_good_ones(crowd: Callable[..., Any], accuracy: Callable[..., float]) -> None:
    """Weights are in the order of the accuracies, and the answers better than the majority's."""
    table, items, gold = crowd(n_items=2000, accuracies=[0.95, 0.8, 0.65, 0.5, 0.35], votes_each=4)

    model = Wawa().fit(table)

    assert np.argsort(-model.weights_).tolist() == [0, 1, 2, 3, 4]
    majority = accuracy(MajorityVote().fit(table).predict_proba(table), items, gold)
    assert accuracy(model.predict_proba(table), items, gold) > majority
