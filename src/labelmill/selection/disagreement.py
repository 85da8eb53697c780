"""Disagreement: ask where the annotators contradict each other."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable
from labelmill.selection._spread import normalised_entropy

__all__ = ["Disagreement"]


class Disagreement:
    r"""Entropy of the votes on an item, as a share of the highest possible.

    .. math:: s_i = -\frac{1}{\log K} \sum_k v_{ik} \log v_{ik}

    with :math:`v_{ik}` the share of the votes that name class k. Vote entropy of a committee: Dagan and Engelson
    (1995, "Committee-Based Sampling For Training Probabilistic Classifiers", ICML,
    https://doi.org/10.1016/B978-1-55860-377-6.50027-X); Seung, Opper and Sompolinsky (1992,
    https://doi.org/10.1145/130385.130417). Items without votes score 1: nothing is known about them.

    It looks at the votes, not at what the label model made of them: a single vote is no disagreement however little
    it is worth, and a contradiction that the label model settles still scores.

    .. warning:: It is an entropy, and entropies are often no better than random; `Margin` is the safe default. Use
       it to find rules that contradict each other.

    Parameters
    ----------
    weighted : bool
        Weigh each annotator's votes by how far the consensus agrees with them in the mean, so that a poor rule makes
        little noise.

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> votes = VoteTable.from_matrix([[0, 1], [0, 0], [-1, -1]], classes=("no", "yes"))
    >>> Disagreement().score(Pool(np.full((3, 2), 0.5), votes)).tolist()
    [1.0, 0.0, 1.0]
    """

    reason: ClassVar[str] = "annotators disagree"

    def __init__(self, *, weighted: bool = False) -> None:
        self.weighted = weighted

    def score(self, pool: Pool) -> npt.NDArray[np.float64]:
        """Between 0 (unanimous) and 1 (evenly split, or no votes), shape (n_items,)."""
        votes = pool.votes
        mass = _weighted_counts(pool) if self.weighted else votes.counts.astype(np.float64)
        total = mass.sum(axis=1, keepdims=True)
        shares = np.divide(mass, total, out=np.full_like(mass, 1.0 / max(votes.n_classes, 1)), where=total > 0)
        return normalised_entropy(shares)


def _weighted_counts(pool: Pool) -> npt.NDArray[np.float64]:
    votes: VoteTable = pool.votes
    cast = votes.label != ABSTAIN
    item, annotator, label = votes.item_index[cast], votes.annotator_index[cast], votes.label[cast]
    n_votes = np.bincount(annotator, minlength=votes.n_annotators)
    agreed = np.bincount(annotator, weights=pool.probabilities[item, label], minlength=votes.n_annotators)
    weight = agreed / np.maximum(n_votes, 1)
    flat = item.astype(np.int64) * votes.n_classes + label
    mass = np.bincount(flat, weights=weight[annotator], minlength=votes.n_items * votes.n_classes)
    return np.asarray(mass, dtype=np.float64).reshape(votes.n_items, votes.n_classes)
