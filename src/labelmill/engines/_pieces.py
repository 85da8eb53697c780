"""Into how many pieces an engine with dear tasks cuts its partitions."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["n_pieces"]

PIECES_PER_WORKER: Final = 8
"""Pieces for each worker at least, so that all end at about the same time and a lost one costs a small share."""

MOST_TOGETHER: Final = 16
"""Partitions in a piece at most; a worker has one or two pieces at hand."""

LONG_SECONDS: Final = 2.0
"""Work beside which a task costs nothing; no need to put more together."""


def n_pieces(n_partitions: int, n_workers: int, seconds: float = 0.0) -> int:
    """As few as keep all workers busy to the end: each costs 15 to 30 ms of CPU on Ray and on Spark.

    Parameters
    ----------
    n_partitions, n_workers : int
    seconds : float
        What one partition takes, where that is known.

    >>> n_pieces(10, 2), n_pieces(100, 2), n_pieces(1_000, 2), n_pieces(1_000, 2, seconds=1.0)
    (10, 16, 63, 500)
    """
    together = min(MOST_TOGETHER, max(1, int(LONG_SECONDS / seconds))) if seconds else MOST_TOGETHER
    return min(n_partitions, max(PIECES_PER_WORKER * n_workers, math.ceil(n_partitions / together)))
