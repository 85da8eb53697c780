"""Rules that are copies of one another."""

from __future__ import annotations

import pickle
from functools import reduce

import numpy as np
import numpy.typing as npt
import pytest

from labelmill.aggregation.anchored_naive_bayes import AnchoredNaiveBayes
from labelmill.aggregation.auto import Auto
from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.sums import Ask, Sums, drive
from labelmill.domain.vote_table import VoteTable


def _copied(n_items: int = 20_000, seed: int = 0) -> tuple[VoteTable, npt.NDArray[np.intp]]:
    """Seventeen rules of accuracy 0.55 to 0.9, one of 0.62 and two copies of that; 30 % coverage, classes 70 : 30."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(n_items) < 0.3).astype(np.intp)
    accuracies = np.append(np.linspace(0.55, 0.9, 17), 0.62)
    right = rng.random((n_items, 18)) < accuracies
    fires = rng.random((n_items, 18)) < 0.3
    matrix = np.where(fires, np.where(right, truth[:, None], 1 - truth[:, None]), ABSTAIN)
    copies = np.repeat(matrix[:, 17:], 2, axis=1)
    slips = (rng.random(copies.shape) < 0.05) & (copies != ABSTAIN)
    matrix = np.column_stack([matrix, np.where(slips, 1 - copies, copies)])
    matrix, truth = matrix[fires.any(axis=1)], truth[fires.any(axis=1)]
    return VoteTable.from_matrix(matrix, classes=("no", "yes"), kinds=["rule"] * 20), truth


def test_three_copies_count_about_once() -> None:
    """Three copies of one rule share one vote, the others keep theirs, and 88 % are right where a majority has 84 %."""
    table, truth = _copied()

    model = AnchoredNaiveBayes().fit(table)

    assert 0.9 < model.dependence_weights_[17:].sum() < 1.2
    np.testing.assert_array_equal(1.0, model.dependence_weights_[:17])
    assert {f"annotator_{j}" for j in (17, 18, 19)} == set(model.details_["alike"])
    majority = MajorityVote().fit(table).predict_proba(table).argmax(axis=1)
    assert (majority == truth).mean() < 0.85
    for found in (model, Auto().fit(table)):
        assert (found.predict_proba(table).argmax(axis=1) == truth).mean() >= 0.88


def test_the_same_is_learned_by_rounds() -> None:
    """Three shards, every question pickled on its way, teach what the whole table does."""
    table, _ = _copied(3000)
    parts = [VoteTable.from_matrix(m, classes=table.classes) for m in np.array_split(table.matrix, 3)]

    def answer(ask: Ask) -> Sums:
        sent: Ask = pickle.loads(pickle.dumps(ask))  # noqa: S301 -- made here
        return reduce(Sums.merged, [sent(part) for part in parts])

    whole, by_rounds = AnchoredNaiveBayes().fit(table), AnchoredNaiveBayes()
    drive(by_rounds.learning(table.annotators, table.classes, table.kinds), answer)

    np.testing.assert_allclose(whole.dependence_weights_, by_rounds.dependence_weights_, atol=1e-9)
    np.testing.assert_allclose(whole.predict_proba(table), by_rounds.predict_proba(table), atol=1e-6)


@pytest.mark.parametrize("n_rules", [3, 5])
def test_a_few_rules_keep_a_firm_anchor(n_rules: int) -> None:
    """Fewer than four rules cannot judge each other, however many classes they name."""
    matrix = np.random.default_rng(1).integers(-1, 2, size=(500, n_rules))

    model = AnchoredNaiveBayes().fit(VoteTable.from_matrix(matrix, classes=("no", "yes")))

    assert (n_rules if n_rules >= 4 else 0) == model.details_["two_sided"]


def test_independent_rules_keep_their_votes() -> None:
    """Rules whose votes go together only by the class lose nothing."""
    rng = np.random.default_rng(2)
    truth = rng.integers(2, size=4000)
    votes = np.where(rng.random((4000, 8)) < 0.75, truth[:, None], 1 - truth[:, None])
    matrix = np.where(rng.random((4000, 8)) < 0.5, votes, ABSTAIN)

    model = AnchoredNaiveBayes().fit(VoteTable.from_matrix(matrix, classes=("no", "yes")))

    np.testing.assert_array_equal(1.0, model.dependence_weights_)
