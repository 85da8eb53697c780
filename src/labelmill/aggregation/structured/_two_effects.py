"""Two numbers for each annotator that bend probabilities of the crowd, by a few steps of Newton."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

__all__ = ["Effects"]

Floats = npt.NDArray[np.float64]

NEWTON_STEPS = 3
LARGEST_STEP = 1.0
VARIANCE_RANGE = (1e-3, 10.0)


@dataclass(frozen=True, slots=True)
class Effects:
    r"""Each annotator's answers are the crowd's, tilted: P_j(l | k) is proportional to P(l | k) exp(u_j . f(l, k)).

    An exponential family with two features; effects have a Gaussian prior around 0, its variances learned, so that an
    annotator with few answers is like the crowd.

    Parameters
    ----------
    u : ndarray of float64, shape (n_annotators, 2)
        The effects.
    variance : ndarray of float64, shape (2,)
        Of the prior of each.
    """

    u: Floats
    variance: Floats

    @classmethod
    def none(cls, n_annotators: int) -> Self:
        """Everybody like the crowd."""
        return cls(np.zeros((n_annotators, 2)), np.ones(2))

    def tilted(self, crowd: Floats, features: Floats) -> Floats:
        """Rows of each annotator.

        Parameters
        ----------
        crowd : ndarray of float64, shape (n_rows, n_labels)
            Above 0; rows sum to 1.
        features : ndarray of float64, shape (2, n_rows, n_labels)

        Returns
        -------
        ndarray of float64, shape (n_annotators, n_rows, n_labels)
        """
        score = np.log(crowd) + np.einsum("jf,fkl->jkl", self.u, features)
        rows = np.exp(score - score.max(axis=2, keepdims=True))
        return np.asarray(rows / rows.sum(axis=2, keepdims=True))

    def refit(self, counts: Floats, crowd: Floats, features: Floats) -> Self:
        """The likeliest effects behind expected counts of shape (n_annotators, n_rows, n_labels)."""
        u, curvature = self.u, np.zeros((len(self.u), 2, 2))
        n = counts.sum(axis=2)
        told = np.einsum("jkl,fkl->jf", counts, features)
        for _ in range(NEWTON_STEPS):
            rows = type(self)(u, self.variance).tilted(crowd, features)
            mean = np.einsum("jkl,fkl->jkf", rows, features)
            second = np.einsum("jkl,fkl,gkl->jkfg", rows, features, features)
            spread = second - mean[..., :, None] * mean[..., None, :]
            curvature = np.einsum("jk,jkfg->jfg", n, spread) + np.diag(1.0 / self.variance)
            slope = told - np.einsum("jk,jkf->jf", n, mean) - u / self.variance
            u = u + np.clip(_solved(curvature, slope), -LARGEST_STEP, LARGEST_STEP)
        answered = n.sum(axis=1) > 0
        if not answered.any():
            return type(self)(u, self.variance)
        unsure = np.linalg.inv(curvature)[:, [0, 1], [0, 1]]
        return type(self)(u, np.clip((u**2 + unsure)[answered].mean(axis=0), *VARIANCE_RANGE))


def _solved(matrices: Floats, sides: Floats) -> Floats:
    """Solutions of 2 by 2 systems."""
    a, b, c, d = (matrices[:, i, k] for i, k in ((0, 0), (0, 1), (1, 0), (1, 1)))
    determinant = a * d - b * c
    x = (d * sides[:, 0] - b * sides[:, 1]) / determinant
    y = (a * sides[:, 1] - c * sides[:, 0]) / determinant
    return np.stack([x, y], axis=1)
