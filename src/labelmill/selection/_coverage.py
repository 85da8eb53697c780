"""Choosing items so that every item of a pool has a chosen one near it: greedy, lazy, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool
from labelmill.selection._candidates import Candidates, features_of, known_vectors
from labelmill.selection._distances import blocks, lower_to, spread, squared_distances

__all__ = ["MOST_CANDIDATES", "MOST_TARGETS", "Cover", "cover_of", "gaussian", "usual_width"]

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]
Kernel = Callable[[Floats], Floats]
"""Squared distances -> how far one item stands for the other, 0 to 1; may work in place."""

MOST_TARGETS: Final = 4_096
"""Items that a sum over a large pool is estimated from."""

MOST_CANDIDATES: Final = 16_384
"""Items of a large pool that are chosen among."""

AT_ONCE: Final = 64
"""Candidates whose gains are brought up to date together."""


@dataclass
class Cover:
    r"""A sum over targets of how well the best chosen item stands for each, and the greedy way to raise it.

    .. math:: C(S) = \sum_t w_t \max_{s \in S} k(t, s)

    Its gains only shrink as S grows, so a gain from before bounds the gain now, and only candidates whose bound is
    above the best are looked at again (Minoux 1978, "Accelerated greedy algorithms for maximizing submodular set
    functions", https://doi.org/10.1007/BFb0006528). Greedy reaches 1 − 1/e of the best (Nemhauser, Wolsey and Fisher
    1978, https://doi.org/10.1007/BF01588971).

    Parameters
    ----------
    candidates : ndarray of float32, shape (n_candidates, n_dimensions)
    targets : ndarray of float32, shape (n_targets, n_dimensions)
    weights : ndarray of float32, shape (n_targets,)
        Not below 0.
    kernel : callable
    """

    candidates: Floats
    targets: Floats
    weights: Floats
    kernel: Kernel

    def __post_init__(self) -> None:
        self.covered = np.zeros(len(self.targets), dtype=np.float32)

    def start_from(self, chosen: Floats) -> None:
        """Take these items, shape (n_chosen, n_dimensions), as chosen."""
        if len(chosen):
            least = np.full(len(self.targets), np.inf, dtype=np.float32)
            lower_to(least, self.targets, chosen)
            np.maximum(self.covered, self.kernel(least), out=self.covered)

    def greedy(self, count: int) -> Places:
        """Places among the candidates, best first; fewer than asked for once nothing is gained any more."""
        bounds = np.concatenate([self._gains(block) for block in blocks(len(self.candidates), len(self.targets))])
        chosen: list[int] = []
        while len(chosen) < min(count, len(bounds)):
            best = self._best(bounds)
            if bounds[best] <= 0:
                break
            chosen.append(best)
            bounds[best] = -np.inf
            self.start_from(self.candidates[best : best + 1])
        return np.array(chosen, dtype=np.intp)

    def _best(self, bounds: Floats) -> int:
        """The candidate that gains most, the first among equals; bounds are brought up to date on the way."""
        is_stale = np.isfinite(bounds)
        at_once = min(AT_ONCE, len(bounds))
        while True:
            best = int(bounds.argmax())
            if not is_stale[best]:
                return best
            top = np.argpartition(bounds, len(bounds) - at_once)[len(bounds) - at_once :]
            stale = np.sort(np.append(top[is_stale[top] & (top != best)], best))
            bounds[stale] = self._gains(stale)
            is_stale[stale] = False

    def _gains(self, some: slice | Places) -> Floats:
        near = self.kernel(squared_distances(self.candidates[some], self.targets))
        near -= self.covered
        np.maximum(near, 0.0, out=near)
        return np.asarray(near @ self.weights)


def cover_of(
    pool: Pool, found: Candidates, count: int, kernel: Kernel, worth: npt.NDArray[np.float64] | None = None
) -> Places:
    """Places of items of the pool that cover what is not known beside what is, best first.

    Where the pool is large, sums go over `MOST_TARGETS` of its items, and `MOST_CANDIDATES` are chosen among; the
    seed draws both.

    Parameters
    ----------
    found : Candidates
        Of the pool.
    worth : ndarray of float64, shape (n_items,), optional
        How much it counts that an item is covered; 1 without it.
    """
    if count < 1:
        return found.readable[:0]
    features, rng = features_of(pool), np.random.default_rng([pool.seed, 1])
    targets = _drawn(found.readable, MOST_TARGETS, rng)
    chosen_among = _drawn(found.readable, max(MOST_CANDIDATES, 2 * count), rng)
    weights = np.ones(len(targets)) if pool.weights is None else pool.weights[targets]
    if worth is not None and worth[targets].any():
        weights = weights * worth[targets]
    cover = Cover(features[chosen_among], features[targets], weights.astype(np.float32), kernel)
    cover.start_from(known_vectors(pool))
    picked = chosen_among[cover.greedy(count)]
    rest = np.setdiff1d(found.readable, picked)  # nothing is gained by them any more: any will do
    return np.concatenate([picked, _drawn(rest, max(0, count - len(picked)), rng)])


def gaussian(width: float) -> Kernel:
    """exp(−d² / width): 1 at the item itself."""
    factor = np.float32(-1.0 / width)

    def kernel(squared: Floats) -> Floats:
        squared *= factor
        return np.exp(squared, out=squared)

    return kernel


def usual_width(pool: Pool, found: Candidates) -> float:
    """The width at which two items drawn at random stand for each other by exp(−2)."""
    features = features_of(pool)
    rows = _drawn(found.readable, MOST_TARGETS, np.random.default_rng([pool.seed, 2]))
    return spread(features[rows], None if pool.weights is None else pool.weights[rows])


def _drawn(places: Places, most: int, rng: np.random.Generator) -> Places:
    """At most so many of them, in their order."""
    if len(places) <= most:
        return places
    return np.sort(rng.choice(places, most, replace=False))
