"""Sums over the columns of a dense table by looking up several columns at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.domain.vote_table import VoteTable

__all__ = ["Lookup", "is_dense"]

MOST_ENTRIES = 4096
"""Of a table for some columns: it stays in the processor's cache."""
ROWS_AT_ONCE = 8192

Combine = Callable[[npt.NDArray[Any], npt.NDArray[Any]], npt.NDArray[Any]]


class Columns(NamedTuple):
    """Columns first..last-1 of the matrix, and how each counts in the number of their row."""

    first: int
    last: int
    powers: npt.NDArray[np.float32]


class Lookup:
    """Numbers the votes of every row, several columns to a number, so that what they say is looked up at once.

    With 20 rules for two classes three numbers stand for a row, each below 3^7: three look-ups do the work of 20.

    Parameters
    ----------
    n_annotators, n_classes : int
        Shape of what is looked up.
    """

    def __init__(self, n_annotators: int, n_classes: int) -> None:
        self.base = n_classes + 1
        width = max(int(np.log(MOST_ENTRIES) / np.log(self.base)), 1)
        self.columns = [
            Columns(first, last, np.float32(self.base) ** np.arange(last - first, dtype=np.float32))
            for first, last in _parts(n_annotators, width)
        ]

    def blocks(self, matrix: npt.NDArray[np.int16]) -> Iterator[tuple[slice, list[npt.NDArray[np.intp]]]]:
        """Some rows at a time, and for each group of columns the number of every row, (n_rows_here,)."""
        for start in range(0, len(matrix), ROWS_AT_ONCE):
            rows = slice(start, min(start + ROWS_AT_ONCE, len(matrix)))
            part = (matrix[rows] + np.int16(1)).astype(np.float32)  # whole numbers below 2^24 are exact
            yield rows, [(part[:, c.first : c.last] @ c.powers).astype(np.intp) for c in self.columns]

    def tables(self, values: npt.NDArray[Any], combine: Combine) -> list[npt.NDArray[Any]]:
        """For each group of columns what its numbers stand for.

        Parameters
        ----------
        values : ndarray, shape (n_annotators, n_classes + 1, ...)
            `[j, l + 1]`: what label l by annotator j says, `[j, 0]` what an abstention does.
        combine : callable
            Puts two of them together, such as `np.add`.
        """
        return [
            reduce(lambda low, high: _each_with_each(low, high, combine), values[c.first : c.last])
            for c in self.columns
        ]


def is_dense(votes: VoteTable) -> bool:
    """Whether the table is a matrix of few enough classes, larger than one block."""
    held = votes.__dict__
    return "matrix" in held and "label" not in held and votes.n_annotators > 0 and 0 < votes.n_classes < MOST_ENTRIES


def _parts(n: int, width: int) -> Iterator[tuple[int, int]]:
    for first in range(0, n, width):
        yield first, min(first + width, n)


def _each_with_each(low: npt.NDArray[Any], high: npt.NDArray[Any], combine: Combine) -> npt.NDArray[Any]:
    both = combine(low[None, :], high[:, None])
    return both.reshape(len(low) * len(high), *low.shape[1:])
