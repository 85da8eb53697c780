"""One writing verb at a time per project."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from typing import Final

from labelmill.errors import StorageError
from labelmill.stores._files import Files, storage_errors

__all__ = ["WritingLock"]

LOCK: Final = "lock"


class WritingLock:
    """Held by the process that writes; the system lets go of it when the process ends, however it ends.

    The thread that holds it may take it again.

    Parameters
    ----------
    files : Files
        Where the lock file lies.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._owner: int | None = None

    @contextlib.contextmanager
    def held(self) -> Iterator[bool]:
        """Hold the lock for the length of the block.

        Yields
        ------
        bool
            True if it is taken now, False if this thread held it before.

        Raises
        ------
        StorageError
            If another process or thread holds it; names its process id.
        """
        if self._owner == threading.get_ident():
            yield False
            return
        descriptor = self._take()
        self._owner = threading.get_ident()
        try:
            yield True
        finally:
            self._owner = None
            os.close(descriptor)

    def _take(self) -> int:
        path = self._files.path(LOCK)
        if not self._files.exists(LOCK):
            with contextlib.suppress(StorageError):  # another process made it just now; else opening it will tell
                self._files.create_empty(LOCK)
        with storage_errors(path, "write"):
            descriptor = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            except BlockingIOError:
                holder = os.pread(descriptor, 20, 0).decode("ascii", "replace") or "unknown"
                os.close(descriptor)
                raise StorageError(
                    f"another labelmill is writing to {self._files.root} (pid {holder}): "
                    "wait for it to finish, or stop it"
                ) from None
            except OSError:
                os.close(descriptor)
                raise
        return descriptor
