"""ProbCover: ask for the items that have most of the others close by."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool
from labelmill.selection._candidates import Candidates, candidates, features_of, followed_by_unreadable
from labelmill.selection._coverage import Kernel, cover_of
from labelmill.selection._distances import squared_distances
from labelmill.selection._k_means import k_means

__all__ = ["ProbCover"]

Floats = npt.NDArray[np.float32]

LOOKED_AT = 2_048
"""Items that the radius is learned from."""


class ProbCover:
    r"""Covers as many items as it can by balls of one radius around the known and the chosen.

    .. math:: C(S) = \lvert \{ i : \exists s \in S, \; \lVert x_i - x_s \rVert \le \delta \} \rvert

    Yehuda, Dekel, Hacohen and Weinshall (2022, "Active Learning Through a Covering Lens", NeurIPS,
    https://doi.org/10.48550/arXiv.2205.11320). Their radius is the greatest at which 95 % of the balls hold items of
    one cluster only, of as many clusters as there are classes. What it takes for granted is that what lies within the
    radius has one label: it is very sensitive to the radius, and `Herding` is the smooth form without one. Of a pool of
    more than 16,384 items as many are chosen among, and 4,096 are to be covered, drawn by the seed.

    Parameters
    ----------
    radius : float, optional
        δ, if not learned from the pool.
    purity : float
        Share of the balls that shall hold one cluster only.

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> points = np.array([[0, 0], [0, 1], [0, 2], [9, 9], [9, 8]], dtype=np.float32)
    >>> pool = Pool(np.full((5, 2), 0.5), VoteTable("abcde", [], ("no", "yes"), [], [], []), features=points)
    >>> ProbCover(radius=1.5).pick(pool, 2).tolist()
    [1, 3]
    """

    needs_features: ClassVar[bool] = True
    reads_weights: ClassVar[bool] = True
    reason: ClassVar[str] = "has many others close by"

    def __init__(self, *, radius: float | None = None, purity: float = 0.95) -> None:
        self.radius = radius
        self.purity = purity

    def pick(self, pool: Pool, count: int) -> npt.NDArray[np.intp]:
        """Places of the items, those that cover most first."""
        found = candidates(pool)
        picked = found.readable[:0]
        if len(found.readable):
            radius = _pure_radius(pool, found, self.purity) if self.radius is None else self.radius
            picked = cover_of(pool, found, count, _ball(radius))
        return followed_by_unreadable(picked, found, count)


def _ball(radius: float) -> Kernel:
    reach = np.float32(radius * radius * (1 + 1e-5))  # a distance of exactly the radius, rounded

    def kernel(squared: Floats) -> Floats:
        return (squared <= reach).astype(np.float32)

    return kernel


def _pure_radius(pool: Pool, found: Candidates, purity: float) -> float:
    """The radius at which so many balls hold no item of another cluster: a quantile of how far off those are."""
    rng = np.random.default_rng([pool.seed, 7])
    places = found.readable
    if len(places) > LOOKED_AT:
        places = np.sort(rng.choice(places, LOOKED_AT, replace=False))
    rows = features_of(pool)[places]
    cluster, _ = k_means(rows, max(2, pool.probabilities.shape[1]), rng)
    squared = squared_distances(rows, rows)
    squared[cluster[:, None] == cluster[None, :]] = np.inf
    other = squared.min(axis=1)
    if not np.isfinite(other).all():
        return 0.0  # all alike: one cluster
    return float(np.sqrt(np.quantile(other, 1.0 - purity)))
