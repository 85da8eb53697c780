"""Columns of a frame as values a text format can hold; what it cannot hold exactly is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import polars as pl

from labelmill.domain.strict_json import dumps
from labelmill.errors import BadInputError, BadRow

__all__ = ["as_json_values", "as_text_columns"]

_SCALARS = (pl.String, pl.Boolean, pl.Null)
_AS_TEXT = (pl.Categorical, pl.Enum, pl.Date, pl.Datetime, pl.Duration, pl.Time, pl.Decimal)
_NESTED = (pl.List, pl.Array, pl.Struct)


def as_text_columns(frame: pl.DataFrame, target: Path, n_before: int) -> pl.DataFrame:
    """The frame with every column text: a null is "", a list or struct is JSON, the rest as polars spells it.

    Raises
    ------
    BadInputError
        If a text holds NUL, or a column holds raw bytes or objects.
    """
    columns = {}
    for column in frame.get_columns():
        if isinstance(column.dtype, _NESTED):
            values = [
                None if value is None else _dumps(value, target, n_before + i, column.name)
                for i, value in enumerate(column.to_list(), 1)
            ]
            column = pl.Series(column.name, values, dtype=pl.String)
        elif not (isinstance(column.dtype, _SCALARS + _AS_TEXT) or column.dtype.is_numeric()):
            _refuse_type(target, column)
        column = column.cast(pl.String).fill_null("")
        _refuse_nul(column, target, n_before)
        columns[column.name] = column
    return pl.DataFrame(columns)


def as_json_values(frame: pl.DataFrame, target: Path) -> pl.DataFrame:
    """The frame with only columns whose values are JSON's: dates, times and decimals become text.

    Raises
    ------
    BadInputError
        If a column holds raw bytes or objects.
    """
    for column in frame.get_columns():
        if isinstance(column.dtype, _AS_TEXT):
            frame = frame.with_columns(column.cast(pl.String))
        elif not (isinstance(column.dtype, _SCALARS + _NESTED) or column.dtype.is_numeric()):
            _refuse_type(target, column)
    return frame


def _dumps(value: Any, target: Path, row: int, name: str) -> str:
    try:
        return dumps(value)
    except BadInputError as error:
        raise BadInputError([BadRow(str(target), row, name, error.bad_rows[0].reason)]) from error


def _refuse_nul(column: pl.Series, target: Path, n_before: int) -> None:
    found = column.str.contains("\0", literal=True).arg_true()
    if len(found):
        reason = "a NUL character (U+0000) is not allowed in a text"
        raise BadInputError([BadRow(str(target), n_before + int(found[0]) + 1, column.name, reason)])


def _refuse_type(target: Path, column: pl.Series) -> NoReturn:
    reason = f"a column of type {column.dtype} cannot be written as text"
    raise BadInputError([BadRow(str(target), None, column.name, reason)], "Leave it out, or write Parquet.")
