"""Files by key under one root: they appear whole or not at all, and only their owner can read them.

Every read and write of the lake passes here, and every path is a key relative to the root (`votes/ab12/p.parquet`),
so that an object store can take the place of the local folder. What is needed of it is what is used here: read, list,
delete, put-if-absent (`publish`) and atomic put (`replace`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from labelmill.domain.strict_json import dumps, loads
from labelmill.errors import BadInputError, StorageError

__all__ = ["ORPHAN_AGE", "Files", "storage_errors"]

ORPHAN_AGE: Final = 3600.0
"""Seconds after which a temporary file is taken to have no living writer."""

_TEMPORARY: Final = ".tmp-"
_NO_LINKS: Final = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}
_TAKEN: Final = {errno.EEXIST, errno.ENOTEMPTY}


class Files:
    """The files under one folder.

    Folders are made when something is first written, with mode 0700, files with mode 0600, whatever the umask.

    Parameters
    ----------
    root : Path
        The folder; its parent exists.

    Raises
    ------
    StorageError
        From every method: what could not be read or written, why, and what to do. Nothing is left half-written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str) -> Path:
        """Where a key lies."""
        return self.root / key

    def publish(self, key: str, content: bytes | Callable[[Path], None]) -> bool:
        """Put a file there if there is none: of racing writers the first wins.

        Parameters
        ----------
        key : str
        content : bytes or callable
            The content, or what writes it to the private path it is given, in the same folder as the target.

        Returns
        -------
        bool
            False if there is a file already; it stays as it is.
        """
        target = self.path(key)
        with storage_errors(target, "write"), self._private(target) as temporary:
            if target.exists():
                return False
            if isinstance(content, bytes):
                temporary.write_bytes(content)
            else:
                content(temporary)
            _settle_file(temporary)
            created = _link(temporary, target)
            _to_disk(target.parent)
        return created

    def publish_folder(self, parent: str, fill: Callable[[Path], str]) -> tuple[Path, bool]:
        """Put a folder into another if there is none of its name.

        Parameters
        ----------
        parent : str
            Key of the folder it goes into.
        fill : callable
            Fills the private folder it is given and returns the name it gets, which may depend on the content.

        Returns
        -------
        folder : Path
        created : bool
            False if there is one of that name already; it stays as it is.
        """
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

    def replace(self, key: str, data: bytes) -> None:
        """Put a file there, in place of one that is there: readers see the old one or the new one."""
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

    def write_json(self, key: str, value: Any) -> None:
        """Put a JSON value there, in place of one that is there."""
        self.replace(key, (dumps(value) + "\n").encode())

    def read_json(self, key: str) -> Any:
        """The JSON value in a file; None if there is no file."""
        data = self.read(key)
        if data is None:
            return None
        try:
            return loads(data, source=str(self.path(key)))
        except BadInputError as error:
            raise StorageError(
                f"{error}\nThe file is damaged: restore it, or remove it and run the step again."
            ) from error

    def exists(self, key: str) -> bool:
        """True if there is a file or folder."""
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

    def create_empty(self, key: str) -> Path:
        """Put an empty file there, at once and without waiting for the disk."""
        path = self.path(key)
        with storage_errors(path, "write"):
            self._make_folder(path.parent)
            _create(path)
        return path

    def delete(self, key: str) -> None:
        """Remove a file or a folder with all that is in it; nothing happens if there is none."""
        path = self.path(key)
        with storage_errors(path, "delete"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def sweep(self, *, older_than: float = ORPHAN_AGE) -> int:
        """Remove temporary files and folders that killed writers left behind.

        Parameters
        ----------
        older_than : float
            Seconds since they were last written.

        Returns
        -------
        int
            How many were removed.
        """
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


@contextlib.contextmanager
def storage_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn an OSError inside the block into a StorageError that says what to do."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: cannot {doing}: {_advice(error, path)}") from error


_ADVICE: Final = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "your disk quota is used up; free some space and run the same command again",
    errno.EFBIG: "the file is larger than this process may write; raise the limit (ulimit -f)",
    errno.EACCES: "no permission; make the folder yours and writable (chown, chmod u+rwX)",
    errno.EPERM: "no permission; make the folder yours and writable (chown, chmod u+rwX)",
    errno.EROFS: "the disk is mounted read-only; move the project to one that can be written",
    errno.ENOENT: "no such file or folder; has it been moved or deleted?",
    errno.EMFILE: "too many open files; raise the limit (ulimit -n)",
}


def _advice(error: OSError, path: Path) -> str:
    blocker = next((p for p in path.parents if p.exists() and not p.is_dir()), None)
    if blocker is not None:
        return f"{blocker} is a file where a folder should be; move it away"
    return _ADVICE.get(error.errno or 0, error.strerror or str(error))


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
