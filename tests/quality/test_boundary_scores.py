"""Borders of segments, found to within a collar."""

from __future__ import annotations

from typing import Any

import pytest

from labelmill.errors import UsageError
from labelmill.quality.segments import boundary_scores


def segment(start: float, end: float, label: str = "a") -> dict[str, Any]:
    return {"label": label, "start": start, "end": end}


WORD = [segment(0.1, 0.3), segment(0.3, 0.5, "b")]


def test_where_one_ends_and_the_next_begins_is_one_border() -> None:
    """Two neighbours have three borders, whatever their classes."""
    found = boundary_scores([WORD], [[segment(0.1, 0.3, "b"), segment(0.3, 0.5)]])

    assert (found.n_true, found.n_found, found.n_matched) == (3, 3, 3)
    assert found.f1 == 1.0


def test_a_gap_or_an_overlap_within_the_collar_is_no_second_border() -> None:
    """Half way between the two; a segment shorter than the collar keeps both of its own."""
    loose = [segment(0.1, 0.295), segment(0.305, 0.5, "b")]

    assert boundary_scores([WORD], [loose]).n_found == 3
    assert boundary_scores([WORD], [loose]).f1 == 1.0
    assert boundary_scores([[]], [[segment(0.1, 0.115)]]).n_found == 2


def test_a_border_meets_one_at_most() -> None:
    """Two borders near the same true one count once; as many pairs are made as can be."""
    found = boundary_scores([[segment(0.10, 0.13)]], [[segment(0.085, 0.115)]], collar=0.02)
    crowded = boundary_scores([[segment(0.10, 0.50)]], [[segment(0.09, 0.11), segment(0.11, 0.5)]])

    assert found.n_matched == 2
    assert (crowded.n_matched, crowded.n_found) == (2, 3)


def test_the_collar_is_a_collar() -> None:
    """Exactly a collar apart is near, more is not."""
    assert boundary_scores([[segment(0.1, 0.5)]], [[segment(0.12, 0.52)]]).f1 == 1.0
    assert boundary_scores([[segment(0.1, 0.5)]], [[segment(0.121, 0.521)]]).f1 == 0.0


def test_nothing_to_find() -> None:
    """Silence found silent is right; what is found in it is wrong."""
    assert boundary_scores([[]], [[]]).f1 == 1.0
    assert boundary_scores([[], WORD], [[segment(1, 2)], []]).f1 == 0.0


def test_wrong_calls_are_told() -> None:
    """Lists that do not belong together, and a collar below 0."""
    with pytest.raises(UsageError, match="one for each item"):
        boundary_scores([WORD], [])
    with pytest.raises(UsageError, match="collar"):
        boundary_scores([WORD], [WORD], collar=-0.1)
