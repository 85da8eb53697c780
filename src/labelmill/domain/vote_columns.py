"""The columns of a table of votes, by the names they may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from labelmill.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["VOTE_COLUMNS", "vote_texts"]

VOTE_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "item": ("item", "task"),
    "annotator": ("annotator", "worker"),
    "label": ("label",),
}
"""What a vote must name -> the columns that may hold it, the first that is there counts."""


def vote_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """`item`, `annotator` and `label` of each vote, as texts.

    Parameters
    ----------
    frame : polars.DataFrame
        With these columns, or those in `VOTE_COLUMNS` that stand for them; others are left out.

    Raises
    ------
    UsageError
        If a column is missing, or a vote names no item or no annotator.
    """
    import polars as pl

    frame = frame.with_columns(pl.col(pl.Float32, pl.Float64).fill_nan(None))  # an id of NaN is no id
    texts = frame.select(pl.col(_column(frame.columns, role)).cast(pl.String).alias(role) for role in VOTE_COLUMNS)
    for role in ("item", "annotator"):
        if texts[role].null_count():
            raise UsageError(f"{texts[role].null_count()} votes have no {role}: every vote names one")
    return texts


def _column(columns: Sequence[str], role: str) -> str:
    for name in VOTE_COLUMNS[role]:
        if name in columns:
            return name
    raise UsageError(f"votes need the column {role!r}; found: {', '.join(columns) or 'none'}")
