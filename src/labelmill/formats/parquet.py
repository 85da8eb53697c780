"""Parquet: typed columns, read slice by slice."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import polars as pl

from labelmill.domain.ports import Chunk, Writer
from labelmill.errors import BadInputError, BadRow, StorageError, UsageError
from labelmill.formats._atomic import FrameWriter, to_disk
from labelmill.formats._bytes import storage_error
from labelmill.formats._chunks import check_chunk_rows
from labelmill.formats._panics import without_panic_traces

__all__ = ["Parquet"]

_ROW_GROUP = 100_000


class Parquet:
    """Columns as they are typed in the file; categories are read as text. Packed inside with Zstandard."""

    suffixes: ClassVar[tuple[str, ...]] = (".parquet",)
    compressible: ClassVar[bool] = False

    def read(self, source: Path, *, encoding: str | None = None, chunk_rows: int = 50_000) -> Iterator[Chunk]:
        """The file's rows in order; a row with NUL in a text is a bad row, by its number from 1.

        Parameters
        ----------
        encoding : str, optional
            Not used: texts in Parquet are UTF-8.

        Raises
        ------
        BadInputError
            If the file is no Parquet, or damaged.
        StorageError
            If the file cannot be read.
        """
        del encoding
        check_chunk_rows(chunk_rows)
        try:
            with source.open("rb"):
                pass
        except OSError as error:
            raise storage_error(error, source, "read") from error
        with _damage(source):
            rows = pl.scan_parquet(source, glob=False)
            schema = rows.collect_schema()
            categories = [name for name, dtype in schema.items() if isinstance(dtype, pl.Categorical | pl.Enum)]
            rows = rows.with_columns(pl.col(categories).cast(pl.String))
            height = rows.select(pl.len()).collect().item()
        for start in range(0, max(height, 1), chunk_rows):
            with _damage(source):
                frame = rows.slice(start, chunk_rows).collect()
            yield _chunk(frame, start, str(source))

    def writer(self, target: Path) -> Writer:
        """Opens the target for writing."""
        return _ParquetWriter(target)


@contextlib.contextmanager
def _damage(source: Path) -> Iterator[None]:
    try:
        with without_panic_traces():
            yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        found = " ".join(str(error).split())[:200]
        reason = f"is no Parquet file, or damaged: {found}"
        raise BadInputError([BadRow(str(source), None, None, reason)], "Fetch or make the file again.") from error


def _chunk(frame: pl.DataFrame, n_before: int, source: str) -> Chunk:
    lines = range(n_before + 1, n_before + frame.height + 1)
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    with_nul = frame.select(pl.col(texts).str.contains("\0", literal=True).fill_null(value=False))
    faults = {int(i): name for name in texts for i in with_nul[name].arg_true()}
    if not faults:
        return Chunk(frame, lines)
    reason = "a NUL character (U+0000) is not allowed in a text"
    bad = [BadRow(source, lines[i], faults[i], reason) for i in sorted(faults)]
    good = [i for i in range(frame.height) if i not in faults]
    return Chunk(frame[good], [lines[i] for i in good], bad)


class _ParquetWriter(FrameWriter):
    """Gathers frames beside the target and turns them into one file at the end, without holding them in memory."""

    def _begin(self) -> None:
        self._parts = self.temporary.with_suffix(".parts")
        self._parts.mkdir()
        self._n_parts = 0
        self._schema = pl.Schema()

    def _append(self, frame: pl.DataFrame) -> None:
        for name, dtype in frame.schema.items():
            before = self._schema.get(name, dtype)
            if not (before == dtype or pl.Null in {before, dtype} or (before.is_numeric() and dtype.is_numeric())):
                raise UsageError(f"{self.target}: column {name!r} was {before} before, found {dtype}")
        if frame.height or not self._n_parts:
            self._schema = frame.schema
            frame.write_ipc(self._part(self._n_parts))
            self._n_parts += 1

    def _finish(self) -> None:
        parts = [pl.scan_ipc(self._part(i)) for i in range(self._n_parts)]
        rows = pl.concat(parts, how="vertical_relaxed") if parts else pl.LazyFrame()
        try:
            rows.sink_parquet(self.temporary, compression="zstd", row_group_size=_ROW_GROUP, maintain_order=True)
        except pl.exceptions.PolarsError as error:
            raise StorageError(f"{self.target}: cannot be written: {str(error)[:200]}") from error
        to_disk(self.temporary)

    def _discard(self) -> None:
        shutil.rmtree(self._parts, ignore_errors=True)
        super()._discard()

    def _part(self, i: int) -> Path:
        return self._parts / f"{i:06}.ipc"
