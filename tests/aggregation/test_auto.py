from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from labelmill.aggregation._leave_one_out import foretelling
from labelmill.aggregation.anchored_naive_bayes import AnchoredNaiveBayes
from labelmill.aggregation.auto import Auto
from labelmill.aggregation.dawid_skene import DawidSkene
from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.sums import drive
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable


def test_candidates_follow_the_kinds() -> None:
    """People, rules and mixtures each have their own candidates, the expected one first."""
    matrix = np.tile([[0, 1], [1, 1]], (10, 1))
    tables: dict[str, list[AnnotatorKind | None]] = {
        "people": ["person", "person"],
        "rules": ["rule", "rule"],
        "mixed": ["person", "rule"],
        "models": ["model", "model"],
    }

    tried = {
        name: list(Auto().fit(VoteTable.from_matrix(matrix, classes="ab", kinds=kinds)).details_["scores"])
        for name, kinds in tables.items()
    }

    assert tried == {
        "people": ["dawid_skene", "majority_vote", "ebcc"],
        "rules": ["anchored_naive_bayes", "majority_vote"],
        "mixed": ["joint", "majority_vote"],
        "models": ["joint", "majority_vote"],
    }


def test_listens_to_the_better_people(crowd: Callable[..., Any], accuracy: Callable[..., float]) -> None:
    """Where people differ much, the choice beats majority vote, and says how often the two agree."""
    table, items, gold = crowd(accuracies=[0.95, 0.95, 0.4, 0.4, 0.4, 0.4], votes_each=6)

    model = Auto().fit(table)

    chosen = accuracy(model.predict_proba(table), items, gold)
    assert chosen > accuracy(MajorityVote().fit(table).predict_proba(table), items, gold) + 5
    assert model.details_["scores"][model.details_["chosen"]] > model.details_["scores"]["majority_vote"]
    assert 0.5 < model.details_["majority_vote_agreement"] < 1.0


def test_margin_keeps_the_expected_model(crowd: Callable[..., Any]) -> None:
    """A gain smaller than the margin changes nothing, and the reason says so."""
    table, _, _ = crowd(accuracies=[0.9, 0.8, 0.7, 0.6, 0.5], votes_each=5)

    details = Auto(margin=100.0).fit(table).details_

    assert details["chosen"] == "dawid_skene"
    assert "dawid_skene" in details["reason"]


def test_large_tables_leave_the_costly_candidate_out(crowd: Callable[..., Any]) -> None:
    """EBCC is not tried on tables beyond `largest`."""
    table, _, _ = crowd(accuracies=[0.9, 0.8, 0.7], votes_each=3)

    assert "ebcc" not in Auto(largest=10).fit(table).details_["scores"]


def test_left_out_votes_are_foretold_from_the_others() -> None:
    """Without its only vote an item has the class balance; without one of two, what the other says."""
    table = VoteTable.from_matrix([[0, ABSTAIN], [1, 1]], classes=("a", "b"))
    model = DawidSkene().fit(table)

    left_out = model.left_out(table)
    alone, second = left_out.without(np.array([0, 2]))

    np.testing.assert_allclose(model.class_balance_, alone)
    assert second[1] > model.class_balance_[1]


def test_foretelling_a_coin_earns_no_more_than_chance() -> None:
    """Labels thrown by a coin are foretold with about log 1/2 by every model."""
    labels = np.random.default_rng(0).integers(2, size=(2000, 4))
    table = VoteTable.from_matrix(labels, classes=("a", "b"))

    for model in (MajorityVote().fit(table), DawidSkene().fit(table)):
        score = drive(foretelling(model, np.zeros(4, dtype=np.bool_)), lambda ask: ask(table))
        assert score == pytest.approx(np.log(0.5), abs=0.03)


def test_rules_that_agree_by_chance_are_foretold_by_chance() -> None:
    """Rules that fire at random make each other's votes no likelier."""
    rng = np.random.default_rng(0)
    matrix = np.where(rng.random((3000, 6)) < 0.3, np.arange(6) % 2, ABSTAIN)
    table = VoteTable.from_matrix(matrix, classes=("a", "b"), kinds=["rule"] * 6)

    model = AnchoredNaiveBayes().fit(table)
    score = drive(foretelling(model, np.ones(6, dtype=np.bool_)), lambda ask: ask(table))

    assert score < 0.02


def test_same_words_for_a_frame() -> None:
    """A frame with class names gives what the coded table gives."""
    columns = {"item": list("aabb"), "annotator": list("xyxy"), "label": ["no", "no", "yes", "no"]}

    by_name = Auto().fit(columns).predict_proba(columns)
    by_code = Auto().fit(VoteTable.of(columns)).predict_proba(VoteTable.of(columns))

    np.testing.assert_array_equal(by_code, by_name)
