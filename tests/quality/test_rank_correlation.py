from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from labelmill.errors import UsageError
from labelmill.quality.rank_correlation import kendall, places, spearman


@pytest.mark.parametrize("seed", range(3))
def test_both_are_scipys(seed: int) -> None:
    """With many ties, both equal SciPy's to twelve digits."""
    draw = np.random.default_rng(seed)
    a, b = draw.integers(6, size=40), draw.integers(6, size=40)

    assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-12)
    assert kendall(a, b) == pytest.approx(stats.kendalltau(a, b).statistic, abs=1e-12)


def test_the_same_order_is_one_and_its_reverse_minus_one() -> None:
    """Whatever the units."""
    a = np.array([1.0, 2.0, 5.0, 9.0])

    assert (spearman(a, a**3), kendall(a, np.log(a))) == (1.0, 1.0)
    assert (spearman(a, -a), kendall(a, -a)) == (-1.0, -1.0)


@pytest.mark.parametrize("a", [[], [1.0], [2.0, 2.0, 2.0]])
def test_too_little_says_nothing(a: list[float]) -> None:
    """None and never NaN: nothing, a single object, and all equal."""
    assert spearman(a, list(range(len(a)))) is None
    assert kendall(a, list(range(len(a)))) is None


def test_partial_rankings_can_be_compared() -> None:
    """Classes left out share the place behind."""
    assert places(["b"], ["a", "b", "c"]).tolist() == [1.0, 0.0, 1.0]


def test_what_does_not_fit_is_refused() -> None:
    """Different lengths, and scores that are not finite."""
    with pytest.raises(UsageError, match="for each object"):
        spearman([1, 2], [1, 2, 3])
    with pytest.raises(UsageError, match="NaN or infinite"):
        kendall([1, np.nan], [1, 2])
