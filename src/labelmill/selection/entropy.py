"""Entropy: ask where the probabilities are spread most."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool
from labelmill.selection._spread import normalised_entropy

__all__ = ["Entropy"]


class Entropy:
    r"""Entropy of the class probabilities, as a share of the highest possible.

    .. math:: s_i = -\frac{1}{\log K} \sum_k p_{ik} \log p_{ik}

    Shannon (1948, https://doi.org/10.1002/j.1538-7305.1948.tb01338.x); as a query strategy, Settles and Craven (2008,
    "An Analysis of Active Learning Strategies for Sequence Labeling Tasks", EMNLP, https://aclanthology.org/D08-1112).

    .. warning:: With more than two classes entropy is often no better than random: mass on classes that nobody
       confuses counts as much as a real doubt, and outliers come first. `Margin` is the safe default.

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> votes = VoteTable(["a", "b"], [], ("no", "yes"), [], [], [])
    >>> Entropy().score(Pool(np.array([[0.5, 0.5], [1.0, 0.0]]), votes)).tolist()
    [1.0, 0.0]
    """

    reason: ClassVar[str] = "entropy {score:.2f}: the annotators so far are {confidence:.0%} sure"

    def score(self, pool: Pool) -> npt.NDArray[np.float64]:
        """Between 0 (certain) and 1 (uniform), shape (n_items,)."""
        return normalised_entropy(pool.probabilities)
