"""Many tests at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from labelmill.errors import UsageError
from labelmill.quality.bounds import clopper_pearson_interval, clopper_pearson_upper
from labelmill.quality.multiplicity import adjusted, believed


def test_as_scipy_adjusts() -> None:
    """The levels are those of scipy's false_discovery_control, ties and ends included."""
    rng = np.random.default_rng(0)
    for p in (rng.random(50) ** 3, np.array([0.2, 0.2, 0.2]), np.array([0.0, 1.0])):
        assert adjusted(p) == pytest.approx(stats.false_discovery_control(p))


def test_pure_chance_is_rarely_believed() -> None:
    """Of 1,000 families of 30 tests without effect, some 5 % have a believed one at level 5 %."""
    rng = np.random.default_rng(0)

    alarms = np.mean([believed(rng.random(30), 0.05).any() for _ in range(1000)])

    assert 0.03 < alarms < 0.07


def test_none_and_no_probabilities() -> None:
    """No tests give none; what is no probability is refused."""
    assert adjusted([]).shape == (0,)
    with pytest.raises(UsageError, match="probabilities"):
        adjusted([0.5, np.nan])


def test_the_exact_interval() -> None:
    """Clopper-Pearson as scipy has it, open ends closed, NaN without trials; its upper end is the one-sided bound."""
    low, high = clopper_pearson_interval([0, 3, 10, 0], [10, 10, 10, 0])

    for i, s in enumerate((0, 3, 10)):
        exact = stats.binomtest(s, 10).proportion_ci(method="exact")
        assert (low[i], high[i]) == pytest.approx((exact.low, exact.high))
    assert np.isnan([low[3], high[3]]).all()
    assert high[1] == pytest.approx(clopper_pearson_upper(3, 10, risk=0.025))
