"""Gold answers and history in every M-step."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from labelmill import registry
from labelmill.domain.history import History
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError

LEARNS_FROM_KNOWN = [
    *("auto", "bwa", "dawid_skene", "ebcc", "glad", "ibcc", "joint", "mace", "one_coin"),
    *("shrinkage_dawid_skene", "wawa"),
]


def _opposed(n_items: int = 40) -> VoteTable:
    """Two people who contradict each other throughout: nothing in the votes tells who is right."""
    labels = np.arange(n_items) % 2
    return VoteTable.from_matrix(
        np.column_stack([labels, 1 - labels]), classes=("no", "yes"), annotators=["ann", "bob"], kinds=["person"] * 2
    )


@pytest.mark.parametrize("name", LEARNS_FROM_KNOWN)
def test_gold_tells_who_is_right(name: str) -> None:
    """Where two people contradict each other, ten gold answers decide the other items."""
    votes = _opposed()
    gold = {item: votes.classes[votes.matrix[i, 1]] for i, item in enumerate(votes.items[:10])}

    answer = registry.find("label_model", name)().fit(votes, gold=gold).predict_proba(votes)

    np.testing.assert_array_equal(votes.matrix[10:, 1], answer[10:].argmax(axis=1))


@pytest.mark.parametrize("name", LEARNS_FROM_KNOWN)
def test_history_tells_who_is_right(name: str) -> None:
    """Where two people contradict each other, who was right before is believed now, after every M-step."""
    votes = _opposed()
    past = {"classes": ["no", "yes"], "annotators": {"ann": [[5, 15], [15, 5]], "bob": [[18, 2], [2, 18]]}}

    answer = registry.find("label_model", name)().fit(votes, history=past).predict_proba(votes)

    np.testing.assert_array_equal(votes.matrix[:, 1], answer.argmax(axis=1))


def test_rules_learn_from_gold() -> None:
    """A rule that gold contradicts is taken as less precise than one that it confirms."""
    votes = VoteTable.from_matrix(np.tile([[0, 1]], (60, 1)), classes=("no", "yes"), kinds=["rule", "rule"])
    model = registry.find("label_model", "anchored_naive_bayes")()

    model.fit(votes, gold=dict.fromkeys(votes.items[:30], "yes"))

    assert model.precision_[0, 0, 0] < 0.6 < 0.7 < model.precision_[1, 1, 1]


def test_one_part_of_the_items_is_the_history_of_the_other(crowd: Callable[..., Any]) -> None:
    """What was learned from gold items is what their history teaches, but for the class balance."""
    table, _, truth = crowd(accuracies=[0.9, 0.8, 0.7, 0.6], votes_each=4, n_items=200)
    gold = {table.items[i]: table.classes[truth[i]] for i in range(100)}
    model = registry.find("label_model", "dawid_skene")

    fitted = model().fit(table, gold=gold)
    counts = np.zeros((4, 3, 3))
    np.add.at(counts, (table.annotator_index, table.label, truth[table.item_index]), table.item_index < 100)
    past = History(table.classes, dict(zip(table.annotators, counts, strict=True)))
    rest = VoteTable.of({"item": [], "annotator": [], "label": []}, classes=table.classes)
    known = model().fit(_later(table), history=past)

    np.testing.assert_allclose(fitted.confusion_, known.confusion_, atol=0.02)
    assert rest.n_items == 0


def _later(table: VoteTable) -> VoteTable:
    mine = table.item_index >= 100
    return VoteTable(
        table.items[100:],
        table.annotators,
        table.classes,
        table.item_index[mine] - 100,
        table.annotator_index[mine],
        table.label[mine],
        kinds=table.kinds,
    )


def test_history_goes_round_through_json(crowd: Callable[..., Any]) -> None:
    """Exported history is JSON, counts every vote once, and adds up over two fits."""
    table, _, _ = crowd(accuracies=[0.9, 0.8, 0.7], votes_each=3)
    make = registry.find("label_model", "auto")

    first = json.loads(json.dumps(make().fit(table).history(table).to_dict()))
    second = make().fit(table, history=first).history(table)

    per_person = np.bincount(table.annotator_index)
    assert [2 * n for n in per_person] == pytest.approx([second.votes[name].sum() for name in table.annotators])


def test_gold_counts_as_it_is_in_history() -> None:
    """In exported history the votes on gold items lie under their true class."""
    votes = _opposed(4)
    gold = dict.fromkeys(votes.items, "yes")

    past = registry.find("label_model", "dawid_skene")().fit(votes, gold=gold).history(votes)

    np.testing.assert_array_equal([[0, 2], [0, 2]], past.votes["ann"])


def test_history_of_other_classes_is_matched_by_name() -> None:
    """Classes are matched by name, and annotators and classes that are not known have zeros."""
    past = History(("b", "a"), {"ann": np.array([[1.0, 2.0], [3.0, 4.0]])})

    counts = past.counts(["new", "ann"], ["a", "b", "c"])

    assert not counts[0].any()
    np.testing.assert_array_equal([[4, 3, 0], [2, 1, 0], [0, 0, 0]], counts[1])


@pytest.mark.parametrize(
    "data", [{}, {"classes": ["a"], "annotators": {"x": [[-1.0]]}}, {"classes": ["a"], "annotators": {"x": [[1, 2]]}}]
)
def test_what_is_no_history_is_refused(data: Any) -> None:
    """Data of another form, shape or sign raises a usage error."""
    with pytest.raises(UsageError):
        History.from_dict(data)


def test_gold_must_be_a_class() -> None:
    """A gold answer that is no class is refused by name."""
    with pytest.raises(UsageError, match="maybe"):
        registry.find("label_model", "wawa")().fit(_opposed(), gold={"0": "maybe"})
