"""JSON lines: one object a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from labelmill.domain.ports import Chunk, Writer
from labelmill.domain.strict_json import loads
from labelmill.errors import BadInputError, BadRow
from labelmill.formats._atomic import TextWriter
from labelmill.formats._chunks import check_chunk_rows
from labelmill.formats._objects import json_rows, object_chunks
from labelmill.formats._text import RECORD_LIMIT, line_lists, text_blocks

__all__ = ["Jsonl"]


class Jsonl:
    r"""One JSON object a line; keys are columns (see `labelmill.formats._objects` for what they may hold).

    Lines end in `\n`, `\r\n` or `\r` and in nothing else; empty ones are passed over.

    Parameters
    ----------
    record_limit : int
        Characters in one line; a longer one is a bad row.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson")
    compressible: ClassVar[bool] = True

    def __init__(self, *, record_limit: int = RECORD_LIMIT) -> None:
        self.record_limit = record_limit

    def read(self, source: Path, *, encoding: str | None = None, chunk_rows: int = 50_000) -> Iterator[Chunk]:
        """The file's rows in order; a line that is no strict JSON object is a bad row.

        Raises
        ------
        BadInputError
            If the file as a whole cannot be taken: wrong encoding, nothing in it.
        StorageError
            If the file cannot be read.
        UsageError
            If the encoding is unknown.
        """
        check_chunk_rows(chunk_rows)
        return object_chunks(self._values(source, encoding), str(source), chunk_rows)

    def writer(self, target: Path) -> Writer:
        r"""Opens the target for writing: UTF-8, a row ends in `\n`, all columns in every row."""
        return _JsonlWriter(target)

    def _values(self, source: Path, encoding: str | None) -> Iterator[tuple[int, int, Any]]:
        name = str(source)
        line, is_empty = 0, True
        for lines in line_lists(text_blocks(source, encoding), self.record_limit):
            for text in lines:
                line += 1
                if text.isspace() and not text.strip(" \t\r\n"):
                    continue
                is_empty = False
                yield line, len(text), self._value(text, name, line)
        if is_empty:
            reason = "the file is empty: expected one JSON object a line"
            raise BadInputError([BadRow(name, 1, None, reason)])

    def _value(self, text: str, name: str, line: int) -> Any:
        if len(text) > self.record_limit:
            return BadRow(name, line, None, f"the line is longer than {self.record_limit} characters")
        try:
            return loads(text.rstrip("\r\n"), source=name, line=line)
        except BadInputError as error:
            return error.bad_rows[0]


class _JsonlWriter(TextWriter):
    def _text_of(self, frame: pl.DataFrame, n_before: int) -> str:
        return "\n".join([*json_rows(frame, self.target, n_before), ""])
