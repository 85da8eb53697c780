"""What tests of engines wait for."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["pids", "until"]


def pids(folder: Path) -> set[int]:
    """The processes that noted a call of the stage in a folder."""
    return {int(path.name.split("~")[1]) for path in folder.glob("*~*~*")}


def until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    """Wait; fails if it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
