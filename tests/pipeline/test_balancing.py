"""Class weights and resampling as changes of targets and weights, on counts done by hand."""

from __future__ import annotations

import numpy as np
import pytest

from labelmill.pipeline._balancing import Balancing

TARGETS = np.eye(2)[[0, 0, 0, 1]]


def test_balanced_classes_weigh_the_same() -> None:
    """Three of one class and one of the other: both have the weight of two."""
    targets, weights = Balancing(class_weight="balanced")(TARGETS, np.ones(4))

    np.testing.assert_array_equal(TARGETS, targets)
    mass = weights @ targets
    np.testing.assert_allclose(mass[0], mass[1])


def test_a_soft_target_moves_towards_the_rare_class() -> None:
    """Costs of 0.5 and 1.5 make of (0.75, 0.25) even shares."""
    soft = np.vstack([TARGETS, [0.0, 0.0]])
    soft[4] = [0.75, 0.25]
    weights = np.array([1.0, 1.0, 1.0, 1.0, 0.0])

    targets, _ = Balancing(class_weight="balanced")(soft, weights)

    np.testing.assert_allclose([0.5, 0.5], targets[4])


@pytest.mark.parametrize(("resample", "mass"), [("over", [3, 3]), ("under", [1, 1]), ("mean", [2, 2])])
def test_resampling_is_a_change_of_weights(resample: str, mass: list[float]) -> None:
    """Items are drawn as often as their class needs; one that is not drawn weighs nothing."""
    _, weights = Balancing(resample=resample)(TARGETS, np.ones(4))

    np.testing.assert_allclose(mass, weights @ TARGETS)


def test_items_without_a_target_are_not_drawn() -> None:
    """They weigh nothing before and after, and count for no class."""
    _, weights = Balancing(resample="over")(TARGETS, np.array([1.0, 0.0, 0.0, 1.0]))

    np.testing.assert_array_equal([1.0, 0.0, 0.0, 1.0], weights)


def test_nothing_asked_changes_nothing() -> None:
    """The default leaves targets and weights as they are."""
    targets, weights = Balancing()(TARGETS, np.ones(4))

    assert targets is TARGETS
    np.testing.assert_array_equal(np.ones(4), weights)
