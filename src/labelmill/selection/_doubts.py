"""How close the two likeliest classes are, and the best of very many numbers, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool

__all__ = ["doubts", "highest", "in_chunks", "smallest_margins"]

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.floating[Any]]
Places = npt.NDArray[np.intp]

CHUNK_ROWS = 1 << 16
"""Rows whose probabilities a processor's cache holds."""

MANY_CLASSES = 64
"""From so many on, partitioning a row is quicker than going through its columns."""


def doubts(probabilities: Numbers) -> Floats:
    """One minus the lead of the likeliest class over the second, shape (n_items,); 0 with fewer than two classes."""
    return in_chunks(_doubts, probabilities)


def in_chunks(score: Callable[[Numbers], Numbers], probabilities: Numbers) -> Floats:
    """What `score` says of each row, made of chunks of rows: what it needs on the way stays small."""
    scores = np.empty(len(probabilities))
    for start in range(0, len(probabilities), CHUNK_ROWS):
        chunk = slice(start, start + CHUNK_ROWS)
        scores[chunk] = score(probabilities[chunk])
    return scores


def smallest_margins(pool: Pool, places: Places, count: int) -> Places:
    """Those of the places whose two likeliest classes are closest, closest first; the seed orders equals."""
    among = np.random.default_rng([pool.seed, 8]).permutation(places)  # a tie does not follow the file
    best = highest(lambda part: doubts(pool.probabilities[among[part]]), len(among), count)
    return np.asarray(among[best], dtype=np.intp)


def highest(score: Callable[[slice], Numbers], n_items: int, count: int) -> Places:
    """Places of the highest scores, highest first, the first among equals; in one pass with memory for the best alone.

    Parameters
    ----------
    score : callable
        A slice of items -> their scores.
    """
    best, places = np.zeros(0), np.zeros(0, dtype=np.intp)
    for start in range(0, n_items if count > 0 else 0, CHUNK_ROWS):
        chunk = slice(start, min(start + CHUNK_ROWS, n_items))
        found = np.asarray(score(chunk), dtype=np.float64)
        full = len(best) == count
        hopeful = np.flatnonzero(found > best[-1]) if full else np.arange(len(found))
        if not len(hopeful):
            continue
        if len(hopeful) > count:
            hopeful = _leading(found, hopeful, count)
        joined = np.concatenate([best, found[hopeful]])
        where = np.concatenate([places, hopeful + start])
        order = np.argsort(-joined, kind="stable")[:count]  # earlier places come first among equals
        best, places = joined[order], where[order]
    return places


def _leading(found: Numbers, hopeful: Places, count: int) -> Places:
    """The best of a chunk in their order, all those among them that equal the last."""
    values = found[hopeful]
    least = np.partition(values, len(values) - count)[len(values) - count]
    return np.asarray(hopeful[values >= least])


def _doubts(chunk: Numbers) -> Floats:
    if chunk.shape[1] < 2:
        return np.zeros(len(chunk))
    if chunk.shape[1] >= MANY_CLASSES:
        top = np.partition(chunk, -2, axis=1)[:, -2:].astype(np.float64)
        return np.asarray(1.0 - (top[:, 1] - top[:, 0]))
    first = np.maximum(chunk[:, 0], chunk[:, 1])
    second = np.minimum(chunk[:, 0], chunk[:, 1])
    for k in range(2, chunk.shape[1]):
        column = chunk[:, k]
        np.maximum(second, np.minimum(first, column), out=second)
        np.maximum(first, column, out=first)
    return np.asarray(1.0 - (first.astype(np.float64) - second))
