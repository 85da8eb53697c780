"""Batches of things of like length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["by_length"]


def by_length(lengths: Sequence[int], most: int) -> Iterator[npt.NDArray[np.intp]]:
    """Places of things in batches, the longest first; filled up to the longest, none is larger than `most` altogether.

    Memory that lasts for the first batch lasts for all. Things of the same length keep their order.

    Parameters
    ----------
    lengths : sequence of int
    most : int
        Sum of the lengths in a batch, filled up; one thing alone may have more.

    Examples
    --------
    >>> [places.tolist() for places in by_length([3, 1, 2, 3], 6)]
    [[0, 3], [2, 1]]
    """
    order = np.argsort(-np.asarray(lengths, dtype=np.intp), kind="stable")
    start = 0
    while start < len(order):
        count = max(1, most // max(1, lengths[order[start]]))
        yield order[start : start + count]
        start += count
