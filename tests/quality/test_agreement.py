"""Facts about `labelmill.quality.agreement`."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.quality.agreement_examples import BINARY, CLASSES, MISSING, NOMINAL, as_rows, table

from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError
from labelmill.quality.agreement import agreement, cohen_kappa, krippendorff_alpha


def alpha_by_hand(matrix: npt.NDArray[np.int16]) -> float:
    """Alpha from the coincidence matrix, pair by pair."""
    k = 5
    pairs = np.zeros((k, k))
    for row in matrix:
        seen = [c for c in row.tolist() if c >= 0]
        for i, a in enumerate(seen):
            for j, b in enumerate(seen):
                if i != j:
                    pairs[a, b] += 1 / (len(seen) - 1)
    n, totals = pairs.sum(), pairs.sum(axis=0)
    if n < 2 or n * n == (totals**2).sum():
        return float("nan")
    return float(1 - (n - np.trace(pairs)) / n / ((n * n - (totals**2).sum()) / (n * (n - 1))))


@pytest.mark.parametrize(("rows", "alpha"), [(BINARY, 0.095), (NOMINAL, 0.692), (MISSING, 0.743)])
def test_alpha_of_krippendorffs_own_examples(rows: list[str], alpha: float) -> None:
    """Examples A (binary), B (nominal) and C (missing votes) of Krippendorff 2011."""
    votes = table(rows)

    assert alpha == round(krippendorff_alpha(votes), 3)
    assert alpha == round(krippendorff_alpha(as_rows(votes)), 3)


@settings(deadline=None)
@given(hnp.arrays(np.int16, st.tuples(st.integers(1, 15), st.integers(1, 5)), elements=st.integers(-1, 4)))
def test_alpha_equals_the_coincidence_matrix(matrix: npt.NDArray[np.int16]) -> None:
    """The closed form equals Krippendorff's matrix of coincidences, for patterns and for rows of votes."""
    votes = VoteTable.from_matrix(matrix, classes=CLASSES)
    expected = alpha_by_hand(matrix)

    assert expected == pytest.approx(krippendorff_alpha(votes), nan_ok=True)
    assert expected == pytest.approx(krippendorff_alpha(as_rows(votes)), nan_ok=True)


def test_intervals_hold_the_value_and_repeat_with_the_seed() -> None:
    """The interval lies around alpha; the same seed gives the same one."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 300)
    matrix = np.where(rng.random((300, 4)) < 0.8, truth[:, None], rng.integers(0, 3, (300, 4)))
    votes = VoteTable.from_matrix(matrix, classes=["a", "b", "c"])

    result = agreement(votes, seed=3)

    assert result.alpha_low < result.alpha < result.alpha_high
    assert result.percent_low < result.percent < result.percent_high
    assert result.alpha_high - result.alpha_low < 0.15
    assert (result.n_items, result.n_votes) == (300, 1200)
    assert result == agreement(votes, seed=3)
    assert result != agreement(votes, seed=4)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Over 100 small data sets a 90 % interval holds the value of a large one in at least 80."""
    rng = np.random.default_rng(2)

    def sample(n: int) -> VoteTable:
        truth = rng.integers(0, 2, n)
        return VoteTable.from_matrix(
            np.where(rng.random((n, 3)) < 0.7, truth[:, None], rng.integers(0, 2, (n, 3))), classes=["a", "b"]
        )

    expected = krippendorff_alpha(sample(200_000))
    results = [agreement(sample(150), confidence=0.9, n_resamples=100) for _ in range(100)]

    assert sum(r.alpha_low <= expected <= r.alpha_high for r in results) >= 80


@pytest.mark.parametrize("matrix", [[[0, -1], [-1, 1]], [[0, 0], [0, 0]], np.zeros((0, 2))])
def test_what_is_not_defined_is_none_in_json(matrix: npt.NDArray[np.int16]) -> None:
    """No item with two votes, or one class throughout: alpha is NaN, and None in JSON."""
    result = agreement(VoteTable.from_matrix(matrix, classes=["a", "b"]), n_resamples=5)

    assert np.isnan(result.alpha)
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["value"] is None


def test_impossible_options_are_refused() -> None:
    """A confidence of 95 is a slip for 0.95."""
    with pytest.raises(UsageError, match="confidence in"):
        agreement(table(MISSING), confidence=95)


@settings(deadline=None)
@given(
    hnp.arrays(np.int16, st.tuples(st.integers(1, 10), st.integers(1, 5)), elements=st.integers(-1, 4)),
    st.data(),
)
def test_a_row_counts_as_often_as_it_says(matrix: npt.NDArray[np.int16], data: st.DataObject) -> None:
    """Alpha, percent agreement and kappa of a table with multiplicities are those of the whole."""
    times = data.draw(hnp.arrays(np.int64, len(matrix), elements=st.integers(1, 4)))
    whole = VoteTable.from_matrix(np.repeat(matrix, times, axis=0), classes=CLASSES)
    short = VoteTable.from_matrix(matrix, classes=CLASSES, multiplicity=times)

    expected, found = agreement(whole, n_resamples=0), agreement(short, n_resamples=0)

    assert (expected.n_items, expected.n_votes) == (found.n_items, found.n_votes)
    assert expected.alpha == pytest.approx(found.alpha, nan_ok=True)
    assert expected.percent == pytest.approx(found.percent, nan_ok=True)
    np.testing.assert_allclose(cohen_kappa(short).kappa, cohen_kappa(whole).kappa)


def test_the_interval_of_rows_that_count_often_is_that_of_the_whole() -> None:
    """The bootstrap draws items, not rows: 300 items in 9 rows have the width of 300 items."""
    rng = np.random.default_rng(5)
    whole = VoteTable.from_matrix(rng.integers(0, 3, (300, 2)), classes=["a", "b", "c"])

    by_row, by_item = (agreement(votes, n_resamples=400) for votes in (whole.by_pattern(), as_rows(whole)))

    assert by_item.alpha_low == pytest.approx(by_row.alpha_low, abs=0.02)
    assert by_item.alpha_high == pytest.approx(by_row.alpha_high, abs=0.02)
