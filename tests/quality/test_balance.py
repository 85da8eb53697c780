"""How even classes are, and how to even them out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelmill.errors import UsageError
from labelmill.quality.balance import Plan, class_balance, class_weights, draw, resampling_plan


def test_even_classes_are_as_many_as_they_are() -> None:
    """Four classes alike count as four, one that has all as one, none as none."""
    assert class_balance([0, 1, 2, 3], "abcd").effective_classes == pytest.approx(4)
    assert class_balance([2, 2], "abcd").effective_classes == pytest.approx(1)
    assert class_balance([-1], "ab").effective_classes == 0


def test_probabilities_count_in_parts() -> None:
    """An item that is 70 % ham counts 0.7 as ham."""
    assert class_balance([[0.7, 0.3], [0.5, 0.5]], ["ham", "spam"]).counts == pytest.approx({"ham": 1.2, "spam": 0.8})


def test_weights_of_the_paper() -> None:
    """Cui et al. 2019: (1 - beta) / (1 - beta^n), scaled to mean 1."""
    raw = {n: (1 - 0.99) / (1 - 0.99**n) for n in (500, 50, 5)}
    mean = sum(raw.values()) / 3

    weights = class_weights({"a": 500, "b": 50, "c": 5}, beta=0.99)

    assert weights == pytest.approx({"a": raw[500] / mean, "b": raw[50] / mean, "c": raw[5] / mean})


def test_beta_goes_from_even_to_inverse() -> None:
    """At 0 all classes weigh the same; near 1 as the inverse of their counts; a class without items nothing."""
    counts = {"a": 90, "b": 10, "c": 0}

    assert class_weights(counts, beta=0.0) == {"a": 1.0, "b": 1.0, "c": 0.0}
    assert class_weights(counts, beta=1 - 1e-9) == pytest.approx(class_weights(counts, weighing="inverse"), rel=1e-4)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=5), st.sampled_from(["over", "under", "mean"]))
def test_a_draw_keeps_its_plan(counts: list[int], resampling: str) -> None:
    """Each class as often as planned, each item of it equally often give or take one, the same for the same seed."""
    labels = np.repeat(np.arange(len(counts)), counts)
    names = [f"class {k}" for k in range(len(counts))]
    plan = resampling_plan(dict(zip(names, counts, strict=True)), resampling=resampling)  # type: ignore[arg-type]  # one of the literals

    drawn = draw(labels, plan, seed=1)

    assert list(plan.targets.values()) == np.bincount(labels[drawn], minlength=len(counts)).tolist()
    for k in range(len(counts)):
        often = np.bincount(drawn, minlength=len(labels))[labels == k]
        assert not len(often) or often.max() - often.min() <= 1
    assert drawn.tolist() == draw(labels, plan, seed=1).tolist()
    assert plan.n_drawn == len(drawn)


def test_repeats_have_a_limit() -> None:
    """No item is drawn more often than `most` allows."""
    assert resampling_plan({"a": 100, "b": 4}, most=3).targets == {"a": 100, "b": 12}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: class_weights({"a": -1}), "from 0 up"),
        (lambda: class_weights({"a": 1}, beta=1.0), "beta must lie"),
        (lambda: class_weights({"a": 1}, weighing="invers"), "did you mean 'inverse'"),  # type: ignore[arg-type]  # that is the point
        (lambda: resampling_plan({"a": 1}, resampling="ovr"), "did you mean 'over'"),  # type: ignore[arg-type]  # as above
        (lambda: resampling_plan({"a": 1}, most=0.5), "at least 1"),
        (lambda: class_balance([3], "ab"), "must lie in -1..1"),
        (lambda: draw([0, 0], Plan({"a": 1}, {"a": 1})), "the plan is for 1 items"),
    ],
)
def test_impossible_calls(call: object, said: str) -> None:
    """Refused with what is allowed."""
    with pytest.raises(UsageError, match=said):
        call()  # type: ignore[operator]  # it is callable
