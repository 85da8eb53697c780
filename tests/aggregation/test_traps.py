"""What makes other tools crash, answer NaN or lose to the majority, tried on every label model it can happen to.

Each trap and its tests; those without a file are here, "promise" is one of `labelmill.testing.label_model`:

- exp without its largest, 200 agreeing rules: `two_hundred_who_agree`; test_climb, test_dawid_skene, test_bwa and
  test_by_overlaps with their own
- evidence beyond the range of floats: `hundreds_on_one_item`; test_sweep, `a_rows_posterior_is_its_own`
- empty input, nobody voted, no annotators, rows of abstentions: promises over `ordinary_and_odd`; test_online,
  `starts_from_nothing`
- no class was ever named: `no_class_was_ever_named`
- too few annotators: `one_annotator_or_two`; test_by_overlaps, `two_annotators_leave_the_anchor`
- single class: promises; `every_vote_names_one_class`
- all ties: `all_ties_stay_ties`; test_climb, `a_tie_between_equals_stays_one`
- one vote an item: `one_vote_an_item_is_the_answer`
- a class that nobody names: `a_class_nobody_names_is_nobodys_answer`, `nor_where_many_rules_are_at_odds`
- repeated votes, a thousand of them: `a_thousand_repeats_count_once`; test_vote_table, `later_vote_supersedes`
- missing ids that become index -1: `missing_ids_are_refused`; test_vote_table, `index_outside_the_table_is_refused`
- label switching: `classes_keep_their_names`; test_climb, `switched_classes_are_refused`
- collapse of the class balance: `a_poor_crowd_does_not_empty_a_class`; test_one_coin with its own
- inversion of the class balance: `the_common_class_stays_common`; test_anchored_naive_bayes and test_by_overlaps with
  their own
- unanimous votes that flip: promise; `the_only_class_named_is_the_answer`
- zero cells, an answer never given is impossible: `an_answer_never_given_before_decides_nothing`; test_ibcc
- one-sided rules under a crowd's likelihood: `one_sided_rules_are_worth_their_votes`
- a fit that has not converged and does not say so: `a_fit_cut_short_says_so`
- random starts: promise; nothing is drawn
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from labelmill import registry
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError

EVERY = registry.names("label_model", installed=False)
OF_RULES = ["anchored_naive_bayes", "auto", "joint", "metal", "triplet"]
"""Models that know that a rule chooses its items."""
OF_PEOPLE = [name for name in EVERY if name not in {"anchored_naive_bayes", "metal", "triplet"}]
"""Models that know that people are given theirs."""
CAPPED = [name for name in EVERY if name not in {"auto", "majority_vote", "triplet", "wawa"}]
"""Models that go through the votes until they settle, but `auto`, which leaves that to others."""


def _answers(name: str, table: VoteTable) -> Any:
    """Probabilities of the model called `name`, found to be some."""
    model = registry.find("label_model", name)().fit(table)
    probabilities = model.predict_proba(table)

    assert np.isfinite(probabilities).all()
    assert np.isfinite(model.class_balance_).all()
    np.testing.assert_allclose(np.ones(table.n_items), probabilities.sum(axis=1))
    return probabilities


def _table(matrix: Any, classes: tuple[str, ...] = ("a", "b"), kind: AnnotatorKind | None = "person") -> VoteTable:
    return VoteTable.from_matrix(matrix, classes=classes, kinds=[kind] * np.shape(matrix)[1])


def _one_sided(*, positive: float, rules: tuple[int, int], seed: int) -> tuple[VoteTable, Any]:
    """Rules for one class each, `rules[k]` for class k, of precision 0.8 to 0.9 at a coverage of 15 percent."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(1500) < positive).astype(np.intp)
    columns = []
    for k, n_rules in enumerate(rules):
        share = (1 - positive, positive)[k]
        for precision in np.linspace(0.8, 0.9, n_rules):
            right, wrong = 0.15 * precision / share, 0.15 * (1 - precision) / (1 - share)
            fires = rng.random(len(truth)) < np.where(truth == k, min(right, 0.9), min(wrong, 0.9))
            columns.append(np.where(fires, k, ABSTAIN))
    return _table(np.column_stack(columns), ("ham", "spam"), "rule"), truth


@pytest.mark.parametrize("kind", ["rule", "person", None])
@pytest.mark.parametrize("name", EVERY)
def test_two_hundred_who_agree(name: str, kind: AnnotatorKind | None) -> None:
    """200 annotators who agree on everything leave no NaN and no other answer."""
    labels = np.arange(60) % 2

    probabilities = _answers(name, _table(np.tile(labels[:, None], (1, 200)), kind=kind))

    assert labels.tolist() == probabilities.argmax(axis=1).tolist()


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_hundreds_on_one_item(name: str) -> None:
    """500 against 400 on one item among ordinary ones leave its probabilities finite, and the others alone."""
    matrix = np.full((20, 900), ABSTAIN)
    matrix[0] = np.repeat([0, 1], [500, 400])
    matrix[1:, :5] = (np.arange(19) % 2)[:, None]

    probabilities = _answers(name, _table(matrix))

    assert (np.arange(19) % 2).tolist() == probabilities[1:].argmax(axis=1).tolist()


