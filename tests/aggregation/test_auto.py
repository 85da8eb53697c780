from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from labelmill.aggregation._halves import Halves
from labelmill.aggregation._leave_one_out import Beliefs, CanLeaveOut, foretelling, told
from labelmill.aggregation._pool import pooled
from labelmill.aggregation._posterior import class_balance
from labelmill.aggregation.anchored_naive_bayes import AnchoredNaiveBayes
from labelmill.aggregation.auto import Auto
from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.aggregation.shrinkage_dawid_skene import ShrinkageDawidSkene
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.sums import drive
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable


def test_candidates_follow_the_kinds() -> None:
    """People, rules and mixtures each have their own candidates, the expected one first."""
    matrix = np.tile([[0, 1], [1, 1]], (100, 1))
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
        "people": ["shrinkage_dawid_skene", "majority_vote", "wawa", "bwa", "one_coin", "mace", "ibcc", "ebcc"],
        "rules": ["anchored_naive_bayes", "metal", "majority_vote"],
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


def test_margin_keeps_the_expected_model() -> None:
    """Among rules the majority is not believed for a gain smaller than the margin."""
    matrix = np.random.default_rng(0).integers(-1, 2, size=(200, 5))

    details = Auto(margin=100.0).fit(VoteTable.from_matrix(matrix, classes="ab", kinds=["rule"] * 5)).details_

    assert details["chosen"] in {"anchored_naive_bayes", "metal"}
    assert details["chosen"] in details["reason"]


def test_copied_rules_are_left_to_the_model_that_weighs_them() -> None:
    """Copies foretell each other; where rules are alike the model is taken that lets them count once."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=3000)
    votes = np.where(rng.random((3000, 6)) < [0.8, 0.8, 0.75, 0.75, 0.7, 0.6], truth[:, None], 1 - truth[:, None])
    matrix = np.where(rng.random((3000, 6)) < 0.5, votes, ABSTAIN)
    table = VoteTable.from_matrix(
        np.column_stack([matrix, matrix[:, 5:], matrix[:, 5:]]), classes="ab", kinds=["rule"] * 8
    )

    model = Auto().fit(table)

    assert model.details_["chosen"] == "anchored_naive_bayes"
    assert "alike" in model.details_["reason"]


def _one_sided_rules() -> tuple[VoteTable, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """Eight rules for one class each, that fire on a fifth of the items and are right more or less often."""
    rng = np.random.default_rng(0)
    truth = (rng.random(3000) < 0.4).astype(np.intp)
    columns = []
    for j, wrong in enumerate(np.linspace(0.03, 0.2, 8)):
        fires = rng.random(3000) < np.where(truth == j % 2, 0.3, wrong)
        columns.append(np.where(fires, j % 2, ABSTAIN))
    return VoteTable.from_matrix(np.column_stack(columns), classes=("a", "b"), kinds=["rule"] * 8), truth


def test_models_of_rules_are_averaged() -> None:
    """Both count for rules, that which foretells better for more, by e in a twentieth of a nat per vote."""
    table, _ = _one_sided_rules()

    details = Auto().fit(table).details_

    scores, weights = details["scores"], details["weights"]
    lead = scores["metal"] - scores["anchored_naive_bayes"]
    assert weights["metal"] / weights["anchored_naive_bayes"] == pytest.approx(np.exp(20 * lead))
    assert weights["metal"] + weights["anchored_naive_bayes"] == pytest.approx(1.0)
    assert weights["majority_vote"] == 0.0
    assert details["chosen"] in details["reason"]


def test_the_temperature_of_rules_changes_no_answer() -> None:
    """Answers at 0.8 are those at 1, each less sure, and items without votes keep the class balance."""
    table, _ = _one_sided_rules()

    mild, raw = (Auto(rule_temperature=t).fit(table).predict_proba(table) for t in (0.8, 1.0))

    voted = table.has_votes
    assert mild.argmax(axis=1).tolist() == raw.argmax(axis=1).tolist()
    assert (mild.max(axis=1) <= raw.max(axis=1) + 1e-12)[voted].all()
    np.testing.assert_array_equal(raw[~voted], mild[~voted])


def test_a_majority_of_rules_is_not_sure() -> None:
    """Where the majority's answers are taken, its shares get one vote for each class: 3 against 0 are 4 in 5."""
    table, _ = _one_sided_rules()

    auto = Auto(margin=-1.0, rule_temperature=1.0).fit(table)
    found, shares = auto.predict_proba(table), MajorityVote().fit(table).predict_proba(table)

    three = (table.counts == [3, 0]).all(axis=1)
    assert three.any()
    np.testing.assert_allclose(0.8, found[three, 0])
    assert auto.details_["chosen"] == "majority_vote"
    assert auto.details_["majority_vote_agreement"] == 1.0
    assert found.argmax(axis=1).tolist() == shares.argmax(axis=1).tolist()


