from __future__ import annotations

import numpy as np
import pytest

from labelmill.aggregation._anchored import anchored_evidence, anchored_precision
from labelmill.aggregation.anchored_naive_bayes import AnchoredNaiveBayes
from labelmill.aggregation.auto import Auto
from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError


def _one_class_rules(
    *, positive: float, rules: tuple[int, int], precision: float, fires: float, seed: int = 0
) -> tuple[VoteTable, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """Rules that name one class each, `rules[k]` of them for class k, right with the given precision."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(5000) < positive).astype(np.intp)
    balance = (1 - positive, positive)
    columns = []
    for k, n_rules in enumerate(rules):
        odds = balance[k] / (1 - balance[k]) * (1 - precision) / precision
        rate = np.where(truth == k, fires, min(fires * odds, 1.0))
        columns += [np.where(rng.random(5000) < rate, k, ABSTAIN) for _ in range(n_rules)]
    kinds = ["rule"] * sum(rules)
    table = VoteTable.from_matrix(np.column_stack(columns), classes=("ham", "spam"), kinds=kinds)  # type: ignore[arg-type]
    return table, truth


def test_precision_is_drawn_to_the_anchor() -> None:
    """A rule right 3 times in 3, with an anchor of 0.7 that weighs twice that, has precision (3 + 4.2) / 9."""
    counts = np.zeros((1, 2, 2))
    counts[0, 0] = [3.0, 0.0]

    precision = anchored_precision(counts, np.array([0.5, 0.5]), anchor_precision=0.7, anchor_weight=2.0)

    np.testing.assert_allclose([0.8, 0.2], precision[0, 0])
    np.testing.assert_allclose([0.3, 0.7], precision[0, 1])


def test_a_vote_never_speaks_against_its_class() -> None:
    """Where the class is commoner than the rule is precise, its vote says nothing, not the opposite."""
    precision = np.array([[[0.8, 0.2], [0.2, 0.8]]])

    evidence = anchored_evidence(precision, np.log([0.9, 0.1]), np.array([True, True]))

    assert evidence[0, 0, 0] >= evidence[0, 0, 1]
    assert evidence[0, 1, 1] > evidence[0, 1, 0]


@pytest.mark.parametrize(("positive", "precision", "fires"), [(0.1, 0.9, 0.5), (0.05, 0.97, 0.3), (0.1, 0.8, 0.2)])
@pytest.mark.parametrize("rules", [(10, 3), (10, 1), (3, 10)])
def test_the_balance_never_inverts(positive: float, precision: float, fires: float, rules: tuple[int, int]) -> None:
    """At 90/10 and beyond, unanimous items keep their class and the common class stays the common one."""
    table, _ = _one_class_rules(positive=positive, rules=rules, precision=precision, fires=fires)
    shares = MajorityVote().fit(table).predict_proba(table)

    model = AnchoredNaiveBayes().fit(table)
    answer = model.predict_proba(table).argmax(axis=1)

    unanimous = table.has_votes & (shares.max(axis=1) == 1.0)
    assert answer[unanimous].tolist() == shares[unanimous].argmax(axis=1).tolist()
    assert model.class_balance_[0] > 0.5


@pytest.mark.parametrize(("positive", "precision", "fires"), [(0.1, 0.9, 0.5), (0.05, 0.97, 0.3), (0.1, 0.8, 0.2)])
def test_many_rules_for_a_rare_class_cost_accuracy(positive: float, precision: float, fires: float) -> None:
    """Ten rules for the rare class against three pull its share up, by 5 points at worst; Auto takes another."""
    table, truth = _one_class_rules(positive=positive, rules=(3, 10), precision=precision, fires=fires)
    voted = table.has_votes

    anchored, majority, auto = (
        (model.fit(table).predict_proba(table).argmax(axis=1) == truth)[voted].mean()
        for model in (AnchoredNaiveBayes(), MajorityVote(), Auto())
    )

    assert anchored > majority - 0.06
    assert auto > majority - 0.003


@pytest.mark.parametrize("seed", range(3))
def test_one_sided_rules_leave_a_rare_class_rare(seed: int) -> None:
    """Six rules for either class at 90 to 10: the balance learned is near to that, and answers are no worse."""
    table, truth = _one_sided(seed=seed)
    voted = table.has_votes

    model = AnchoredNaiveBayes().fit(table)

    found, majority = (each.predict_proba(table).argmax(axis=1) for each in (model, MajorityVote().fit(table)))
    assert model.class_balance_[0] > 0.8
    assert (found == truth)[voted].mean() > (majority == truth)[voted].mean() - 0.002


def _one_sided(*, seed: int) -> tuple[VoteTable, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """Twelve rules for one class each, of precision from a little to much above the share of their class."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(4000) < 0.1).astype(np.intp)
    columns = []
    for j, lift in enumerate(rng.permutation(np.linspace(0.15, 0.5, 12))):
        named, share = j % 2, (0.9, 0.1)[j % 2]
        precision = share + (1 - share) * lift
        rate = np.where(truth == named, precision / share, (1 - precision) / (1 - share))
        columns.append(np.where(rng.random(4000) < np.minimum(0.3 * share * rate, 1.0), named, ABSTAIN))
    return VoteTable.from_matrix(np.column_stack(columns), classes=("ham", "spam"), kinds=["rule"] * 12), truth


def test_the_anchor_of_a_common_class_is_lifted() -> None:
    """0.7 among even classes is 0.9545 for a class of 90 in 100, its odds of 9 times 7/3; a rare one keeps its 0.7."""
    nothing = np.zeros((1, 2, 2))

    precision = anchored_precision(nothing, np.array([0.9, 0.1]), anchor_precision=0.7, anchor_weight=2.0)

    np.testing.assert_allclose([0.7 / 0.3 * 9, 0.7 / 0.3], np.diagonal(precision[0]) / (1 - np.diagonal(precision[0])))


def test_two_sided_rules_judge_each_other() -> None:
    """Twenty rules for both classes, some hardly better than chance, come within a point of knowing who is right."""
    rng = np.random.default_rng(1)
    truth = (rng.random(20_000) < 0.3).astype(np.intp)
    right = np.linspace(0.55, 0.9, 20)
    matrix = np.where(rng.random((20_000, 20)) < right, truth[:, None], 1 - truth[:, None])
    matrix[rng.random(matrix.shape) < 0.7] = ABSTAIN
    said = np.where(matrix == 1, 1.0, np.where(matrix == 0, -1.0, 0.0))
    best = (said @ np.log(right / (1 - right)) + np.log(0.3 / 0.7) > 0).astype(np.intp)
    table = VoteTable.from_matrix(matrix, classes=("no", "yes"), kinds=["rule"] * 20)

    answer = AnchoredNaiveBayes().fit(table).predict_proba(table).argmax(axis=1)

    assert (answer == truth).mean() > (best == truth).mean() - 0.01


def test_abstentions_add_nothing() -> None:
    """Rows of explicit abstentions change no probability."""
    dense = VoteTable.from_matrix([[0, ABSTAIN], [ABSTAIN, 1], [0, 1]], classes=("a", "b"))
    sparse = VoteTable(dense.items, dense.annotators, dense.classes, [0, 1, 2, 2], [0, 1, 0, 1], [0, 1, 0, 1])

    with_rows, without = (AnchoredNaiveBayes().fit(table).predict_proba(table) for table in (dense, sparse))

    np.testing.assert_allclose(without, with_rows, atol=1e-12)


def test_works_on_distinct_rows_of_votes() -> None:
    """5000 items with few distinct rows of votes are fitted on those rows."""
    table, _ = _one_class_rules(positive=0.3, rules=(3, 2), precision=0.8, fires=0.3)

    details = AnchoredNaiveBayes().fit(table).details_

    assert details["patterns"] == len(np.unique(table.matrix, axis=0)) <= 2**5


def test_finds_the_better_rule() -> None:
    """Of two rules for a class, the one others confirm more often is the more precise."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=4000)
    fire = rng.random((4000, 6))
    rates = [(0.4, 0.05), (0.4, 0.3), (0.4, 0.05), (0.4, 0.05), (0.4, 0.05), (0.4, 0.05)]
    named = [1, 1, 1, 0, 0, 0]
    votes = [np.where(fire[:, j] < np.where(truth == named[j], *rates[j]), named[j], ABSTAIN) for j in range(6)]
    table = VoteTable.from_matrix(np.column_stack(votes), classes=("ham", "spam"))

    reliability = AnchoredNaiveBayes().fit(table).reliability_

    assert reliability[0] > reliability[1] + 0.1


def test_a_certain_anchor_is_refused() -> None:
    """An anchor of 1 would rule every other class out for good."""
    with pytest.raises(UsageError, match=r"anchor_precision must lie between 0 and 1, found 1\.0"):
        AnchoredNaiveBayes(anchor_precision=1.0).fit(VoteTable.from_matrix([[0]], classes=("a", "b")))
