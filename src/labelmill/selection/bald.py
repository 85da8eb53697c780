"""BALD: ask where the annotators are sure and contradict each other."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool
from labelmill.domain.schema import ABSTAIN
from labelmill.selection._spread import normalised_entropy

__all__ = ["Bald"]

Floats = npt.NDArray[np.float64]


class Bald:
    r"""How much the answer would tell which member of a committee is right; the members are the annotators.

    .. math:: s_i = H\Bigl(\frac{1}{M} \sum_m p_{im}\Bigr) - \frac{1}{M} \sum_m H(p_{im})

    Houlsby, Huszár, Ghahramani and Lengyel (2011, "Bayesian Active Learning for Classification and Preference
    Learning", https://doi.org/10.48550/arXiv.1112.5745). A model that gives probabilities speaks by them. Who only
    names a class is as sure of it as the consensus agrees with them in the mean, and thinks the other classes equally
    likely: what poor annotators contradict counts little. Entropies are shares of the highest possible. Items without
    votes score 1: nothing is known about them.

    .. warning:: With a few bootstrapped models as the committee it did worse than margin on all sets measured.

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> votes = VoteTable.from_matrix([[0, 1], [0, 0], [-1, -1]], classes=("no", "yes"))
    >>> sure = np.array([[0.5, 0.5], [1.0, 0.0], [0.5, 0.5]])
    >>> Bald().score(Pool(sure, votes)).round(2).tolist()
    [0.19, 0.0, 1.0]
    """

    reason: ClassVar[str] = "annotators are sure and disagree"

    def score(self, pool: Pool) -> Floats:
        """Between 0 (all say the same) and 1, shape (n_items,)."""
        said = _Said(pool)
        n_members = said.n_members[:, None]
        mean = np.divide(said.mass, n_members, out=np.zeros_like(said.mass), where=n_members > 0)
        own = np.divide(said.entropy, said.n_members, out=np.zeros_like(said.entropy), where=said.n_members > 0)
        told = np.clip(normalised_entropy(mean) - own, 0.0, 1.0)
        return np.where(said.n_members > 0, told, 1.0)


class _Said:
    """Sums over the members who spoke of each item: their probabilities, their entropies, how many they are."""

    def __init__(self, pool: Pool) -> None:
        votes = pool.votes
        self.mass = np.zeros((votes.n_items, votes.n_classes))
        self.entropy = np.zeros(votes.n_items)
        self.n_members = np.zeros(votes.n_items)
        gave: dict[int, npt.NDArray[np.bool_]] = {}
        for annotator, probabilities in votes.soft.items():
            gave[annotator] = np.isfinite(probabilities).all(axis=1)
            self._add(np.flatnonzero(gave[annotator]), probabilities[gave[annotator]].astype(np.float64))
        cast = votes.label != ABSTAIN
        for annotator, rows in gave.items():
            cast &= ~((votes.annotator_index == annotator) & rows[votes.item_index])
        self._add_named(pool, votes.item_index[cast], votes.annotator_index[cast], votes.label[cast])

    def _add(self, items: npt.NDArray[np.intp], probabilities: Floats) -> None:
        self.mass[items] += probabilities
        self.entropy[items] += normalised_entropy(probabilities)
        self.n_members[items] += 1

    def _add_named(
        self,
        pool: Pool,
        item: npt.NDArray[np.int32],
        annotator: npt.NDArray[np.int32],
        label: npt.NDArray[np.int16],
    ) -> None:
        """Votes that name a class: probabilities that follow from how far the consensus agrees with each annotator."""
        n_items, n_classes = self.mass.shape
        if not len(item):
            return
        agreed = np.bincount(annotator, weights=pool.probabilities[item, label])
        sure = np.clip(agreed / np.maximum(np.bincount(annotator), 1), 1.0 / n_classes, 1.0)
        other = (1.0 - sure) / max(n_classes - 1, 1)
        spoken = np.repeat(other[:, None], n_classes, axis=1)
        spoken[:, 0] = sure
        flat = item.astype(np.int64) * n_classes + label
        extra = np.bincount(flat, weights=(sure - other)[annotator], minlength=n_items * n_classes)
        self.mass += extra.reshape(n_items, n_classes)
        self.mass += np.bincount(item, weights=other[annotator], minlength=n_items)[:, None]
        self.entropy += np.bincount(item, weights=normalised_entropy(spoken)[annotator], minlength=n_items)
        self.n_members += np.bincount(item, minlength=n_items)
