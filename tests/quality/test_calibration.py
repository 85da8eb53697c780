"""Facts about `labelmill.quality.calibration`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from labelmill.errors import UsageError
from labelmill.quality.calibration import best_temperature, calibration, tempered


def test_a_diagram_by_hand() -> None:
    """Two bins: 0.6 right half the time, 0.9 right always; ECE is the weighted mean of 0.1 and 0.1."""
    p = np.array([[0.6, 0.4], [0.4, 0.6], [0.9, 0.1], [0.1, 0.9]])

    result = calibration(p, np.array([0, 0, 0, 1]))

    seen = [(round(b.low, 9), round(b.high, 9), b.n_items, b.accuracy) for b in result.bins]
    assert seen == [(0.5, 0.6, 2, 0.5), (0.8, 0.9, 2, 1.0)]
    assert result.expected_error == pytest.approx(0.1)
    assert result.largest_error == pytest.approx(0.1)
    assert result.brier == pytest.approx((2 * 0.16 + 2 * 0.36 + 4 * 0.01) / 4)
    assert (result.accuracy, result.n_items) == (0.75, 4)


def test_calibrated_probabilities_have_a_small_error() -> None:
    """Truth drawn from the probabilities: the error is that of chance; sharpened ones are far off."""
    rng = np.random.default_rng(0)
    p = rng.dirichlet([1, 1, 1], size=20_000)
    truth = (rng.random(20_000)[:, None] > p.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    sharp = p**3 / (p**3).sum(axis=1, keepdims=True)

    assert calibration(p, truth).expected_error < 0.02
    assert calibration(sharp, truth).expected_error > 0.1


def test_items_without_truth_are_left_out() -> None:
    """Only known truth counts; with none nothing is defined, and JSON says None."""
    p = np.array([[1.0, 0.0], [0.5, 0.5]])

    assert calibration(p, np.array([0, -1])).n_items == 1
    assert json.loads(json.dumps(calibration(p, np.array([-1, -1])).to_dict(), allow_nan=False))["brier"] is None


@pytest.mark.parametrize(
    ("shape", "truth", "options", "message"),
    [
        ((2,), [0, 0], {}, "expected"),
        ((2, 2), [0], {}, "expected"),
        ((2, 2), [0, 2], {}, r"truth must lie in -1..1"),
        ((2, 2), [0, 1], {"n_bins": 0}, "n_bins must be 1 or more"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    shape: tuple[int, ...], truth: list[int], options: dict[str, Any], message: str
) -> None:
    """The message gives the shapes seen and expected."""
    with pytest.raises(UsageError, match=message):
        calibration(np.full(shape, 0.5), np.array(truth), **options)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_temperature_undoes_a_power(power: float) -> None:
    """Honest probabilities raised to a power are honest again at one over it; the likeliest class stays."""
    rng = np.random.default_rng(3)
    honest = rng.dirichlet([1, 1, 1], size=20_000)
    truth = (rng.random(20_000)[:, None] > honest.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    bent = tempered(honest, power)

    temperature = best_temperature(bent, truth)

    assert temperature == pytest.approx(1 / power, rel=0.05)
    np.testing.assert_array_equal(honest.argmax(axis=1), tempered(bent, temperature).argmax(axis=1))


def test_truth_that_is_never_contradicted_asks_for_no_certainty() -> None:
    """Without one error the temperature stays within its bounds, and without truth it is 1."""
    sure = np.tile([0.9, 0.1], (60, 1))

    assert 1.0 < best_temperature(sure, np.zeros(60, dtype=int)) < 5.0
    assert best_temperature(sure, np.full(60, -1)) == 1.0
