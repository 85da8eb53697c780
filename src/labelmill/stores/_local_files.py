"""A folder of this machine: files that only their owner can read, on disk before they are seen."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import mmap
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Final

import polars as pl

from labelmill.errors import StorageError
from labelmill.stores._files import ORPHAN_AGE, Files, Hold, Notes
from labelmill.stores._frames import count_rows, read_frame
from labelmill.stores._system_errors import storage_errors

__all__ = ["LocalFiles"]

_TEMPORARY: Final = ".tmp-"
_NO_LINKS: Final = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}
_TAKEN: Final = {errno.EEXIST, errno.ENOTEMPTY}


class LocalFiles(Files):
    """The files under one folder.

    Folders are made when something is first written, with mode 0700, files with mode 0600, whatever the umask.

    Parameters
    ----------
    root : Path
        The folder; its parent exists.
    """

    fresh_for: ClassVar[float] = 0.0

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def uri(self) -> str:
        """The folder's absolute path."""
        return str(self.root.resolve())

    def path(self, key: str) -> Path:
        """Where a key lies."""
        return self.root / key

    def place(self, key: str) -> str:
        """Where a key lies, for messages."""
        return str(self.path(key))

    def publish(self, key: str, content: bytes) -> bool:
        """Put a file there if there is none, by a hard link."""
        target = self.path(key)
        with storage_errors(target, "write"), self._private(target) as temporary:
            if target.exists():
                return False
            temporary.write_bytes(content)
            _settle_file(temporary)
            created = _link(temporary, target)
            _to_disk(target.parent)
        return created

    def publish_folder(self, parent: str, fill: Callable[[Path], str]) -> tuple[Path, bool]:
        """Put a folder into another if there is none of its name, by one rename."""
        place = self.path(parent)
        with storage_errors(place, "write"), self._private(place / "new", folder=True) as temporary:
            target = place / fill(temporary)
            _settle_tree(temporary)
            try:
                temporary.rename(target)
            except OSError as error:
                if error.errno in _TAKEN:
                    return target, False
                raise
            _to_disk(place)
        return target, True

    def folder(self, key: str) -> Path:
        """The folder itself."""
        return self.path(key)

    def replace(self, key: str, data: bytes) -> None:
        """Put a file there, in place of one that is there, by one rename."""
        target = self.path(key)
        with storage_errors(target, "write"), self._private(target) as temporary:
            temporary.write_bytes(data)
            _settle_file(temporary)
            temporary.replace(target)
            _to_disk(target.parent)

    def read(self, key: str) -> bytes | None:
        """Content of a file; None if there is none."""
        path = self.path(key)
        with storage_errors(path, "read"):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                return None

    def read_frame(
        self, key: str, columns: Sequence[str] | None = None, *, start: int = 0, length: int | None = None
    ) -> pl.DataFrame:
        """The frame in a Parquet file, or some columns of `length` rows from `start`."""
        path = self.path(key)
        with storage_errors(path, "read"):
            return read_frame(path, str(path), columns, start=start, length=length)

    def count_rows(self, key: str) -> int:
        """Number of rows of a Parquet file, from its footer."""
        path = self.path(key)
        with storage_errors(path, "read"):
            return count_rows(path, str(path))

    def stamp(self, key: str) -> object | None:
        """What changes when the file is replaced; None if there is no file."""
        path = self.path(key)
        with storage_errors(path, "read"):
            try:
                status = path.stat()
            except FileNotFoundError:
                return None
        return status.st_ino, status.st_mtime_ns

    def exists(self, key: str) -> bool:
        """True if there is a file."""
        path = self.path(key)
        with storage_errors(path, "read"):
            return path.exists()

    def names(self, key: str) -> list[str]:
        """Sorted names in a folder, hidden and temporary ones left out; empty if there is no folder."""
        path = self.path(key)
        with storage_errors(path, "list"):
            try:
                return sorted(name for name in os.listdir(path) if not name.startswith("."))  # noqa: PTH208 -- Path.iterdir makes a Path of each of what may be a million names
            except FileNotFoundError:
                return []

    def delete(self, key: str) -> None:
        """Remove a file; nothing happens if there is none."""
        path = self.path(key)
        with storage_errors(path, "delete"):
            path.unlink(missing_ok=True)

    def delete_folder(self, key: str) -> None:
        """Remove a folder with all that is in it; nothing happens if there is none."""
        path = self.path(key)
        with storage_errors(path, "delete"), contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path)

    def sweep(self, *, older_than: float = ORPHAN_AGE) -> int:
        """Remove temporary files and folders that killed writers left behind; how many were removed."""
        oldest = time.time() - older_than
        n_removed = 0
        for folder, folders, names in os.walk(self.root):
            orphans = [name for name in [*folders, *names] if name.startswith(_TEMPORARY)]
            folders[:] = [name for name in folders if not name.startswith(_TEMPORARY)]
            for name in orphans:
                path = Path(folder, name)
                with contextlib.suppress(OSError):  # its writer lives after all, or another sweep was faster
                    if path.stat().st_mtime < oldest:
                        _remove(path)
                        n_removed += 1
        return n_removed

    def open_notes(self, key: str, first: bytes) -> Notes | None:
        """A new file of notes in mapped memory, which does not wait for the disk."""
        path = self.path(key)
        with storage_errors(path, "write"):
            self._make_folder(path.parent)
            try:
                _create(path)
            except FileExistsError:
                return None
            path.write_bytes(first)
            return _MappedNotes(path, len(first))

    def take(self, key: str) -> Hold:
        """Take the right to write by locking a file, which the system lets go of when this process ends."""
        path = self.path(key)
        with storage_errors(path, "write"):
            self._make_folder(path.parent)
            with contextlib.suppress(FileExistsError):
                _create(path)
            descriptor = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            except BlockingIOError:
                holder = os.pread(descriptor, 20, 0).decode("ascii", "replace") or "unknown"
                os.close(descriptor)
                raise StorageError(
                    f"another labelmill is writing to {self.root} (pid {holder}): wait for it to finish, or stop it"
                ) from None
            except OSError:
                os.close(descriptor)
                raise
        return _LockedFile(descriptor)

    def is_taken(self, key: str) -> bool:
        """True if the file is locked."""
        path = self.path(key)
        with storage_errors(path, "read"):
            try:
                descriptor = os.open(path, os.O_RDONLY)
            except FileNotFoundError:
                return False
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            finally:
                os.close(descriptor)
        return False

    @contextlib.contextmanager
    def _private(self, target: Path, *, folder: bool = False) -> Iterator[Path]:
        """A new file or folder beside the target under a name nobody else has; gone afterwards."""
        self._make_folder(target.parent)
        temporary = target.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
        try:
            if folder:
                temporary.mkdir(mode=0o700)
                temporary.chmod(0o700)
            else:
                _create(temporary)
            yield temporary
        finally:
            with contextlib.suppress(OSError):  # the error that brought us here is the one to tell
                _remove(temporary)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder and those above it up to the root."""
        if folder.is_dir():
            return
        if folder != self.root:
            self._make_folder(folder.parent)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            if not folder.is_dir():
                raise
        else:
            folder.chmod(0o700)
            _to_disk(folder.parent)


class _MappedNotes:
    is_cheap = True

    def __init__(self, path: Path, length: int) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), length)

    def write(self, content: bytes) -> None:
        self._map[:] = content

    def close(self) -> None:
        self._map.close()


class _LockedFile:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def check(self) -> None:
        """The system takes no lock away."""

    def release(self) -> None:
        os.close(self._descriptor)


def _create(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def _link(temporary: Path, target: Path) -> bool:
    """Give the finished file its name, unless the name is taken."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A disk without hard links (FAT, some network folders). Two racing writers could both get here, and the later
        # one would win; as both did the same work on the same input, readers cannot tell.
        if target.exists():
            return False
        temporary.rename(target)
    return True


def _settle_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o700)
            _to_disk(path)
        else:
            _settle_file(path)
    _to_disk(folder)


def _settle_file(path: Path) -> None:
    path.chmod(0o600)
    _to_disk(path)


def _to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
