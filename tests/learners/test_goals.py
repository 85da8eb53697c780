"""The loss of distillation, the weights of rare classes, and what is no goal."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from labelmill.errors import UsageError
from labelmill.learners._goals import Goals

TARGETS = np.array([[1.0, 0.0], [0.3, 0.7], [0.5, 0.5]])
LOGITS = torch.tensor([[0.5, -0.5], [2.0, 1.0], [0.0, 0.0]])
ROWS = np.arange(3)


def test_without_a_teacher_the_loss_is_cross_entropy_to_the_consensus() -> None:
    """Probabilities are taken as they are; a weight of 2 counts twice; weights are 1 on average."""
    goals = Goals.of(TARGETS, np.array([1.0, 2.0, 3.0]), None)

    losses = goals.losses(LOGITS, ROWS)

    log_p = torch.log_softmax(LOGITS, dim=1).numpy()
    expected = -(TARGETS * log_p).sum(axis=1) * np.array([0.5, 1.0, 1.5])
    np.testing.assert_allclose(expected, losses.numpy(), rtol=1e-5)


def test_with_a_teacher_the_loss_is_that_of_the_paper() -> None:
    """(1 - lambda) task + lambda T^2 KL(teacher || student), both at temperature T."""
    logits_of_teacher = np.array([[1.0, 3.0], [0.2, -1.0], [4.0, 4.5]])
    teacher = np.exp(logits_of_teacher) / np.exp(logits_of_teacher).sum(axis=1, keepdims=True)
    goals = Goals.of(TARGETS, np.ones(3), teacher, share=0.25, temperature=3.0)

    losses = goals.losses(LOGITS, ROWS)

    soft = np.exp(logits_of_teacher / 3) / np.exp(logits_of_teacher / 3).sum(axis=1, keepdims=True)
    log_soft = torch.log_softmax(LOGITS / 3, dim=1).numpy()
    divergence = (soft * (np.log(soft) - log_soft)).sum(axis=1)
    task = -(TARGETS * torch.log_softmax(LOGITS, dim=1).numpy()).sum(axis=1)
    np.testing.assert_allclose(0.75 * task + 0.25 * 9 * divergence, losses.numpy(), rtol=1e-5)


def test_an_item_that_the_teacher_passed_over_has_the_task_alone() -> None:
    """And one without a consensus has the teacher alone."""
    teacher = np.array([[np.nan, np.nan], [0.3, 0.7], [0.5, 0.5]])
    goals = Goals.of(TARGETS, np.array([1.0, 0.0, 0.0]), teacher, share=0.5, temperature=1.0)

    losses = goals.losses(torch.tensor([[0.0, 0.0], [math.log(0.3), math.log(0.7)], [0.0, 1.0]]), ROWS)

    assert float(losses[0]) == pytest.approx(0.5 * math.log(2))
    assert float(losses[1]) == pytest.approx(0.0, abs=1e-6)
    assert float(losses[2]) > 0
    assert [True, True, True] == goals.teaches.tolist()


def test_rare_classes_count_as_much_by_weights_or_by_chances() -> None:
    """One item in five: its weight, or how often it is drawn, is that of the four others."""
    targets = np.eye(2)[[0, 0, 0, 0, 1]]

    weighed = Goals.of(targets, np.ones(5), None, imbalance="weights")
    drawn = Goals.of(targets, np.ones(5), None, imbalance="resampling")

    np.testing.assert_allclose(4, weighed.weights[4] / weighed.weights[0])
    assert drawn.chances is not None
    np.testing.assert_allclose(4, drawn.chances[4] / drawn.chances[0])
    np.testing.assert_array_equal(np.ones(5), drawn.weights)


def test_unsure_targets_weigh_less() -> None:
    """By their entropy: an even one nothing, a certain one all."""
    goals = Goals.of(TARGETS, np.ones(3), None, is_confident=True)

    assert goals.weights[0] > goals.weights[1] > 0
    assert goals.weights[2] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"share": 1.5}, "teacher_share must lie between 0"),
        ({"temperature": 0.0}, "temperature must be above 0"),
        ({"imbalance": "weight"}, "did you mean 'weights'"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any], said: str) -> None:
    """The message says what is possible."""
    with pytest.raises(UsageError, match=said):
        Goals.of(TARGETS, np.ones(3), None, **options)
