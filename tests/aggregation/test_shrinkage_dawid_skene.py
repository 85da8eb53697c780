from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from labelmill.aggregation._mixture import Mixture
from labelmill.aggregation._posterior import is_switched
from labelmill.aggregation._tally import Tally
from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.aggregation.shrinkage_dawid_skene import ShrinkageDawidSkene
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError

# Dawid and Skene (1979, https://doi.org/10.2307/2346806), section 4: grades 1 to 4 given to 45 patients by five
# anaesthetists, the first of whom graded each patient three times; and the grades that the paper's EM ends on.
GRADES = """
111 1 1 1 1|333 4 3 3 4|112 2 1 2 2|222 3 1 2 1|222 3 2 2 2|222 3 3 2 2|122 2 1 1 1|333 3 4 3 3|222 2 2 2 3
232 2 2 2 3|444 4 4 4 4|222 3 3 4 3|111 1 1 1 1|222 3 2 1 2|121 1 1 1 1|111 2 1 1 1|111 1 1 1 1|111 1 1 1 1
222 2 2 2 1|222 1 3 2 2|222 2 2 2 2|222 2 2 2 1|222 3 2 2 2|221 2 2 2 2|111 1 1 1 1|111 1 1 1 1|232 2 2 2 2
111 1 1 1 1|111 1 1 1 1|112 1 1 2 1|111 1 1 1 1|333 3 2 3 3|111 1 1 1 1|222 2 2 2 2|222 3 2 3 2|433 4 3 4 3
221 2 2 3 2|232 3 2 3 3|333 3 4 3 2|111 1 1 1 1|111 1 1 1 1|121 2 1 1 1|232 2 2 2 2|121 1 1 1 1|222 2 2 2 2
"""
PUBLISHED = [int(grade) for grade in "142222132243121111222222112111131224233111212"]


def _anaesthetists() -> VoteTable:
    rows = [
        (patient, person, int(grade))
        for patient, votes in enumerate(GRADES.strip().replace("\n", "|").split("|"))
        for person, grades in enumerate(votes.split())
        for grade in grades
    ]
    item, person, grade = np.array(rows).T
    return VoteTable([str(i) for i in range(45)], list("abcde"), list("1234"), item, person, grade - 1)


def test_finds_the_accuracies(crowd: Callable[..., Any]) -> None:
    """With many votes the reliabilities come close to the accuracies the votes were made with."""
    accuracies = [0.95, 0.9, 0.8, 0.7, 0.6, 0.4]
    table, _, _ = crowd(n_items=2000, accuracies=accuracies)

    reliability = ShrinkageDawidSkene().fit(table).reliability_

    np.testing.assert_allclose(accuracies, reliability, atol=0.05)


def test_beats_majority_when_people_differ(crowd: Callable[..., Any], accuracy: Callable[..., float]) -> None:
    """Two good annotators among bad ones are found and listened to."""
    table, items, gold = crowd(accuracies=[0.95, 0.95, 0.4, 0.4, 0.4, 0.4], votes_each=6)

    learned = accuracy(ShrinkageDawidSkene().fit(table).predict_proba(table), items, gold)
    majority = accuracy(MajorityVote().fit(table).predict_proba(table), items, gold)

    assert learned > majority + 5


def test_confusion_rows_sum_to_one(crowd: Callable[..., Any]) -> None:
    """Each row of each confusion matrix is a distribution over labels."""
    table, _, _ = crowd(accuracies=[0.9, 0.7, 0.6], votes_each=3)

    confusion = ShrinkageDawidSkene().fit(table).confusion_

    np.testing.assert_allclose(np.ones((3, 3)), confusion.sum(axis=2))


def test_learns_a_systematic_confusion() -> None:
    """Somebody who calls every second 'b' an 'a' is known to do so."""
    truth = np.tile([0, 1], 200)
    biased = np.where((truth == 1) & (np.arange(400) % 4 == 1), 0, truth)
    table = VoteTable.from_matrix(np.column_stack([truth, truth, truth, biased]), classes=("a", "b"))

    confusion = ShrinkageDawidSkene().fit(table).confusion_

    np.testing.assert_allclose([[1.0, 0.0], [0.5, 0.5]], confusion[3], atol=0.05)


