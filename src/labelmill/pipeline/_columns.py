"""Columns that a file must have, and values that must be texts."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import polars as pl

from labelmill.domain.ports import Chunk
from labelmill.errors import BadInputError, BadRow

__all__ = ["column_of", "text_of"]

_NO_TEXT: dict[type[pl.DataType], str] = {
    pl.List: "a list",
    pl.Array: "a list",
    pl.Struct: "an object",
    pl.Binary: "raw bytes",
    pl.Object: "objects",
}


def column_of(source: str, columns: Sequence[str], names: Sequence[str], hint: str = "") -> str:
    """The first of the names that a file has as a column.

    Raises
    ------
    BadInputError
        If it has none of them; names the nearest column and all of them.
    """
    for name in names:
        if name in columns:
            return name
    close = [guess for name in names for guess in difflib.get_close_matches(name, columns, n=1)]
    listed = ", ".join(columns) or "none"
    reason = (
        f"no such column: did you mean {close[0]!r}? The file has: {listed}"
        if close
        else f"no such column; the file has: {listed}. Does its first row name the columns?"
    )
    raise BadInputError([BadRow(source, 1, names[0], reason)], hint)


def text_of(source: str, chunk: Chunk, name: str, hint: str = "") -> pl.Series:
    """A column of a chunk as texts; numbers, dates and truth values as they are spelled.

    Raises
    ------
    BadInputError
        If the column holds what is no text, such as lists.
    """
    column = chunk.frame[name]
    for kind, found in _NO_TEXT.items():
        if isinstance(column.dtype, kind):
            line = chunk.lines[0] if len(chunk.lines) else None
            raise BadInputError([BadRow(source, line, name, f"expected a text in this column, found {found}")], hint)
    return column.cast(pl.String)
