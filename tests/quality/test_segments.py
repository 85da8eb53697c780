from __future__ import annotations

from typing import Any

import pytest

from labelmill.errors import UsageError
from labelmill.quality.segments import event_scores


def _mark(label: str, start: float, end: float) -> dict[str, Any]:
    return {"label": label, "start": start, "end": end}


def test_events_are_counted_by_hand() -> None:
    """Two of three true ones found, one of them of another class, one invented: 1 of 3, 1 of 3."""
    true = [[_mark("dog", 0, 1), _mark("cat", 2, 3)], [_mark("dog", 5, 6)]]
    found = [[_mark("dog", 0.1, 1.1), _mark("dog", 2, 3)], [_mark("dog", 8, 9)]]

    scores = event_scores(true, found)

    assert (scores.n_true, scores.n_found, scores.n_matched) == (3, 3, 1)
    assert scores.f1 == pytest.approx(1 / 3)
    assert event_scores(true, found, labels=False).n_matched == 2
    assert scores.by_class["dog"].precision == pytest.approx(1 / 3)
    assert scores.macro_f1 == pytest.approx((0.4 + 0.0) / 2)


def test_collars_bound_both_edges() -> None:
    """Beginnings by the collar alone, ends by the collar or a share of the length, or not at all."""
    true, late, long = [[_mark("a", 1.0, 5.0)]], [[_mark("a", 1.3, 5.0)]], [[_mark("a", 1.0, 5.7)]]

    assert event_scores(true, late).n_matched == 0
    assert event_scores(true, late, collar=0.3).n_matched == 1
    assert event_scores(true, long).n_matched == 1
    assert event_scores(true, long, share=0.0).n_matched == 0
    assert event_scores(true, [[_mark("a", 1.0, 90.0)]], offsets=False).n_matched == 1


def test_matching_is_the_largest_there_is() -> None:
    """The first found could take the only true one that the second meets; each still finds one."""
    true = [[_mark("a", 1.0, 2.0), _mark("a", 1.2, 2.2)]]
    found = [[_mark("a", 1.15, 2.15), _mark("a", 0.9, 1.9)]]

    assert event_scores(true, found).n_matched == 2


def test_nothing_there_and_nothing_found_is_right() -> None:
    """No division by zero."""
    assert event_scores([[]], [[]]).f1 == 1.0
    assert event_scores([[]], [[_mark("a", 0, 1)]]).precision == 0.0


def test_bad_calls_are_refused() -> None:
    """A list too few, and a collar below zero."""
    with pytest.raises(UsageError, match="0 lists found for 1 items"):
        event_scores([[]], [])
    with pytest.raises(UsageError, match="at least 0"):
        event_scores([], [], collar=-1)
