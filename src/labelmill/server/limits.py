"""How often somebody may ask: buckets that fill with time, in this process's memory."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["Buckets"]

MOST_KEYS = 100_000
"""Those least recently seen are forgotten beyond it: memory stays bounded whoever asks."""


class Buckets:
    """One bucket of tokens for each key; whoever finds none waits.

    Parameters
    ----------
    per_second : float
        Tokens that come back.
    burst : float
        Tokens of a full bucket.
    clock : callable
        Seconds of a clock that nobody sets.
    """

    def __init__(self, per_second: float, burst: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = per_second, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, key: str, *, take: float = 1.0) -> float:
        """Seconds to wait before asking again; 0 when a token was there, which is then taken."""
        with self._lock:
            now = self._clock()
            left, at = self._left.pop(key, (self._burst, now))
            left = min(self._burst, left + (now - at) * self._rate)
            wait = 0.0 if left >= 1 else (1 - left) / self._rate
            self._left[key] = (left - take if wait == 0 else left, now)
            if len(self._left) > MOST_KEYS:
                self._left.popitem(last=False)
            return wait

    def forget(self, key: str) -> None:
        """A full bucket again."""
        with self._lock:
            self._left.pop(key, None)
