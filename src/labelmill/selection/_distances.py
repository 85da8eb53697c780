"""Squared Euclidean distances by matrix products, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BLOCK_CELLS", "blocks", "lower_to", "nearest", "norms", "spread", "squared_distances"]

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

BLOCK_CELLS = 1 << 20
"""Cells of a block of distances: 4 MB of float32, whatever the size of the pool."""


def squared_distances(rows: Floats, others: Floats) -> Floats:
    """Between all rows and all others, shape (n_rows, n_others): |x|² + |y|² − 2 x·y, never below 0."""
    cross = rows @ others.T
    cross *= -2.0
    cross += norms(rows)[:, None]
    cross += norms(others)[None, :]
    np.maximum(cross, 0.0, out=cross)
    return np.asarray(cross)


def norms(rows: Floats) -> Floats:
    """Squared lengths, shape (n_rows,)."""
    return np.asarray(np.einsum("ij,ij->i", rows, rows))


def blocks(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Slices of rows whose blocks with so many columns have at most `BLOCK_CELLS` cells."""
    step = max(1, BLOCK_CELLS // max(n_columns, 1))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def lower_to(least: Floats, rows: Floats, others: Floats, row_norms: Floats | None = None) -> None:
    """Lower `least` in place to the squared distance of each row to the nearest of the others, where that is less."""
    if not len(others):
        return
    lengths = norms(rows) if row_norms is None else row_norms
    other_lengths = norms(others)[None, :]
    doubled = others.T * np.float32(-2.0)
    for block in blocks(len(rows), len(others)):
        cross = rows[block] @ doubled
        cross += other_lengths
        found = cross.min(axis=1) + lengths[block]
        np.fmin(least[block], np.maximum(found, 0.0, out=found), out=least[block])  # rows of NaN stay as they are


def nearest(rows: Floats, others: Floats) -> tuple[Places, Floats]:
    """For each row the place of the nearest of the others (the first among equals), and its squared distance."""
    place = np.zeros(len(rows), dtype=np.intp)
    distance = np.empty(len(rows), dtype=np.float32)
    for block in blocks(len(rows), len(others)):
        table = squared_distances(rows[block], others)
        place[block] = table.argmin(axis=1)
        distance[block] = table[np.arange(len(table)), place[block]]
    return place, distance


def spread(rows: Floats, weights: npt.NDArray[Any] | None = None) -> float:
    """Half the mean squared distance of two rows drawn at random, the trace of the covariance; 1 if all are alike."""
    if not len(rows):
        return 1.0
    mean = np.average(rows, axis=0, weights=weights)
    centred = rows - mean.astype(np.float32)
    found = float(np.average(norms(centred), weights=weights))
    return found if found > 0 else 1.0
