"""Margin: ask where the two likeliest classes are closest."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool
from labelmill.selection._doubts import doubts

__all__ = ["Margin"]


class Margin:
    r"""One minus the lead of the likeliest class over the second; the default.

    .. math:: s_i = 1 - (p_{i(1)} - p_{i(2)})

    Scheffer, Decomain and Wrobel (2001, "Active Hidden Markov Models for Information Extraction",
    https://doi.org/10.1007/3-540-44816-0_31). Over 69 tabular sets nothing beat it (Bahri, Jiang, Schuster and
    Rostamizadeh 2022, "Is margin all you need?", https://doi.org/10.48550/arXiv.2210.03822). It asks for the answer
    that changes a decision, whatever the other classes do; among items that look alike it asks for all of them, so
    batches want a diverse pick on top.

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> votes = VoteTable(["a", "b"], [], ("no", "yes"), [], [], [])
    >>> Margin().score(Pool(np.array([[0.5, 0.5], [1.0, 0.0]]), votes)).tolist()
    [1.0, 0.0]
    """

    reason: ClassVar[str] = "margin {margin:.2f}: the annotators so far are {confidence:.0%} sure"

    def score(self, pool: Pool) -> npt.NDArray[np.float64]:
        """Between 0 (certain) and 1 (a tie), shape (n_items,); 0 with fewer than two classes."""
        return doubts(pool.probabilities)
