"""Predictors: probabilities of a model as votes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

from labelmill.annotators.predictor import Predictor
from labelmill.domain.item import ItemBatch
from labelmill.domain.schema import LabelSchema
from labelmill.errors import RulesError

SCHEMA = LabelSchema("topic", ("art", "money", "sport"))


class Fixed:
    """Says what it is told to, row by row."""

    def __init__(self, rows: dict[str, Any]) -> None:
        self.rows = rows
        self.calls = 0

    def predict_proba(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Rows of the texts."""
        self.calls += 1
        if any(self.rows[text] == "fail" for text in texts):
            raise ValueError("out of words")
        return np.array([self.rows[text] for text in texts], dtype=float)


def test_columns_are_mapped_to_the_schema() -> None:
    """The model's order of classes is its own; classes it does not know get probability 0."""
    model = Predictor(Fixed({"a": [0.9, 0.1], "b": [0.2, 0.8]}), classes=["sport", "art"])

    votes = model.annotate(ItemBatch.from_texts(["a", "b"]), SCHEMA)

    assert [2, 0] == list(votes.labels)
    assert votes.probabilities is not None
    np.testing.assert_allclose([[0.1, 0, 0.9], [0.8, 0, 0.2]], votes.probabilities)


def test_unsure_is_an_abstention() -> None:
    """Below `min_confidence` there is no vote and no probability."""
    model = Predictor(Fixed({"a": [0.6, 0.4], "b": [0.2, 0.8]}), classes=["art", "money"], min_confidence=0.7)

    votes = model.annotate(ItemBatch.from_texts(["a", "b"]), SCHEMA)

    assert [-1, 1] == list(votes.labels)
    assert votes.probabilities is not None
    assert np.isnan(votes.probabilities[0]).all()


def test_failing_items_are_found_by_halving() -> None:
    """Two of 64 items fail: two faults, all others keep their votes, in few calls."""
    rows: dict[str, Any] = {f"t{i}": [1.0, 0.0] for i in range(64)}
    rows["t7"] = rows["t40"] = "fail"
    fixed = Fixed(rows)

    votes = Predictor(fixed, classes=["art", "money"], name="m").annotate(ItemBatch.from_texts(rows), SCHEMA)

    assert ["7", "40"] == [fault.item for fault in votes.faults]
    assert 62 == (np.asarray(votes.labels) == 0).sum()
    assert "ValueError: out of words" == votes.faults[0].error
    assert "predict_proba" in votes.faults[0].traceback
    assert fixed.calls < 30


@pytest.mark.parametrize(
    ("row", "message"),
    [([0.5, 0.6], "sum to 1"), ([np.nan, 1], "NaN"), ([-1, 2], "outside 0..1"), ([1.0], "shape")],
)
def test_values_that_are_no_probabilities(row: list[float], message: str) -> None:
    """What is no probability is a fault."""
    votes = Predictor(Fixed({"a": row}), classes=["art", "money"]).annotate(ItemBatch.from_texts(["a"]), SCHEMA)

    assert message in votes.faults[0].error
    assert [-1] == list(votes.labels)


def test_multi_choice_names_every_probable_class() -> None:
    """Independent probabilities: each class of at least one half."""
    model = Predictor(Fixed({"a": [0.9, 0.7, 0.1], "b": [0.1, 0.2, 0.0]}), classes=SCHEMA.classes)
    many = LabelSchema("topic", SCHEMA.classes, kind="multi_choice")

    votes = model.annotate(ItemBatch.from_texts(["a", "b"]), many)

    assert [(0, 1), ()] == votes.labels


def test_items_instead_of_texts() -> None:
    """A model may ask for the whole batch."""

    class Lengths:
        classes_ = np.array([0, 1])

        def predict_proba(self, batch: ItemBatch) -> npt.NDArray[np.float64]:
            long = batch.column("text").str.len_chars().to_numpy() > 3
            return np.column_stack([~long, long]).astype(float)

    votes = Predictor(Lengths(), takes="items").annotate(ItemBatch.from_texts(["abc", "abcd"]), SCHEMA)

    assert [0, 1] == list(votes.labels)


def test_a_fitted_pipeline_is_a_predictor() -> None:
    """A scikit-learn pipeline brings its own classes, and a fingerprint of what it has learned."""
    texts, labels = ["goal ball", "bank price", "ball game", "price cash"], ["sport", "money", "sport", "money"]
    first = Predictor(make_pipeline(CountVectorizer(), MultinomialNB()).fit(texts, labels))
    again = Predictor(make_pipeline(CountVectorizer(), MultinomialNB()).fit(texts, labels))
    other = Predictor(make_pipeline(CountVectorizer(), MultinomialNB()).fit(texts, labels[::-1]))

    votes = first.annotate(ItemBatch.from_texts(["a ball", "cash"]), SCHEMA)

    assert [2, 1] == list(votes.labels)
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (object(), {}, "predict_proba"),
        (Fixed({}), {}, "does not say its classes"),
        (Fixed({}), {"classes": ["a"], "takes": "rows"}, "did you mean|Known"),
        (Fixed({}), {"classes": ["a"], "min_confidence": 2}, "between 0 and 1"),
    ],
)
def test_bad_options_are_refused(model: object, options: dict[str, Any], message: str) -> None:
    """What cannot predict is said where it is written."""
    with pytest.raises(RulesError, match=message):
        Predictor(model, **options)


def test_foreign_classes_are_faults() -> None:
    """A class the schema does not have is a fault of every item."""
    votes = Predictor(Fixed({"a": [1, 0]}), classes=["art", "arts"]).annotate(ItemBatch.from_texts(["a"]), SCHEMA)

    assert "unknown class 'arts'" in votes.faults[0].error


def test_a_function_is_a_model_too() -> None:
    """It is called with the texts; rows that are mappings say their own order."""
    table = Predictor(lambda texts: [[0.9, 0.1] for _ in texts], classes=["sport", "art"])
    named = Predictor(lambda texts: [{"art": 0.3, "sport": 0.7} for _ in texts], classes=["art", "sport"])

    assert [2] == list(table.annotate(ItemBatch.from_texts(["a"]), SCHEMA).labels)
    assert [2] == list(named.annotate(ItemBatch.from_texts(["a"]), SCHEMA).labels)


def test_a_model_s_own_names_win_over_the_order_told() -> None:
    """The same names in another order are the model's; other names are refused."""

    class Sure(Fixed):
        classes_ = ("sport", "art")

    model = Predictor(Sure({"a": [0.9, 0.1]}), classes=["art", "sport"])

    assert [2] == list(model.annotate(ItemBatch.from_texts(["a"]), SCHEMA).labels)
    with pytest.raises(RulesError, match="own classes are sport, art"):
        Predictor(Sure({}), classes=["art", "money"])


def test_batches_have_the_size_that_is_told() -> None:
    """A model is given no more items at once; the order stays."""
    model = Fixed({str(n): [1, 0] if n % 2 else [0, 1] for n in range(5)})

    votes = Predictor(model, classes=["art", "money"], batch_size=2).annotate(
        ItemBatch.from_texts([str(n) for n in range(5)]), SCHEMA
    )

    assert [1, 0, 1, 0, 1] == list(votes.labels)
    assert 3 == model.calls
