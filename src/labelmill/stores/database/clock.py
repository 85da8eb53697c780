"""Time and ids as arguments: what leases count by, and what rows are called."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable

__all__ = ["Clock", "Ids", "SteadyClock", "random_id"]

Clock = Callable[[], int]
"""Milliseconds since 1970."""

Ids = Callable[[], str]
"""A new public id at each call."""


class SteadyClock:
    """The time of day, without its jumps.

    Leases must not all end because somebody set the clock, nor last for ever. Between two readings this clock goes on
    by what the machine's monotonic clock says, a tenth faster or slower while it differs from the time of day: it
    never goes back, and a lease is never wrong by more than a tenth.

    Parameters
    ----------
    wall, monotonic : callable, optional
        Seconds of the time of day, and of a clock that nobody sets.
    """

    SLEW = 0.1

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._lock = threading.Lock()
        self._now, self._read_at = wall(), monotonic()

    def __call__(self) -> int:
        """Milliseconds since 1970."""
        with self._lock:
            read_at = self._monotonic()
            passed = max(0.0, read_at - self._read_at)
            ahead = self._wall() - (self._now + passed)
            self._now += passed + max(-self.SLEW * passed, min(self.SLEW * passed, ahead))
            self._read_at = read_at
            return int(self._now * 1000)


def random_id() -> str:
    """Sixteen characters that nobody can guess (96 random bits)."""
    return secrets.token_urlsafe(12)
