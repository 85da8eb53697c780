"""Drawing rows one after the other, each as likely as its squared distance to those before it, in blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["squared_draws"]

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Distances = Callable[[Places | slice, Places], Floats]
"""Some rows and some others -> squared distances, shape (n_rows, n_others)."""

TOGETHER = 128
"""Rows drawn between two looks at all."""

BLOCK = 8_192
"""Rows looked at together."""


def squared_draws(distances: Distances, first: Floats, count: int, rng: np.random.Generator) -> Places:
    """Places of different rows, in the order drawn: k-means++ (Arthur and Vassilvitskii 2007).

    A row is drawn by its distance as it was at the last look at all rows, and taken with the probability by which that
    has shrunk since: distances only shrink, so each row is taken exactly as often as if all had been looked at each
    time, and a matrix product does the work of many products with a vector.

    Parameters
    ----------
    distances : callable
    first : ndarray of float64, shape (n_rows,)
        How much each row deserves to be the first, which is the greatest; 0 for rows that may not be drawn.
    count : int
    rng : numpy.random.Generator
    """
    allowed = first > 0
    chosen: list[int] = []
    least = np.where(allowed, np.inf, 0.0)
    while len(chosen) < min(count, int(allowed.sum())):
        fresh = [int(first.argmax())] if not chosen else _drawn(distances, least, count - len(chosen), rng)
        if not fresh:
            break
        chosen += fresh
        _lower(least, distances, np.array(fresh))
    return np.array(chosen, dtype=np.intp)


def _drawn(distances: Distances, least: Floats, count: int, rng: np.random.Generator) -> list[int]:
    mass = np.cumsum(least)
    fresh: list[int] = []
    if not mass[-1] > 0:
        return fresh
    for place in _hopeful(mass, rng):
        now = least[place]
        if fresh:
            now = min(now, float(distances(np.array([place]), np.array(fresh)).min()))
        if place not in fresh and rng.random() * least[place] < now:
            fresh.append(place)
        if len(fresh) == min(count, TOGETHER):
            break
    return fresh


def _hopeful(mass: Floats, rng: np.random.Generator) -> Sequence[int]:
    """Rows drawn by what they deserved at the last look; so many, that it is time for another look after them."""
    drawn = np.searchsorted(mass, rng.random(2 * TOGETHER) * mass[-1], side="right")
    places: list[int] = np.minimum(drawn, int(np.searchsorted(mass, mass[-1]))).tolist()
    return places


def _lower(least: Floats, distances: Distances, others: Places) -> None:
    for start in range(0, len(least), BLOCK):
        block = slice(start, min(start + BLOCK, len(least)))
        np.fmin(least[block], distances(block, others).min(axis=1), out=least[block])
    least[others] = 0.0
