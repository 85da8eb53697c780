"""Ends the process when an annotator hangs in compiled code, where no signal of Python's gets through.

The guard stops Python code that is over its time by raising in it. Code that never returns to the interpreter hears of
nothing, and where it also keeps the interpreter's lock, no thread of Python's has a turn. What is left is a thread of
C: `faulthandler` ends the process unless it is told in time that the work moves on. So this is for worker processes
only; the engine replaces the worker, and the attempt ledger says what it was at.
"""

from __future__ import annotations

import faulthandler
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["batch_limit", "heartbeat", "moved", "row_limit", "rows_begin", "step"]

MARGIN: Final = 1.0
"""Seconds on top of every limit, for a machine that is busy with other things."""

BATCHES: Final = 12
"""Time limits of an item that a whole batch may take in compiled code."""

OFTEN: Final = 0.25
"""Share of a limit after which a sign of life is passed on; more often would only cost."""


def row_limit(timeout: float) -> float:
    """Seconds without a sign of life after which a single item has hung; the guard stops Python code well before."""
    return 2 * timeout + MARGIN


def batch_limit(timeout: float) -> float:
    """Seconds without a sign of life after which a batch has hung."""
    return BATCHES * timeout + MARGIN


class _Step:
    """What is being watched, and how long it may be silent."""

    def __init__(self, timeout: float, n_items: int, words: int, *, has_heartbeats: bool) -> None:
        self.timeout = timeout
        self.words = words
        self.is_by_rows = n_items <= 1
        # A model shows life by running Python between its calls, but not for longer than all its items may take.
        self.heartbeats_until = time.monotonic() + timeout * n_items if has_heartbeats else 0.0
        self.limit = row_limit(timeout) if self.is_by_rows else batch_limit(timeout)
        self.arm()

    def arm(self) -> None:
        self.armed_at = time.monotonic()
        faulthandler.dump_traceback_later(self.limit, exit=True, file=self.words)

    def sign_of_life(self) -> None:
        if time.monotonic() - self.armed_at >= OFTEN * self.limit:
            self.arm()


class _Watched:
    """The step under way: one for the process, like the timer of `faulthandler`."""

    step: _Step | None = None


@contextmanager
def step(timeout: float, n_items: int, *, words: int, has_heartbeats: bool = False) -> Iterator[None]:
    """End the process if what is inside hangs. For the main thread of a worker, inside `guard(timeout)`.

    - One item: after `row_limit`.
    - A function that is called on row after row: `row_limit` after the last row that was done.
    - A batch that is one call: after `batch_limit`, counted anew at heartbeats where these count.

    Parameters
    ----------
    timeout : float
        Seconds one item may take.
    n_items : int
    words : int
        Descriptor of the file that takes the traceback.
    has_heartbeats : bool
        Whether running Python code is a sign of life. It is for a model, which makes many calls for a batch. It is
        not for a pattern, where a runaway `re.search` runs Python's signal handlers too.
    """
    _Watched.step = _Step(timeout, n_items, words, has_heartbeats=has_heartbeats)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        _Watched.step = None


def rows_begin() -> None:
    """From here on rows are done one after another, and each is a sign of life."""
    watched = _Watched.step
    if watched is not None and not watched.is_by_rows:
        watched.is_by_rows = True
        watched.limit = row_limit(watched.timeout)
        watched.arm()


def moved() -> None:
    """Another row is done."""
    if _Watched.step is not None:
        _Watched.step.sign_of_life()


def heartbeat() -> None:
    """Python code runs, whatever it does."""
    watched = _Watched.step
    if watched is not None and not watched.is_by_rows and time.monotonic() < watched.heartbeats_until:
        watched.sign_of_life()