@pytest.mark.parametrize("votes", [[[0]], [[0], [1], [ABSTAIN]], [[0, 1]], [[0, 1], [1, 1], [ABSTAIN, 0]]])
@pytest.mark.parametrize("name", EVERY)
def test_one_annotator_or_two(name: str, votes: list[list[int]]) -> None:
    """One or two annotators, on one item or three, are enough for an answer."""
    for kind in ("person", "rule"):
        _answers(name, _table(votes, kind=kind))


@pytest.mark.parametrize("kind", ["rule", "person", "model"])
@pytest.mark.parametrize("name", EVERY)
def test_no_class_was_ever_named(name: str, kind: AnnotatorKind) -> None:
    """Abstentions alone, and no classes known: there is nothing to be likely."""
    table = VoteTable(["i", "k"], ["u"], [], [0, 1], [0, 0], [ABSTAIN, ABSTAIN], kinds=[kind])

    assert registry.find("label_model", name)().fit(table).predict_proba(table).shape == (2, 0)


@pytest.mark.parametrize("name", EVERY)
def test_every_vote_names_one_class(name: str) -> None:
    """Where all votes there are name one of three classes, it is the answer wherever somebody voted."""
    matrix = np.where(np.random.default_rng(0).random((80, 6)) < 0.4, 1, ABSTAIN)

    for kind in ("person", "rule"):
        probabilities = _answers(name, _table(matrix, ("a", "b", "c"), kind))
        assert (probabilities[(matrix == 1).any(axis=1)].argmax(axis=1) == 1).all()


@pytest.mark.parametrize("name", EVERY)
def test_all_ties_stay_ties(name: str) -> None:
    """Two who always contradict each other, each on either side as often, leave every item undecided."""
    for kind in ("person", "rule"):
        probabilities = _answers(name, _table([[0, 1], [1, 0]] * 15, kind=kind))
        np.testing.assert_allclose(np.full((30, 2), 0.5), probabilities, atol=1e-6)


@pytest.mark.parametrize("name", EVERY)
def test_one_vote_an_item_is_the_answer(name: str) -> None:
    """With one vote on each item the answers are the votes, however unequal the classes."""
    rng = np.random.default_rng(1)
    labels, people = rng.choice(3, size=90, p=[0.8, 0.15, 0.05]), rng.integers(5, size=90)
    table = VoteTable(range(90), list("vwxyz"), ("a", "b", "c"), np.arange(90), people, labels)  # type: ignore[arg-type]

    assert labels.tolist() == _answers(name, table).argmax(axis=1).tolist()


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_a_class_nobody_names_is_nobodys_answer(name: str, crowd: Callable[..., Any]) -> None:
    """A class in the schema without a single vote takes no item away from those that have some."""
    seen, _, _ = crowd(n_items=150, accuracies=[0.9, 0.8, 0.7, 0.6], votes_each=3)
    columns = (seen.item_index, seen.annotator_index, seen.label)
    table = VoteTable(seen.items, seen.annotators, (*seen.classes, "never"), *columns, kinds=seen.kinds)

    probabilities = _answers(name, table)

    assert (probabilities.argmax(axis=1) < 3).all()


@pytest.mark.parametrize("n_rules", [4, 24])
@pytest.mark.parametrize("name", OF_RULES)
def test_nor_where_many_rules_are_at_odds(name: str, n_rules: int) -> None:
    """Next to no item is of a class that nobody names; that makes no vote evidence for it, however many differ."""
    rng = np.random.default_rng(0)
    matrix = np.where(rng.random((3000, n_rules)) < 0.5, rng.integers(2, size=(3000, n_rules)), ABSTAIN)
    table = _table(matrix, ("a", "b", "never", "nor this"), "rule")

    probabilities = _answers(name, table)

    assert (probabilities[table.has_votes].argmax(axis=1) < 2).all()


@pytest.mark.parametrize("name", EVERY)
def test_a_thousand_repeats_count_once(name: str, crowd: Callable[..., Any]) -> None:
    """Who says the same of one item 1,730 times is heard once; where all are to count, numbers stay numbers."""
    once, _, _ = crowd(n_items=60, accuracies=[0.9, 0.85, 0.8, 0.8], votes_each=3)
    votes = np.append(np.zeros(1729, dtype=np.intp), np.arange(once.n_votes))
    columns = {
        "item": [once.items[i] for i in once.item_index[votes]],
        "annotator": [once.annotators[j] for j in once.annotator_index[votes]],
        "label": [once.classes[k] for k in once.label[votes]],
    }
    single = {role: values[1729:] for role, values in columns.items()}

    np.testing.assert_array_equal(_answers(name, VoteTable.of(single)), _answers(name, VoteTable.of(columns)))
    _answers(name, VoteTable.of(columns, repeats="all"))


