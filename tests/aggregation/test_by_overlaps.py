"""What label models that learn from pairs of votes have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from labelmill import registry
from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError

MODELS = ["triplet", "metal"]


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """A label model that learns from pairs of votes."""
    make: Callable[..., Any] = registry.find("label_model", request.param)
    return make


def _simulated(
    *, n_classes: int, share: float, seed: int, n_items: int = 20_000, coverage: float = 0.5
) -> tuple[VoteTable, npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Ten rules that answer half the items, independent given the class; the first class has this share."""
    rng = np.random.default_rng(seed)
    balance = [share] + [(1 - share) / (n_classes - 1)] * (n_classes - 1)
    truth = rng.choice(n_classes, size=n_items, p=balance)
    accuracies = rng.uniform(0.55, 0.9, 10)
    right = rng.random((n_items, 10)) < accuracies
    wrong = (truth[:, None] + rng.integers(1, n_classes, (n_items, 10))) % n_classes
    matrix = np.where(right, truth[:, None], wrong)
    matrix[rng.random(matrix.shape) > coverage] = ABSTAIN
    return VoteTable.from_matrix(matrix, classes=[f"class {k}" for k in range(n_classes)]), accuracies, truth


def _exact() -> VoteTable:
    """All patterns of three annotators right with probability 0.9, 0.8 and 0.7, as often as expected of 2000 items."""
    patterns = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), axis=-1).reshape(-1, 3)
    accuracy = np.array([0.9, 0.8, 0.7])
    given = [np.where(patterns == k, accuracy, 1 - accuracy).prod(axis=1) for k in (0, 1)]
    times = np.rint(1000 * (given[0] + given[1])).astype(np.int64)
    return VoteTable.from_matrix(patterns, classes=("a", "b"), multiplicity=times)


def test_three_annotators_by_hand(model: Callable[..., Any]) -> None:
    """Agreements of 0.74, 0.66 and 0.62 can only come of accuracies of 0.9, 0.8 and 0.7, Bayes' rule does the rest."""
    table = _exact()

    learned = model(anchor_votes=1e-6).fit(table)
    outvoted = learned.predict_proba(table)[[0, 4]]

    np.testing.assert_allclose([0.9, 0.8, 0.7], learned.reliability_, atol=1e-4)
    first = np.array([0.9 * 0.8 * 0.7, 0.1 * 0.8 * 0.7])
    second = np.array([0.1 * 0.2 * 0.3, 0.9 * 0.2 * 0.3])
    np.testing.assert_allclose(first / (first + second), outvoted[:, 0], atol=1e-3)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("seed", [0, 1])
def test_known_accuracies_are_recovered(model: Callable[..., Any], n_classes: int, seed: int) -> None:
    """Ten rules' accuracies come back within 0.02, the class balance within 0.05, and the answers beat the majority."""
    table, accuracies, truth = _simulated(n_classes=n_classes, share=0.6, seed=seed)

    learned = model().fit(table)

    np.testing.assert_allclose(accuracies, learned.reliability_, atol=0.02)
    np.testing.assert_allclose(np.bincount(truth) / len(truth), learned.class_balance_, atol=0.05)
    answer, majority = (m.predict_proba(table).argmax(axis=1) for m in (learned, MajorityVote().fit(table)))
    assert (answer == truth).mean() > (majority == truth).mean()


def test_rules_for_one_class_each(model: Callable[..., Any]) -> None:
    """Of rules that only ever name one class, the precise are told from those that fire on anything."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=10_000)
    rates = [(0.4, 0.05), (0.4, 0.3), (0.4, 0.1)]
    columns = [
        np.where(rng.random(10_000) < np.where(truth == k, *rates[r]), k, ABSTAIN) for k in (0, 1) for r in range(3)
    ]
    table = VoteTable.from_matrix(np.column_stack(columns), classes=("a", "b"))

    reliability = model().fit(table).reliability_

    np.testing.assert_allclose([hit / (hit + miss) for hit, miss in rates] * 2, reliability, atol=0.05)


def test_worse_than_chance_is_found_out(model: Callable[..., Any]) -> None:
    """One who is wrong more often than right among good ones gets a reliability below a half, and is not followed."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=5000)
    right = rng.random((5000, 5)) < [0.85, 0.8, 0.75, 0.7, 0.2]
    table = VoteTable.from_matrix(np.where(right, truth[:, None], 1 - truth[:, None]), classes=("a", "b"))

    reliability = model().fit(table).reliability_

    np.testing.assert_allclose([0.85, 0.8, 0.75, 0.7, 0.2], reliability, atol=0.04)


def test_two_hundred_that_agree(model: Callable[..., Any]) -> None:
    """Two hundred annotators who all agree on both classes are all believed, with numbers that are finite."""
    table = VoteTable.from_matrix(np.repeat([[0], [1]], 200, axis=1).repeat(20, axis=0), classes=("a", "b"))

    learned = model().fit(table)

    assert learned.reliability_.min() > 0.7
    assert [0] * 20 + [1] * 20 == learned.predict_proba(table).argmax(axis=1).tolist()


@pytest.mark.parametrize("rules", [(10, 3), (3, 10)])
def test_the_common_class_stays_common(model: Callable[..., Any], rules: tuple[int, int]) -> None:
    """At 90/10, with many rules for either class, the balance does not turn around."""
    rng = np.random.default_rng(0)
    truth = (rng.random(5000) < 0.1).astype(np.intp)
    named = [0] * rules[0] + [1] * rules[1]
    hit, miss = (0.5, 0.5 * 9 / 9), (0.5, 0.5 / 81)
    columns = [
        np.where(rng.random(5000) < np.where(truth == k, (hit, miss)[k][0], (hit, miss)[k][1]), k, ABSTAIN)
        for k in named
    ]
    table = VoteTable.from_matrix(np.column_stack(columns), classes=("ham", "spam"))

    learned = model().fit(table)

    assert learned.class_balance_[0] > 0.5


def test_a_given_balance_is_kept(model: Callable[..., Any]) -> None:
    """A class balance that is given is that of items without votes."""
    table = VoteTable.from_matrix([[0, 1], [0, 0], [ABSTAIN, ABSTAIN]], classes=("a", "b"))

    answer = model(class_balance=[0.8, 0.2]).fit(table).predict_proba(table)

    np.testing.assert_allclose([0.8, 0.2], answer[2])


@pytest.mark.parametrize("balance", [[0.5, 0.6], [1.0, 0.0], [1.0], [np.nan, 0.5]])
def test_an_impossible_balance_is_refused(model: Callable[..., Any], balance: list[float]) -> None:
    """A class balance must have a share above 0 for each class, together 1."""
    with pytest.raises(UsageError, match="class_balance must be 2 numbers above 0 that sum to 1"):
        model(class_balance=balance).fit(VoteTable.from_matrix([[0, 1]], classes=("a", "b")))


def test_too_many_pairs_are_refused(model: Callable[..., Any]) -> None:
    """Six thousand annotators are more than pairs can be held of; the message says what to take."""
    table = VoteTable(["a"], [f"person {j}" for j in range(6000)], ("a", "b"), [0], [0], [0])

    with pytest.raises(UsageError, match="use shrinkage_dawid_skene"):
        model().fit(table)
