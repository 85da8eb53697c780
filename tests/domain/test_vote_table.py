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


def test_multiplicity_counts_in_totals_only() -> None:
    """A row that stands for three items is one row with three items' votes."""
    votes = VoteTable.from_matrix([[0, 1], [0, -1]], classes=["a", "b"], multiplicity=[3, 1])

    assert (votes.n_items, votes.total_items) == (2, 4)
    assert votes.n_votes == 3
    assert votes.counts.tolist() == [[1, 1], [1, 0]]


@pytest.mark.parametrize("times", [None, [2, 3, 4, 5]])
def test_a_table_by_pattern_stands_for_the_same_items(times: list[int] | None) -> None:
    """Equal rows become one, their multiplicities added; annotators and kinds stay."""
    matrix = [[0, 1], [-1, 1], [0, 1], [0, 1]]
    votes = VoteTable.from_matrix(matrix, classes=["a", "b"], kinds=["rule", "person"], multiplicity=times)

    short = votes.by_pattern()

    assert short.multiplicity is not None
    stands_for = dict(zip(map(tuple, short.matrix.tolist()), short.multiplicity.tolist(), strict=True))
    assert stands_for == ({(0, 1): 3, (-1, 1): 1} if times is None else {(0, 1): 11, (-1, 1): 3})
    assert short.total_items == votes.total_items
    assert (short.annotators, short.kinds) == (votes.annotators, votes.kinds)
    assert short.by_pattern().multiplicity.tolist() == short.multiplicity.tolist()  # type: ignore[union-attr]


def test_selected_annotators_keep_the_multiplicity() -> None:
    """Choosing annotators leaves the rows what they stand for."""
    votes = VoteTable.from_matrix([[0, 1]], classes=["a", "b"], multiplicity=[7])

    assert votes.select_annotators([1]).total_items == 7


@pytest.mark.parametrize(
    ("multiplicity", "message"), [([1], r"shape \(1,\) for 2 rows"), ([1, 0], "found a multiplicity of 0")]
)
def test_a_multiplicity_that_does_not_fit_is_refused(multiplicity: list[int], message: str) -> None:
    """There is one number for each row, and a row stands for something."""
    with pytest.raises(UsageError, match=message):
        VoteTable.from_matrix([[0], [1]], classes=["a", "b"], multiplicity=multiplicity)
