from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from labelmill.aggregation.mace import MACE
from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.domain.vote_table import VoteTable


def test_one_sweep_worked_by_hand() -> None:
    """Two looks on a prior of a half, and no habit on a prior of 10 and 10, as harmonic sums."""
    table = VoteTable.from_matrix([[0, 0], [1, 1]], classes=("a", "b"))
    looks = 2 + 2 / 3  # digamma(2.5) - digamma(0.5)
    habit = sum(1 / n for n in range(10, 20))  # digamma(20) - digamma(10)
    odds = (1 + np.exp(looks + habit)) ** 2

    model = MACE(max_iterations=1).fit(table)

    np.testing.assert_allclose(odds / (1 + odds), model.predict_proba(table)[0, 0])
    np.testing.assert_allclose([2.5 / 3, 2.5 / 3], model.competence_)
    np.testing.assert_allclose(np.full((2, 2), 0.5), model.habit_)


def _with_spammers(*, n_spammers: int) -> tuple[VoteTable, Any]:
    """Three who look nine times in ten, and some who say 'a' whatever the item."""
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=1500)
    honest = np.where(rng.random((1500, 3)) < 0.9, truth[:, None], rng.integers(3, size=(1500, 3)))
    matrix = np.column_stack([honest, np.zeros((1500, n_spammers), dtype=int)])
    return VoteTable.from_matrix(matrix, classes=("a", "b", "c")), truth


def test_a_spammer_has_no_competence_but_a_habit() -> None:
    """Somebody who always says 'a' is found out; who looks nine times in ten is known to."""
    table, _ = _with_spammers(n_spammers=1)

    model = MACE().fit(table)

    np.testing.assert_allclose([0.9, 0.9, 0.9, 0.0], model.competence_, atol=0.05)
    np.testing.assert_allclose([1.0, 0.0, 0.0], model.habit_[3], atol=0.05)


def test_spammers_who_agree_do_not_win() -> None:
    """Two spammers of one habit outvote a divided rest, but not here."""
    table, truth = _with_spammers(n_spammers=2)

    learned, majority = (model.fit(table).predict_proba(table) for model in (MACE(), MajorityVote()))

    assert (learned.argmax(axis=1) == truth).mean() > (majority.argmax(axis=1) == truth).mean() + 0.02


def test_who_never_voted_is_as_good_as_the_prior(crowd: Callable[..., Any]) -> None:
    """Without votes competence is one half and the habit even."""
    table, _, _ = crowd(accuracies=[0.9, 0.8, 0.7], votes_each=3)
    idle = VoteTable(
        table.items,
        [*table.annotators, "idle"],
        table.classes,
        table.item_index,
        table.annotator_index,
        table.label,
    )

    model = MACE().fit(idle)

    assert model.competence_[3] == 0.5
    np.testing.assert_allclose(np.full(3, 1 / 3), model.habit_[3])
    assert np.isnan(model.reliability_[3])


def test_a_vote_never_speaks_for_another_class(crowd: Callable[..., Any]) -> None:
    """Worse than chance is taken for not looking: nobody is read backwards."""
    table, _, _ = crowd(n_items=600, accuracies=[0.95, 0.95, 0.9, 0.02], votes_each=4)
    model = MACE().fit(table)
    alone = VoteTable(["new"], table.annotators, table.classes, [0], [3], [1])

    assert model.competence_[3] < 0.1
    assert model.left_out(alone).posterior[0].argmax() == 1  # where no guard keeps unanimous votes
