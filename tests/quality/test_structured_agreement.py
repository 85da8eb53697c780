from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from labelmill.domain.answers import AnswerTable
from labelmill.errors import UsageError
from labelmill.labels.choice import Choice
from labelmill.labels.multi_choice import MultiChoice
from labelmill.quality.agreement import krippendorff_alpha
from labelmill.quality.structured_agreement import structured_agreement


def _table(kind: Choice | MultiChoice, rows: list[list[object]], classes: tuple[str, ...] = ()) -> AnswerTable:
    cells = [(i, j, value) for i, row in enumerate(rows) for j, value in enumerate(row) if value is not None]
    width = max(len(row) for row in rows)
    return AnswerTable(
        kind,
        [str(i) for i in range(len(rows))],
        [f"ann {j}" for j in range(width)],
        [i for i, _, _ in cells],
        [j for _, j, _ in cells],
        [value for *_, value in cells],
        classes=classes,
    )


def _noisy(error: float, seed: int = 0, n_items: int = 80) -> AnswerTable:
    draw = np.random.default_rng(seed)
    truth = draw.integers(3, size=n_items)
    said = np.where(draw.random((n_items, 3)) < error, draw.integers(3, size=(n_items, 3)), truth[:, None])
    return _table(Choice(), [[f"c{k}" for k in row] for row in said])


def test_by_equality_it_is_the_nominal_alpha() -> None:
    """On class names, missing answers included, the value is that of the coefficient for classes."""
    rows: list[list[object]] = [
        ["a", "a", None],
        ["b", "a", "b"],
        [None, "b", "b"],
        ["a", None, "c"],
        ["c", "c", "c"],
        ["a"],
    ]
    table = _table(Choice(), rows)
    votes = pl.DataFrame(
        [(str(i), str(j), value) for i, row in enumerate(rows) for j, value in enumerate(row) if value is not None],
        schema=["item", "annotator", "label"],
        orient="row",
    )

    found = structured_agreement(table, n_resamples=0)

    np.testing.assert_allclose(found.value, krippendorff_alpha(votes))
    assert (found.n_items, found.n_annotators, found.n_votes) == (5, 3, 12)


def test_noise_lowers_it_and_chance_is_zero() -> None:
    """Perfect is 1, random is about 0, and in between it falls with the noise."""
    perfect, some, random = (structured_agreement(_noisy(error), n_resamples=0).value for error in (0.0, 0.3, 1.0))

    assert perfect == 1.0
    assert perfect > some > random
    assert abs(random) < 0.1


def test_interval_holds_the_value() -> None:
    """The interval surrounds the value and narrows with more items."""
    few, many = (structured_agreement(_noisy(0.3, n_items=n), n_resamples=100) for n in (30, 300))

    for found in (few, many):
        assert found.low < found.value < found.high
        assert found.percent_low < found.percent < found.percent_high
    assert many.high - many.low < few.high - few.low


def test_near_answers_count_for_more_than_far_ones() -> None:
    """Sharing one class of two is nearer than sharing none."""
    kind = MultiChoice()
    near = _table(kind, [[["a", "b"], ["a"]], [["c"], ["c", "d"]], [["e"], ["e"]]])
    far = _table(kind, [[["a", "b"], ["c"]], [["c"], ["d"]], [["e"], ["e"]]])

    assert structured_agreement(near, n_resamples=0).value > structured_agreement(far, n_resamples=0).value


def test_pairs_show_who_differs() -> None:
    """The pair without the careless annotator agrees most; each is there once."""
    draw = np.random.default_rng(1)
    rows: list[list[object]] = [[f"c{k}", f"c{k}", f"c{draw.integers(4)}"] for k in draw.integers(4, size=60)]

    parts = structured_agreement(_table(Choice(), rows), by="pair", n_resamples=20).parts

    assert parts is not None
    assert [("ann 0", "ann 1"), ("ann 0", "ann 2"), ("ann 1", "ann 2")] == parts.select("annotator", "other").rows()
    assert parts["value"][0] == 1.0
    assert parts["value"][1:].max() < 0.5  # type: ignore[operator]  # a number
    assert [60] * 3 == parts["n_items"].to_list()


def test_mean_over_items_gives_the_whole() -> None:
    """With as many answers on each item the items' values average to alpha."""
    table = _noisy(0.4, seed=3)

    whole = structured_agreement(table, by="item", n_resamples=0)

    assert whole.parts is not None
    np.testing.assert_allclose(whole.parts["value"].mean(), whole.value)  # type: ignore[arg-type]  # a number


@pytest.mark.parametrize(
    ("rows", "reason"),
    [([["a"], ["b"]], "no item has two answers"), ([["a", "a"], ["a", "a"]], "all answers are equal")],
)
def test_undefined_says_why(rows: list[list[object]], reason: str) -> None:
    """Without two answers on an item, or without a difference, there is no value."""
    found = structured_agreement(_table(Choice(), rows), by="pair", n_resamples=5)

    assert np.isnan(found.value)
    assert reason in found.reason


def test_by_class_needs_elements() -> None:
    """Plain class names have no elements to take away."""
    with pytest.raises(UsageError, match="lists of elements"):
        structured_agreement(_noisy(0.2), by="class")
