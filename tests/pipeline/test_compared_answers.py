from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from labelmill.pipeline._compared_classes import compare_classes
from labelmill.pipeline._compared_values import compare_values, items_to_compare
from labelmill.quality.agreement import agreement
from labelmill.registry import find
from labelmill.stores.database.figures import Compared

CLASSES = ("ham", "spam", "news")


Codes = npt.NDArray[np.int64]


def _votes(*rows: tuple[int, int, int]) -> tuple[Codes, Codes, Codes]:
    """Columns of (item, user, code)."""
    items, users, codes = np.array(rows, dtype=np.int64).T
    return items, users, codes


def test_everybody_is_held_against_the_others() -> None:
    """By hand: three say spam, spam, ham; then two differ; then one declines; one item is answered by one alone."""
    rows = [(1, 0, 1), (1, 1, 1), (1, 2, 0), (2, 0, 0), (2, 1, 2), (3, 0, 1), (3, 1, -1), (4, 2, 0)]

    found = compare_classes(*_votes(*rows), CLASSES)

    # On item 1 the others of user 2 both say spam; users 0 and 1 have one spam and one ham against them: no most.
    # On item 2 each has one other, who says otherwise. Items 3 and 4 have one answer each.
    assert found.against_others == {0: (0, 1), 1: (0, 1), 2: (0, 1)}
    assert found.confusion.tolist() == [[0, 2, 1], [2, 2, 0], [1, 0, 0]]


def test_condensed_table_agrees_as_the_whole() -> None:
    """Items that got the same answers stand together, and agreement is what it is on all of them one by one."""
    rng = np.random.default_rng(4)
    n = 400
    items = np.repeat(np.arange(n), 3)
    users = np.concatenate([rng.permutation(5)[:3] for _ in range(n)])
    codes = np.where(rng.random(3 * n) < 0.7, items % 3, rng.integers(0, 3, 3 * n))

    table = compare_classes(items, users, codes, CLASSES).table

    whole = {"item": items, "annotator": users, "label": [CLASSES[code] for code in codes]}
    assert agreement(table, n_resamples=0).value == pytest.approx(agreement(whole, n_resamples=0).value, abs=1e-12)
    assert table.n_items <= 10
    assert agreement(table, n_resamples=0).n_items == n


def test_order_of_answers_changes_nothing() -> None:
    """Rows in another order give the same figures to the last bit."""
    rng = np.random.default_rng(1)
    columns = (rng.integers(0, 50, 300), np.arange(300) % 7, rng.integers(-1, 3, 300))
    order = rng.permutation(300)

    items, users, codes = columns
    one = compare_classes(items, users, codes, CLASSES)
    other = compare_classes(items[order], users[order], codes[order], CLASSES)

    assert one.against_others == other.against_others
    assert (one.confusion == other.confusion).all()


def test_nobody_to_compare_with() -> None:
    """No answers, or one of each item, is no error."""
    nothing = np.zeros(0, dtype=np.int64)
    none = compare_classes(nothing, nothing, nothing, CLASSES)
    alone = compare_classes(*_votes((1, 0, 1), (2, 1, 1)), CLASSES)

    assert none.against_others == alone.against_others == {}
    assert none.table.n_items == alone.table.n_items == 0


def test_numbers_are_compared_by_distance() -> None:
    """Each one's nearness is the mean over items of 1 less the distance to the others on them."""
    kind = find("label_kind", "rating")(classes=("low", "middle", "high"))
    answers = [Compared(1, 0, "low"), Compared(1, 1, "low"), Compared(1, 2, "high"), Compared(2, 0, "middle")]

    found = compare_values([*answers, Compared(2, 1, None)], kind)

    assert found.by_user[0].value == pytest.approx(0.5)  # the same as one, as far as can be from the other
    assert found.by_user[2].value == pytest.approx(0.0)
    assert found.all.value == pytest.approx(1 / 3)
    assert found.apart == {(0, 1): (0.0, 1), (0, 2): (1.0, 1), (1, 2): (1.0, 1)}
    assert found.classes == {"low": 2, "high": 1, "middle": 1}
    assert (found.all.low, found.all.n_items) == (None, 1)


def test_shared_and_new_items_are_compared_first() -> None:
    """What two people answered goes before what one did, and the newest first."""
    items = np.array([1, 1, 2, 3, 3, 4], dtype=np.int64)

    assert items_to_compare(items, 3) == [3, 1, 4]
    assert items_to_compare(items, 1) == [3]
