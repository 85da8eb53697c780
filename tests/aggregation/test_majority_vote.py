from __future__ import annotations

import numpy as np
import pytest

from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import NotFittedError, UsageError


def test_votes_count_the_same() -> None:
    """Two votes of three are two thirds."""
    table = VoteTable.from_matrix([[0, 0, 1]], classes=("a", "b"))

    shares = MajorityVote().fit(table).predict_proba(table)

    np.testing.assert_allclose([[2 / 3, 1 / 3]], shares)


def test_abstentions_do_not_count() -> None:
    """An abstention is no vote for or against anything."""
    table = VoteTable.from_matrix([[0, 1, -1]], classes=("a", "b"))

    shares = MajorityVote().fit(table).predict_proba(table)

    assert shares.tolist() == [[0.5, 0.5]]


def test_silent_items_get_the_balance() -> None:
    """An item without votes gets the class balance, with one item of each class added."""
    table = VoteTable.from_matrix([[0], [0], [1], [-1]], classes=("a", "b"))

    shares = MajorityVote().fit(table).predict_proba(table)

    np.testing.assert_allclose([3 / 5, 2 / 5], shares[3])


def test_reliability_is_mean_vote_share_of_own_votes() -> None:
    """Who always sides with the majority of three is right two thirds of the time by vote shares."""
    table = VoteTable.from_matrix([[0, 0, 1], [1, 1, 0]], classes=("a", "b"))

    reliability = MajorityVote().fit(table).reliability_

    np.testing.assert_allclose([2 / 3, 2 / 3, 1 / 3], reliability)


def test_message_names_the_unknown_annotators() -> None:
    """The first unknown annotators are named, the rest counted."""
    known = VoteTable.from_matrix([[0]], classes=("a", "b"), annotators=["ann"])
    strangers = VoteTable.from_matrix([[0] * 7], classes=("a", "b"))
    model = MajorityVote().fit(known)

    with pytest.raises(UsageError, match=r"'annotator_0'.* and 2 more"):
        model.predict_proba(strangers)


def test_other_classes_are_refused() -> None:
    """A table with other classes, or another order, is no table for this fit."""
    table = VoteTable.from_matrix([[0]], classes=("a", "b"))
    other = VoteTable.from_matrix([[0]], classes=("b", "a"))
    model = MajorityVote().fit(table)

    with pytest.raises(UsageError, match="same order"):
        model.predict_proba(other)


def test_message_says_how_to_fit() -> None:
    """Before `fit` the message shows the call that is missing."""
    with pytest.raises(NotFittedError, match=r"MajorityVote\(\)\.fit\(votes\)"):
        MajorityVote().predict_proba(VoteTable.from_matrix([[0]], classes=("a", "b")))
