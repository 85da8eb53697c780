"""Labeling functions on data in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from labelmill.annotators import _lfs
from labelmill.annotators._lfs import LFs
from labelmill.annotators.keyword import Keyword
from labelmill.annotators.labeling_function import LabelingFunction, labeling_function
from labelmill.annotators.predictor import Predictor
from labelmill.domain.item import Item, ItemBatch
from labelmill.domain.schema import LabelSchema
from labelmill.errors import NotFittedError, UsageError

TEXTS = ["free prize", "see you", ""]
COLUMNS = {"id": ["a", "b", "c"], "text": TEXTS, "n": [1, 2, 3]}
prize = Keyword("spam", ["prize"], name="prize")


@labeling_function
def short(x: Item) -> str | None:
    if not x.text:
        raise ValueError("empty")
    return "ham" if len(x.text) < 8 else None


def test_names_are_guessed_and_sorted() -> None:
    """Without classes, those that anybody voted for, sorted by code point."""
    lfs = LFs([short, prize])

    votes = lfs.apply(TEXTS)

    assert ("ham", "spam") == votes.classes
    assert ("short", "prize") == votes.annotators
    assert ("rule", "rule") == votes.kinds
    assert [[-1, 1], [0, -1], [-1, -1]] == votes.matrix.tolist()
    assert [("2", "short", "ValueError: empty")] == [(f.item, f.annotator, f.error) for f in lfs.faults_]


def test_classes_in_the_order_given() -> None:
    """`classes` or `schema` set the order; a name outside them is a fault."""
    assert [[-1, 0], [1, -1], [-1, -1]] == LFs([short, prize]).apply(TEXTS, classes=["spam", "ham"]).matrix.tolist()
    lfs = LFs([short, prize])
    votes = lfs.apply(TEXTS, schema=LabelSchema("x", ("spam", "other")))
    assert [[-1, 0], [-1, -1], [-1, -1]] == votes.matrix.tolist()
    assert 2 == len(lfs.faults_)


def test_numbers_as_in_snorkel() -> None:
    """Functions that return 0, 1 and -1 give classes "0" and "1"."""
    votes = LFs([LabelingFunction(lambda x: 1 if "free" in x.text else -1, name="f")]).apply(TEXTS)

    assert ("0", "1") == votes.classes
    assert [[1], [-1], [-1]] == votes.matrix.tolist()


def test_numbers_beside_names_need_classes() -> None:
    """What 1 means beside names nobody can guess."""
    mixed = LFs([short, LabelingFunction(lambda x: 1, name="f")])

    with pytest.raises(UsageError, match="give classes"):
        mixed.apply(TEXTS)
    assert [[-1, 1], [0, 1], [-1, 1]] == mixed.apply(TEXTS, classes=["ham", "spam"]).matrix.tolist()


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS),
        pl.LazyFrame(COLUMNS),
        pa.table(COLUMNS),
        COLUMNS,
        [Item(i, t, meta={"n": n}) for i, t, n in zip(*COLUMNS.values(), strict=True)],
        ItemBatch(pl.DataFrame({"id": ["a", "b", "c"], "data": TEXTS, "meta.n": [1, 2, 3]})),
    ],
    ids=["pandas", "polars", "lazy", "arrow", "mapping", "items", "batch"],
)
def test_any_form_of_items(data: Any) -> None:
    """Every table and sequence of items gives the same votes, with its own columns as attributes."""
    odd = LabelingFunction(lambda x: "ham" if x.n % 2 else None, name="odd")

    votes = LFs([odd, prize]).apply(data)

    assert ["a", "b", "c"] == list(votes.items)
    assert [[0, 1], [-1, -1], [0, -1]] == votes.matrix.tolist()


def test_another_column_holds_the_text() -> None:
    """`text` names it; without ids, rows are numbered."""
    votes = LFs([prize]).apply(pl.DataFrame({"body": TEXTS}), text="body")

    assert ["0", "1", "2"] == list(votes.items)
    assert [[0], [-1], [-1]] == votes.matrix.tolist()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("one text", r"write \[text\]"),
        (pl.DataFrame({"txt": ["a"]}), "no column 'text'.*did you mean 'txt'"),
        (pl.DataFrame({"id": ["a", "a"], "text": ["x", "y"]}), "name every row differently"),
        ([1, 2], "is no table"),
        (5, "is no table"),
    ],
)
def test_other_forms_are_refused(data: Any, message: str) -> None:
    """What is no items says what would be."""
    with pytest.raises(UsageError, match=message):
        LFs([prize]).apply(data)


def test_annotators_are_checked() -> None:
    """Plain functions and doubled names are refused; the unnamed get a name from their place."""
    with pytest.raises(UsageError, match="@labeling_function"):
        LFs([len])  # type: ignore[list-item]  # what users write by mistake
    with pytest.raises(UsageError, match="several annotators are named 'short'"):
        LFs([short, short])
    assert ["short", "keyword_1"] == LFs([short, Keyword("spam", ["x"])]).names


def test_faults_come_after_apply() -> None:
    """Asking too early says what to do."""
    with pytest.raises(NotFittedError, match="call apply"):
        _ = LFs([short]).faults_


def test_several_classes_need_a_project() -> None:
    """A vote table holds one class a vote."""
    with pytest.raises(UsageError, match="multi_choice"):
        LFs([short]).apply(TEXTS, schema=LabelSchema("x", ("a", "b"), kind="multi_choice"))


def test_pieces_and_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long data is worked on in pieces; votes, probabilities and faults fit together."""
    monkeypatch.setattr(_lfs, "BATCH_ROWS", 2)
    seen: list[tuple[int, int]] = []

    class Model:
        classes_ = ("ham", "spam")

        def predict_proba(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
            return np.array([[0.25, 0.75] if "free" in text else [0.5, 0.5] for text in texts])

    lfs = LFs([short, prize, Predictor(Model(), name="model")])

    votes = lfs.apply(TEXTS, progress=lambda done, total, _=None: seen.append((done, total)))

    assert [[-1, 1, 1], [0, -1, 0], [-1, -1, 0]] == votes.matrix.tolist()
    assert [[0.25, 0.75], [0.5, 0.5], [0.5, 0.5]] == votes.soft[2].tolist()
    assert ["2"] == [fault.item for fault in lfs.faults_]
    assert (9, 9) == seen[-1]
    assert sorted(seen) == seen


def test_no_items() -> None:
    """An empty list has an empty table of votes."""
    votes = LFs([short, prize]).apply([])

    assert (0, 2) == votes.matrix.shape