def test_people_are_averaged(crowd: Callable[..., Any]) -> None:
    """The answer is the candidates' mean by weights that sum to 1, then tempered; no answer changes by that."""
    table, _, _ = crowd(accuracies=list(np.linspace(0.5, 0.95, 25)), votes_each=4)

    model = Auto().fit(table)
    mean = sum(model.weights_[name] * candidate.predict_proba(table) for name, candidate in model.models_.items())
    answer = model.predict_proba(table)

    assert sum(model.weights_.values()) == pytest.approx(1.0)
    np.testing.assert_allclose(np.sqrt(mean) / np.sqrt(mean).sum(axis=1, keepdims=True), answer)
    assert model.details_["temperature"] == 0.5
    assert "they had not seen" in model.details_["reason"]


def test_weights_are_the_best_there_are(crowd: Callable[..., Any]) -> None:
    """No nearby weights foretell the votes better."""
    table, _, _ = crowd(accuracies=[0.95, 0.9, 0.6, 0.4], votes_each=4)
    models: dict[str, CanLeaveOut] = {
        "majority_vote": MajorityVote().fit(table),
        "shrinkage_dawid_skene": ShrinkageDawidSkene().fit(table),
    }
    judged: dict[str, list[CanLeaveOut]] = {name: [model] for name, model in models.items()}
    found = drive(pooled(judged, None), lambda ask: ask(table))
    logs = []
    for model in models.values():
        counts, items = Beliefs(model)(table).arrays
        nobody = np.zeros(4, dtype=np.bool_)
        logs.append(told(model, table, nobody, counts, class_balance(items), own=True).logs)

    def worth(first: float) -> float:
        mixed = np.log(first * np.exp(logs[0]) + (1 - first) * np.exp(logs[1])).sum()
        return float(mixed + np.log(first) + np.log(1 - first))

    best = found.weights["majority_vote"]
    assert worth(best) > max(worth(best * 1.01), worth(best * 0.99))
    assert found.scores["shrinkage_dawid_skene"] == pytest.approx(logs[1].mean())


def test_halves_share_repeated_items() -> None:
    """Of items with the same votes half count in each half, however many there are; others lie in one."""
    table = VoteTable.from_matrix([[0, 1], [0, 1], [0, 1], [1, 1]], classes="ab")

    halves = drive(Halves.learning(), lambda ask: ask(table))
    parts = [(part.matrix[:, 0], part.multiplicity) for part in halves.of(table)]
    sizes = [float(np.sum(times[first == k])) / 2 for first, times in parts if times is not None for k in (0, 1)]

    assert [1.5, 1.5] == sizes[::2]
    assert [0.0, 1.0] == sorted(sizes[1::2])


def test_large_tables_leave_the_costly_candidate_out(crowd: Callable[..., Any]) -> None:
    """EBCC is not tried on tables beyond `largest`."""
    table, _, _ = crowd(accuracies=[0.9, 0.8, 0.7], votes_each=3)

    assert "ebcc" not in Auto(largest=10).fit(table).details_["scores"]


def test_left_out_votes_are_foretold_from_the_others() -> None:
    """Without its only vote an item has the class balance; without one of two, what the other says."""
    table = VoteTable.from_matrix([[0, ABSTAIN], [1, 1]], classes=("a", "b"))
    model = ShrinkageDawidSkene().fit(table)

    left_out = model.left_out(table)
    alone, second = left_out.without(np.array([0, 2]))

    np.testing.assert_allclose(model.class_balance_, alone)
    assert second[1] > model.class_balance_[1]


def test_foretelling_a_coin_earns_no_more_than_chance() -> None:
    """Labels thrown by a coin are foretold with about log 1/2 by every model."""
    labels = np.random.default_rng(0).integers(2, size=(2000, 4))
    table = VoteTable.from_matrix(labels, classes=("a", "b"))

    for model in (MajorityVote().fit(table), ShrinkageDawidSkene().fit(table)):
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
