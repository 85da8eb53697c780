"""One writing verb at a time per project."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Final

from labelmill.errors import StorageError
from labelmill.stores._files import Files, Hold

__all__ = ["WritingLock"]

LOCK: Final = "lock"


class WritingLock:
    """Held by the process that writes; let go of when the process ends, however it ends.

    In a folder that is a locked file, and the system lets go of it at once; on an object store it is a lease, which
    runs out. The thread that holds it may take it again.

    Parameters
    ----------
    files : Files
        Where the lock lies.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._owner: int | None = None
        self._hold: Hold | None = None

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
            If another process or thread holds it; names it. Also if the lock has been lost, when the block is
            entered again and when it ends well.
        """
        if self._owner == threading.get_ident():
            self.check()
            yield False
            self.check()
            return
        hold = self._files.take(LOCK)
        self._owner, self._hold = threading.get_ident(), hold
        try:
            yield True
            hold.check()
        except BaseException:
            with contextlib.suppress(StorageError):  # the error that brought us here is the one to tell
                self._let_go(hold)
            raise
        self._let_go(hold)

    def is_held(self) -> bool:
        """True if any process or thread holds it at the moment."""
        return self._files.is_taken(LOCK)

    def check(self) -> None:
        """Raise StorageError if the lock was taken and has been lost; what is written now may not count."""
        if self._hold is not None:
            self._hold.check()

    def _let_go(self, hold: Hold) -> None:
        self._owner, self._hold = None, None
        hold.release()
