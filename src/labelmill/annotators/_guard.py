"""Keeps user code from hanging, printing into our output, or ending the worker it runs in."""

from __future__ import annotations

import builtins
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sized
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from types import FrameType
from typing import Any, NoReturn

from labelmill.annotators import _watchdog

__all__ = ["ForbiddenCallError", "Guarded", "TookTooLong", "guard", "watched"]

SHOWN_CHARACTERS = 2000
TICKS = 4
"""The clock looks this many times within the time limit; an item is stopped at 1 to 1.25 times the limit."""


class TookTooLong(BaseException):
    """Raised inside the user's function that is over its time; not for `except Exception` to hide."""

    is_complete_sentence = True


class ForbiddenCallError(RuntimeError):
    """User code called something that would end, double or block its worker."""

    is_complete_sentence = True


class Guarded:
    """What the guard saw."""

    def __init__(self) -> None:
        self._printed = _Start()

    @property
    def printed(self) -> str:
        """The first 2000 characters of what user code printed."""
        return self._printed.text()


@contextmanager
def guard(timeout: float | None = None) -> Iterator[Guarded]:
    """Run annotators inside: `with guard(10.0) as guarded: annotator.annotate(batch, schema)`.

    - A row-wise function that takes longer than `timeout` seconds on one item is stopped there, and the item becomes
      a fault. Needs the main thread and a POSIX clock; elsewhere there is no limit. Compiled code that never returns
      to Python cannot be stopped here: in a worker process the watchdog ends the worker, in the caller's own process
      (engine `serial`, files without a project) it hangs.
    - What is printed is kept in `guarded.printed`, up to a bound, and goes nowhere else.
    - `os._exit`, `os.abort`, `os.fork` and `input` raise instead, so that they become faults; so does `sys.exit`,
      which the row loop catches. `KeyboardInterrupt` passes.

    Parameters
    ----------
    timeout : float, optional
        Seconds that one item may take.
    """
    guarded = Guarded()
    stream = io.TextIOWrapper(guarded._printed, encoding="utf-8", errors="backslashreplace", write_through=True)
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(stream))
        stack.enter_context(redirect_stderr(stream))
        for owner, name, advice in FORBIDDEN:
            stack.enter_context(_replaced(owner, name, _forbidden(name, advice)))
        stack.enter_context(_replaced(sys, "stdin", _NoInput()))
        if timeout is not None and threading.current_thread() is threading.main_thread():
            stack.enter_context(_clock(timeout))
        yield guarded


@contextmanager
def watched(done: Sized, n_items: int) -> Iterator[None]:
    """While inside, the length of `done` says which of `n_items` items is being worked on."""
    previous = _Watch.done, _Watch.n_items
    _Watch.done, _Watch.n_items, _Watch.seen = done, n_items, -1
    _watchdog.rows_begin()
    try:
        yield
    finally:
        _Watch.done, _Watch.n_items = previous
        _Watch.seen = -1


class _Watch:
    """What the clock looks at: one for the main thread, where signals arrive."""

    done: Sized | None = None
    n_items: int = 0
    seen: int = -1
    ticks: int = 0


@contextmanager
def _clock(timeout: float) -> Iterator[None]:
    def tick(_signal: int, _frame: FrameType | None) -> None:
        at = -1 if _Watch.done is None else len(_Watch.done)
        is_between = at < 0 or at >= _Watch.n_items
        if is_between or at != _Watch.seen:
            (_watchdog.heartbeat if is_between else _watchdog.moved)()
            _Watch.seen, _Watch.ticks = at, 0
            return
        # Ticks are counted, not seconds: a machine that slept has not used up anybody's time.
        _Watch.ticks += 1
        if _Watch.ticks >= TICKS:
            raise TookTooLong(f"took longer than {timeout:g} s on this item and was stopped")

    started = time.monotonic()
    before = signal.signal(signal.SIGALRM, tick)
    remaining, interval = signal.setitimer(signal.ITIMER_REAL, timeout / TICKS, timeout / TICKS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if remaining:  # somebody else's alarm, e.g. a test's own time limit, goes on
            signal.setitimer(signal.ITIMER_REAL, max(remaining - (time.monotonic() - started), 1e-3), interval)


FORBIDDEN: tuple[tuple[Any, str, str], ...] = (
    (os, "_exit", "return an answer instead"),
    (os, "abort", "return an answer instead"),
    (os, "fork", "start processes before labelmill does, or not at all"),
    (builtins, "input", "nobody is there to answer; read a file when the rules are loaded"),
)


def _forbidden(name: str, advice: str) -> Callable[..., NoReturn]:
    def refuse(*_arguments: Any, **_options: Any) -> NoReturn:
        raise ForbiddenCallError(f"called {name}(): {advice}")

    return refuse


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


class _NoInput(io.TextIOBase):
    """Standard input of guarded code."""

    def readable(self) -> bool:
        return True

    def readline(self, _size: int | None = -1, /) -> str:  # type: ignore[override]  # refuses every call
        raise ForbiddenCallError("read standard input: nobody is there to answer")

    def read(self, _size: int | None = -1, /) -> str:
        return self.readline()


class _Start(io.BytesIO):
    """Keeps the start of what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self._kept = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        room = 4 * SHOWN_CHARACTERS - len(self._kept)
        if room > 0:
            self._kept += bytes(data)[:room]
        return len(data)

    def text(self) -> str:
        return self._kept.decode("utf-8", errors="ignore")[:SHOWN_CHARACTERS]
