from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from labelmill.aggregation.dawid_skene import DawidSkene
from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.aggregation.shrinkage_dawid_skene import ShrinkageDawidSkene
from labelmill.domain.vote_table import VoteTable


def test_confusions_are_the_likeliest_given_the_answers() -> None:
    """Where the truth is beyond doubt: counts, half a vote more in each cell and one more on the diagonal, by rows."""
    truth = np.tile([0, 1], 200)
    biased = np.where((truth == 1) & (np.arange(400) % 4 == 1), 0, truth)
    table = VoteTable.from_matrix(np.column_stack([truth] * 6 + [biased]), classes=("a", "b"))

    confusion = DawidSkene().fit(table).confusion_

    np.testing.assert_allclose([[201.5 / 202, 0.5 / 202], [100.5 / 202, 101.5 / 202]], confusion[6], atol=1e-4)


def test_finds_the_accuracies(crowd: Callable[..., Any]) -> None:
    """With many votes the reliabilities come close to the accuracies the votes were made with."""
    accuracies = [0.95, 0.9, 0.8, 0.7, 0.6, 0.4]
    table, _, _ = crowd(n_items=2000, accuracies=accuracies)

    np.testing.assert_allclose(accuracies, DawidSkene().fit(table).reliability_, atol=0.05)


def test_who_has_few_votes_borrows_nothing(crowd: Callable[..., Any]) -> None:
    """One wrong vote is most of what is known of a newcomer; the hierarchical form takes the crowd's word for them."""
    table, _, truth = crowd(accuracies=[0.9] * 5)
    newcomer = VoteTable(
        table.items,
        [*table.annotators, "newcomer"],
        table.classes,
        [*table.item_index, 0],
        [*table.annotator_index, 5],
        [*table.label, (truth[0] + 1) % 3],
    )

    alone, shrunk = (
        model.fit(newcomer).confusion_[5, truth[0], truth[0]] for model in (DawidSkene(), ShrinkageDawidSkene())
    )

    assert alone < 0.5 < shrunk


def test_beats_majority_when_people_differ(crowd: Callable[..., Any], accuracy: Callable[..., float]) -> None:
    """Two good annotators among bad ones are found and listened to."""
    table, items, gold = crowd(accuracies=[0.95, 0.95, 0.4, 0.4, 0.4, 0.4], votes_each=6)

    learned = accuracy(DawidSkene().fit(table).predict_proba(table), items, gold)
    majority = accuracy(MajorityVote().fit(table).predict_proba(table), items, gold)

    assert learned > majority + 5
