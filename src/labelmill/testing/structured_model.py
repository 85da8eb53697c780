"""What every label model for structured answers promises.

The factory takes no argument and gives a fresh model; the kind of label gives the values it is tried on::

    from labelmill.testing import structured_model
    for promise in structured_model.PROMISES:
        promise(MyModel, MyKind())
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from labelmill.domain.answers import AnswerTable
from labelmill.domain.ports import LabelKind, StructuredModel
from labelmill.testing.label_kind import SCHEMA

__all__ = ["PROMISES", "SCHEMA", "Factory"]

Factory = Callable[[], StructuredModel]
"""Makes a fresh model; a class whose options all have defaults is one."""

N_ANNOTATORS = 4


def promise_one_merged_value_an_item(factory: Factory, kind: LabelKind) -> None:
    """Each item gets one value, valid for the kind, or None without answers; all confidences lie in 0 to 1."""
    table = _table(kind, seed=1, n_items=12)

    merged = factory().fit(table).predict(table)

    assert len(merged) == table.n_items
    answered = set(table.item_index.tolist())
    for i, (value, confidence, parts) in enumerate(merged):
        assert (value is not None) == (i in answered)
        assert 0.0 <= confidence <= 1.0
        assert all(0.0 <= part <= 1.0 for part in parts)
        if value is not None:
            assert value == kind.validate(value, SCHEMA)
        assert len(parts) in {0, len(value) if isinstance(value, list) else 0}


def promise_a_sole_answer_stays(factory: Factory, kind: LabelKind) -> None:
    """Where one annotator alone answered, its answer is the merged value."""
    values = list(kind.examples(SCHEMA))
    table = _of(kind, [[value] for value in values])

    merged = factory().fit(table).predict(table)

    assert [value for value, *_ in merged] == values


def promise_shared_answers_stay(factory: Factory, kind: LabelKind) -> None:
    """What all annotators of an item say is the merged value, whatever is thought of them elsewhere."""
    values = list(kind.examples(SCHEMA))
    alike = [[value] * N_ANNOTATORS for value in values]
    mixed = _mixed(kind, seed=2, n_items=10)

    table = _of(kind, [*alike, *mixed])
    merged = factory().fit(table).predict(table)

    assert [value for value, *_ in merged[: len(values)]] == values


def promise_nothing_there_stays(factory: Factory, kind: LabelKind) -> None:
    """Where all looked and found nothing, the merged value is the empty list."""
    if [] not in kind.examples(SCHEMA):
        return
    table = _of(kind, [[[], []], [[], [], []], *_mixed(kind, seed=3, n_items=6)])

    merged = factory().fit(table).predict(table)

    assert [[], []] == [value for value, *_ in merged[:2]]


def promise_order_of_items_is_irrelevant(factory: Factory, kind: LabelKind) -> None:
    """Items in another order get the same values and confidences."""
    table = _table(kind, seed=4, n_items=9)
    order = np.random.default_rng(0).permutation(table.n_items).tolist()

    merged = factory().fit(table).predict(table)
    again = factory().fit(table.select(order)).predict(table.select(order))

    _assert_same([merged[i] for i in order], again)


def promise_order_of_annotators_is_irrelevant(factory: Factory, kind: LabelKind) -> None:
    """Annotators in another order get the same values, confidences and reliabilities."""
    table = _table(kind, seed=5, n_items=9)
    order = [2, 0, 3, 1]
    place = np.argsort(order)
    other = AnswerTable(
        kind,
        table.items,
        [table.annotators[j] for j in order],
        table.item_index[::-1],
        place[table.annotator_index][::-1],
        table.values[::-1],
        classes=table.classes,
    )

    first, second = factory().fit(table), factory().fit(other)

    _assert_same(first.predict(table), second.predict(other))
    np.testing.assert_allclose(first.reliability_[order], second.reliability_, atol=1e-9)


def promise_parts_of_a_table_get_the_same(factory: Factory, kind: LabelKind) -> None:
    """A table predicted in two parts gets what it gets as a whole."""
    table = _table(kind, seed=6, n_items=8)
    model = factory().fit(table)

    parts = [*model.predict(table.select(range(3))), *model.predict(table.select(range(3, 8)))]

    _assert_same(model.predict(table), parts)


def promise_reliability_is_a_share(factory: Factory, kind: LabelKind) -> None:
    """One number between 0 and 1 for each annotator, NaN exactly for those without answers; details are JSON."""
    table = _of(kind, _mixed(kind, seed=7, n_items=8), n_annotators=N_ANNOTATORS + 1)

    model = factory().fit(table)

    assert (table.n_annotators,) == model.reliability_.shape
    assert ((model.reliability_[:-1] >= 0) & (model.reliability_[:-1] <= 1)).all()
    assert np.isnan(model.reliability_[-1])
    json.dumps(model.details_, allow_nan=False)


def promise_a_careless_annotator_is_trusted_least(factory: Factory, kind: LabelKind) -> None:
    """Three who say the same and one who says something else each time: that one is trusted least."""
    values = list(kind.examples(SCHEMA))
    rows: list[list[Any]] = [
        [values[i % len(values)]] * 3 + [values[(i + 1 + i // len(values)) % len(values)]]
        for i in range(4 * len(values))
    ]
    rows = [row for row in rows if row[0] != row[3]]

    reliability = factory().fit(_of(kind, rows)).reliability_

    assert reliability[3] < reliability[:3].min()


def promise_abstentions_say_nothing(factory: Factory, kind: LabelKind) -> None:
    """Rows of those who declined change no merged value."""
    rows = _mixed(kind, seed=8, n_items=6)
    silent = [[*row[:3], None] for row in rows]

    with_rows, without = _of(kind, silent), _of(kind, [row[:3] for row in rows], n_annotators=N_ANNOTATORS)

    _assert_same(factory().fit(with_rows).predict(with_rows), factory().fit(without).predict(without))


def promise_empty_tables_work(factory: Factory, kind: LabelKind) -> None:
    """No items, items without answers, and abstentions alone."""
    tables: list[list[list[Any]]] = [[], [[], []], [[None, None]]]
    for rows in tables:
        table = _of(kind, rows)
        merged = factory().fit(table).predict(table)
        assert all(value is None for value, *_ in merged)
        assert len(merged) == len(rows)


def promise_same_answers_same_bits(factory: Factory, kind: LabelKind) -> None:
    """Fitting twice gives the same values, confidences and reliabilities; the table stays as it was."""
    table = _table(kind, seed=9, n_items=10)
    before = copy.deepcopy(table.values)

    first, second = factory().fit(table), factory().fit(table)

    assert first.predict(table) == second.predict(table)
    np.testing.assert_array_equal(first.reliability_, second.reliability_)
    assert before == table.values


def promise_strangers_are_trusted_on_average(factory: Factory, kind: LabelKind) -> None:
    """Annotators that were not fitted may answer too."""
    model = factory().fit(_table(kind, seed=10, n_items=6))
    rows = _mixed(kind, seed=11, n_items=4)
    strangers = _of(kind, rows, names=[f"stranger {j}" for j in range(N_ANNOTATORS)])

    assert all(value is not None for value, *_ in model.predict(strangers))


def _mixed(kind: LabelKind, *, seed: int, n_items: int) -> list[list[Any]]:
    """Rows of answers: most annotators say the same on an item, some something else."""
    draw = np.random.default_rng(seed)
    values = list(kind.examples(SCHEMA))
    rows = []
    for _ in range(n_items):
        truth = draw.integers(len(values))
        said = np.where(draw.random(N_ANNOTATORS) < 0.7, truth, draw.integers(len(values), size=N_ANNOTATORS))
        rows.append([values[k] for k in said])
    return rows


def _table(kind: LabelKind, *, seed: int, n_items: int) -> AnswerTable:
    return _of(kind, [*_mixed(kind, seed=seed, n_items=n_items - 1), []], n_annotators=N_ANNOTATORS)


def _of(
    kind: LabelKind, rows: Sequence[Sequence[Any]], *, n_annotators: int | None = None, names: Sequence[str] = ()
) -> AnswerTable:
    """Row i: what annotators 0, 1, ... answer on item i."""
    width = n_annotators or max((len(row) for row in rows), default=1)
    cells = [(i, j, value) for i, row in enumerate(rows) for j, value in enumerate(row)]
    return AnswerTable(
        kind,
        [f"item {i}" for i in range(len(rows))],
        names or [f"annotator {j}" for j in range(width)],
        [i for i, _, _ in cells],
        [j for _, j, _ in cells],
        [value for *_, value in cells],
        classes=SCHEMA.classes,
    )


def _assert_same(expected: Sequence[Any], found: Sequence[Any]) -> None:
    assert [value for value, *_ in expected] == [value for value, *_ in found]
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose([one.confidence, *one.parts], [other.confidence, *other.parts], atol=1e-9)


PROMISES = [
    promise_one_merged_value_an_item,
    promise_a_sole_answer_stays,
    promise_shared_answers_stay,
    promise_nothing_there_stays,
    promise_order_of_items_is_irrelevant,
    promise_order_of_annotators_is_irrelevant,
    promise_parts_of_a_table_get_the_same,
    promise_reliability_is_a_share,
    promise_a_careless_annotator_is_trusted_least,
    promise_abstentions_say_nothing,
    promise_empty_tables_work,
    promise_same_answers_same_bits,
    promise_strangers_are_trusted_on_average,
]