def test_a_worse_than_chance_annotator_is_read_backwards() -> None:
    """Who always says the opposite is as good a witness as one who is always right, where others vote too."""
    truth = np.tile([0, 1, 1, 0], 100)
    good = np.column_stack([truth] * 3)
    table = VoteTable.from_matrix(np.column_stack([good, 1 - truth]), classes=("a", "b"))

    model = ShrinkageDawidSkene().fit(table)

    assert model.reliability_[3] < 0.05
    assert truth.tolist() == model.predict_proba(table).argmax(axis=1).tolist()


def test_few_votes_move_little(crowd: Callable[..., Any]) -> None:
    """One wrong vote leaves a newcomer near the crowd's accuracy, not at zero."""
    table, _, truth = crowd(accuracies=[0.9] * 5)
    newcomer = VoteTable(
        table.items,
        [*table.annotators, "newcomer"],
        table.classes,
        [*table.item_index, 0],
        [*table.annotator_index, 5],
        [*table.label, (truth[0] + 1) % 3],
    )

    confusion = ShrinkageDawidSkene().fit(newcomer).confusion_

    assert np.diagonal(confusion[5]).min() > 0.6


def test_sweeps_without_a_prior_end_where_the_paper_does() -> None:
    """Plain maximum likelihood by our two products gives all 45 patients the grade that the paper does."""
    tally = Tally(_anaesthetists())
    states = tally.shares

    for _ in range(200):
        counts, sizes = tally.counts(states), tally.state_counts(states)
        rates = np.maximum(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-300), 1e-12)
        states, _ = Mixture(np.log(sizes / sizes.sum()), np.log(rates), np.arange(4)).states(tally)

    assert (tally.expand(states).argmax(axis=1) + 1).tolist() == PUBLISHED


def test_shrinking_costs_four_patients_of_the_paper() -> None:
    """On 45 patients, four of grade 4, the prior holds confusions back that plain EM believes: 41 grades agree."""
    table = _anaesthetists()

    grades = ShrinkageDawidSkene().fit(table).predict_proba(table).argmax(axis=1) + 1

    assert (np.flatnonzero(grades != PUBLISHED) + 1).tolist() == [2, 3, 36, 38]


def test_patterns_and_items_give_the_same_fit(crowd: Callable[..., Any]) -> None:
    """Counting repeated rows of votes once changes nothing but the cost."""
    table, _, _ = crowd(n_items=300, accuracies=[0.9, 0.8, 0.7], votes_each=3)
    listed = VoteTable(
        table.items,
        [*table.annotators, *(f"idle {j}" for j in range(200))],
        table.classes,
        table.item_index,
        table.annotator_index,
        table.label,
    )
    assert Tally(table).inverse is not None
    assert Tally(listed).inverse is None

    by_pattern = ShrinkageDawidSkene().fit(table).predict_proba(table)
    by_item = ShrinkageDawidSkene().fit(listed).predict_proba(listed)

    np.testing.assert_allclose(by_item, by_pattern, atol=1e-9)


def test_label_switching_is_seen() -> None:
    """Counts that fit better with two classes swapped are switched; a merely poor crowd is not."""
    swapped = np.array([[[1.0, 9.0], [9.0, 1.0]]])
    poor = np.array([[[5.0, 4.0], [4.0, 5.0]]])

    assert is_switched(swapped)
    assert not is_switched(poor)


def test_no_iterations_is_a_usage_error() -> None:
    """`max_iterations` below 1 is refused with the value seen."""
    with pytest.raises(UsageError, match="max_iterations must be at least 1, found 0"):
        ShrinkageDawidSkene(max_iterations=0).fit(VoteTable.from_matrix([[0]], classes=("a", "b")))


def test_hundreds_who_agree_stay_finite() -> None:
    """500 annotators who agree on everything leave finite probabilities."""
    table = VoteTable.from_matrix(np.zeros((50, 500)), classes=("a", "b"))

    probabilities = ShrinkageDawidSkene().fit(table).predict_proba(table)

    assert np.isfinite(probabilities).all()
    assert (probabilities[:, 0] > 0.99).all()
