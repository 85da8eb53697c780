"""Which rows a training loop sees together, and when: drawn anew for each epoch, the same wherever it is taken up."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["epoch_batches", "sorted_batches"]

Rows = npt.NDArray[np.intp]

_WINDOW: Final = 16
"""Batches whose rows are sorted by length together: long enough that rows of a batch are alike, short enough that
which rows meet changes from epoch to epoch."""


def epoch_batches(
    rows: Rows,
    lengths: npt.NDArray[np.int64],
    batch_size: int,
    *,
    seed: int,
    epoch: int,
    chances: npt.NDArray[np.float64] | None = None,
) -> list[Rows]:
    """The batches of an epoch: rows of like length together, in random order.

    Rows are shuffled, cut into windows of sixteen batches, sorted by length within each, and the batches shuffled
    again. Everything follows from the seed and the number of the epoch, so that nothing need be kept to go on.

    Parameters
    ----------
    rows : ndarray of int, shape (n_rows,)
        Positions to train on.
    lengths : ndarray of int, shape (n_items,)
        What each item costs, e.g. tokens.
    chances : ndarray of float64, shape (n_rows,), optional
        Draw as many rows as there are, with these chances and replacement, instead of each once. A row comes as often
        as its chance says, give or take one (systematic resampling).
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(rows) if chances is None else _drawn(rows, chances, rng)
    window = _WINDOW * batch_size
    batches: list[Rows] = []
    for start in range(0, len(order), window):
        batches += sorted_batches(order[start : start + window], lengths, batch_size)
    return [batches[i] for i in rng.permutation(len(batches))]


def sorted_batches(rows: Rows, lengths: npt.NDArray[np.int64], batch_size: int) -> list[Rows]:
    """The rows by length, cut into batches; equal ones stay in their order."""
    by_length = rows[np.argsort(lengths[rows], kind="stable")]
    return [by_length[start : start + batch_size] for start in range(0, len(by_length), batch_size)]


def _drawn(rows: Rows, chances: npt.NDArray[np.float64], rng: np.random.Generator) -> Rows:
    order = rng.permutation(len(rows))
    bounds = np.cumsum(chances[order] / chances.sum())
    points = (rng.random() + np.arange(len(rows))) / len(rows)
    picked = np.minimum(np.searchsorted(bounds, points, side="right"), len(rows) - 1)
    drawn: Rows = rng.permutation(rows[order[picked]])
    return drawn
