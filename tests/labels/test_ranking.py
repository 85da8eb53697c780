from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelmill.domain.schema import LabelSchema
from labelmill.errors import SchemaError
from labelmill.labels.ranking import Ranking
from labelmill.labels.ranking._kemeny import best_order

SCHEMA = LabelSchema("taste", ("tea", "milk", "beer", "wine"), kind="ranking")
KIND = Ranking(classes=SCHEMA.classes)
RANKINGS = st.permutations("abcd").flatmap(lambda p: st.sampled_from([list(p), list(p[:2]), list(p[:1])]))


def test_a_single_class_left_out_is_last() -> None:
    """It says the same, so it is the same; with more left out the list stays as it is."""
    assert KIND.validate('["wine", 0, "beer"]', SCHEMA) == ["wine", "tea", "beer", "milk"]
    assert KIND.validate(("wine",), SCHEMA) == ["wine"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "one or more class names, best first"),
        ("tea", "expected a list"),
        (["tea", "mlik"], "element 1: unknown class 'mlik'.*'milk'"),
        (["tea", "beer", "tea"], "element 2 names the class 'tea' again"),
        (["tea", None], "element 1 is an abstention"),
        ([["tea"]], "element 0"),
    ],
)
def test_the_wrong_element_is_named(value: Any, said: str) -> None:
    """The message says which element is wrong."""
    with pytest.raises(SchemaError, match=said):
        KIND.validate(value, SCHEMA)


def test_distance_is_kendalls() -> None:
    """One swap of six pairs; reversed is 1; a pair tied in one of the two counts half."""
    order = ["tea", "milk", "beer", "wine"]

    assert KIND.distance(order, ["milk", "tea", "beer", "wine"]) == pytest.approx(1 / 6)
    assert KIND.distance(order, order[::-1]) == 1.0
    assert KIND.distance(order, ["tea", "milk"]) == pytest.approx(0.5 / 6)


@given(RANKINGS, RANKINGS, RANKINGS)
def test_distance_is_a_metric(a: list[str], b: list[str], c: list[str]) -> None:
    """A detour is never shorter, partial rankings among them."""
    distance = Ranking(classes="abcd").distance

    assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-12


@pytest.mark.parametrize("seed", range(3))
def test_small_merges_are_the_best_there_are(seed: int) -> None:
    """No other order of five classes is nearer to the rankings, by trying all."""
    draw = np.random.default_rng(seed)
    names = list("abcde")
    values = [draw.permutation(names).tolist() for _ in range(4)]
    weights = draw.random(4)
    kind = Ranking(classes=names)

    def apart(order: list[str]) -> float:
        return float(sum(w * kind.distance(order, value) for w, value in zip(weights, values, strict=True)))

    merged = kind.merge(values, weights.tolist())

    assert apart(merged) == pytest.approx(min(apart(list(order)) for order in itertools.permutations(names)))


def test_large_merges_find_the_order_behind() -> None:
    """Twenty classes, nine noisy orders of them: near the truth, and nearer than any of the nine."""
    draw = np.random.default_rng(0)
    names = [f"n{k:02}" for k in range(20)]
    values = [[names[k] for k in np.argsort(np.arange(20) + draw.normal(0, 3, 20))] for _ in range(9)]
    kind = Ranking(classes=names)

    merged = best_order(names, values, [1.0] * 9)

    assert kind.distance(merged, names) < min(kind.distance(value, names) for value in values)


def test_partial_rankings_merge_to_the_median_length() -> None:
    """Three name two classes each: so does the merge."""
    assert KIND.merge([["tea", "milk"], ["tea", "beer"], ["milk", "tea"]], [1, 1, 1]) == ["tea", "milk"]
