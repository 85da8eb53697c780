"""Which items of a pool may be asked, and in what order classes are looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool
from labelmill.errors import UsageError

__all__ = [
    "Candidates",
    "candidates",
    "features_of",
    "followed_by_unreadable",
    "known_vectors",
    "without",
]

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

MOST_KNOWN = 8_192
"""Known items that are kept away from; of more, as many drawn at random."""


class Candidates(NamedTuple):
    """Places of items whose answer is not known: those with features, and those that no encoder could read."""

    readable: Places
    unreadable: Places


def candidates(pool: Pool) -> Candidates:
    """The items that may be asked, in the pool's order; without features all count as readable."""
    unknown = np.ones(len(pool.probabilities), dtype=bool) if pool.known is None else ~pool.known
    seen = np.ones_like(unknown) if pool.features is None else _readable(features_of(pool))
    return Candidates(np.flatnonzero(unknown & seen), np.flatnonzero(unknown & ~seen))


def features_of(pool: Pool) -> Floats:
    """The features, shape (n_items, n_dimensions), float32.

    Raises
    ------
    UsageError
        If the pool has none.
    """
    if pool.features is None:
        raise UsageError(
            "this query strategy compares items by their features, and the pool has none: name an encoder as "
            "[features] encoder in labelmill.toml, or take a strategy that needs none, such as margin"
        )
    return np.asarray(pool.features, dtype=np.float32)


def without(pool: Pool, places: Places) -> Pool:
    """The pool in which the answers on these are known too: they are about to be asked."""
    known = np.zeros(len(pool.probabilities), dtype=bool) if pool.known is None else pool.known.copy()
    known[places] = True
    return replace(pool, known=known)


def known_vectors(pool: Pool) -> Floats:
    """Features of the known items, shape (n_known, n_dimensions); of very many, a sample that the seed draws."""
    features = features_of(pool)
    known = np.zeros(len(features), dtype=bool) if pool.known is None else pool.known
    places = np.flatnonzero(known)
    places = places[_readable(features[places])]
    if len(places) > MOST_KNOWN:
        places = np.sort(np.random.default_rng(pool.seed).choice(places, MOST_KNOWN, replace=False))
    return features[places]


def followed_by_unreadable(picked: Places, found: Candidates, count: int) -> Places:
    """The batch: items without features come last, where the others do not suffice."""
    return np.concatenate([picked, found.unreadable])[:count].astype(np.intp)


def _readable(features: Floats) -> npt.NDArray[np.bool_]:
    """Rows that are finite: a sum over a row is not, where one of its numbers is not."""
    return np.asarray(np.isfinite(features.sum(axis=1, dtype=np.float64)))
