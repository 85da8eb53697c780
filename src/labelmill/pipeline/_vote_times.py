"""When votes were given and how long they took, read from texts."""

from __future__ import annotations

from typing import Final

import polars as pl

from labelmill.errors import BadRow

__all__ = ["TIME_COLUMNS", "seconds_at", "seconds_taken", "wrong_times"]

TIME_COLUMNS: Final = {"at": ("at",), "seconds": ("seconds", "duration")}
"""What may be known of a vote's time -> the columns that may hold it."""

FORMATS: Final = ("%+", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d")
"""Spellings of ISO 8601 that are read; without an offset the time is taken as UTC."""


def seconds_at(texts: pl.Series) -> pl.Series:
    """Seconds since 1970 of ISO 8601 times or of numbers that say so; null where empty or neither."""
    text = pl.col("at").cast(pl.String).str.strip_chars()
    times = [text.str.to_datetime(spelled, time_zone="UTC", time_unit="us", strict=False) for spelled in FORMATS]
    since = pl.coalesce(times).dt.timestamp("us") / 1e6
    return pl.DataFrame({"at": texts}).select(pl.coalesce(_number(text), since)).to_series()


def seconds_taken(texts: pl.Series) -> pl.Series:
    """Seconds that answers took; null where empty, no number or not above 0."""
    number = _number(pl.col("seconds").cast(pl.String).str.strip_chars())
    return pl.DataFrame({"seconds": texts}).select(pl.when(number > 0).then(number)).to_series()


def wrong_times(source: str, rows: pl.DataFrame) -> list[BadRow]:
    """Rows of a file whose `at` or `seconds` is given and cannot be read."""
    bad = []
    for name, read, wanted in (
        ("at", seconds_at, "a time such as 2026-01-31T09:30:00Z, or seconds since 1970"),
        ("seconds", seconds_taken, "a number of seconds above 0"),
    ):
        if name not in rows.columns:
            continue
        odd = (rows[name].fill_null("").str.strip_chars() != "") & read(rows[name]).is_null()
        bad += [
            BadRow(source, line, name, f"expected {wanted}, found {text!r}")
            for line, text in rows.filter(odd).select("_line", name).iter_rows()
        ]
    return bad


def _number(text: pl.Expr) -> pl.Expr:
    number = text.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)
