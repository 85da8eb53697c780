from __future__ import annotations

import pytest

from labelmill.labels.rating import Rating

STARS = Rating(classes=("poor", "fair", "good", "excellent"))


def test_distance_counts_steps() -> None:
    """Steps between two levels as a share of the longest way."""
    assert STARS.distance("poor", "fair") == pytest.approx(1 / 3)
    assert STARS.distance("poor", "excellent") == 1.0


def test_the_median_is_robust() -> None:
    """The weighted median follows the weight, not the extremes; of two middle levels the lower."""
    assert STARS.merge(["poor", "good", "excellent"], [1, 1, 1]) == "good"
    assert STARS.merge(["fair", "good"], [0.1, 0.1]) == "fair"
    assert STARS.merge(["poor", "poor", "excellent"], [1, 1, 3]) == "excellent"
    assert STARS.merge(["poor", "good"], [0, 1]) == "good"


def test_without_an_order_levels_are_only_different() -> None:
    """Nothing is known of how far apart they are."""
    assert Rating().distance("poor", "fair") == 1.0
