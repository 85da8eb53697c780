"""What the label models learned by plain EM have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from labelmill.aggregation._asks import Counts
from labelmill.aggregation._climb import Climber
from labelmill.aggregation._dirichlet import divergence, log_shares
from labelmill.aggregation._leave_one_out import foretelling
from labelmill.aggregation.glad import GLAD
from labelmill.aggregation.ibcc import IBCC
from labelmill.aggregation.mace import MACE
from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.aggregation.one_coin import OneCoin
from labelmill.aggregation.shrinkage_dawid_skene import ShrinkageDawidSkene
from labelmill.aggregation.wawa import Wawa
from labelmill.domain.sums import drive
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError

CLIMBERS: list[Callable[..., Climber[Any]]] = [OneCoin, IBCC, MACE, GLAD]


class _StartsSwitched(OneCoin):
    def _start(self, by_shares: Counts) -> Any:
        start = super()._start(by_shares)
        accuracy = start.accuracy
        return replace(start, accuracy=replace(accuracy, right=accuracy.total - accuracy.right))


def test_switched_classes_are_refused(crowd: Callable[..., Any]) -> None:
    """A fit that ends with all classes renamed is given up for equal annotators, and says so."""
    table, _, _ = crowd(accuracies=[0.9, 0.8, 0.9], votes_each=3, n_classes=2)

    model = _StartsSwitched().fit(table)

    assert "other's names" in model.details_["fallback"]
    majority = MajorityVote().fit(table).predict_proba(table)
    assert majority.argmax(axis=1).tolist() == model.predict_proba(table).argmax(axis=1).tolist()


@pytest.mark.parametrize("make", CLIMBERS)
def test_hundreds_who_agree_stay_finite(make: Callable[..., Climber[Any]]) -> None:
    """500 annotators who agree on everything leave finite probabilities and no doubt."""
    table = VoteTable.from_matrix(np.tile([[0], [1]], (25, 500)), classes=("a", "b"))

    probabilities = make().fit(table).predict_proba(table)

    assert np.isfinite(probabilities).all()
    assert (probabilities.max(axis=1) > 0.99).all()


@pytest.mark.parametrize("make", CLIMBERS)
def test_a_tie_between_equals_stays_one(make: Callable[..., Climber[Any]]) -> None:
    """Two who always contradict each other are equally likely to be right on every item."""
    table = VoteTable.from_matrix([[0, 1], [1, 0]] * 10, classes=("a", "b"))

    probabilities = make().fit(table).predict_proba(table)

    np.testing.assert_allclose(np.full((20, 2), 0.5), probabilities, atol=1e-9)


@pytest.mark.parametrize("make", CLIMBERS)
def test_stops_when_nothing_is_gained(make: Callable[..., Climber[Any]], crowd: Callable[..., Any]) -> None:
    """With a clear crowd EM is done long before the last sweep allowed; with one allowed it says that it is not."""
    table, _, _ = crowd(accuracies=[0.9, 0.85, 0.8], votes_each=3)

    done, cut = make().fit(table).details_, make(max_iterations=1).fit(table).details_

    assert done["converged"]
    assert done["iterations"] < 30
    assert not cut["converged"]
    assert cut["iterations"] == 1


@pytest.mark.parametrize("make", CLIMBERS)
def test_no_iterations_is_a_usage_error(make: Callable[..., Climber[Any]]) -> None:
    """`max_iterations` below 1 is refused with the value seen."""
    with pytest.raises(UsageError, match="max_iterations must be at least 1, found 0"):
        make(max_iterations=0).fit(VoteTable.from_matrix([[0]], classes=("a", "b")))


@pytest.mark.parametrize("make", [Wawa, OneCoin, IBCC, MACE, GLAD])
def test_foretells_votes_better_than_chance(make: Callable[..., Any], crowd: Callable[..., Any]) -> None:
    """Left-out votes of a good crowd are foretold better than by one in three, not far from Dawid-Skene."""
    table, _, _ = crowd(accuracies=[0.9, 0.85, 0.8, 0.7, 0.6])
    is_rule = np.zeros(5, dtype=np.bool_)

    found, known = (
        drive(foretelling(m.fit(table), is_rule), lambda ask: ask(table)) for m in (make(), ShrinkageDawidSkene())
    )

    assert found > -np.log(3) + 0.1
    assert found > known - 0.15


def test_divergence_of_a_beta_is_that_of_its_integral() -> None:
    """Beta(3, 2) from Beta(1, 1): the integral of p log p over 0..1, done on a fine grid."""
    x = (np.arange(200_000) + 0.5) / 200_000
    density = 12 * x**2 * (1 - x)

    found = divergence(np.array([2.0, 1.0]), 1.0, axis=0)

    np.testing.assert_allclose((density * np.log(density)).mean(), found, rtol=1e-6)
    np.testing.assert_allclose(
        (density * np.log(x)).mean(), log_shares(np.array([2.0, 1.0]), 1.0, axis=0)[0], rtol=1e-4
    )
