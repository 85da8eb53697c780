from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from labelmill.aggregation.ibcc import IBCC
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError


def test_one_sweep_worked_by_hand() -> None:
    """A right answer counted once on a prior of 4 and 1: log odds digamma(5) - digamma(1) = 1 + 1/2 + 1/3 + 1/4."""
    table = VoteTable.from_matrix([[0, 0], [1, 1]], classes=("a", "b"))

    model = IBCC(max_iterations=1).fit(table)

    answer = expit(2 * (1 + 1 / 2 + 1 / 3 + 1 / 4))
    np.testing.assert_allclose([[answer, 1 - answer], [1 - answer, answer]], model.predict_proba(table))
    np.testing.assert_allclose([[5 / 6, 1 / 6], [1 / 6, 5 / 6]], model.confusion_[0])


def test_learns_a_systematic_confusion() -> None:
    """Somebody who calls every second 'b' an 'a' is known to do so, and the rest is answered by the others."""
    truth = np.tile([0, 1], 200)
    biased = np.where((truth == 1) & (np.arange(400) % 4 == 1), 0, truth)
    table = VoteTable.from_matrix(np.column_stack([truth, truth, biased]), classes=("a", "b"))

    model = IBCC().fit(table)

    np.testing.assert_allclose([[1.0, 0.0], [0.5, 0.5]], model.confusion_[2], atol=0.05)
    assert truth.tolist() == model.predict_proba(table).argmax(axis=1).tolist()


def test_an_answer_never_given_is_not_impossible() -> None:
    """A class that somebody never named keeps a finite log probability: one such vote against two does not win."""
    truth = np.tile([0, 1], 20)
    matrix = np.column_stack([truth, truth, truth])
    matrix[0] = [0, 0, 1]
    table = VoteTable.from_matrix(matrix, classes=("a", "b", "never"))

    model = IBCC().fit(table)

    assert model.confusion_.min() > 0.0
    assert model.predict_proba(table)[0].argmax() == 0


def test_a_heavier_prior_learns_less() -> None:
    """Credited with a thousand right answers, somebody wrong half the time is still believed to be right."""
    truth = np.zeros(40, dtype=int)
    table = VoteTable.from_matrix(np.column_stack([truth, truth, np.tile([0, 1], 20)]), classes=("a", "b"))

    light, heavy = (IBCC(right=right).fit(table).confusion_[2, 0, 0] for right in (4.0, 1000.0))

    assert light < 0.6
    assert heavy > 0.95


@pytest.mark.parametrize("option", ["right", "wrong"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_prior_must_be_above_zero(option: str, value: float) -> None:
    """A prior that is no number of votes is refused by its name, with the value seen."""
    prior = {"right": 4.0, "wrong": 1.0, option: value}
    model = IBCC(right=prior["right"], wrong=prior["wrong"])

    with pytest.raises(UsageError, match=f"{option} must be a finite number above 0, found {value}"):
        model.fit(VoteTable.from_matrix([[0]], classes=("a", "b")))
