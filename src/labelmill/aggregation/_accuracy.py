"""One accuracy an annotator, shrunk to the crowd's by a strength learned from all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from labelmill.aggregation._strength import likelier_strength
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
        return self.drawn_to(self.mean)

    def drawn_to(self, mean: float) -> Floats:
        """Posterior means where the prior's is that of another crowd, of which these annotators may be a part."""
        return np.asarray((self.right + self.strength * mean) / (self.total + self.strength))

    @property
    def next_strength(self) -> float:
        """The strength after one step towards the likeliest for two classes, right and wrong."""
        if self.n_classes < 2 or not self.total.any():
            return self.strength
        mean = min(self.mean, 1.0 - SMALLEST_ERROR)
        counts = np.stack([self.right, np.maximum(self.total - self.right, 0.0)])
        shares = np.array([[mean], [1.0 - mean]])
        return likelier_strength(self.strength, counts, shares, self.total, between=STRENGTH_RANGE)
