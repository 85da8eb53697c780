"""Votes taken in one by one, against all of them at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from labelmill import OnlineConsensus, registry
from labelmill.aggregation._confusion import Confusion
from labelmill.aggregation._tally import Tally
from labelmill.aggregation.shrinkage_dawid_skene import ShrinkageDawidSkene
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import SchemaError, UsageError

CLASSES = ("a", "b", "c")
ITEMS = [f"item {i}" for i in range(8)]
PEOPLE = [f"person {j}" for j in range(6)]
START = VoteTable(
    ITEMS[:6],
    PEOPLE[:4],
    CLASSES,
    [0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4],
    [0, 1, 2, 0, 3, 1, 2, 3, 0, 2, 1, 2, 3],
    [0, 0, 1, 1, 1, 2, 2, 2, 0, 0, 1, 2, 1],
)
"""Nobody votes on the last item."""
CHANGES = st.lists(
    st.tuples(st.sampled_from(ITEMS), st.sampled_from(PEOPLE), st.sampled_from([*CLASSES, None])), max_size=12
)


@cache
def _model() -> ShrinkageDawidSkene:
    return ShrinkageDawidSkene().fit(START)


def _online() -> OnlineConsensus:
    return OnlineConsensus(START, model=_model())


def _state(online: OnlineConsensus) -> tuple[Any, ...]:
    """Every sum the answers are made of: each annotator's who has votes, everybody's, the items'."""
    own = online._counts.reshape(-1, len(CLASSES), len(CLASSES))
    each = {name: own[j].tolist() for name, j in online._annotators.items() if own[j].any()}
    return each, online._pooled.tolist(), online._sizes.tolist()


def _said(online: OnlineConsensus) -> dict[tuple[str, str], str]:
    votes = online.votes()
    columns = zip(votes.item_index, votes.annotator_index, votes.label, strict=True)
    return {(votes.items[i], votes.annotators[j]): CLASSES[k] for i, j, k in columns}


