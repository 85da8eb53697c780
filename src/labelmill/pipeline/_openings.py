"""Which files this thread opens for reading."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

__all__ = ["openings"]

_seen: dict[int, set[str]] = {}
"""Thread -> what it has opened, for threads that want to know."""

_is_hooked = threading.Event()


@contextlib.contextmanager
def openings() -> Iterator[set[str]]:
    """A set that fills with the absolute paths of files that this thread opens for reading inside the block.

    Only what is opened through Python is seen: not by compiled code, and not what other threads open.
    """
    if not _is_hooked.is_set():
        _is_hooked.set()
        sys.addaudithook(_hook)  # there for good; outside of blocks it only looks at an empty dict
    thread = threading.get_ident()
    before = _seen.get(thread)
    opened = _seen[thread] = set()
    try:
        yield opened
    finally:
        if before is None:
            del _seen[thread]
        else:
            _seen[thread] = before | opened


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _seen or event != "open":
        return
    opened = _seen.get(threading.get_ident())
    if opened is None:
        return
    path, _, flags = arguments
    if isinstance(path, str | bytes) and isinstance(flags, int) and flags & os.O_ACCMODE == os.O_RDONLY:
        with contextlib.suppress(OSError, ValueError):  # no working directory, a null byte: the opening fails itself
            opened.add(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100 -- no links are followed
