"""The items of a lake: files of rows, and a manifest that names those that count."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Final, Self

import polars as pl

from labelmill.domain.item import FACTS, META, ItemBatch, Modality
from labelmill.domain.partition import Partition
from labelmill.errors import StorageError, UsageError, nearest
from labelmill.stores._files import Files
from labelmill.stores._frames import to_parquet
from labelmill.stores.id_index import IdIndex
from labelmill.stores.lock import WritingLock

__all__ = ["FILE_BYTES", "FILE_ROWS", "ItemSet", "ItemsAppender"]

FILE_BYTES: Final = 8_000_000
"""Bytes of text at which a file is cut: some seconds of work for rules in Python.

The item that reaches it is the file's last, so that no file is larger than this and one item. All columns of text
count: rules read the user's own columns too.
"""

FILE_ROWS: Final = 100_000
"""Rows at which a file is cut."""

MEDIA_ROWS: Final = 2_000
"""Rows at which a file of images or recordings is cut.

Their data is an address, whose length says nothing; fetching and decoding one takes some 20 to 50 ms, so that a file is
a minute or two of work.
"""

ITEMS: Final = "items"
MANIFEST: Final = "items/manifest.json"

_EMPTY: Final[dict[str, Any]] = {"n_items": 0, "columns": ["id", "data"], "files": []}


class ItemSet:
    """All items, in the order they came.

    Parameters
    ----------
    files : Files
        The lake's files.
    lock : WritingLock
        Held while items are appended.
    """

    def __init__(self, files: Files, lock: WritingLock) -> None:
        self._files = files
        self._lock = lock
        self._looked = -math.inf
        self._stamp: object | None = None
        self._manifest = _EMPTY

    def __len__(self) -> int:
        return int(self.manifest()["n_items"])

    def partitions(self, max_rows: int | None = None) -> list[Partition]:
        """The plan: one partition a file, or several of at most `max_rows` rows."""
        if max_rows is not None and max_rows < 1:
            raise UsageError(f"max_rows must be 1 or more, found {max_rows}")
        return [
            _partition(file["name"], start, min(start + (max_rows or file["rows"]), file["rows"]))
            for file in self.manifest()["files"]
            for start in range(0, file["rows"], max_rows or file["rows"])
        ]

    def read(self, partition: Partition, columns: Sequence[str] | None = None) -> ItemBatch:
        """The items of a partition; a column that only other files have is null here."""
        file = self._file(partition.uri)  # first: it sees to it that the manifest is not older than the partition
        known = self.manifest()["columns"]
        wanted = known if columns is None else list(columns)
        unknown = [name for name in wanted if name not in known]
        if unknown:
            raise UsageError(f"the items have no column {unknown[0]!r}: {nearest(unknown[0], known)}")
        there = set(file["columns"])
        if there <= set(wanted) and partition.n_rows == file["rows"]:
            frame = self._files.read_frame(partition.uri)  # as a whole: one request
        else:
            names = [name for name in wanted if name in there]
            frame = self._files.read_frame(partition.uri, names, start=partition.start, length=partition.n_rows)
        missing = [pl.lit(None).alias(name) for name in wanted if name not in there]
        return ItemBatch(frame.with_columns(missing).select(wanted))

    def ids(self) -> pl.Series:
        """All ids in lake order."""
        parts = [self._files.read_frame(f"{ITEMS}/{file['name']}", ["id"])["id"] for file in self.manifest()["files"]]
        return pl.concat(parts) if parts else pl.Series("id", [], dtype=pl.String)

    def batch(self, ids: Sequence[str] | None = None) -> ItemBatch:
        """All items, or those with the given ids in the given order.

        Raises
        ------
        UsageError
            If an id is unknown.
        """
        uris = [f"{ITEMS}/{file['name']}" for file in self.manifest()["files"]]
        if ids is None:
            return ItemBatch(_joined([self._files.read_frame(uri) for uri in uris]))
        wanted = pl.DataFrame({"id": list(ids)}, schema={"id": pl.String})
        found = _joined([self._rows_with(uri, wanted["id"]) for uri in uris])
        unknown = wanted.join(found, on="id", how="anti")["id"]
        if len(unknown):
            raise UsageError(
                f"{len(unknown)} of the {len(wanted)} ids asked for are not in the lake, first {unknown[0]!r}"
            )
        return ItemBatch(wanted.join(found, on="id", how="left", maintain_order="left"))

    def append(self, *, source: str, modality: Modality = "text") -> ItemsAppender:
        """What takes new items; see ItemsAppender."""
        return ItemsAppender(self, self._files, self._lock, source, modality)

    def manifest(self) -> dict[str, Any]:
        """The files that count; read again only when it has been replaced."""
        now = time.monotonic()
        if now - self._looked >= self._files.fresh_for:
            stamp = self._files.stamp(MANIFEST)
            if stamp is None:
                self._manifest = _EMPTY
            elif stamp != self._stamp:
                self._manifest = self._files.read_json(MANIFEST) or _EMPTY
            self._looked, self._stamp = now, stamp
        return self._manifest

    def look_again(self) -> None:
        """Do not rely on what was read before: another process may have written."""
        self._looked = -math.inf

    def _file(self, uri: str) -> dict[str, Any]:
        """What the manifest says of a file; one that it does not name may have come after it was read."""
        name = uri.rpartition("/")[2]
        for _ in range(2):
            for file in self.manifest()["files"]:
                if file["name"] == name:
                    return dict(file)
            self.look_again()
        raise StorageError(
            f"{self._files.place(uri)}: this file of items is not in the lake (any more): plan the work again"
        )

    def _rows_with(self, uri: str, ids: pl.Series) -> pl.DataFrame:
        at = self._files.read_frame(uri, ["id"])["id"].is_in(ids.implode()).arg_true()
        if at.is_empty():
            return pl.DataFrame(schema={"id": pl.String, "data": pl.String})
        first = int(at[0])
        return self._files.read_frame(uri, start=first, length=int(at[-1]) - first + 1)[at - first]


class ItemsAppender:
    """Takes frames of items, cuts them into files, and makes all of them count at once.

    Leaving the `with` block by an exception leaves the lake as it was.

    Parameters
    ----------
    items : ItemSet
    files : Files
    lock : WritingLock
    source : str
        Where the items come from, for the manifest.
    modality : {"text", "image", "audio"}
        What their data is, which says how much work an item is.
    """

    def __init__(
        self, items: ItemSet, files: Files, lock: WritingLock, source: str, modality: Modality = "text"
    ) -> None:
        self.n_rows = 0
        self._file_rows = FILE_ROWS if modality == "text" else min(FILE_ROWS, MEDIA_ROWS)
        self._items = items
        self._files = files
        self._lock = lock
        self._source = source
        self._stack = ExitStack()
        self._index: IdIndex | None = None
        self._waiting: list[pl.DataFrame] = []
        self._waiting_rows = 0
        self._waiting_bytes = 0
        self._written: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self._stack.enter_context(self._lock.held())
        try:
            self._items.look_again()
            self._old = self._items.manifest()
            self._remove_orphans()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        with self._stack:
            try:
                if exception[0] is None:
                    self._cut()
                    self._publish_manifest()
                    self._written = []
            finally:
                for file in self._written:
                    self._files.delete(f"{ITEMS}/{file['name']}")

    def duplicates(self, ids: pl.Series) -> list[int]:
        """Positions of ids that the lake has, that were written before, or that stand further up in `ids`."""
        return self._known().seen(ids.cast(pl.String))

    def write(self, frame: pl.DataFrame) -> None:
        """Take items.

        Parameters
        ----------
        frame : polars.DataFrame
            Columns `id`, `data`, any `meta.<name>` and `facts.<name>`.

        Raises
        ------
        UsageError
            If a column is missing or wrong, or an id is there already.
        """
        _check_columns(frame)
        again = self.duplicates(frame["id"])
        if again:
            raise UsageError(
                f"{len(again)} ids are there already, first {frame['id'][again[0]]!r}: "
                "leave out what `duplicates` names"
            )
        self._known().add(frame["id"])
        self.n_rows += frame.height
        start = 0
        while start < frame.height:
            stop = self._take(frame, start)
            if self._waiting_bytes >= FILE_BYTES or self._waiting_rows >= self._file_rows:
                self._cut()
            start = stop

    def _known(self) -> IdIndex:
        if self._index is None:
            self._index = IdIndex()
            for file in self._old["files"]:
                self._index.add(self._files.read_frame(f"{ITEMS}/{file['name']}", ["id"])["id"])
        return self._index

    def _take(self, frame: pl.DataFrame, start: int) -> int:
        """Let rows from `start` wait until a file is full; the row at which that is."""
        sizes = _text_bytes(frame.slice(start, self._file_rows - self._waiting_rows)).cum_sum()
        n = min(int(sizes.search_sorted(FILE_BYTES - self._waiting_bytes)) + 1, len(sizes))
        self._waiting.append(frame.slice(start, n))
        self._waiting_rows += n
        self._waiting_bytes += int(sizes[n - 1])
        return start + n

    def _cut(self) -> None:
        """Write what waits as one file; its name holds a hash of the content, and so do its partitions' ids."""
        if not self._waiting:
            return
        frame = _joined(self._waiting)
        data = to_parquet(frame)
        number = len(self._old["files"]) + len(self._written)
        name = f"{number:06d}-{hashlib.sha256(data).hexdigest()[:12]}.parquet"
        self._files.publish(f"{ITEMS}/{name}", data)
        self._written.append(
            {"name": name, "rows": frame.height, "bytes": len(data), "columns": frame.columns, "source": self._source}
        )
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0

    def _publish_manifest(self) -> None:
        if not self._written:
            return
        files = [*self._old["files"], *self._written]
        columns = dict.fromkeys(name for file in files for name in file["columns"])
        self._files.write_json(
            MANIFEST, {"n_items": sum(file["rows"] for file in files), "columns": list(columns), "files": files}
        )
        self._items.look_again()

    def _remove_orphans(self) -> None:
        """Files of an append that was killed before its manifest; the lock says that nobody is at it."""
        counting = {"manifest.json", *(file["name"] for file in self._old["files"])}
        for name in self._files.names(ITEMS):
            if name not in counting:
                self._files.delete(f"{ITEMS}/{name}")


