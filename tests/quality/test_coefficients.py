"""Facts about `labelmill.quality.coefficients`: published values, and every pair of votes summed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.quality.agreement_examples import CLASSES, MISSING, Delta, as_rows, by_hand, diagnoses, of_cells, table

from labelmill.domain.vote_table import VoteTable
from labelmill.quality.agreement import BY, By, agreement
from labelmill.quality.coefficients import COEFFICIENTS, Metric
from labelmill.quality.distances import Level

METRICS = list(COEFFICIENTS)

DELTAS: dict[Level, Delta] = {
    "nominal": lambda a, b: float(a != b),
    "interval": lambda a, b: float((a - b) ** 2),
    "ratio": lambda a, b: ((a - b) / (a + b + 2)) ** 2,  # of the numbers 1 to 5 that the indices stand for
    "linear": lambda a, b: float(abs(a - b)),
}


def value(votes: VoteTable, metric: Metric, level: Any = "nominal") -> float:
    """The coefficient alone."""
    return agreement(votes, metric=metric, level=level, n_resamples=0).value


@pytest.mark.parametrize(
    ("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_alpha_of_krippendorffs_reliability_data(level: Level, alpha: float) -> None:
    """Four observers, twelve units, missing votes: the four values of Krippendorff 2011."""
    assert alpha == round(value(table(MISSING), "krippendorff", level), 3)
    assert alpha == round(value(as_rows(table(MISSING)), "krippendorff", level), 3)


@pytest.mark.parametrize(
    ("metric", "level", "expected"),
    [
        ("fleiss", "nominal", 0.76117),
        ("gwet", "nominal", 0.77544),
        ("fleiss", "ordinal", 0.85021),
        ("gwet", "ordinal", 0.89894),
        ("fleiss", "quadratic", 0.86494),
        ("gwet", "quadratic", 0.91400),
        ("fleiss", "linear", 0.81794),
        ("gwet", "linear", 0.85874),
        ("fleiss", "ratio", 0.82134),
        ("gwet", "ratio", 0.85737),
    ],
)
def test_four_raters_of_gwets_handbook(metric: Metric, level: Level, expected: float) -> None:
    """The same data is `cac.raw4raters` of Gwet 2014; values of his package irrCAC with the weights of each name."""
    assert expected == round(value(table(MISSING), metric, level), 5)


def test_kappa_of_fleiss_patients() -> None:
    """Fleiss 1971: 0.430 over all, and 0.245, 0.245, 0.520, 0.471, 0.566 for the five diagnoses."""
    found = agreement(diagnoses(), metric="fleiss", by="class", n_resamples=0)

    assert round(found.value, 3) == 0.430
    assert found.parts is not None
    assert [round(x, 3) for x in found.parts["value"]] == [0.245, 0.245, 0.520, 0.471, 0.566]


def test_weighted_kappa_of_cohen() -> None:
    """Cohen 1968, table 1: 0.492 without weights and 0.348 with his disagreement of 1, 3 and 6."""
    votes = of_cells([[88, 14, 18], [10, 40, 10], [2, 6, 12]], ["disorder", "neurosis", "psychosis"])
    apart = {frozenset(["disorder", "neurosis"]): 1, frozenset(["disorder", "psychosis"]): 3}

    plain = value(votes, "cohen")
    weighted = value(votes, "cohen", lambda a, b: 0.0 if a == b else apart.get(frozenset([a, b]), 6))

    assert round(plain, 3) == 0.492
    assert round(weighted, 3) == 0.348


def test_two_abstractors_of_gwets_handbook() -> None:
    """`cont3x3abstractors` of irrCAC: kappa 0.7964094, pi 0.7962397."""
    votes = of_cells([[13, 0, 0], [0, 20, 7], [0, 4, 56]], ["ectopic", "abnormal", "normal"])

    assert round(value(votes, "cohen"), 7) == 0.7964094
    assert round(value(votes, "scott"), 7) == 0.7962397
    assert value(votes, "scott") == pytest.approx(value(votes, "fleiss"))


def test_the_paradox_that_gwet_solves() -> None:
    """Nearly all say yes: 94.4 % of the votes agree, kappa is below 0, and AC1 0.941 (Gwet 2008)."""
    votes = of_cells([[118, 5], [2, 0]], ["yes", "no"])

    assert value(votes, "percent") == pytest.approx(0.944)
    assert round(value(votes, "cohen"), 3) == -0.023
    assert round(value(votes, "gwet"), 3) == 0.941


MATRICES = hnp.arrays(np.int16, st.tuples(st.integers(1, 9), st.integers(1, 4)), elements=st.integers(-1, 4))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("level", DELTAS)
@settings(deadline=None, max_examples=40)
@given(MATRICES)
def test_equals_the_sum_over_pairs(metric: Metric, level: Level, matrix: npt.NDArray[np.int16]) -> None:
    """The closed forms are the definitions, of patterns and of rows of votes; what is not defined is NaN in both."""
    votes = VoteTable.from_matrix(matrix, classes=CLASSES)
    expected = by_hand(metric, matrix, DELTAS[level], 5)

    assert expected == pytest.approx(value(votes, metric, level), nan_ok=True, abs=1e-9)
    assert expected == pytest.approx(value(as_rows(votes), metric, level), nan_ok=True, abs=1e-9)


@pytest.mark.parametrize("metric", METRICS)
def test_order_changes_nothing(metric: Metric) -> None:
    """Items, annotators and classes in another order give the same value and, but for the draw, the same interval."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 5, (200, 1))
    matrix = np.where(rng.random((200, 4)) < 0.6, truth, rng.integers(-1, 5, (200, 4)))
    order = rng.permutation(5)
    shuffled = np.where(matrix >= 0, order[matrix], -1)[rng.permutation(200)][:, rng.permutation(4)]
    names = [CLASSES[i] for i in np.argsort(order)]

    one = agreement(VoteTable.from_matrix(matrix, classes=CLASSES), metric=metric)
    other = agreement(VoteTable.from_matrix(shuffled, classes=names), metric=metric)

    assert one.value == pytest.approx(other.value)
    assert one.low == pytest.approx(other.low, abs=0.02)
    assert one.high == pytest.approx(other.high, abs=0.02)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("level", [*DELTAS, "ordinal", "quadratic"])
