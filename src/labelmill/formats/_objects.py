"""JSON objects as rows of a frame and back.

A key is a column. All objects read so far have its keys: where one is missing the cell is null. The first value of a
key (null aside) says what it holds: text, truth values, numbers, or lists and objects; an object in which it holds
something else is a bad row, because a column that is half text and half number means a different thing to every
reader. Numbers are integers while no fraction is among them in the chunk. Lists of texts are lists; all other lists
and objects are kept as JSON text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from labelmill.domain.ports import Chunk
from labelmill.domain.strict_json import dumps
from labelmill.errors import BadInputError, BadRow
from labelmill.formats._chunks import CHUNK_CHARACTERS
from labelmill.formats._plain_values import as_json_values

__all__ = ["JSON_KINDS", "json_rows", "object_chunks"]

JSON_KINDS: Final = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list or object",
    dict: "a list or object",
}
_NESTED = "a list or object"
_EXACT = 2**53


def object_chunks(values: Iterable[tuple[int, int, Any]], source: str, chunk_rows: int) -> Iterator[Chunk]:
    """Chunks of the objects among `values`; at least one.

    Parameters
    ----------
    values : iterable of (line, characters, value)
        A BadRow stands for a value that could not be read.
    source : str
        Name of the file, for messages.
    chunk_rows : int
    """
    columns = _Columns(source)
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    bad: list[BadRow] = []
    n_characters, is_first = 0, True
    for line, size, value in values:
        if type(value) is dict and value:
            rows.append(value)
            lines.append(line)
            n_characters += size
        else:
            bad.append(value if isinstance(value, BadRow) else BadRow(source, line, None, _no_row(value)))
        if len(rows) + len(bad) >= chunk_rows or n_characters > CHUNK_CHARACTERS:
            yield columns.chunk(rows, lines, bad)
            rows, lines, bad = [], [], []
            n_characters, is_first = 0, False
    if rows or bad or is_first:
        yield columns.chunk(rows, lines, bad)


def json_rows(frame: pl.DataFrame, target: Path, n_before: int) -> list[str]:
    """One JSON object for each row, all columns named, null where there is no value.

    Raises
    ------
    BadInputError
        If a value has no JSON form: NaN, infinity, NUL, raw bytes; names row and column.
    """
    texts = []
    for i, row in enumerate(as_json_values(frame, target).iter_rows(named=True), n_before + 1):
        try:
            texts.append(dumps(row))
        except BadInputError as error:
            fault = error.bad_rows[0]
            raise BadInputError([BadRow(str(target), i, fault.field, fault.reason)]) from error
    return texts


def _no_row(value: Any) -> str:
    if value == {} and isinstance(value, dict):
        return "the object is empty: expected at least one key"
    found = "null" if value is None else "a list" if isinstance(value, list) else JSON_KINDS[type(value)]
    return f"expected an object with the row's columns, found {found}"


class _Columns:
    """What each key holds, through all chunks of a file."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.kinds: dict[str, str] = {}
        self.as_json: set[str] = set()

    def chunk(self, rows: Sequence[dict[str, Any]], lines: Sequence[int], bad: list[BadRow]) -> Chunk:
        keys = dict.fromkeys(self.kinds)
        for row in rows:
            keys.update(dict.fromkeys(row))
        for key in keys:
            self.kinds.setdefault(key, "")
        faults: dict[int, BadRow] = {}
        for key in keys:
            for i, reason in self._misfits(key, [row.get(key) for row in rows]):
                faults.setdefault(i, BadRow(self.source, lines[i], key, reason))
        if faults:
            rows = [row for i, row in enumerate(rows) if i not in faults]
            lines = [line for i, line in enumerate(lines) if i not in faults]
            bad = sorted([*bad, *faults.values()], key=lambda row: row.line or 0)
        series = {key: self._series(key, [row.get(key) for row in rows]) for key in keys}
        return Chunk(pl.DataFrame(series), lines, bad)

    def _misfits(self, key: str, values: list[Any]) -> list[tuple[int, str]]:
        types = set(map(type, values)) - {type(None)}
        if types and not self.kinds[key]:
            self.kinds[key] = next(JSON_KINDS[type(value)] for value in values if value is not None)
        expected = self.kinds[key]
        found = []
        if {JSON_KINDS[t] for t in types} - {expected}:
            for i, value in enumerate(values):
                if value is not None and JSON_KINDS[type(value)] != expected:
                    kind = JSON_KINDS[type(value)]
                    found.append((i, f"found {kind}, but the key holds {expected} in an earlier row"))
        if {int, float} <= types:
            for i, value in enumerate(values):
                if type(value) is int and abs(value) > _EXACT:
                    found.append((i, "an integer beyond 53 bits is not exact beside fractions: write it as a text"))
        return found

    def _series(self, key: str, values: list[Any]) -> pl.Series:
        types = set(map(type, values)) - {type(None)}
        if self.kinds[key] == _NESTED:
            if key not in self.as_json and all(value is None or _is_text_list(value) for value in values):
                return pl.Series(key, values, pl.List(pl.String))
            self.as_json.add(key)
            return pl.Series(key, [None if value is None else dumps(value) for value in values], pl.String)
        if float in types:
            return pl.Series(key, [None if value is None else float(value) for value in values], pl.Float64)
        return pl.Series(key, values, _TYPES[self.kinds[key]])


_TYPES: dict[str, type[pl.DataType]] = {
    "": pl.Null,
    "text": pl.String,
    "true or false": pl.Boolean,
    "a number": pl.Int64,
}


def _is_text_list(value: Any) -> bool:
    return type(value) is list and all(type(part) is str for part in value)