def _partition(name: str, start: int, stop: int) -> Partition:
    stem = name.removesuffix(".parquet")
    return Partition(f"{stem}_{start}-{stop}", f"{ITEMS}/{name}", start, stop)


def _text_bytes(frame: pl.DataFrame) -> pl.Series:
    """Bytes of text of each row, without its id."""
    names = [name for name, dtype in frame.schema.items() if dtype == pl.String and name != "id"]
    return frame.select(pl.sum_horizontal(pl.col(names).str.len_bytes().fill_null(0).cast(pl.Int64))).to_series()


def _joined(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    if not frames:
        return pl.DataFrame(schema={"id": pl.String, "data": pl.String})
    return pl.concat(frames, how="diagonal_relaxed")


def _check_columns(frame: pl.DataFrame) -> None:
    for name in ("id", "data"):
        if frame.schema.get(name) != pl.String:
            raise UsageError(f"items need a text column {name!r}; found {dict(frame.schema)}")
        if frame[name].null_count():
            raise UsageError(f"{frame[name].null_count()} items have no {name}: every item has one")
    for name in frame.columns:
        if name not in {"id", "data"} and not name.startswith((FACTS, META)):
            raise UsageError(f"unknown column {name!r} of items: columns are id, data, {FACTS}<name> and {META}<name>")
