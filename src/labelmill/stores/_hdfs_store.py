"""Directories of HDFS through hdfs_native: a client of the cluster's own protocol, without Java.

opendal's client of the same library makes a rename of three steps, between which a file is empty or missing; the
library itself has the namenode's, which is one step.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from hdfs_native import Client  # noqa: TID253 -- this file is about it, and is imported for HDFS only

from labelmill.errors import StorageError
from labelmill.stores._object_store import Changed, ObjectStore, Status

__all__ = ["HdfsStore", "connect_hdfs"]

_PRIVATE: Final = "_tmp"
_CHUNK: Final = 64 << 20
_PATIENCE: Final = 10.0


@lru_cache(maxsize=16)
def connect_hdfs(scheme: str, namenode: str, prefix: str) -> HdfsStore:
    """The files under a directory; the client is kept for the life of the process."""
    url = f"{scheme}://{namenode}"
    with _failures(url, "open"):
        host, _, port = namenode.rpartition(":")
        if host:  # the client itself tries a namenode that does not answer for minutes
            socket.create_connection((host, int(port)), timeout=_PATIENCE).close()
        return HdfsStore(f"{url}/{prefix}".rstrip("/"), f"/{prefix}".rstrip("/"), Client(url))


class HdfsStore(ObjectStore):
    """Files under one directory. They are written under a private name and renamed, which is one step.

    Parameters
    ----------
    uri : str
    root : str
        Path of the directory on the cluster.
    client : hdfs_native.Client
    """

    swaps_safely = False

    def __init__(self, uri: str, root: str, client: Client) -> None:
        self._uri = uri
        self._root = root
        self._client = client

    @property
    def uri(self) -> str:
        """Where the directory lies."""
        return self._uri

    def place(self, key: str) -> str:
        """Where a file lies, for messages."""
        return f"{self._uri}/{key}" if key else self._uri

    def read(self, key: str, *, start: int = 0, size: int | None = None, stamp: str | None = None) -> bytes | None:
        """A file or a part of it; None if there is none."""
        if stamp is not None:
            now = self.stat(key)
            if now is None or now.stamp != stamp:
                raise Changed(key)
        with _failures(self.place(key), "read"):
            try:
                with self._client.read(self._path(key)) as file:
                    return bytes(file.read_range(start, max(0, len(file) - start) if size is None else size))
            except FileNotFoundError:
                return None

    def stat(self, key: str) -> Status | None:
        """Size and stamp of a file; None if there is none."""
        with _failures(self.place(key), "read"):
            try:
                found = self._client.get_file_info(self._path(key))
            except FileNotFoundError:
                return None
        return None if found.isdir else Status(found.length, f"{found.modification_time}-{found.length}")

    def put(self, key: str, data: bytes) -> None:
        """Put a file there, in place of one that is there; whole or not at all."""
        with _failures(self.place(key), "write"), self._private() as (file, private):
            file.write(data)
            file.close()
            self._rename(private, key, overwrite=True)

    def upload(self, key: str, source: Path) -> None:
        """Put a file there like `put`, without holding all of it in memory."""
        with _failures(self.place(key), "write"), self._private() as (file, private), source.open("rb") as content:
            shutil.copyfileobj(content, file, _CHUNK)
            file.close()
            self._rename(private, key, overwrite=True)

    def create(self, key: str, data: bytes) -> bool:
        """Put a file there if there is none."""
        with _failures(self.place(key), "write"), self._private() as (file, private):
            file.write(data)
            file.close()
            try:
                self._rename(private, key, overwrite=False)
            except FileExistsError:
                return False
        return True

    def swap(self, key: str, data: bytes, stamp: str) -> bool:
        """Put a file in place of the one with the stamp, in two steps; False if that is not there any more."""
        now = self.stat(key)
        if now is None or now.stamp != stamp:
            return False
        self.put(key, data)
        return True

    def names(self, folder: str) -> Iterator[str]:
        """Names directly under a key, by one listing."""
        with _failures(self.place(folder), "list"), contextlib.suppress(FileNotFoundError):
            for found in self._client.list_status(self._path(folder)):
                yield found.path.rstrip("/").rpartition("/")[2]

    def delete(self, key: str) -> None:
        """Remove a file; nothing happens if there is none."""
        self._delete(key)

    def delete_folder(self, key: str) -> None:
        """Remove a directory with all that is in it."""
        self._delete(key)

    def sweep(self, older_than: float) -> int:
        """Remove private files of killed writers; how many."""
        oldest = (time.time() - older_than) * 1000
        n_removed = 0
        with _failures(self._uri, "sweep"), contextlib.suppress(FileNotFoundError):
            for found in list(self._client.list_status(self._path(_PRIVATE))):
                if found.modification_time < oldest:
                    n_removed += self._client.delete(self._path(f"{_PRIVATE}/{found.path.rpartition('/')[2]}"))
        return n_removed

    def _delete(self, key: str) -> None:
        with _failures(self.place(key), "delete"), contextlib.suppress(FileNotFoundError):
            self._client.delete(self._path(key), recursive=True)

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    @contextlib.contextmanager
    def _private(self) -> Iterator[tuple[Any, str]]:
        """A new file under a name nobody else has, open for writing; gone afterwards unless it was renamed."""
        path = self._path(f"{_PRIVATE}/{secrets.token_hex(8)}")
        self._client.mkdirs(self._path(_PRIVATE), 0o700, create_parent=True)
        try:
            yield self._client.create(path), path
        finally:
            with contextlib.suppress(OSError, RuntimeError, ValueError):  # the error that brought us here is told
                self._client.delete(path)

    def _rename(self, private: str, key: str, *, overwrite: bool) -> None:
        target = self._path(key)
        self._client.mkdirs(target.rpartition("/")[0], 0o700, create_parent=True)
        self._client.rename(private, target, overwrite=overwrite)


@contextlib.contextmanager
def _failures(place: str, doing: str) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise StorageError(
            f"{place}: cannot {doing}: {reason}: is the namenode right and reachable (HADOOP_CONF_DIR), and may you "
            "write there (kinit, HADOOP_USER_NAME)?"
        ) from error
