from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelmill import registry
from labelmill.domain.known_answers import is_right, is_surely_below, share_interval
from labelmill.domain.schema import WITHOUT_CLASSES, LabelSchema
from labelmill.quality.bounds import wilson_interval


@given(n=st.integers(1, 300), data=st.data())
def test_interval_is_wilsons(n: int, data: st.DataObject) -> None:
    """The interval is the one that the rest of labelmill gives for a share."""
    right = data.draw(st.integers(0, n))

    low, high = wilson_interval(right, n)

    assert pytest.approx((float(low), float(high))) == share_interval(right, n)


def test_no_answers_no_interval() -> None:
    """Nothing is claimed of somebody who was never asked."""
    assert share_interval(0, 0) is None


def test_few_answers_are_never_sure() -> None:
    """Two wrong answers show nothing, ten of ten do."""
    assert not is_surely_below(0, 2, 0.7)
    assert is_surely_below(0, 10, 0.7)


def test_who_is_at_the_floor_is_seldom_caught() -> None:
    """Looked at after each of 400 answers, fewer than one in twenty who are exactly at the floor are ever called bad.

    Wilson's interval of 95 %, looked at as often, calls more than three times as many so.
    """
    rng = np.random.default_rng(7)
    floor, people, n = 0.7, 300, 400
    right = (rng.random((people, n)) < floor).cumsum(axis=1)
    by_wilson = (wilson_interval(right, np.arange(1, n + 1))[1] < floor)[:, 9:].any(axis=1).mean()

    looks = range(10, n + 1, 3)
    caught = np.mean([any(is_surely_below(int(one[k - 1]), k, floor) for k in looks) for one in right[:150]])

    assert caught <= 0.05
    assert by_wilson > 0.15


def test_who_guesses_is_caught_soon() -> None:
    """With half the answers right, and seven in ten asked for, most are caught within a hundred answers."""
    rng = np.random.default_rng(8)
    right = (rng.random((60, 100)) < 0.5).cumsum(axis=1)

    caught = [any(is_surely_below(int(one[k - 1]), k, 0.7) for k in range(10, 101, 5)) for one in right]

    assert np.mean(caught) > 0.9


@pytest.mark.parametrize("name", registry.names("label_kind"))
def test_every_kind_knows_what_is_right(name: str) -> None:
    """Of any kind of label the known answer is right, and declining is not."""
    classes = () if name in WITHOUT_CLASSES else ("a", "b", "c")
    kind = registry.find("label_kind", name)(classes=classes)
    values = kind.examples(LabelSchema("question", classes, kind=name))

    assert all(is_right(kind, value, value) for value in values)
    assert not any(is_right(kind, None, value) for value in values)
    assert not all(is_right(kind, values[0], value) for value in values)


@pytest.mark.parametrize(
    ("name", "said", "known", "expected"),
    [
        ("multi_choice", ["a"], ["a", "b"], False),
        ("rating", "b", "a", False),
        ("number", 105.0, 100.0, True),
        ("number", 130.0, 100.0, False),
        (
            "text",
            "one two three four five six seven eight nine ten",
            "one two three four five six seven eight nine 10",
            True,
        ),
        ("text", "one two three", "one two four", False),
        ("span", [{"start": 0, "end": 9, "label": "a"}], [{"start": 0, "end": 10, "label": "a"}], True),
        ("span", [{"start": 0, "end": 5, "label": "a"}], [{"start": 0, "end": 10, "label": "a"}], False),
        (
            "box",
            [{"label": "a", "x": 1.0, "y": 0.0, "width": 20.0, "height": 20.0}],
            [{"label": "a", "x": 0.0, "y": 0.0, "width": 20.0, "height": 20.0}],
            True,
        ),
    ],
)
def test_near_enough_is_right(name: str, said: object, known: object, expected: bool) -> None:
    """Classes must be equal; numbers, texts and what is drawn near enough."""
    kind = registry.find("label_kind", name)(classes=("a", "b", "c"))

    assert expected == is_right(kind, said, known)
