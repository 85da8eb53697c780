"""Frames as Parquet files."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from labelmill.errors import StorageError

__all__ = ["ROW_GROUP", "count_rows", "damaged", "read_frame", "to_parquet"]

ROW_GROUP: Final = 8_192
"""Rows in a row group: the least that is read to get at one row."""


def to_parquet(frame: pl.DataFrame) -> bytes:
    """The content of the frame's file: the same frame gives the same bytes."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", row_group_size=ROW_GROUP)
    return buffer.getvalue()


def read_frame(
    source: Path | bytes,
    place: str,
    columns: Sequence[str] | None = None,
    *,
    start: int = 0,
    length: int | None = None,
) -> pl.DataFrame:
    """The frame in a file, or in its content, or some columns of `length` rows from `start`.

    Parameters
    ----------
    source : Path or bytes
    place : str
        How messages name it.

    Raises
    ------
    StorageError
        If the file is damaged.
    OSError
        If it cannot be read.
    """
    with _damage(place):
        frame = _scan(source).slice(start, length)
        return (frame if columns is None else frame.select(columns)).collect()


def count_rows(source: Path | bytes, place: str) -> int:
    """Number of rows in a file, from its footer; raises like `read_frame`."""
    with _damage(place):
        return int(_scan(source).select(pl.len()).collect().item())


def damaged(place: str, error: BaseException) -> StorageError:
    """What to say of a file that is no Parquet file."""
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return StorageError(
        f"{place}: cannot read: the file is damaged ({reason}); restore it, or remove it and run the step again"
    )


def _scan(source: Path | bytes) -> pl.LazyFrame:
    """The file as a lazy frame; names with `*` or `=` in them mean nothing special."""
    opened = io.BytesIO(source) if isinstance(source, bytes) else source
    return pl.scan_parquet(opened, glob=False, hive_partitioning=False, low_memory=True)


@contextlib.contextmanager
def _damage(place: str) -> Iterator[None]:
    try:
        with _system_errors():
            yield
    except pl.exceptions.ColumnNotFoundError:
        raise
    except pl.exceptions.ComputeError as error:
        raise damaged(place, error) from error
    except OSError as error:
        if error.errno is None:  # polars raises FileNotFoundError without its number
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT)) from error
        raise


@contextlib.contextmanager
def _system_errors() -> Iterator[None]:
    """The system's error behind one of polars, which tells its number only in words."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        code = int(number[1])
        raise OSError(code, os.strerror(code)) from error
