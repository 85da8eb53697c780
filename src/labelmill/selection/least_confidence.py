"""Least confidence: ask where the likeliest class is least likely."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool

__all__ = ["LeastConfidence"]


class LeastConfidence:
    r"""How far the likeliest class is from certain.

    .. math:: s_i = \frac{K}{K - 1} \left( 1 - \max_k p_{ik} \right)

    Lewis and Gale (1994, "A Sequential Algorithm for Training Text Classifiers",
    https://doi.org/10.1007/978-1-4471-2099-5_1). Scaled, so that the uniform row scores 1.

    .. warning:: Like entropy it is drawn to items spread over many classes, and may do no better than random there.
       With two classes it ranks as `Margin` does; with more, `Margin` is the safe default.

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> votes = VoteTable(["a", "b"], [], ("no", "yes"), [], [], [])
    >>> LeastConfidence().score(Pool(np.array([[0.5, 0.5], [1.0, 0.0]]), votes)).tolist()
    [1.0, 0.0]
    """

    reason: ClassVar[str] = "the annotators so far are {confidence:.0%} sure"

    def score(self, pool: Pool) -> npt.NDArray[np.float64]:
        """Between 0 (certain) and 1 (uniform), shape (n_items,); 0 with fewer than two classes."""
        n_items, n_classes = pool.probabilities.shape
        if n_classes < 2:
            return np.zeros(n_items)
        return np.asarray((1.0 - pool.probabilities.max(axis=1)) * n_classes / (n_classes - 1))