def test_perfect_agreement_is_one(metric: Metric, level: Level) -> None:
    """Whatever the distance, whoever is missing."""
    votes = table(["1234512", "1234512", "12.4.12"])

    assert value(votes, metric, level) == 1


@pytest.mark.parametrize("metric", [m for m in METRICS if m not in ("gwet", "percent")])
def test_one_class_leaves_nothing_to_chance(metric: Metric) -> None:
    """The value is NaN, and the reason names the class."""
    found = agreement(table(["111", "111"]), metric=metric, n_resamples=5)

    assert np.isnan(found.value)
    assert "all votes name one class, '1'" in found.reason
    assert found.percent == 1


def test_gwet_knows_of_classes_that_nobody_names() -> None:
    """Of five classes all votes name one: AC1 is 1; where there is no other class it is not defined."""
    one = VoteTable.from_matrix([[0, 0], [0, 0]], classes=["a"])

    assert value(table(["111", "111"]), "gwet") == 1
    assert np.isnan(value(one, "gwet"))


@pytest.mark.parametrize(
    ("metric", "by"),
    [
        (metric, by)
        for metric in METRICS
        for by in BY
        if by != "attribute" and (by != "item" or not COEFFICIENTS[metric].is_of_pairs)
    ],
)
def test_nothing_at_all(metric: Metric, by: By) -> None:
    """No votes, or one on each item: no value, no warning, and parts without values."""
    single = VoteTable.from_matrix([[0, -1], [-1, 1]], classes=["a", "b"])
    tables: list[Any] = [single, {"item": [], "annotator": [], "label": []}, VoteTable([], [], [], [], [], [])]
    for votes in tables:
        found = agreement(votes, metric=metric, by=by)

        assert np.isnan(found.value)
        assert found.reason == "no item has two votes"
        assert found.parts is not None
        assert found.parts["value"].null_count() == found.parts.height
