"""What every label model promises, as checks to run on your own.

::

    from labelmill.testing import label_model

    for promise in label_model.PROMISES:
        promise(MyLabelModel)
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import LabelModel
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.sums import Ask, Sums, drive
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import NotFittedError, UsageError
from labelmill.testing._tables import crowd, ordinary_and_odd, rows_of

__all__ = ["PROMISES", "Factory"]

Factory = Callable[[], LabelModel]
"""Makes a fresh, unfitted label model; a class whose options all have defaults is one."""

CLOSE = 1e-6


def promise_rows_sum_to_one(factory: Factory) -> None:
    """Probabilities are finite, not negative, and sum to 1 on every item, voted on or not."""
    for table in ordinary_and_odd():
        probabilities = factory().fit(table).predict_proba(table)

        assert (table.n_items, table.n_classes) == probabilities.shape
        assert np.isfinite(probabilities).all()
        assert (probabilities >= 0).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=CLOSE)


def promise_reliability_is_a_probability(factory: Factory) -> None:
    """Reliability is one number in [0, 1] for each annotator who voted, NaN for the others."""
    for table in ordinary_and_odd():
        reliability = factory().fit(table).reliability_
        voted = np.bincount(table.annotator_index[table.label != ABSTAIN], minlength=table.n_annotators) > 0

        assert (table.n_annotators,) == reliability.shape
        assert np.isnan(reliability[~voted]).all()
        assert ((reliability[voted] >= 0) & (reliability[voted] <= 1 + CLOSE)).all()


def promise_details_are_json(factory: Factory) -> None:
    """`details_` is a JSON-able mapping that names the model."""
    for table in ordinary_and_odd():
        details = factory().fit(table).details_

        assert isinstance(json.loads(json.dumps(details, allow_nan=False))["model"], str)


def promise_item_order_changes_nothing(factory: Factory) -> None:
    """Shuffling the items and the rows of the table shuffles the answers and nothing else."""
    for table in ordinary_and_odd():
        order = np.random.default_rng(1).permutation(table.n_items)
        rows = np.random.default_rng(2).permutation(len(table.label))
        place = np.argsort(order)
        shuffled = VoteTable(
            [table.items[i] for i in order],
            table.annotators,
            table.classes,
            place[table.item_index[rows]],
            table.annotator_index[rows],
            table.label[rows],
            kinds=table.kinds,
            soft={j: p[order] for j, p in table.soft.items()},
        )

        _same(_answer(factory, table)[order], _answer(factory, shuffled))


def promise_annotator_order_changes_nothing(factory: Factory) -> None:
    """Renumbering the annotators changes no answer."""
    for table in ordinary_and_odd():
        order = np.random.default_rng(3).permutation(table.n_annotators)

        _same(_answer(factory, table), _answer(factory, table.select_annotators(order.tolist())))


def promise_class_order_changes_nothing(factory: Factory) -> None:
    """Permuting the classes permutes the columns and nothing else."""
    for table in ordinary_and_odd():
        order = np.random.default_rng(4).permutation(table.n_classes)
        place = np.argsort(order).astype(np.int16)
        cast = table.label != ABSTAIN
        permuted = VoteTable(
            table.items,
            table.annotators,
            [table.classes[k] for k in order],
            table.item_index,
            table.annotator_index,
            np.where(cast, place[np.where(cast, table.label, 0)] if table.n_classes else ABSTAIN, ABSTAIN),
            kinds=table.kinds,
            soft={j: p[:, order] for j, p in table.soft.items()},
        )

        _same(_answer(factory, table)[:, order], _answer(factory, permuted))


def promise_sole_annotator_is_returned(factory: Factory) -> None:
    """With one annotator the answer on each item is that annotator's."""
    rng = np.random.default_rng(5)
    kinds: tuple[AnnotatorKind | None, ...] = ("person", "rule", "model", None)
    for kind in kinds:
        labels = rng.choice(3, size=40, p=[0.7, 0.2, 0.1])
        table = VoteTable.from_matrix(labels[:, None], classes=("a", "b", "c"), kinds=[kind])

        assert labels.tolist() == _answer(factory, table).argmax(axis=1).tolist()


