"""Parts of Parquet files on an object store: only the bytes of the columns and row groups that are asked for.

polars reads a file that it is handed through Python as a whole; pyarrow asks for ranges. It is imported here only.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import polars as pl
import pyarrow as pa  # noqa: TID253 -- this file is about it, and is imported for object stores only
from pyarrow import parquet as pq  # noqa: TID253 -- likewise

from labelmill.errors import StorageError
from labelmill.stores._frames import count_rows as count_rows_of
from labelmill.stores._frames import damaged, read_frame
from labelmill.stores._object_store import Changed, ObjectStore, Status

__all__ = ["RangedFrames"]

WHOLE: Final = 128 << 10
"""Bytes up to which an object is fetched whole: a second request costs more than the bytes."""

_KEPT: Final = 8

T = TypeVar("T")


class _Opened(NamedTuple):
    status: Status
    content: bytes | None
    footer: Any


class RangedFrames:
    """Reads frames by ranges, and remembers the footers of the last few files.

    Parameters
    ----------
    store : ObjectStore
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._opened: OrderedDict[str, _Opened] = OrderedDict()

    def read(self, key: str, columns: Sequence[str] | None, start: int, length: int | None) -> pl.DataFrame:
        """Some columns of `length` rows from `start`.

        Raises
        ------
        StorageError
            If the file is missing or damaged.
        """
        return self._tried_twice(key, lambda opened: self._read(key, opened, columns, start, length))

    def count(self, key: str) -> int:
        """Number of rows, from the footer."""
        return self._tried_twice(key, lambda opened: self._count(key, opened))

    def _tried_twice(self, key: str, use: Callable[[_Opened], T]) -> T:
        """A file that was replaced since its footer was read is opened anew."""
        try:
            return use(self._open(key))
        except Changed:
            self._opened.pop(key, None)
        try:
            return use(self._open(key))
        except Changed as error:
            raise StorageError(
                f"{self._store.place(key)}: is replaced again and again while it is read: wait for who writes it"
            ) from error

    def _open(self, key: str) -> _Opened:
        known = self._opened.get(key)
        if known is not None:
            return known
        place = self._store.place(key)
        status = self._store.stat(key)
        content = self._store.read(key, stamp=status.stamp) if status and status.size <= WHOLE else None
        if status is None or (content is None and status.size <= WHOLE):
            raise StorageError(f"{place}: cannot read: no such file or folder; has it been moved or deleted?")
        if content is not None:
            return _Opened(status, content, None)
        with _RangeFile(self._store, key, status) as file:
            footer = _told(place, lambda: pq.read_metadata(pa.PythonFile(file, mode="r")))
        opened = self._opened[key] = _Opened(status, None, footer)
        while len(self._opened) > _KEPT:
            self._opened.popitem(last=False)
        return opened

    def _read(
        self, key: str, opened: _Opened, columns: Sequence[str] | None, start: int, length: int | None
    ) -> pl.DataFrame:
        place = self._store.place(key)
        if opened.content is not None:
            return read_frame(opened.content, place, columns, start=start, length=length)
        groups, first = _groups(opened.footer, start, length)
        with _RangeFile(self._store, key, opened.status) as file:

            def fetch() -> Any:
                parquet = pq.ParquetFile(pa.PythonFile(file, mode="r"), metadata=opened.footer, pre_buffer=True)
                return parquet.read_row_groups(groups, columns=columns, use_threads=False)

            table = _told(place, fetch)
        frame = pl.DataFrame(pl.from_arrow(table)).slice(start - first, length)
        return frame if columns is None else frame.select(columns)

    def _count(self, key: str, opened: _Opened) -> int:
        if opened.content is not None:
            return count_rows_of(opened.content, self._store.place(key))
        return int(opened.footer.num_rows)


def _groups(footer: Any, start: int, length: int | None) -> tuple[list[int], int]:
    """The row groups that hold some rows, and the row at which the first of them begins."""
    stop = footer.num_rows if length is None else min(start + length, footer.num_rows)
    groups: list[int] = []
    first, row = start, 0
    for i in range(footer.num_row_groups):
        n_rows = footer.row_group(i).num_rows
        if row < stop and start < row + n_rows:
            first = first if groups else row
            groups.append(i)
        row += n_rows
    return groups, first


def _told(place: str, step: Any) -> Any:
    try:
        return step()
    except (pa.ArrowException, OSError) as error:
        raise damaged(place, error) from error


class _RangeFile(io.RawIOBase):
    """An object as a file to be read: each read is one request for the range."""

    def __init__(self, store: ObjectStore, key: str, status: Status) -> None:
        self._store = store
        self._key = key
        self._status = status
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._status.size}[whence]
        self._at = base + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        rest = max(0, self._status.size - self._at)
        size = rest if size < 0 else min(size, rest)
        if size == 0:
            return b""
        part = self._store.read(self._key, start=self._at, size=size, stamp=self._status.stamp)
        if part is None:
            raise Changed(self._key)
        self._at += len(part)
        return part
