"""One accuracy an annotator, shrunk to the crowd's by a strength learned from all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import digamma

from labelmill.aggregation._tally import Floats

__all__ = ["Accuracy"]

STRENGTH_RANGE = (1.0, 100.0)
SMALLEST_ERROR = 1e-4


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Beta posterior over each annotator's accuracy; its prior has the crowd's mean and a strength in votes.

    Parameters
    ----------
    right, total : ndarray of float64, shape (n_annotators,)
        Expected votes that name the true class, and all votes.
    n_classes : int
        Chance is 1 in so many.
    strength : float
        Votes at the crowd's mean accuracy that each annotator is credited with.
    """

    right: Floats
    total: Floats
    n_classes: int
    strength: float = 4.0

    @classmethod
    def of(cls, counts: Floats, strength: float = 4.0) -> Self:
        """From expected votes `[j, l, k]`: label l on items of class k."""
        return cls(np.trace(counts, axis1=1, axis2=2), counts.sum(axis=(1, 2)), counts.shape[1], strength)

    @property
    def mean(self) -> float:
        """Share of all votes that name the true class, drawn a little to 2/3 and kept above chance."""
        right, total = self.right.sum(), self.total.sum()
        return float(max((right + 4.0) / (total + 6.0), 1.0 / max(self.n_classes, 1) + 0.02))

    @property
    def shrunk(self) -> Floats:
        """Posterior mean of each annotator's accuracy, shape (n_annotators,)."""
        return np.asarray((self.right + self.strength * self.mean) / (self.total + self.strength))

    @property
    def next_strength(self) -> float:
        """The strength after one step of Minka's fixed point for two classes, right and wrong."""
        if self.n_classes < 2 or not self.total.any():
            return self.strength
        s, mean = self.strength, min(self.mean, 1.0 - SMALLEST_ERROR)
        gain = mean * (digamma(self.right + s * mean) - digamma(s * mean)).sum()
        wrong = self.total - self.right
        gain += (1.0 - mean) * (digamma(wrong + s * (1.0 - mean)) - digamma(s * (1.0 - mean))).sum()
        spread = (digamma(self.total + s) - digamma(s)).sum()
        return float(np.clip(s * gain / spread, *STRENGTH_RANGE))
