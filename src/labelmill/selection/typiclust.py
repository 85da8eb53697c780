"""TypiClust: ask for the most typical item of each group that nobody has answered."""

from __future__ import annotations

import heapq
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool
from labelmill.selection._candidates import Candidates, candidates, features_of, followed_by_unreadable, known_vectors
from labelmill.selection._distances import blocks, nearest, squared_distances
from labelmill.selection._k_means import k_means

__all__ = ["TypiClust"]

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

MOST_CLUSTERS = 500
N_NEIGHBOURS = 20
SMALL = 5
"""A cluster with fewer items waits until the others had their turn."""

LEARNED_FROM = 16_384
"""Items that the clusters of a large pool are learned from."""

COMPARED_WITH = 2_048
"""Items of a large cluster among which the neighbours of each are sought."""


class TypiClust:
    r"""Clusters without a known item, largest first; of each the item in the thickest of it.

    .. math:: t(x) = \Bigl( \frac{1}{20} \sum_{x' \in 20\mathrm{NN}(x)} \lVert x - x' \rVert \Bigr)^{-1}

    Hacohen, Dekel and Weinshall (2022, "Active Learning on a Budget: Opposite Strategies Suit High and Low Budgets",
    ICML, https://doi.org/10.48550/arXiv.2202.02794). As many clusters as there are known and wanted items, 500 at most;
    neighbours are sought within the cluster. Clusters of a pool of more than 16,384 items are learned from as many,
    and neighbours sought among 2,048 of a cluster, drawn by the seed.

    .. warning:: For first answers. With more than a few dozen known it falls behind: `Auto` goes on by margins.

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> points = np.array([[0, 0], [0, 1], [0, 2], [9, 9], [9, 8], [9, 7]], dtype=np.float32)
    >>> pool = Pool(np.full((6, 2), 0.5), VoteTable("abcdef", [], ("no", "yes"), [], [], []), features=points)
    >>> sorted(TypiClust().pick(pool, 2).tolist())
    [1, 4]
    """

    needs_features: ClassVar[bool] = True
    reason: ClassVar[str] = "typical of a group that nobody has answered"

    def pick(self, pool: Pool, count: int) -> Places:
        """Places of the items, those of the largest clusters first."""
        found = candidates(pool)
        picked = _typical(pool, found, count) if len(found.readable) and count else found.readable[:0]
        return followed_by_unreadable(picked, found, count)


def _typical(pool: Pool, found: Candidates, count: int) -> Places:
    rng = np.random.default_rng([pool.seed, 6])
    rows, known = features_of(pool)[found.readable], known_vectors(pool)
    centres = _centres(np.concatenate([rows, known]), min(len(known) + count, MOST_CLUSTERS), rng)
    cluster, known_in = nearest(rows, centres)[0], np.bincount(nearest(known, centres)[0], minlength=len(centres))
    members = [np.flatnonzero(cluster == k) for k in range(len(centres))]
    # Fewest known first, small ones last, then the largest.
    turns = [(len(own) < SMALL, int(known_in[k]), -len(own), k) for k, own in enumerate(members) if len(own)]
    heapq.heapify(turns)
    ranked: dict[int, list[int]] = {}
    chosen: list[int] = []
    while turns and len(chosen) < count:
        is_small, n_known, size, k = heapq.heappop(turns)
        if k not in ranked:
            ranked[k] = members[k][_by_typicality(rows[members[k]], rng)].tolist()[::-1]
        chosen.append(ranked[k].pop())
        if ranked[k]:
            heapq.heappush(turns, (is_small, n_known + 1, size, k))
    return np.asarray(found.readable[chosen], dtype=np.intp)


def _centres(rows: Floats, n_clusters: int, rng: np.random.Generator) -> Floats:
    """Means of the clusters."""
    if len(rows) > LEARNED_FROM:
        rows = rows[np.sort(rng.choice(len(rows), LEARNED_FROM, replace=False))]
    cluster, _ = k_means(rows, n_clusters, rng)
    names = np.unique(cluster)
    return np.stack([rows[cluster == k].mean(axis=0) for k in names])


def _by_typicality(rows: Floats, rng: np.random.Generator) -> Places:
    """Places in a cluster, most typical first."""
    others = rows
    if len(rows) > COMPARED_WITH:
        others = rows[np.sort(rng.choice(len(rows), COMPARED_WITH, replace=False))]
    n = min(N_NEIGHBOURS + 1, len(others))  # the item itself is the nearest
    far = np.empty(len(rows))
    for block in blocks(len(rows), len(others)):
        near = np.partition(squared_distances(rows[block], others), n - 1, axis=1)[:, :n]
        far[block] = np.sqrt(near).sum(axis=1)
    return np.argsort(far, kind="stable")
