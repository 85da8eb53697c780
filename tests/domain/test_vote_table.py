from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from labelmill import VoteTable
from labelmill.errors import SchemaError, UsageError

ROWS = {"item": ["a", "a", "b", "c"], "worker": ["w", "v", "w", "v"], "label": ["x", "y", "", "x"]}


@pytest.mark.parametrize("table", [dict, pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.table], ids=lambda t: t.__name__)
def test_any_dataframe_makes_the_same_table(table: Any) -> None:
    """Mapping, pandas, polars and pyarrow give the same votes; `worker` is an annotator."""
    votes = VoteTable.of(table(ROWS))

    assert votes.annotators == ("w", "v")
    assert votes.classes == ("x", "y")
    assert votes.matrix.tolist() == [[0, 1], [-1, -1], [-1, 0]]


def test_counts_leave_abstentions_out() -> None:
    """An abstention counts for no class, and an item with nothing else has no votes."""
    votes = VoteTable.of(ROWS)

    assert votes.counts.tolist() == [[1, 1], [0, 0], [1, 0]]
    assert votes.has_votes.tolist() == [True, False, True]


def test_later_vote_supersedes() -> None:
    """Somebody who votes twice on an item has changed their mind."""
    rows = {"item": ["a", "a"], "annotator": ["w", "w"], "label": ["x", "y"]}

    assert VoteTable.of(rows).matrix.tolist() == [[1]]
    assert VoteTable.of(rows, repeats="all").counts.tolist() == [[1, 1]]


def test_patterns_compress_equal_rows() -> None:
    """Items with the same votes are one pattern, and the inverse leads back to each of them."""
    matrix = np.array([[0, 1], [0, 1], [-1, -1]])

    patterns = VoteTable.from_matrix(matrix, classes=["a", "b"]).patterns

    assert sorted(patterns.counts.tolist()) == [1, 2]
    assert patterns.rows[patterns.inverse].tolist() == matrix.tolist()


def test_many_annotators_have_patterns_too() -> None:
    """Patterns that do not fit into 64 bits are found all the same."""
    matrix = np.random.default_rng(0).integers(-1, 5, (50, 60))

    patterns = VoteTable.from_matrix(matrix, classes=list("abcde")).patterns

    assert patterns.rows[patterns.inverse].tolist() == matrix.tolist()


def test_dense_and_sparse_are_the_same_votes() -> None:
    """The long form of a dense table makes the same dense table."""
    dense = VoteTable.from_matrix([[0, -1], [1, 1]], classes=["a", "b"])

    columns = (dense.item_index, dense.annotator_index, dense.label)
    again = VoteTable(dense.items, dense.annotators, dense.classes, *columns)

    assert again.matrix.tolist() == dense.matrix.tolist()


def test_selected_annotators_keep_their_votes() -> None:
    """Choosing annotators reorders columns and nothing else."""
    votes = VoteTable.of(ROWS).select_annotators([1])

    assert votes.annotators == ("v",)
    assert votes.matrix.tolist() == [[1], [-1], [0]]


def test_no_votes_make_an_empty_table() -> None:
    """An empty table is a table."""
    votes = VoteTable.of({"item": [], "annotator": [], "label": []})

    assert (votes.n_items, votes.n_annotators, votes.n_classes) == (0, 0, 0)
    assert len(votes.patterns.counts) == 0


def test_unknown_class_is_answered_with_the_nearest() -> None:
    """A label outside the given classes is refused by name."""
    with pytest.raises(SchemaError, match="did you mean 'spam'"):
        VoteTable.of({"item": ["a"], "annotator": ["w"], "label": ["spm"]}, classes=["ham", "spam"])


def test_missing_column_is_named() -> None:
    """A table without labels is refused, and says what it has."""
    with pytest.raises(UsageError, match="'label'; found: item, worker"):
        VoteTable.of({"item": ["a"], "worker": ["w"]})


def test_index_outside_the_table_is_refused() -> None:
    """Codes are checked at the border: a wrong one would silently be somebody else's vote."""
    with pytest.raises(UsageError, match=r"annotator_index must lie in 0..0, found -1..-1"):
        VoteTable(["a"], ["w"], ["x"], [0], [-1], [0])
