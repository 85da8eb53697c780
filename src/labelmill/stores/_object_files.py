"""Objects by key as the lake's files: conditional writes instead of links, ranges instead of whole files."""

from __future__ import annotations

import atexit
import hashlib
import secrets
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import ClassVar, Final

import polars as pl

from labelmill.errors import StorageError
from labelmill.stores._files import MANIFEST, ORPHAN_AGE, Files, Hold, Notes
from labelmill.stores._frames import read_frame
from labelmill.stores._lease import Lease
from labelmill.stores._object_store import ObjectStore
from labelmill.stores._ranged_frames import RangedFrames
from labelmill.stores._system_errors import storage_errors

__all__ = ["ObjectFiles"]

_PART: Final = 64 << 20
"""Bytes of a file that are fetched at once."""


class ObjectFiles(Files):
    """The objects under one prefix.

    An object appears whole when it is put, so nothing is renamed. What is a folder on a disk is a prefix here; it
    counts from the moment its `manifest.json` is there, and is read through a copy in a private folder.

    Parameters
    ----------
    store : ObjectStore
    """

    fresh_for: ClassVar[float] = 2.0

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self._frames = RangedFrames(store)

    @property
    def uri(self) -> str:
        """Where the prefix lies."""
        return self.store.uri

    def place(self, key: str) -> str:
        """Where a key lies, for messages."""
        return self.store.place(key)

    def publish(self, key: str, content: bytes) -> bool:
        """Put a file there if there is none, by a conditional write.

        False may also mean that our own file is there: when the answer to a request gets lost it is sent again. Who
        publishes content that follows from its key need not care.
        """
        return self.store.create(key, content)

    def publish_folder(self, parent: str, fill: Callable[[Path], str]) -> tuple[Path, bool]:
        """Put a folder into another if there is none of its name: its files first, its manifest last."""
        private = _cache() / f"new-{secrets.token_hex(8)}"
        try:
            with storage_errors(private, "write"):
                private.mkdir()
                key = f"{parent}/{fill(private)}"
                created = not self.exists(f"{key}/{MANIFEST}") and self._upload(private, key)
        finally:
            shutil.rmtree(private, ignore_errors=True)
        return self.folder(key), created

    def folder(self, key: str) -> Path:
        """A copy of a published folder, fetched once by each process."""
        target = _cache() / hashlib.sha256(self.place(key).encode()).hexdigest()[:16] / key.rpartition("/")[2]
        if target.is_dir():
            return target
        manifest = self.read_json(f"{key}/{MANIFEST}")
        if manifest is None:
            raise StorageError(f"{self.place(key)}: is not there (any more): run the step that makes it again")
        private = _cache() / f"new-{secrets.token_hex(8)}"
        with storage_errors(private, "write"):
            for file in manifest["files"]:
                self._download(f"{key}/{file['name']}", private / file["name"], file["sha256"])
            (private / MANIFEST).write_bytes(self.read(f"{key}/{MANIFEST}") or b"")
            target.parent.mkdir(exist_ok=True)
            if not target.is_dir():
                private.rename(target)
        return target

    def replace(self, key: str, data: bytes) -> None:
        """Put a file there, in place of one that is there."""
        self.store.put(key, data)

    def read(self, key: str) -> bytes | None:
        """Content of a file; None if there is none."""
        return self.store.read(key)

    def read_frame(
        self, key: str, columns: Sequence[str] | None = None, *, start: int = 0, length: int | None = None
    ) -> pl.DataFrame:
        """The frame in a Parquet file; of a part of it, only the ranges that hold the part are fetched."""
        if columns is not None or start or length is not None:
            return self._frames.read(key, columns, start, length)
        content = self.store.read(key)
        if content is None:
            raise StorageError(f"{self.place(key)}: cannot read: no such file or folder; has it been moved or deleted?")
        return read_frame(content, self.place(key))

    def count_rows(self, key: str) -> int:
        """Number of rows of a Parquet file, from its footer."""
        return self._frames.count(key)

    def stamp(self, key: str) -> object | None:
        """The object's ETag; None if there is no file."""
        status = self.store.stat(key)
        return None if status is None else status.stamp

    def exists(self, key: str) -> bool:
        """True if there is a file."""
        return self.store.stat(key) is not None

    def names(self, key: str) -> list[str]:
        """Sorted names under a key, hidden ones left out."""
        return sorted(name for name in self.store.names(key) if not name.startswith("."))

    def delete(self, key: str) -> None:
        """Remove a file; nothing happens if there is none."""
        self.store.delete(key)

    def delete_folder(self, key: str) -> None:
        """Remove everything under a key."""
        self.store.delete_folder(key)

    def sweep(self, *, older_than: float = ORPHAN_AGE) -> int:
        """Remove what killed writers left behind; how many were removed."""
        return self.store.sweep(older_than)

    def open_notes(self, key: str, first: bytes) -> Notes | None:
        """A new file of notes, if there is none; each is a request."""
        return _PutNotes(self.store, key) if self.store.create(key, first) else None

    def take(self, key: str) -> Hold:
        """Take the right to write as a lease that is renewed."""
        return Lease.take(self.store, key)

    def is_taken(self, key: str) -> bool:
        """True if there is a lease that has not run out."""
        return Lease.is_held(self.store, key)

    def _upload(self, folder: Path, key: str) -> bool:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = path.relative_to(folder).as_posix()
            if name != MANIFEST:
                self.store.upload(f"{key}/{name}", path)
        return self.store.create(f"{key}/{MANIFEST}", (folder / MANIFEST).read_bytes())

    def _download(self, key: str, target: Path, sha256: str) -> None:
        status = self.store.stat(key)
        size = 0 if status is None else status.size
        digest = hashlib.sha256()
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            for start in range(0, size, _PART):
                part = self.store.read(key, start=start, size=min(_PART, size - start)) or b""
                digest.update(part)
                file.write(part)
        if status is None or digest.hexdigest() != sha256:
            raise StorageError(f"{self.place(key)}: is not what its manifest says: run the step that makes it again")


class _PutNotes:
    is_cheap = False

    def __init__(self, store: ObjectStore, key: str) -> None:
        self._store = store
        self._key = key

    def write(self, content: bytes) -> None:
        self._store.put(self._key, content)

    def close(self) -> None:
        """Every note is there already."""


@cache
def _cache() -> Path:
    """A folder of this process for copies of models and releases, gone when it ends."""
    folder = Path(tempfile.mkdtemp(prefix="labelmill-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
