"""Uncertainty herding: ask for the few items that stand best for all that are doubtful."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool
from labelmill.selection._candidates import candidates, followed_by_unreadable
from labelmill.selection._coverage import cover_of, gaussian, usual_width
from labelmill.selection._doubts import doubts

__all__ = ["UHerding"]


class UHerding:
    r"""Herding in which an item counts as much as it is doubtful: from coverage at first to margin in the end.

    .. math:: C(S) = \frac{1}{n} \sum_i u_i \max_{s \in S} \exp(-\lVert x_i - x_s \rVert^2 / \sigma^2)

    with :math:`u_i` one minus the margin. Bae, Oliveira and Sutherland (2025, "Uncertainty Herding: One Active
    Learning Method for All Label Budgets", ICLR, https://doi.org/10.48550/arXiv.2412.20644). They narrow the kernel
    as labels come; here σ² is that of `Herding`, fixed.

    Parameters
    ----------
    width : float, optional
        σ², if not that of the pool.

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> points = np.array([[0, 0], [0, 1], [9, 9], [9, 8]], dtype=np.float32)
    >>> sure = np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5], [0.6, 0.4]])
    >>> votes = VoteTable("abcd", [], ("no", "yes"), [], [], [])
    >>> UHerding().pick(Pool(sure, votes, features=points), 1).tolist()
    [2]
    """

    needs_features: ClassVar[bool] = True
    reads_weights: ClassVar[bool] = True
    reason: ClassVar[str] = "stands for many others that are doubtful"

    def __init__(self, *, width: float | None = None) -> None:
        self.width = width

    def pick(self, pool: Pool, count: int) -> npt.NDArray[np.intp]:
        """Places of the items that cover the doubtful part of the pool, best first."""
        found = candidates(pool)
        picked = found.readable[:0]
        if len(found.readable):
            kernel = gaussian(self.width or usual_width(pool, found))
            picked = cover_of(pool, found, count, kernel, worth=doubts(pool.probabilities))
        return followed_by_unreadable(picked, found, count)
