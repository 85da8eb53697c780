"""Draws of items with replacement, and the intervals that follow from them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["draws_of", "interval", "interval_around"]

Floats = npt.NDArray[np.float64]

CELLS = 2_000_000
"""Numbers drawn at a time."""


def draws_of(weight: npt.NDArray[np.int64], n_draws: int, seed: int) -> Iterator[Floats]:
    """How many times each unit is drawn, in blocks of shape (some draws, n_units); the draws are `n_draws` together.

    Parameters
    ----------
    weight : ndarray of int64, shape (n_units,)
        Items each unit stands for: as many are drawn as there are.
    """
    n = int(weight.sum())
    if n == 0:
        return
    rng = np.random.default_rng(seed)
    step = max(CELLS // len(weight), 1)
    for start in range(0, n_draws, step):
        size = min(step, n_draws - start)
        if n == len(weight):
            yield np.stack([np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(size)]).astype(np.float64)
        else:
            yield rng.multinomial(n, weight / n, size=size).astype(np.float64)


def interval_around(value: Floats, draws: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Both ends of the normal interval about each value, with the spread of its column of (n_draws, n_columns).

    For means over many small tables, whose draws lie lower than the value does: a percentile interval could miss it.
    """
    low, high = np.full(draws.shape[1], np.nan), np.full(draws.shape[1], np.nan)
    has = np.isfinite(draws).sum(axis=0) > 1
    if has.any():
        reach = special.ndtri((1 + confidence) / 2) * np.nanstd(draws[:, has], axis=0, ddof=1)
        low[has], high[has] = value[has] - reach, np.minimum(value[has] + reach, 1.0)
    return low, high


def interval(draws: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Both ends of the percentile interval of each column of (n_draws, n_columns).

    Draws in which the coefficient is not defined are left out; a column without any has NaN.
    """
    low, high = np.full(draws.shape[1], np.nan), np.full(draws.shape[1], np.nan)
    has = np.isfinite(draws).any(axis=0)
    if has.any():
        ends = [(1 - confidence) / 2, (1 + confidence) / 2]
        low[has], high[has] = np.nanquantile(draws[:, has], ends, axis=0)
    return low, high
