"""The columns of a table of votes."""

from __future__ import annotations

import polars as pl
import pytest

from labelmill.domain.vote_columns import vote_texts
from labelmill.errors import UsageError


def test_aliases_and_texts() -> None:
    """Other names and other types become item, annotator, label as texts; the first known name counts."""
    frame = pl.DataFrame({"task": [9], "item": [1], "worker": [2.5], "label": [True], "more": [0]})

    assert vote_texts(frame).rows() == [("1", "2.5", "true")]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"item": ["1"], "label": ["x"]}, "votes need the column 'annotator'; found: item, label"),
        ({"item": [None], "annotator": ["a"], "label": ["x"]}, "1 votes have no item"),
    ],
)
def test_what_a_vote_must_name(columns: dict[str, list[str | None]], said: str) -> None:
    """A missing column and a missing name are told."""
    with pytest.raises(UsageError, match=said):
        vote_texts(pl.DataFrame(columns))
