"""Core set: ask for the items farthest from all that is known."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool
from labelmill.selection._candidates import candidates, features_of, followed_by_unreadable, known_vectors
from labelmill.selection._k_center import farthest_first

__all__ = ["CoreSet"]


class CoreSet:
    r"""k-center greedy: the next item is the one farthest from its nearest known or chosen one.

    .. math:: \arg\max_i \min_{s \in S} \lVert x_i - x_s \rVert

    The radius within which every item has a chosen one is at most twice the best (Gonzalez 1985,
    https://doi.org/10.1016/0304-3975(85)90224-5); as a query strategy: Sener and Savarese (2018, "Active Learning for
    Convolutional Neural Networks: A Core-Set Approach", ICLR, https://doi.org/10.48550/arXiv.1708.00489). The same
    items as the plain algorithm, at a small part of its cost. What is picked from what the parts of a large pool picked
    covers the pool nearly as well (Malkomes et al. 2015, "Fast Distributed k-Center Clustering with Outliers").

    .. warning:: The farthest items are outliers. Of six sets of text and pictures it did worse than random on all
       six; `Herding` covers a pool, `Auto` is the safe choice. Use it to see the odd corners of a data set.

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> points = np.array([[0, 0], [0, 1], [1, 0], [9, 9]], dtype=np.float32)
    >>> known = np.array([True, False, False, False])
    >>> votes = VoteTable("abcd", [], ("no", "yes"), [], [], [])
    >>> CoreSet().pick(Pool(np.full((4, 2), 0.5), votes, features=points, known=known), 2).tolist()
    [3, 1]
    """

    needs_features: ClassVar[bool] = True
    reason: ClassVar[str] = "far from what is known"

    def pick(self, pool: Pool, count: int) -> npt.NDArray[np.intp]:
        """Places of the items, farthest first."""
        found = candidates(pool)
        allowed = np.zeros(len(pool.probabilities), dtype=bool)
        allowed[found.readable] = True
        picked = farthest_first(features_of(pool), allowed, known_vectors(pool), count)
        return followed_by_unreadable(picked, found, count)
