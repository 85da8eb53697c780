"""JSON: an array of objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from labelmill.domain.ports import Chunk, Writer
from labelmill.domain.strict_json import loads
from labelmill.errors import BadInputError
from labelmill.formats._atomic import TextWriter
from labelmill.formats._chunks import check_chunk_rows
from labelmill.formats._json_array import array_elements
from labelmill.formats._objects import json_rows, object_chunks
from labelmill.formats._text import RECORD_LIMIT, text_blocks

__all__ = ["Json"]


class Json:
    """An array of objects, one a row; keys are columns (see `labelmill.formats._objects` for what they may hold).

    Parameters
    ----------
    record_limit : int
        Characters in one object; a longer one ends the reading, because its end is not looked for.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".json",)
    compressible: ClassVar[bool] = True

    def __init__(self, *, record_limit: int = RECORD_LIMIT) -> None:
        self.record_limit = record_limit

    def read(self, source: Path, *, encoding: str | None = None, chunk_rows: int = 50_000) -> Iterator[Chunk]:
        """The array's elements in order, read one by one; one that is no strict JSON object is a bad row.

        Raises
        ------
        BadInputError
            If the file as a whole cannot be taken: wrong encoding, no array, or JSON so broken that the next element
            cannot be found. Chunks before the fault have been given out.
        StorageError
            If the file cannot be read.
        UsageError
            If the encoding is unknown.
        """
        check_chunk_rows(chunk_rows)
        return object_chunks(self._values(source, encoding), str(source), chunk_rows)

    def writer(self, target: Path) -> Writer:
        """Opens the target for writing: UTF-8, an object a line inside the array, all columns in every object."""
        return _JsonWriter(target)

    def _values(self, source: Path, encoding: str | None) -> Iterator[tuple[int, int, Any]]:
        name = str(source)
        for line, text in array_elements(text_blocks(source, encoding), name, self.record_limit):
            try:
                value = loads(text, source=name, line=line)
            except BadInputError as error:
                value = error.bad_rows[0]
            yield line, len(text), value


class _JsonWriter(TextWriter):
    def _text_of(self, frame: pl.DataFrame, n_before: int) -> str:
        rows = json_rows(frame, self.target, n_before)
        if not rows:
            return ""
        return (",\n" if self._has_text else "[\n") + ",\n".join(rows)

    def _last_text(self) -> str:
        return "\n]\n" if self._has_text else "[]\n"
