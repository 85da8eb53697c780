"""Figures that many answers make, kept as long as nobody has said anything new."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

__all__ = ["KeptFigures"]

COSTLY: Final = 0.25
"""Seconds; figures that take longer are not made anew at every answer."""

SHARE: Final = 20
"""Costly figures hold for so many times as long as they took: one reader costs a twentieth of a core at most."""

LONGEST: Final = 60.0
"""Seconds that figures hold at most while people answer."""


class _Kept(NamedTuple):
    number: tuple[int, int]
    made_at: float
    took: float
    figures: Mapping[str, Any]


class KeptFigures:
    """The last figures of each project.

    Parameters
    ----------
    clock : callable
        Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[int, _Kept] = {}
        self._locks: dict[int, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, project: int, number: tuple[int, int], make: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        """The figures for this number; made once, however many ask at the same time.

        Parameters
        ----------
        number : (int, int)
            Version of the settings, last vote.
        make : callable
            Makes them.
        """
        with self._lock:
            lock = self._locks.setdefault(project, threading.Lock())
        with lock:
            kept = self._kept.get(project)
            if kept is None or not self._holds(kept, number):
                started = self._clock()
                figures = make()
                now = self._clock()
                kept = self._kept[project] = _Kept(number, now, now - started, figures)
            return kept.figures

    def _holds(self, kept: _Kept, number: tuple[int, int]) -> bool:
        if kept.number == number:
            return True
        is_same_question = kept.number[0] == number[0]
        age = self._clock() - kept.made_at
        return is_same_question and kept.took > COSTLY and age < min(LONGEST, SHARE * kept.took)
