"""What an answer is worth by the posterior, and which source pays."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelmill.errors import UsageError
from labelmill.quality.routes import Source, cheapest_sources, expected_error, expected_gain


def brute(p: list[float], accuracy: float, n: int) -> float:
    """The sum over all sequences of answers, one by one."""
    k = len(p)
    right = 0.0
    for votes in itertools.product(range(k), repeat=n):
        each = [p[y] * math.prod([accuracy if v == y else (1 - accuracy) / (k - 1) for v in votes]) for y in range(k)]
        right += max(each)
    return 1 - right


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("n_answers", [1, 2, 3])
def test_it_is_the_sum_over_all_answers(n_classes: int, n_answers: int) -> None:
    """Counts of answers with their number of orders give what all orders give one by one."""
    p = np.random.default_rng(0).dirichlet(np.ones(n_classes), 4)

    found = expected_error(p, 0.8, n_answers)

    assert found == pytest.approx([brute(row.tolist(), 0.8, n_answers) for row in p])


def test_many_classes_are_told_nearly() -> None:
    """Beyond six classes the unlikely ones are merged: no more than a point off where they are unlikely."""
    rng = np.random.default_rng(1)
    rest = rng.dirichlet(np.ones(6), 5) * 0.05
    p = np.concatenate([np.tile([0.6, 0.35], (5, 1)), rest], axis=1)

    found = expected_error(p, 0.85, 3)

    assert found == pytest.approx([brute(row.tolist(), 0.85, 3) for row in p], abs=0.01)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0.0, 1.0), min_size=2, max_size=9).filter(lambda row: sum(row) > 0.1),
    st.floats(0.0, 1.0),
    st.integers(1, 3),
)
def test_an_answer_is_never_worth_less_than_nothing(row: list[float], accuracy: float, n: int) -> None:
    """Between no error and the error now, whatever is believed and whoever answers."""
    p = np.array([row]) / sum(row)

    (error,) = expected_error(p, accuracy, n)

    assert 0 <= error <= 1 - p.max() + 1e-12


def test_more_and_better_answers_are_worth_more() -> None:
    """Three are worth more than one, an expert more than either, and nobody anything on what is certain."""
    p = np.array([[0.5, 0.5], [1.0, 0.0]])
    one, three, expert = Source("one", 1, 0.8), Source("three", 3, 0.8, 3), Source("expert", 5, 1.0)

    gains = np.stack([expected_gain(p, source) for source in (one, three, expert)], axis=1)

    assert gains[0] == pytest.approx([0.3, 0.396, 0.5])
    assert gains[1].tolist() == [0, 0, 0]


def test_the_cheapest_source_that_pays() -> None:
    """A dearer one is asked where it avoids more than it costs more, none where none pays, equals by their cost."""
    gains = np.array([[0.1, 0.1], [0.1, 0.4], [0.01, 0.01]])

    assert cheapest_sources(gains, [3.0, 1.0], price=20).tolist() == [1, 1, -1]
    assert cheapest_sources(gains, [1.0, 3.0], price=20).tolist() == [0, 1, -1]
    assert cheapest_sources(gains, [0.0, 0.0], price=0).tolist() == [-1, -1, -1]
    assert cheapest_sources(np.empty((2, 0)), [], price=1).tolist() == [-1, -1]


@pytest.mark.parametrize("bad", [{"cost": -1.0}, {"cost": float("nan")}, {"accuracy": 1.1}, {"n_answers": 0}])
def test_sources_that_cannot_be_meant(bad: dict[str, float]) -> None:
    """Each is refused with its name."""
    with pytest.raises(UsageError, match="ann"):
        Source(**({"name": "ann", "cost": 1.0, "accuracy": 0.9} | bad))  # type: ignore[arg-type]  # wrong on purpose


def test_a_price_that_cannot_be_meant() -> None:
    """Neither below 0 nor no number."""
    with pytest.raises(UsageError, match="price"):
        cheapest_sources(np.zeros((1, 1)), [1.0], price=float("nan"))
