"""How many workers there may be."""

from __future__ import annotations

import os

from labelmill.errors import UsageError

__all__ = ["fewest_asked", "n_cores"]


def fewest_asked(*asked: int | None) -> int | None:
    """The smallest number of workers that somebody asked for; None if nobody did.

    Raises
    ------
    UsageError
        If a number is below 1.
    """
    given = [n for n in asked if n is not None]
    for n in given:
        if n < 1:
            raise UsageError(f"the number of workers must be 1 or more, found {n}")
    return min(given, default=None)


def n_cores() -> int:
    """Cores this process may use; containers and batch schedulers often give fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
