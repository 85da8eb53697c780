"""Which rules say the same because they are alike, and not because it is so; and how little each then counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._mixture import Mixture
from labelmill.aggregation._tally import Floats, Tally
from labelmill.domain.sums import Sums
from labelmill.domain.vote_table import VoteTable

__all__ = ["Residuals", "dependence_weights", "two_sided"]

ALIKE = 0.3
"""Residual correlation below this is taken for chance."""

FEW = 10.0
"""Pairs of rules with fewer items in common than this have no correlation to speak of."""

OFTEN = 0.1
"""A rule names a class often if it does so with at least this share of its votes."""

ENOUGH = 4
"""So many rules that name several classes must overlap to be judged by each other."""


@dataclass(frozen=True, slots=True)
class Residuals:
    """Asks what residual correlations follow from: votes by class, items, and products of class probabilities."""

    mixture: Mixture

    def __call__(self, votes: VoteTable, /) -> Sums:
        """Votes `[j, l, k]`, items `[k]` and `[k, m]`: sum of the products of the probabilities of k and m."""
        tally = Tally.of(votes)
        posterior, _ = self.mixture.states(tally)
        products = np.einsum("i,ik,im->km", tally.weights, posterior, posterior)
        return Sums((tally.counts(posterior), tally.state_counts(posterior), products))


def dependence_weights(together: Floats, sums: Sums) -> Floats:
    r"""One over the number of rules that each rule speaks for, between 0 and 1, shape (n_annotators,).

    .. math:: r_{ijl} = [\lambda_{ij} = l] - \sum_k q_{ik} P(\lambda_j = l \mid k), \quad
              \rho_{ab} = \frac{\sum_{il} r_{ial} r_{ibl}}{\sqrt{\sum_{il} r_{ial}^2 \sum_{il} r_{ibl}^2}}, \quad
              w_j = \frac{1}{1 + \sum_b \rho_{jb} [\rho_{jb} > 0.3]}

    Where the class explains all, residuals of two rules are not correlated; those of copies are, by 1. All sums over
    the items are products of counts, of which one shard after the other has its share.

    Parameters
    ----------
    together : ndarray of float64, shape (n_annotators, n_classes, n_annotators, n_classes)
        `[a, l, b, m]`: items where a says l and b says m.
    sums : Sums
        Of `Residuals`.
    """
    votes, items, products = sums.arrays
    n, n_classes = votes.shape[:2]
    counts = votes.reshape(n * n_classes, -1)
    rate = (counts / np.maximum(items, 1.0)).T
    explained = counts @ rate
    gram = together.reshape(n * n_classes, -1) - explained - explained.T + rate.T @ products @ rate
    by_pair = np.einsum("albl->ab", gram.reshape(n, n_classes, n, n_classes))
    own = np.maximum(np.diagonal(by_pair), 0.0)
    scale = np.sqrt(np.outer(own, own))
    alike = np.divide(by_pair, scale, out=np.zeros_like(by_pair), where=scale > 1e-9)
    alike[(alike <= ALIKE) | (together.sum(axis=(1, 3)) < FEW)] = 0.0
    np.fill_diagonal(alike, 0.0)
    return np.asarray(1.0 / (1.0 + np.minimum(alike, 1.0).sum(axis=1)))


def two_sided(together: Floats, votes: Floats) -> npt.NDArray[np.bool_]:
    """Which rules name several classes often and overlap with three more that do; shape (n_annotators,).

    These judge each other: where they contradict one another, which of them is right shows in what the others say.
    """
    total = votes.sum(axis=1)
    often = (votes >= OFTEN * np.maximum(total, 1.0)[:, None]).sum(axis=1) > 1
    meet = (together.sum(axis=(1, 3)) >= FEW) & often & often[:, None]
    np.fill_diagonal(meet, val=False)
    return np.asarray(often & (meet.sum(axis=1) >= ENOUGH - 1))
