"""Facts about `labelmill.quality.agreement`."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import cohen_kappa_score

from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError
from labelmill.quality.agreement import agreement, cohen_kappa, krippendorff_alpha

CLASSES = ["1", "2", "3", "4", "5"]

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", https://repository.upenn.edu/asc_papers/43:
# the rows are observers, a dot is a missing vote.
BINARY = ["1211111121", "2221121111"]
NOMINAL = ["112243335441", "212223335444"]
MISSING = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]


def table(rows: list[str]) -> VoteTable:
    """The votes of observers written one a row, a dot where one is missing."""
    matrix = np.array([[-1 if c == "." else int(c) - 1 for c in row] for row in rows]).T
    return VoteTable.from_matrix(matrix, classes=CLASSES)


def as_rows(votes: VoteTable) -> VoteTable:
    """The same votes without their matrix."""
    return VoteTable(votes.items, votes.annotators, votes.classes, votes.item_index, votes.annotator_index, votes.label)


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


def test_kappa_of_a_published_table() -> None:
    """31, 12, 4, 58 give 0.6757 (Fleiss and Paik 2003; value from the manual of the R package statpsych)."""
    pairs = [(0, 0)] * 31 + [(0, 1)] * 12 + [(1, 0)] * 4 + [(1, 1)] * 58

    result = cohen_kappa(VoteTable.from_matrix(pairs, classes=["no", "yes"]))

    assert round(float(result.kappa[0, 1]), 7) == 0.6756757
    assert result.counts[0, 1] == 105
    assert round(result.mean, 7) == 0.6756757


def test_kappa_equals_scikit_learns_on_shared_items() -> None:
    """Every pair, over the items both voted on."""
    rng = np.random.default_rng(0)
    matrix = rng.integers(-1, 4, size=(200, 5))

    result = cohen_kappa(as_rows(VoteTable.from_matrix(matrix, classes=CLASSES)))

    for a in range(5):
        for b in range(a):
            both = (matrix[:, [a, b]] >= 0).all(axis=1)
            assert cohen_kappa_score(matrix[both, a], matrix[both, b]) == pytest.approx(result.kappa[a, b])


def test_pairs_that_never_meet_have_no_kappa() -> None:
    """NaN in the table, and no mean."""
    result = cohen_kappa(VoteTable.from_matrix([[0, -1], [-1, 1]], classes=["a", "b"]))

    assert np.isnan(result.kappa[0, 1])
    assert np.isnan(result.mean)


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
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["alpha"] is None


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
