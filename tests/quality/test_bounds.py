"""Facts about `labelmill.quality.bounds`."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelmill.errors import UsageError
from labelmill.quality.bounds import clopper_pearson_upper, hypergeometric_tail, wilson_interval


def exact_tail(k: int, n: int, marked: int, drawn: int) -> float:
    ways = sum(comb(marked, j) * comb(n - marked, drawn - j) for j in range(max(k, -1) + 1) if j <= min(marked, drawn))
    return ways / comb(n, drawn)


@given(st.integers(0, 60), st.data())
def test_the_hypergeometric_tail_is_the_count_of_draws(n: int, data: st.DataObject) -> None:
    """The tail equals the share of draws with at most k marked items."""
    marked, drawn = data.draw(st.integers(0, n)), data.draw(st.integers(0, n))
    k = data.draw(st.integers(-1, n))

    assert exact_tail(k, n, marked, drawn) == pytest.approx(hypergeometric_tail(k, n, marked, drawn), rel=1e-9)


@pytest.mark.parametrize("n_items", [10**6, 10**9])
def test_the_tail_keeps_its_precision_on_many_items(n_items: int) -> None:
    """With few draws from very many items the tail is the binomial one to within 1e-5 and the draws' share."""
    drawn, share = 200, 0.05
    binomial = sum(comb(drawn, j) * share**j * (1 - share) ** (drawn - j) for j in range(4))

    tail = hypergeometric_tail(3, n_items, int(n_items * share), drawn)

    assert binomial == pytest.approx(tail, rel=1e-5 + 5 * drawn / n_items)


def test_wilson_agrees_with_a_published_interval() -> None:
    """81 of 263: 0.2553 to 0.3662 (Newcombe 1998, Statistics in Medicine 17:857, table I, method 3)."""
    low, high = wilson_interval([81, 15, 0, 1], [263, 148, 20, 29])

    assert np.round(low, 4).tolist() == [0.2553, 0.0624, 0.0, 0.0061]
    assert np.round(high, 4).tolist() == [0.3662, 0.1605, 0.1611, 0.1718]


def test_wilson_of_no_trial_is_not_a_number() -> None:
    """Nobody asked, nothing known."""
    low, high = wilson_interval(0, 0)

    assert np.isnan(low)
    assert np.isnan(high)


@given(st.integers(1, 80), st.floats(0.01, 0.3), st.data())
def test_clopper_pearson_solves_its_equation(checked: int, risk: float, data: st.DataObject) -> None:
    """At the bound, seeing so few wrong has exactly the probability spent."""
    wrong = data.draw(st.integers(0, checked - 1))

    p = clopper_pearson_upper(wrong, checked, risk=risk)

    assert risk == pytest.approx(sum(comb(checked, j) * p**j * (1 - p) ** (checked - j) for j in range(wrong + 1)))


def test_clopper_pearson_knows_nothing_when_all_are_wrong() -> None:
    """All wrong, or none checked: the bound is 1."""
    assert clopper_pearson_upper(3, 3, risk=0.05) == 1
    assert clopper_pearson_upper(0, 0, risk=0.05) == 1


@pytest.mark.parametrize(("wrong", "checked", "risk"), [(3, 2, 0.1), (-1, 2, 0.1), (1, 2, 0.0), (1, 2, 1.0)])
def test_clopper_pearson_refuses_impossible_counts(wrong: int, checked: int, risk: float) -> None:
    """More wrong than checked, or no risk at all, is a mistake of the caller."""
    with pytest.raises(UsageError):
        clopper_pearson_upper(wrong, checked, risk=risk)