def promise_unanimous_votes_never_flip(factory: Factory) -> None:
    """Where all votes on an item name one class, that class is the answer."""
    for table in ordinary_and_odd():
        counts = table.counts
        unanimous = np.flatnonzero((counts > 0).sum(axis=1) == 1)
        answer = _answer(factory, table)

        assert counts[unanimous].argmax(axis=1).tolist() == answer[unanimous].argmax(axis=1).tolist()


def promise_items_without_votes_get_the_balance(factory: Factory) -> None:
    """Every item nobody voted on gets the same probabilities: the class balance."""
    for table in ordinary_and_odd():
        silent = np.flatnonzero(~table.has_votes)
        answer = _answer(factory, table)[silent]

        _same(np.broadcast_to(answer[:1], answer.shape), answer)


def promise_same_seed_same_answer(factory: Factory) -> None:
    """Two models with the same options give the same answer, to the bit."""
    for table in ordinary_and_odd():
        np.testing.assert_array_equal(_answer(factory, table), _answer(factory, table))


def promise_input_is_not_changed(factory: Factory) -> None:
    """Neither `fit` nor `predict_proba` changes the table."""
    for table in ordinary_and_odd():
        after: list[npt.NDArray[Any]] = [table.item_index, table.annotator_index, table.label, *table.soft.values()]
        before = [column.copy() for column in after]
        _answer(factory, table)

        for old, new in zip(before, after, strict=True):
            np.testing.assert_array_equal(old, new)


def promise_new_items_by_known_annotators(factory: Factory) -> None:
    """A fitted model answers for another table whose annotators it knows, in any order."""
    table = crowd(np.random.default_rng(6), 60, 8, 3, votes_each=4)
    model = factory().fit(table)
    some = VoteTable(["new"], [table.annotators[5], table.annotators[2]], table.classes, [0, 0], [0, 1], [1, 1])

    answer = model.predict_proba(some)

    assert len(answer) == 1
    assert answer[0].argmax() == 1


def promise_unknown_annotators_are_refused(factory: Factory) -> None:
    """Votes by an annotator the model was not fitted on are refused by name."""
    table = crowd(np.random.default_rng(7), 20, 4, 2, votes_each=3)
    stranger = VoteTable(["new"], ["nobody we know"], table.classes, [0], [0], [1])

    message = ""
    try:
        factory().fit(table).predict_proba(stranger)
    except UsageError as error:
        message = str(error)

    assert "nobody we know" in message


def promise_unfitted_model_says_so(factory: Factory) -> None:
    """Asked before `fit`, a model raises NotFittedError."""
    table = crowd(np.random.default_rng(8), 5, 3, 2, votes_each=2)

    try:
        factory().predict_proba(table)
    except NotFittedError:
        return
    raise AssertionError("an unfitted label model answered")


def promise_any_table_will_do(factory: Factory) -> None:
    """`fit` and `predict_proba` take a mapping of columns as well as a VoteTable."""
    columns = {"item": ["a", "a", "b"], "annotator": ["x", "y", "x"], "label": ["cat", "cat", "dog"]}

    answer = factory().fit(columns).predict_proba(columns)

    assert answer.argmax(axis=1).tolist() == [0, 1]


def promise_a_row_counts_as_often_as_it_says(factory: Factory) -> None:
    """A row with a multiplicity teaches what so many equal items teach, and gets their answer."""
    for table in ordinary_and_odd():
        times = np.random.default_rng(9).integers(1, 4, size=table.n_items)
        short = rows_of(table, np.arange(table.n_items), times)
        whole = rows_of(table, np.repeat(np.arange(table.n_items), times))
        by_row, by_item = factory().fit(short), factory().fit(whole)

        _alike(np.repeat(by_row.predict_proba(short), times, axis=0), by_item.predict_proba(whole))
        _alike(by_row.reliability_, by_item.reliability_)
        assert by_row.details_.get("chosen") == by_item.details_.get("chosen")
        scores: tuple[dict[str, float], ...] = tuple(m.details_.get("scores", {}) for m in (by_row, by_item))
        _alike(np.array([*scores[0].values()]), np.array([*scores[1].values()]))


