"""The one way from a path that data names to a file: below a folder that the project lists, or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from labelmill.errors import AccessError, StorageError

__all__ = ["open_listed", "open_under"]


def open_under(root: Path, name: str) -> int:
    """A file descriptor for reading a plain file below a folder.

    The path is resolved first, and must then lie below the resolved root; the file is opened from there folder by
    folder without following links, so that a link put in place meanwhile leads nowhere.

    Raises
    ------
    AccessError
        If the path leads out of the folder, or to something that is no plain file.
    StorageError
        If there is no such file, or it cannot be read.
    """
    if "\0" in name or not name:
        raise AccessError("a path holds no NUL and is not empty")
    try:
        home = root.resolve(strict=True)
        target = (home / name).resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise StorageError(f"there is no file {name!r} below {root}") from error
    if not target.is_relative_to(home) or target == home:
        raise AccessError(f"{name!r} leads out of the folder {root}")
    return _walk(home, target.relative_to(home).parts, name)


def open_listed(roots: Sequence[Path], name: str) -> int:
    """The same below the first of several folders that has the file.

    Raises
    ------
    AccessError
        If it lies below none of them.
    StorageError
        If it is nowhere.
    """
    refusal: Exception | None = None
    for root in roots:
        try:
            return open_under(root, name)
        except (AccessError, StorageError) as error:
            refusal = error if refusal is None or isinstance(error, AccessError) else refusal
    raise refusal or AccessError("the project lists no folder for its pictures and recordings")


def _walk(home: Path, parts: Sequence[str], name: str) -> int:
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        # Opening a named pipe would wait for its other end.
        found = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:
            raise AccessError(f"{name!r} leads through a link that was put there just now") from error
        raise StorageError(f"{name!r} cannot be read: {error.strerror}") from error
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise AccessError(f"{name!r} is no plain file")
    return found