@pytest.mark.parametrize("missing", [None, float("nan")])
@pytest.mark.parametrize("column", ["item", "annotator"])
def test_missing_ids_are_refused(column: str, missing: float | None) -> None:
    """An id that is null or NaN is never taken for the last one known."""
    columns: dict[str, list[Any]] = {"item": ["i", "k"], "annotator": ["x", "y"], "label": ["a", "b"]}
    columns[column][1] = missing

    with pytest.raises(UsageError, match=f"1 votes have no {column}"):
        VoteTable.of(pd.DataFrame(columns))
    columns[column] = [1.0, missing]
    with pytest.raises(UsageError, match=f"1 votes have no {column}"):
        VoteTable.of(pl.DataFrame(columns))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", OF_PEOPLE)
def test_classes_keep_their_names(name: str, seed: int, crowd: Callable[..., Any]) -> None:
    """Where the majority is right nine times in ten nobody comes back with the classes exchanged."""
    table, _, truth = crowd(n_items=200, n_classes=2, accuracies=[0.6, 0.65, 0.7, 0.75, 0.8, 0.85], seed=seed)

    answers = _answers(name, table).argmax(axis=1)

    assert (answers == truth).mean() > 0.75


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_a_poor_crowd_does_not_empty_a_class(name: str) -> None:
    """Where a quarter of the items are of the rare class and people are right 65 times in 100, it is not given up."""
    rng = np.random.default_rng(2)
    truth = (rng.random(400) < 0.25).astype(np.intp)
    people = np.concatenate([rng.permutation(20)[:6] for _ in truth])
    item = np.repeat(np.arange(400), 6)
    right = rng.random(len(item)) < rng.uniform(0.55, 0.75, size=20)[people]
    label = np.where(right, truth[item], 1 - truth[item])
    names = [f"p{j}" for j in range(20)]
    table = VoteTable(range(400), names, ("no", "yes"), item, people, label, kinds=["person"] * 20)  # type: ignore[arg-type]

    answers = _answers(name, table).argmax(axis=1)

    assert 0.05 < answers.mean() < 0.6
    assert (answers == truth).mean() > 0.6


@pytest.mark.parametrize("rules", [(10, 3), (6, 6)])
@pytest.mark.parametrize("name", OF_RULES)
def test_the_common_class_stays_common(name: str, rules: tuple[int, int]) -> None:
    """At 85 to 15 neither ten rules for the common class nor as many for both turn the balance around."""
    table, _ = _one_sided(positive=0.15, rules=rules, seed=3)

    model = registry.find("label_model", name)().fit(table)

    assert model.class_balance_[0] > 0.5


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("name", OF_RULES)
def test_one_sided_rules_are_worth_their_votes(name: str, known: bool) -> None:
    """Rules for one class each are no worse together than their majority, told that they are rules or not."""
    table, truth = _one_sided(positive=0.4, rules=(5, 4), seed=4)
    table = table if known else VoteTable.from_matrix(table.matrix, classes=table.classes)
    covered = table.has_votes
    shares = table.counts[covered] / table.counts[covered].sum(axis=1, keepdims=True)
    majority = shares[np.arange(len(shares)), truth[covered]]

    answers = _answers(name, table)[covered].argmax(axis=1)

    assert (answers == truth[covered]).mean() > np.where(majority == 0.5, 0.5, majority > 0.5).mean() - 0.02


@pytest.mark.parametrize("kind", ["person", "rule"])
@pytest.mark.parametrize("name", EVERY)
def test_the_only_class_named_is_the_answer(name: str, kind: AnnotatorKind) -> None:
    """Somebody who contradicts five others on everything is still believed where nobody else voted."""
    truth = np.arange(120) % 3
    matrix = np.tile(truth[:, None], (1, 6))
    matrix[:, 5] = (truth + 1) % 3
    matrix[-9:, :5] = ABSTAIN

    probabilities = _answers(name, _table(matrix, ("a", "b", "c"), kind))

    assert matrix[-9:, 5].tolist() == probabilities[-9:].argmax(axis=1).tolist()


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_an_answer_never_given_before_decides_nothing(name: str) -> None:
    """Somebody with four votes, never wrong and never for 'b' before, does not overrule three who are often right."""
    rng = np.random.default_rng(5)
    truth = np.arange(200) % 2
    matrix = np.where(rng.random((200, 4)) < 0.9, truth[:, None], 1 - truth[:, None])
    matrix[:, 3] = ABSTAIN
    matrix[[0, 2, 4, 1], 3] = 0
    matrix[0:5:2, :3], matrix[1, :3] = 0, 1

    probabilities = _answers(name, _table(matrix))

    assert probabilities[1].argmax() == 1


@pytest.mark.parametrize("name", CAPPED)
def test_a_fit_cut_short_says_so(name: str, crowd: Callable[..., Any]) -> None:
    """Where there is a cap on the sweeps, the details tell it, how many there were and that they were not enough."""
    make = registry.find("label_model", name)
    table, _, _ = crowd(n_items=100, accuracies=[0.9, 0.7, 0.6, 0.5], votes_each=3)

    details = make(max_iterations=1).fit(table).details_

    assert details["iterations"] == details["max_iterations"] == 1
    assert details["converged"] is False
