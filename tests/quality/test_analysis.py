"""Facts about `labelmill.quality.analysis`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError
from labelmill.quality.analysis import AnnotatorRow, analyze

MATRIX = [[0, 0, -1], [1, 0, -1], [-1, 1, -1], [-1, -1, -1], [0, 0, -1]]
MATRICES = hnp.arrays(np.int16, st.tuples(st.integers(0, 12), st.integers(1, 5)), elements=st.integers(-1, 2))


def dense(matrix: Any, **options: Any) -> VoteTable:
    return VoteTable.from_matrix(matrix, classes=["a", "b", "c"], **options)


def sparse(matrix: npt.NDArray[np.int16]) -> VoteTable:
    """The same votes, one row each, abstentions included."""
    table = dense(matrix)
    item, annotator = np.indices(matrix.shape)
    return VoteTable(table.items, table.annotators, table.classes, item.ravel(), annotator.ravel(), matrix.ravel())


def by_hand(matrix: npt.NDArray[np.int16], j: int) -> tuple[float, float, float]:
    """Coverage, overlaps and conflicts by their definition."""
    voted = overlap = conflict = 0
    for row in matrix.tolist():
        others = [label for i, label in enumerate(row) if i != j and label != ABSTAIN]
        if row[j] != ABSTAIN:
            voted += 1
            overlap += bool(others)
            conflict += any(label != row[j] for label in others)
    n = max(len(matrix), 1)
    return voted / n, overlap / n, conflict / n


def shares(row: AnnotatorRow) -> tuple[float, float, float]:
    return row.coverage, row.overlaps, row.conflicts


@settings(deadline=None)
@given(MATRICES)
def test_shares_follow_their_definition_in_both_forms(matrix: npt.NDArray[np.int16]) -> None:
    """Coverage, overlaps and conflicts equal a count by hand, for matrices and for rows of votes."""
    expected = [by_hand(matrix, j) for j in range(matrix.shape[1])]

    for table in (dense(matrix), sparse(matrix)):
        assert expected == [shares(row) for row in analyze(table).annotators]


@settings(deadline=None)
@given(MATRICES, st.data())
def test_the_form_of_the_table_changes_nothing(matrix: npt.NDArray[np.int16], data: st.DataObject) -> None:
    """Patterns and single votes give the same analysis, truth included."""
    truth = data.draw(hnp.arrays(np.int16, len(matrix), elements=st.integers(-1, 2)))

    assert analyze(dense(matrix), truth=truth).to_dict() == analyze(sparse(matrix), truth=truth).to_dict()


def test_an_analysis_by_hand() -> None:
    """Rows, summary and pairs of five items."""
    truth = np.array([0, 1, 1, 0, ABSTAIN], dtype=np.int16)

    analysis = analyze(dense(MATRIX), truth=truth, reliability=np.array([0.9, 0.6, np.nan]))

    first, second, third = analysis.annotators
    assert first.polarity == ("a", "b")
    assert (first.n_votes, first.n_correct, first.n_incorrect, first.accuracy) == (3, 2, 0, 1.0)
    assert (second.n_votes, second.n_correct, second.n_incorrect) == (4, 2, 1)
    assert (third.accuracy, third.learned_accuracy, third.n_correct) == (None, None, 0)
    assert second.learned_accuracy == 0.6
    summary = analysis.summary
    assert (summary.coverage, summary.overlaps, summary.conflicts, summary.mean_votes) == (0.8, 0.6, 0.2, 1.4)
    assert dict(summary.balance) == {"a": 5 / 7, "b": 2 / 7, "c": 0}
    assert analysis.pair_counts is not None
    assert analysis.pair_conflicts is not None
    assert analysis.pair_counts.tolist() == [[3, 3, 0], [3, 4, 0], [0, 0, 0]]
    assert analysis.pair_conflicts[0, 1] == pytest.approx(1 / 3)
    assert np.isnan(analysis.pair_conflicts[0, 2])


def test_the_frame_has_one_row_an_annotator() -> None:
    """Columns are typed whatever is known."""
    frame = analyze(dense(MATRIX, kinds=["rule", "person", None])).to_frame()

    assert frame.height == 3
    assert frame["polarity"].to_list() == [["a", "b"], ["a", "b"], []]
    assert frame["kind"].to_list() == ["rule", "person", None]
    assert frame["accuracy"].to_list() == [None, None, None]


def test_an_analysis_is_json() -> None:
    """No NaN leaves the library."""
    analysis = analyze(dense(MATRIX), truth=np.array([0, 1, 1, 0, -1], dtype=np.int16))

    assert json.loads(json.dumps(analysis.to_dict(), allow_nan=False))["pair_conflicts"][0][2] is None


def test_thousands_of_annotators_make_no_matrix_of_pairs() -> None:
    """A crowd of 3,000 is counted by vote; pairs are left out."""
    rng = np.random.default_rng(0)
    votes = VoteTable(
        [str(i) for i in range(5000)],
        [f"p{j}" for j in range(3000)],
        ["a", "b"],
        rng.integers(0, 5000, 20_000),
        rng.integers(0, 3000, 20_000),
        rng.integers(0, 2, 20_000),
    )

    analysis = analyze(votes)

    assert analysis.pair_counts is None
    assert "matrix" not in votes.__dict__
    assert sum(row.n_votes for row in analysis.annotators) == 20_000


def test_silent_doubled_lone_and_misleading_annotators_are_noted() -> None:
    """Each kind of trouble is named with its annotators."""
    rng = np.random.default_rng(0)
    good = rng.integers(0, 2, 400)
    noisy = np.where(rng.random(400) < 0.2, 1 - good, good)
    matrix = np.stack([good, good, 1 - good, np.full(400, -1), noisy, np.full(400, 2)], axis=1)
    votes = dense(matrix, annotators=["good", "copy", "inverse", "silent", "noisy", "lone"])

    notes = analyze(votes, reliability=np.array([0.9, 0.9, 0.1, np.nan, 0.8, 0.5])).notes

    assert [(note.kind, note.annotators) for note in notes] == [
        ("no_votes", ("silent",)),
        ("below_chance", ("inverse",)),
        ("only_conflicts", ("lone",)),
        ("near_duplicate", ("good", "copy")),
    ]


def test_truth_beats_the_learned_accuracy_in_notes() -> None:
    """An annotator whose true accuracy is surely below chance is noted even when the model trusts it."""
    votes = VoteTable.from_matrix(np.zeros((50, 1)), classes=["a", "b"])

    notes = analyze(votes, reliability=np.array([0.9]), truth=np.ones(50, dtype=np.int16)).notes

    assert [note.kind for note in notes] == ["below_chance"]
    assert "right on 0.0% of 50 items" in notes[0].text


def test_rules_of_one_class_that_rarely_meet_are_no_copies() -> None:
    """Rules that only ever name one class agree wherever they meet; that alone proves nothing."""
    matrix = np.full((1000, 2), -1)
    matrix[:500, 0] = 0
    matrix[400:, 1] = 0

    assert analyze(dense(matrix)).notes == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reliability": np.ones(2)}, "reliability has shape"),
        ({"truth": np.zeros(4, dtype=np.int16)}, "truth has shape"),
        ({"truth": np.full(5, 3, dtype=np.int16)}, r"truth must lie in -1..2"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    """The message gives the shape seen and the one expected."""
    with pytest.raises(UsageError, match=message):
        analyze(dense(MATRIX), **options)


@settings(deadline=None)
@given(MATRICES, st.data())
def test_a_row_counts_as_often_as_it_says(matrix: npt.NDArray[np.int16], data: st.DataObject) -> None:
    """A table with multiplicities has the figures of the whole, truth included, in both forms."""
    times = data.draw(hnp.arrays(np.int64, len(matrix), elements=st.integers(1, 4)))
    truth = data.draw(hnp.arrays(np.int16, len(matrix), elements=st.integers(-1, 2)))
    whole = analyze(dense(np.repeat(matrix, times, axis=0)), truth=np.repeat(truth, times)).to_dict()
    rows = sparse(matrix)
    columns = (rows.items, rows.annotators, rows.classes, rows.item_index, rows.annotator_index, rows.label)

    for short in (dense(matrix, multiplicity=times), VoteTable(*columns, multiplicity=times)):
        assert whole == analyze(short, truth=truth).to_dict()