def promise_parts_are_predicted_as_the_whole(factory: Factory) -> None:
    """Predicting some rows gives the same bits as predicting all, whichever rows are together."""
    for table in ordinary_and_odd():
        model = factory().fit(table)
        whole = model.predict_proba(table)
        order = np.random.default_rng(10).permutation(table.n_items)

        for rows in (order[: table.n_items // 3], order[table.n_items // 3 :], order[:1], np.sort(order[:7])):
            np.testing.assert_array_equal(whole[rows], model.predict_proba(rows_of(table, rows)))


def promise_a_fitted_model_can_be_pickled(factory: Factory) -> None:
    """A fitted model that was sent elsewhere answers with the same bits."""
    for table in ordinary_and_odd():
        model = factory().fit(table)
        elsewhere = pickle.loads(pickle.dumps(model))  # noqa: S301 -- made here

        np.testing.assert_array_equal(model.predict_proba(table), elsewhere.predict_proba(table))


def promise_shards_teach_what_the_whole_does(factory: Factory) -> None:
    """A model that learns by rounds learns the same from shards, and the same bits each time.

    Label models without `learning` have nothing to keep here.
    """
    if not hasattr(factory(), "learning"):
        return
    for table in ordinary_and_odd():
        whole = factory().fit(table)
        for n_shards in (1, 3, 10):
            shards = [rows_of(table, rows) for rows in np.array_split(np.arange(table.n_items), n_shards)]
            first, second = _learned(factory, shards), _learned(factory, shards)

            _alike(whole.predict_proba(table), first.predict_proba(table))
            _alike(whole.reliability_, first.reliability_)
            np.testing.assert_array_equal(first.predict_proba(table), second.predict_proba(table))
            np.testing.assert_array_equal(first.reliability_, second.reliability_)


PROMISES: list[Callable[[Factory], None]] = [
    promise_rows_sum_to_one,
    promise_reliability_is_a_probability,
    promise_details_are_json,
    promise_item_order_changes_nothing,
    promise_annotator_order_changes_nothing,
    promise_class_order_changes_nothing,
    promise_sole_annotator_is_returned,
    promise_unanimous_votes_never_flip,
    promise_items_without_votes_get_the_balance,
    promise_same_seed_same_answer,
    promise_input_is_not_changed,
    promise_new_items_by_known_annotators,
    promise_unknown_annotators_are_refused,
    promise_unfitted_model_says_so,
    promise_any_table_will_do,
    promise_a_row_counts_as_often_as_it_says,
    promise_parts_are_predicted_as_the_whole,
    promise_a_fitted_model_can_be_pickled,
    promise_shards_teach_what_the_whole_does,
]


def _learned(factory: Factory, shards: list[VoteTable]) -> LabelModel:
    """The model that learned from shards, every question pickled on its way."""

    def answer(ask: Ask) -> Sums:
        sent: Ask = pickle.loads(pickle.dumps(ask))  # noqa: S301 -- made here
        return reduce(Sums.merged, [sent(shard) for shard in shards])

    model: Any = factory()
    drive(model.learning(shards[0].annotators, shards[0].classes, shards[0].kinds), answer)
    learned: LabelModel = model
    return learned


def _alike(expected: npt.NDArray[Any], found: npt.NDArray[Any]) -> None:
    np.testing.assert_allclose(found, expected, atol=1e-9, rtol=0)


def _answer(factory: Factory, table: VoteTable) -> npt.NDArray[np.float64]:
    return factory().fit(table).predict_proba(table)


def _same(expected: npt.NDArray[Any], found: npt.NDArray[Any]) -> None:
    np.testing.assert_allclose(found, expected, atol=CLOSE, rtol=0)
