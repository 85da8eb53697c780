"""What a person's vote says: confusion rows shrunk towards the crowd's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from scipy.special import digamma, gammaln

from labelmill.aggregation._accuracy import Accuracy
from labelmill.aggregation._strength import likelier_strength
from labelmill.aggregation._tally import Floats

__all__ = ["Confusion"]

STRENGTH_RANGE = (1.0, 200.0)
SMALLEST_MEAN = 1e-4


@dataclass(frozen=True)
class Confusion:
    """Dirichlet posterior over each annotator's confusion rows, its prior learned from all of them.

    The row of annotator j for true class k has a Dirichlet prior with strength s and mean
    m_jkk = a_j, m_jkl = (1 - a_j) e_kl: e is the error pattern of all annotators together, and the accuracy
    a_j = (c_j + s_a ā) / (n_j + s_a) is itself shrunk to the mean accuracy ā. Both strengths follow Minka's fixed
    point for the Dirichlet-multinomial (Minka 2000, "Estimating a Dirichlet distribution"). An annotator with few
    votes is thus one of average accuracy, with many votes whatever the votes say.

    Parameters
    ----------
    counts : ndarray of float64, shape (n_annotators, n_classes, n_classes)
        Expected votes `[j, l, k]`: label l on items of class k.
    mean : ndarray of float64, same shape
        Prior mean m, `[j, l, k]`; sums to 1 over l.
    strength, accuracy_strength : float
        s and s_a, in votes.
    """

    counts: Floats
    mean: Floats
    strength: float = 4.0
    accuracy_strength: float = 4.0

    @classmethod
    def of(cls, counts: Floats, strength: float = 4.0, accuracy_strength: float = 4.0) -> Self:
        """The posterior for these expected counts, at given strengths."""
        return cls.among(counts, counts.sum(axis=0), strength, accuracy_strength)

    @classmethod
    def among(cls, counts: Floats, pooled: Floats, strength: float, accuracy_strength: float) -> Self:
        """The same for some of the annotators, where those of all together are known: `pooled` [l, k]."""
        return cls(counts, _prior_mean(counts, pooled, accuracy_strength), strength, accuracy_strength)

    def refit(self, counts: Floats, *, learn_strengths: bool) -> Self:
        """The posterior for new expected counts, after one step of the strengths towards their fixed point."""
        if not learn_strengths:
            return self.of(counts, self.strength, self.accuracy_strength)
        return self.of(counts, self.next_strength, Accuracy.of(self.counts, self.accuracy_strength).next_strength)

    @property
    def next_strength(self) -> float:
        """The strength after one step towards its fixed point."""
        totals = self.counts.sum(axis=1)
        if self.counts.shape[1] < 2 or not totals.any():
            return self.strength
        return likelier_strength(
            self.strength, self.counts, self.mean, totals, between=STRENGTH_RANGE, log_cells=self.log_cells
        )

    @cached_property
    def prior(self) -> Floats:
        """Votes credited beforehand, `[j, l, k]`: strength times mean."""
        return self.strength * self.mean

    @cached_property
    def concentration(self) -> Floats:
        """Dirichlet parameters `[j, l, k]`."""
        return np.asarray(self.counts + self.prior)

    @cached_property
    def per_vote(self) -> Floats:
        """Expected log probability of label l on class k, `[j, l, k]`."""
        totals = self.counts.sum(axis=1, keepdims=True) + self.strength
        return np.asarray(self.log_cells - digamma(totals))

    @cached_property
    def log_cells(self) -> Floats:
        """Digamma of the concentration, `[j, l, k]`."""
        return np.asarray(digamma(self.concentration))

    @property
    def rows(self) -> Floats:
        """Posterior mean as confusion matrices `[j, k, l]`: rows sum to 1 over l."""
        concentration = self.concentration
        mean = concentration / concentration.sum(axis=1, keepdims=True)
        return np.ascontiguousarray(mean.transpose(0, 2, 1))

    @property
    def divergence(self) -> float:
        """Kullback-Leibler divergence of the posterior from its prior, in nats: the price in the evidence bound."""
        prior, totals = self.prior, self.counts.sum(axis=1)
        rows = gammaln(totals + self.strength) - gammaln(self.strength)
        cells = gammaln(self.concentration) - gammaln(prior)
        return float(rows.sum() - cells.sum() + (self.counts * self.per_vote).sum())


def _prior_mean(counts: Floats, pooled: Floats, accuracy_strength: float) -> Floats:
    n_classes = counts.shape[1]
    if n_classes < 2:
        return np.ones_like(counts)
    crowd = Accuracy.of(pooled[None]).mean
    accuracy = np.clip(Accuracy.of(counts, accuracy_strength).drawn_to(crowd), 0.01, 0.995)
    errors = pooled + 0.5
    np.fill_diagonal(errors, 0.0)
    errors /= errors.sum(axis=0, keepdims=True)
    mean = (1.0 - accuracy)[:, None, None] * errors
    diagonal = np.arange(n_classes)
    mean[:, diagonal, diagonal] = accuracy[:, None]
    np.maximum(mean, SMALLEST_MEAN, out=mean)
    return np.asarray(mean / mean.sum(axis=1, keepdims=True))
