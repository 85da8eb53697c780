"""Herding: ask for the few items that stand best for all."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool
from labelmill.selection._candidates import candidates, followed_by_unreadable
from labelmill.selection._coverage import cover_of, gaussian, usual_width

__all__ = ["Herding"]


class Herding:
    r"""Items that every other item lies near to, by a smooth kernel; the best start where nothing is known.

    .. math:: C(S) = \frac{1}{n} \sum_i \max_{s \in S} \exp(-\lVert x_i - x_s \rVert^2 / \sigma^2)

    MaxHerding: Bae, Noh and Sutherland (2024, "Generalized Coverage for More Robust Low-Budget Active Learning",
    https://doi.org/10.48550/arXiv.2407.12212). It needs no probabilities at all. Where they fix σ = 1 on vectors of
    length one, σ² is here the mean squared distance of an item to the mean of all, which is the same there and right
    for features of any scale. What is known counts as chosen. Of a pool of more than 16,384 items as many are chosen
    among, and sums go over 4,096 of them, drawn by the seed.

    Parameters
    ----------
    width : float, optional
        σ², if not that of the pool.

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> points = np.array([[0, 0], [0, 1], [1, 0], [9, 9]], dtype=np.float32)
    >>> pool = Pool(np.full((4, 2), 0.5), VoteTable("abcd", [], ("no", "yes"), [], [], []), features=points)
    >>> Herding().pick(pool, 2).tolist()
    [0, 3]
    """

    needs_features: ClassVar[bool] = True
    reads_weights: ClassVar[bool] = True
    reason: ClassVar[str] = "stands for many others"

    def __init__(self, *, width: float | None = None) -> None:
        self.width = width

    def pick(self, pool: Pool, count: int) -> npt.NDArray[np.intp]:
        """Places of the items that cover the pool, best first."""
        found = candidates(pool)
        picked = found.readable[:0]
        if len(found.readable):
            picked = cover_of(pool, found, count, gaussian(self.width or usual_width(pool, found)))
        return followed_by_unreadable(picked, found, count)
