"""Rows of fields between delimiters (RFC 4180), read strictly and written so that they come back exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import polars as pl

from labelmill.domain.ports import Chunk, Writer
from labelmill.errors import BadInputError, BadRow, UsageError
from labelmill.formats._atomic import TextWriter
from labelmill.formats._chunks import CHUNK_CHARACTERS, check_chunk_rows
from labelmill.formats._plain_values import as_text_columns
from labelmill.formats._records import Records
from labelmill.formats._text import RECORD_LIMIT, line_lists, shown, text_blocks

__all__ = ["Delimited"]

_NUL = "a NUL character (U+0000) is not allowed in a text"


class Delimited:
    r"""What CSV and TSV share.

    The first row names the columns. Every field is text, as it stands: nothing is stripped, `NA`, `null` and `007`
    stay what they are, an empty field is "". Records end in `\n`, `\r\n` or `\r`; inside quotes these belong to the
    field. A line with nothing on it is no record and is passed over; so a row of one empty column is written `""`.

    Parameters
    ----------
    spreadsheet_safe : bool
        Write `'` before texts that a spreadsheet would run as a formula (they begin with =, +, -, @, tab or return).
        Off, because such texts then do not come back exactly.
    record_limit : int
        Characters in one record; a longer one is a bad row.
    """

    suffixes: ClassVar[tuple[str, ...]] = ()
    compressible: ClassVar[bool] = True
    delimiter: ClassVar[str] = ","

    def __init__(self, *, spreadsheet_safe: bool = False, record_limit: int = RECORD_LIMIT) -> None:
        self.spreadsheet_safe = spreadsheet_safe
        self.record_limit = record_limit

    def read(self, source: Path, *, encoding: str | None = None, chunk_rows: int = 50_000) -> Iterator[Chunk]:
        """The file's rows in order, all columns text; at least one chunk, so that the columns are known.

        Raises
        ------
        BadInputError
            If the file as a whole cannot be taken: wrong encoding, empty, a header that is broken or names a column
            twice.
        StorageError
            If the file cannot be read.
        UsageError
            If the encoding is unknown.
        """
        check_chunk_rows(chunk_rows)
        name = str(source)
        lines = line_lists(text_blocks(source, encoding), self.record_limit)
        records = Records(lines, source=name, delimiter=self.delimiter, limit=self.record_limit)
        numbered = iter(records)
        header = _header(numbered, name)
        width = len(header)
        rows: list[list[str]] = []
        places: list[int] = []
        bad: list[BadRow] = []
        n_characters, is_first = 0, True
        for line, fields in numbered:
            if isinstance(fields, BadRow):
                bad.append(fields)
            elif len(fields) != width or records.has_nul:
                bad.append(_fault(fields, header, name, line))
            else:
                rows.append(fields)
                places.append(line)
                n_characters += records.size
            if len(rows) + len(bad) >= chunk_rows or n_characters > CHUNK_CHARACTERS:
                yield Chunk(_frame(header, rows), places, bad)
                rows, places, bad = [], [], []
                n_characters, is_first = 0, False
        if rows or bad or is_first:
            yield Chunk(_frame(header, rows), places, bad)

    def writer(self, target: Path) -> Writer:
        r"""Opens the target for writing: UTF-8, a row ends in `\n`, a null is an empty field."""
        return _DelimitedWriter(target, self.delimiter, spreadsheet_safe=self.spreadsheet_safe)


def _header(records: Iterator[tuple[int, list[str] | BadRow]], source: str) -> list[str]:
    line, header = next(records, (1, BadRow(source, 1, None, "the file is empty: expected a row of column names")))
    if isinstance(header, BadRow):
        raise BadInputError([header])
    faults = []
    for position, name in enumerate(header):
        if "\0" in name:
            faults.append(BadRow(source, line, name, f"{_NUL}: the file may be UTF-16 (--encoding utf-16-le)"))
        elif name in header[:position]:
            faults.append(BadRow(source, line, name, f"column {position + 1} has the name of an earlier one"))
    if faults:
        raise BadInputError(faults, "Every column needs a name of its own in the first row.")
    return header


def _fault(fields: Sequence[str], header: Sequence[str], source: str, line: int) -> BadRow:
    if len(fields) != len(header):
        word = "field" if len(fields) == 1 else "fields"
        reason = f"found {len(fields)} {word}, the header names {len(header)}; the last is {shown(fields[-1])}"
        return BadRow(source, line, None, reason)
    return next(BadRow(source, line, name, _NUL) for name, field in zip(header, fields, strict=True) if "\0" in field)


def _frame(header: Sequence[str], rows: Sequence[Sequence[str]]) -> pl.DataFrame:
    columns = zip(*rows, strict=True) if rows else ([] for _ in header)
    return pl.DataFrame(dict(zip(header, columns, strict=True)), schema=dict.fromkeys(header, pl.String))


class _DelimitedWriter(TextWriter):
    def __init__(self, target: Path, delimiter: str, *, spreadsheet_safe: bool) -> None:
        super().__init__(target)
        self.delimiter = delimiter
        self.spreadsheet_safe = spreadsheet_safe

    def _text_of(self, frame: pl.DataFrame, n_before: int) -> str:
        if not frame.width:
            raise UsageError(f"{self.target}: rows without columns cannot be written")
        head = "" if self._has_text else self._rows_text(_names(frame))
        if not frame.height:
            as_text_columns(frame, self.target, n_before)
            return head
        return head + self._rows_text(as_text_columns(frame, self.target, n_before))

    def _rows_text(self, frame: pl.DataFrame) -> str:
        fields = [self._field(pl.col(name)) for name in frame.columns]
        if frame.width == 1:
            fields = [pl.when(fields[0] == "").then(pl.lit('""')).otherwise(fields[0])]
        rows = frame.select(pl.concat_str(fields, separator=self.delimiter).alias("row"))["row"]
        return "\n".join([*rows.to_list(), ""])

    def _field(self, text: pl.Expr) -> pl.Expr:
        if self.spreadsheet_safe:
            text = pl.when(text.str.contains(r"^[=+\-@\t\r]")).then(pl.lit("'") + text).otherwise(text)
        doubled = text.str.replace_all('"', '""', literal=True)
        is_special = text.str.contains(f'[{self.delimiter}"\r\n]')
        return pl.when(is_special).then(pl.lit('"') + doubled + pl.lit('"')).otherwise(text)


def _names(frame: pl.DataFrame) -> pl.DataFrame:
    """One row that holds the column names."""
    return pl.DataFrame({f"column {i}": [name] for i, name in enumerate(frame.columns)})
