"""Frames as Parquet files."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from labelmill.errors import StorageError
from labelmill.stores._files import storage_errors

__all__ = ["ROW_GROUP", "count_rows", "read_frame", "scan_frame", "to_parquet", "writer_of"]

ROW_GROUP: Final = 8_192
"""Rows in a row group: the least that is read to get at one row."""


def writer_of(frame: pl.DataFrame) -> Callable[[Path], None]:
    """What writes the frame to the path it is given."""

    def write(path: Path) -> None:
        with _system_errors():
            frame.write_parquet(path, compression="zstd", row_group_size=ROW_GROUP)

    return write


def to_parquet(frame: pl.DataFrame) -> bytes:
    """The content of the frame's file: the same frame gives the same bytes."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", row_group_size=ROW_GROUP)
    return buffer.getvalue()


def read_frame(
    path: Path, columns: Sequence[str] | None = None, *, start: int = 0, length: int | None = None
) -> pl.DataFrame:
    """The frame in a file, or some columns of `length` rows from `start`.

    Raises
    ------
    StorageError
        If the file is missing or damaged.
    """
    with storage_errors(path, "read"), _damage(path):
        frame = scan_frame(path).slice(start, length)
        return (frame if columns is None else frame.select(columns)).collect()


def scan_frame(path: Path) -> pl.LazyFrame:
    """The file as a lazy frame; names with `*` or `=` in them mean nothing special."""
    return pl.scan_parquet(path, glob=False, hive_partitioning=False, low_memory=True)


def count_rows(path: Path) -> int:
    """Number of rows in a file, from its footer."""
    with storage_errors(path, "read"), _damage(path):
        return int(scan_frame(path).select(pl.len()).collect().item())


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


@contextlib.contextmanager
def _damage(path: Path) -> Iterator[None]:
    try:
        with _system_errors():
            yield
    except pl.exceptions.ColumnNotFoundError:
        raise
    except pl.exceptions.ComputeError as error:
        raise StorageError(
            f"{path}: cannot read: the file is damaged ({str(error).splitlines()[0]}); restore it, or remove it and "
            "run the step again"
        ) from error
    except OSError as error:
        if error.errno is None:  # polars raises FileNotFoundError without its number
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT)) from error
        raise
