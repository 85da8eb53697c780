"""The columns of a table of votes, by the names they may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, get_args

from labelmill.errors import UsageError, nearest

if TYPE_CHECKING:
    import polars as pl

__all__ = ["REPEATS", "VOTE_COLUMNS", "Repeats", "contradictions", "once", "vote_texts"]

Repeats = Literal["last", "first", "all", "refuse"]
"""What counts where an annotator votes on an item more than once: a vote, all of them, or none is accepted."""

REPEATS: Final[tuple[Repeats, ...]] = get_args(Repeats)

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


def once(votes: pl.DataFrame, repeats: Repeats) -> pl.DataFrame:
    """The votes that count where annotators voted on an item more than once, in their order.

    Parameters
    ----------
    votes : polars.DataFrame
        Columns `item`, `annotator`, `label`, any others.
    repeats : {"last", "first", "all", "refuse"}
        `refuse` takes a vote that says the same again, and raises at one that says something else.

    Raises
    ------
    UsageError
        At votes that contradict each other, if they are refused; if the policy is unknown.
    """
    if repeats not in REPEATS:
        raise UsageError(f"unknown policy {repeats!r} for repeated votes: {nearest(str(repeats), REPEATS)}")
    if repeats == "all":
        return votes
    if repeats == "refuse":
        for item, annotator, label, other in (
            contradictions(votes).select("item", "annotator", "label", "earlier").rows()
        ):
            raise UsageError(f"{annotator!r} says {other!r} and then {label!r} of item {item!r}: one vote each")
    keep: Literal["first", "last"] = "first" if repeats == "first" else "last"
    return votes.unique(["item", "annotator"], keep=keep, maintain_order=True)


def contradictions(votes: pl.DataFrame) -> pl.DataFrame:
    """Votes that say something else than the first by the same annotator on the item, which is put in `earlier`."""
    import polars as pl

    said = pl.col("label").fill_null("")
    first = said.first().over("item", "annotator")
    return votes.with_columns(first.alias("earlier")).filter(said != pl.col("earlier"))