@settings(deadline=None, max_examples=40)
@given(changes=CHANGES)
def test_votes_one_by_one_are_the_votes_at_once(changes: list[tuple[str, str, str | None]]) -> None:
    """After any votes, changes and withdrawals the sums are, to the bit, those of a start from the votes there are."""
    online = _online()
    said = _said(online)

    for item, person, label in changes:
        online.add(item, person, label)
        said.pop((item, person), None)
        if label is not None:
            said[item, person] = label

    assert said == _said(online)
    again = OnlineConsensus(online.votes(), model=online.model)
    assert _state(again) == _state(online)
    np.testing.assert_allclose(again.predict_proba(), online.predict_proba(), atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(changes=CHANGES, data=st.data())
def test_order_never_matters(changes: list[tuple[str, str, str | None]], data: st.DataObject) -> None:
    """The last word of everybody on everything decides; in which order they came leaves no trace in any bit."""
    last = {(item, person): label for item, person, label in changes}
    one, other = _online(), _online()

    for (item, person), label in last.items():
        one.add(item, person, label)
    for item, person in data.draw(st.permutations(sorted(last))):
        other.add(item, person, last[item, person])

    assert _state(one) == _state(other)
    for item, _ in last:
        np.testing.assert_array_equal(one.posterior(item), other.posterior(item))


@settings(deadline=None, max_examples=40)
@given(changes=CHANGES, item=st.sampled_from(ITEMS), label=st.sampled_from(CLASSES))
def test_adding_and_taking_back_leaves_no_trace(
    changes: list[tuple[str, str, str | None]], item: str, label: str
) -> None:
    """A vote by somebody new, taken back, restores every bit of every answer."""
    online = _online()
    for change in changes:
        online.add(*change)
    online.add(item, "visitor", None)
    before, answers = _state(online), online.predict_proba()

    online.add(item, "visitor", label)
    assert _state(online) != before
    online.retract(item, "visitor")

    assert _state(online) == before
    np.testing.assert_array_equal(answers, online.predict_proba())


def test_answers_are_one_sweep_from_the_fit(crowd: Callable[..., Any]) -> None:
    """Without new votes it answers as Dawid-Skene does after one sweep more, and every item alike one by one."""
    table, _, _ = crowd(accuracies=[0.9, 0.8, 0.7, 0.6, 0.9, 0.5])
    model = ShrinkageDawidSkene().fit(table)
    counts, items, _ = model._mixture.expected(Tally.by_item(table))
    next_one = Confusion.of(counts, model._confusion.strength, model._confusion.accuracy_strength)

    online = OnlineConsensus(table, model=model)

    np.testing.assert_allclose(next_one.rows[2], online.confusion("person 2"), atol=1e-8)
    np.testing.assert_allclose((items + 1) / (items.sum() + 3), online.class_balance, atol=1e-8)
    one_by_one = np.array([online.posterior(item) for item in table.items])
    np.testing.assert_allclose(online.predict_proba(), one_by_one, atol=1e-12)
    np.testing.assert_allclose(model.predict_proba(table), one_by_one, atol=0.05)
    np.testing.assert_allclose(model.reliability_[2], online.reliability("person 2"), atol=0.01)


def test_stays_near_a_full_fit(crowd: Callable[..., Any]) -> None:
    """With as many votes again as it was fitted on, answers are those of a fit on all, but on one item in a hundred."""
    table, _, truth = crowd(n_items=600, accuracies=[0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.9, 0.75], votes_each=6)
    early = np.random.default_rng(4).random(table.n_votes) < 0.5
    columns = (table.item_index, table.annotator_index, table.label)
    online = OnlineConsensus(
        VoteTable(table.items, table.annotators, table.classes, *(column[early] for column in columns))
    )

    for i, j, label in zip(*(column[~early] for column in columns), strict=True):
        online.add(table.items[i], table.annotators[j], table.classes[label])
    drifted = online.predict_proba()
    online.refit()
    fitted = online.predict_proba()

    full = ShrinkageDawidSkene().fit(table)
    np.testing.assert_allclose(full.reliability_, [online.reliability(name) for name in table.annotators], atol=0.01)
    assert (drifted.argmax(axis=1) != fitted.argmax(axis=1)).mean() < 0.01
    assert np.abs(drifted - fitted).mean() < 0.01
    assert (drifted.argmax(axis=1) == truth).mean() > (fitted.argmax(axis=1) == truth).mean() - 0.01
    assert online.n_changes == 0


def test_a_newcomer_becomes_known_by_their_votes(crowd: Callable[..., Any]) -> None:
    """Somebody who is always wrong is taken for one of the crowd at first, and found out in fifty votes."""
    table, _, truth = crowd(accuracies=[0.95, 0.9, 0.9, 0.8, 0.5, 0.4], votes_each=4)
    online = OnlineConsensus(table)

    online.add("0", "joker", table.classes[(truth[0] + 1) % 3])
    first = np.trace(online.confusion("joker")) / 3
    for i in range(1, 50):
        online.add(str(i), "joker", table.classes[(truth[i] + 1) % 3])

    assert first > 0.6
    assert online.reliability("joker") < 0.1
    assert np.trace(online.confusion("joker")) / 3 < 0.3


def test_a_new_item_is_answered_by_its_votes() -> None:
    """A vote on an item nobody knew makes it; taken back, the item has the class balance."""
    online = _online()

    voted = online.add("late", "person 0", "b")
    silent = online.retract("late", "person 0")

    assert voted.argmax() == 1
    np.testing.assert_array_equal(online.class_balance, silent)
    assert online.votes().items[-1] == "late"


def test_only_class_named_is_the_answer() -> None:
    """However unreliable those who name it: a class that nobody else contradicts is the answer."""
    online = _online()
    for item in ITEMS[:4]:
        online.add(item, "contrarian", "c")

    answer = online.add("lonely", "contrarian", "c")

    assert answer.argmax() == 2


def test_repeated_votes_count_until_the_next() -> None:
    """Repeats in the table all count; a new vote by the same annotator is then their only one."""
    table = VoteTable(["i", "k"], ["x", "y"], ("a", "b"), [0, 0, 0, 1], [0, 0, 1, 1], [0, 0, 1, 1])
    online = OnlineConsensus(table)

    online.add("i", "x", "b")

    assert [1, 1] == online.votes().label[online.votes().item_index == 0].tolist()


def test_what_is_not_there_cannot_be_taken_back() -> None:
    """Unknown names, votes and classes are refused by name, and nothing is changed."""
    online = _online()
    before = _state(online)

    with pytest.raises(UsageError, match="'person 3' has no vote on 'item 0'"):
        online.retract("item 0", "person 3")
    with pytest.raises(UsageError, match="no item is called 'nothing'"):
        online.posterior("nothing")
    with pytest.raises(UsageError, match="no annotator is called 'nobody'"):
        online.reliability("nobody")
    with pytest.raises(SchemaError, match="unknown class 'd'"):
        online.add("new", "new", "d")

    assert _state(online) == before
    assert "new" not in online.votes().items


def test_starts_from_nothing() -> None:
    """Without a single vote the first ones are answered: all annotators are equal."""
    online = OnlineConsensus(VoteTable([], [], ("a", "b"), [], [], []))

    assert online.add("i", "x", "b").argmax() == 1
    assert online.add("i", "y", "a").argmax() in {0, 1}
    np.testing.assert_allclose([0.5, 0.5], online.posterior("i"))
    assert np.isfinite(online.predict_proba()).all()


def test_tables_it_cannot_start_from_are_refused() -> None:
    """Patterns have no items to vote on, and a model of other classes has nothing to say here."""
    by_pattern = VoteTable.from_matrix([[0, 1]], classes=("a", "b"), multiplicity=[3])
    model = ShrinkageDawidSkene().fit(START)

    with pytest.raises(UsageError, match="one row for each item"):
        OnlineConsensus(by_pattern)
    with pytest.raises(UsageError, match="fitted on classes"):
        OnlineConsensus(VoteTable([], [], ("x",), [], [], []), model=model)


def test_another_model_is_refused() -> None:
    """Only the hierarchical form has the sums that votes are added to."""
    other: Any = registry.find("label_model", "dawid_skene")()

    with pytest.raises(UsageError, match="weighed by ShrinkageDawidSkene, found DawidSkene"):
        OnlineConsensus(START, model=other)
