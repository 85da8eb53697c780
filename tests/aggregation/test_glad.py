from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from labelmill.aggregation.glad import GLAD
from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError


def test_one_sweep_worked_by_hand() -> None:
    """With one grade, ease e, the ability solves e (2 - 2 sigma(e alpha)) = alpha - 1; two votes are 2 e alpha."""
    table = VoteTable.from_matrix([[0, 0], [1, 1]], classes=("a", "b"))

    model = GLAD(n_grades=1, max_iterations=1).fit(table)

    ability = model.ability_[0]
    np.testing.assert_allclose(ability - 1, np.e * (2 - 2 * expit(np.e * ability)))
    np.testing.assert_allclose(expit(2 * np.e * ability), model.predict_proba(table)[0, 0])
    np.testing.assert_allclose([1 / np.e] * 2, model.difficulty(table))


def _by_difficulty(*, n_items: int, seed: int) -> tuple[VoteTable, Any, Any]:
    """Votes of ten people of known ability on items of known ease, as the model says they come about."""
    rng = np.random.default_rng(seed)
    ability = np.array([2.0, 1.5, 1.5, 1.0, 1.0, 0.7, 0.5, 0.3, 0.1, -0.5])
    ease = np.exp(rng.normal(0.5, 1.0, size=n_items))
    truth = rng.integers(2, size=n_items)
    right = rng.random((n_items, 10)) < expit(ease[:, None] * ability)
    return VoteTable.from_matrix(np.where(right, truth[:, None], 1 - truth[:, None]), classes=("a", "b")), truth, ease


def test_finds_who_is_able() -> None:
    """Abilities come out in their order, and somebody wrong more often than not is below zero."""
    table, _, _ = _by_difficulty(n_items=2000, seed=0)

    ability = GLAD().fit(table).ability_

    assert (np.diff(ability[[0, 1, 3, 5, 6, 7, 8, 9]]) < 0).all()
    assert ability[9] < 0 < ability[8]


def test_finds_what_is_difficult() -> None:
    """Items that people disagree on are more difficult, in the order of the truth by and large."""
    table, _, ease = _by_difficulty(n_items=1000, seed=1)

    difficulty = GLAD().fit(table).difficulty(table)

    rank = difficulty.argsort().argsort()
    assert np.corrcoef(rank, (1 / ease).argsort().argsort())[0, 1] > 0.6


def test_beats_majority_where_people_differ() -> None:
    """Votes made as the model says they are give better answers than the majority's."""
    table, truth, _ = _by_difficulty(n_items=2000, seed=2)

    learned, majority = (model.fit(table).predict_proba(table) for model in (GLAD(), MajorityVote()))

    assert (learned.argmax(axis=1) == truth).mean() > (majority.argmax(axis=1) == truth).mean() + 0.02


def test_an_item_without_votes_is_as_difficult_as_the_prior() -> None:
    """Without votes the difficulty is the mean of the prior, exp(-1 + 1/2), near enough with nine points."""
    table = VoteTable.from_matrix([[0, 0], [1, 1], [-1, -1]], classes=("a", "b"))

    difficulty = GLAD(n_grades=9).fit(table).difficulty(table)

    np.testing.assert_allclose(np.exp(-0.5), difficulty[2], rtol=1e-3)
    assert difficulty[0] < difficulty[2]


def test_more_grades_change_little(crowd: Callable[..., Any]) -> None:
    """Five points of difficulty and fifteen give nearly the same answers."""
    table, _, _ = crowd(accuracies=[0.95, 0.8, 0.7, 0.6, 0.5])

    five, fifteen = (GLAD(n_grades=n).fit(table).predict_proba(table) for n in (5, 15))

    assert (five.argmax(axis=1) == fifteen.argmax(axis=1)).mean() > 0.98


def test_foretells_votes_by_grade(crowd: Callable[..., Any]) -> None:
    """What annotators are credited with is a distribution over labels in each grade of each class."""
    table, _, _ = crowd(accuracies=[0.9, 0.8, 0.7], votes_each=3)

    left_out = GLAD().fit(table).left_out(table)

    assert left_out.prior is not None
    np.testing.assert_allclose(np.full((3, 15), 4.0), left_out.prior.sum(axis=1))
    assert (400, 15) == left_out.posterior.shape


def test_no_grades_is_a_usage_error() -> None:
    """`n_grades` below 1 is refused with the value seen."""
    with pytest.raises(UsageError, match="n_grades must be at least 1, found 0"):
        GLAD(n_grades=0).fit(VoteTable.from_matrix([[0]], classes=("a", "b")))
