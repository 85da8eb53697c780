"""What a dying worker can still write: the traceback of the signal or of the time limit that ended it.

Nothing but C code runs at that moment, so the words go to a file of this machine, and the next attempt on the same
machine finds them. On another machine they are missing, which costs the suspect one more death and the fault its
traceback.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import tempfile
from pathlib import Path
from typing import Final, Self

__all__ = ["LastWords", "forget", "last_words"]

MOST_CHARACTERS: Final = 4_000
"""Length at which a traceback is cut."""


class LastWords:
    """Where `faulthandler` writes if this process dies of itself. For worker processes only.

    Parameters
    ----------
    name : str
        Of the attempt; random, so that nobody can be waiting under it in a folder that all can write to. Without a
        name nothing is kept.
    """

    def __init__(self, name: str | None) -> None:
        self._path = None if name is None else _path(name)
        if self._path is None:
            self.descriptor = os.open(os.devnull, os.O_WRONLY)
        else:
            self.descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def __enter__(self) -> Self:
        self._was_enabled = faulthandler.is_enabled()
        if self._path is not None:
            faulthandler.enable(self.descriptor)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._path is not None:
            faulthandler.disable()
            if self._was_enabled and sys.__stderr__ is not None:
                faulthandler.enable(sys.__stderr__)
            self._path.unlink(missing_ok=True)
        os.close(self.descriptor)


def last_words(name: str) -> str:
    """What the worker of that attempt wrote when it died; empty if it wrote nothing, or on another machine."""
    try:
        return _path(name).read_text(errors="replace")[:MOST_CHARACTERS]
    except OSError:
        return ""


def forget(name: str) -> None:
    """Remove an attempt's last words."""
    _path(name).unlink(missing_ok=True)


def _path(name: str) -> Path:
    return Path(tempfile.gettempdir(), f"labelmill-{name}.last-words")
