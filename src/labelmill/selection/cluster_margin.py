"""Cluster margin: ask where the two likeliest classes are closest, but not twice for the same kind of item."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool
from labelmill.selection._candidates import Candidates, candidates, features_of, followed_by_unreadable
from labelmill.selection._doubts import smallest_margins
from labelmill.selection._k_means import k_means

__all__ = ["ClusterMargin"]

Places = npt.NDArray[np.intp]


class ClusterMargin:
    """The smallest margins of the pool, ten for each item wanted, of which one of each cluster is asked.

    Citovsky, DeSalvo, Gentile, Karydas, Rajagopalan, Rostamizadeh and Kumar (2021, "Batch Active Learning at Scale",
    NeurIPS, https://doi.org/10.48550/arXiv.2107.14263). They cluster the whole pool once, bottom up, and take turns
    among the clusters; here the short list alone is clustered, by k-means into as many clusters as items are wanted,
    and the item nearest to each mean is asked. Of six sets of text and pictures it did better than random on all six.

    Parameters
    ----------
    n_each : float
        Items on the short list for each one wanted.

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> points = np.array([[0, 0], [0, 1], [9, 9], [5, 5]], dtype=np.float32)
    >>> tied = np.array([[0.5, 0.5], [0.5, 0.5], [0.6, 0.4], [1.0, 0.0]])
    >>> votes = VoteTable("abcd", [], ("no", "yes"), [], [], [])
    >>> sorted(ClusterMargin(n_each=1.5).pick(Pool(tied, votes, features=points), 2).tolist())
    [0, 2]
    """

    needs_features: ClassVar[bool] = True
    reason: ClassVar[str] = "margin {margin:.2f}, unlike the others asked"

    def __init__(self, *, n_each: float = 10.0) -> None:
        self.n_each = n_each

    def shortlist(self, pool: Pool, count: int) -> Places:
        """The smallest margins, smallest first: the short list of a pool is that of the short lists of its parts."""
        found = candidates(pool)
        return followed_by_unreadable(self._closest(pool, found, count), found, int(self.n_each * count))

    def pick(self, pool: Pool, count: int) -> Places:
        """Places of items with small margins that differ, smallest margin first."""
        found = candidates(pool)
        closest = self._closest(pool, found, count)
        return followed_by_unreadable(_one_of_each(pool, closest, count), found, count)

    def _closest(self, pool: Pool, found: Candidates, count: int) -> Places:
        return smallest_margins(pool, found.readable, int(self.n_each * count))


def _one_of_each(pool: Pool, closest: Places, count: int) -> Places:
    """Of each cluster the item nearest to its mean; then the smallest margins among the others."""
    if len(closest) <= count:
        return closest
    cluster, distance = k_means(features_of(pool)[closest], count, np.random.default_rng([pool.seed, 3]))
    order = np.lexsort((distance, cluster))
    first = order[np.unique(cluster[order], return_index=True)[1]]
    chosen = np.zeros(len(closest), dtype=bool)
    chosen[first] = True
    others = np.flatnonzero(~chosen)[: count - len(first)]
    return np.asarray(closest[np.concatenate([np.sort(first), others])])
