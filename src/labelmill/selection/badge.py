"""BADGE: ask where the answer would change the model most, in as many different ways as there are items."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool
from labelmill.selection._candidates import candidates, features_of, followed_by_unreadable
from labelmill.selection._distances import norms
from labelmill.selection._doubts import in_chunks
from labelmill.selection._squared_draws import squared_draws

__all__ = ["Badge"]

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


class Badge:
    r"""k-means++ on the gradients that the likeliest answers would cause in a linear head.

    .. math:: g_i = (p_i - e_{\hat y_i}) \otimes x_i, \qquad
              \langle g_i, g_j \rangle = \langle a_i, a_j \rangle \langle x_i, x_j \rangle

    Ash, Zhang, Krishnamurthy, Langford and Agarwal (2020, "Deep Batch Active Learning by Diverse, Uncertain Gradient
    Lower Bounds", ICLR, https://doi.org/10.48550/arXiv.1906.03671). A gradient is the product of two short vectors, and
    so is never written down: memory is one number an item. Of classes that are equally likely, the one that is likelier
    in the whole pool counts as the answer.

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> points = np.array([[1, 0], [1, 0.1], [0, 1], [0, 1]], dtype=np.float32)
    >>> sure = np.array([[0.5, 0.5], [0.6, 0.4], [0.5, 0.5], [1.0, 0.0]])
    >>> votes = VoteTable("abcd", [], ("no", "yes"), [], [], [])
    >>> sorted(Badge().pick(Pool(sure, votes, features=points), 2).tolist())
    [0, 2]
    """

    needs_features: ClassVar[bool] = True
    reason: ClassVar[str] = "its answer would change the model, unlike the others asked"

    def pick(self, pool: Pool, count: int) -> Places:
        """Places of the items, the greatest gradient first."""
        found = candidates(pool)
        rng = np.random.default_rng([pool.seed, 5])
        gradients = _Gradients(pool)
        deserved = np.zeros(len(pool.probabilities))
        deserved[found.readable] = gradients.lengths[found.readable]
        picked = squared_draws(gradients.distances, deserved, count, rng)
        rest = np.setdiff1d(found.readable, picked)  # all that is left would change nothing
        some = rng.choice(rest, min(len(rest), max(0, count - len(picked))), replace=False)
        return followed_by_unreadable(np.concatenate([picked, some]), found, count)


class _Gradients:
    """Squared distances of gradients, from their two factors."""

    def __init__(self, pool: Pool) -> None:
        self._vectors = features_of(pool)
        self._probabilities = pool.probabilities
        self._order = _order_of_classes(pool)
        with np.errstate(invalid="ignore", over="ignore"):  # rows that no encoder could read
            self.lengths = norms(self._vectors) * in_chunks(self._error_lengths, pool.probabilities)

    def distances(self, rows: Places | slice, others: Places) -> Floats:
        """Shape (n_rows, n_others)."""
        errors = self._errors(self._probabilities[rows]) @ self._errors(self._probabilities[others]).T
        with np.errstate(invalid="ignore", over="ignore"):
            cross = errors * (self._vectors[rows] @ self._vectors[others].T)
            squared = self.lengths[rows, None] + self.lengths[None, others] - 2.0 * cross
        return np.maximum(squared, 0.0)

    def _errors(self, probabilities: npt.NDArray[np.floating]) -> Floats:
        """What the likeliest answer leaves to be explained: p − e, classes in an order of their own."""
        errors = probabilities[:, self._order].astype(np.float64)
        errors[np.arange(len(errors)), errors.argmax(axis=1)] -= 1.0
        return errors

    def _error_lengths(self, probabilities: npt.NDArray[np.floating]) -> Floats:
        errors = self._errors(probabilities)
        return np.asarray(np.einsum("ij,ij->i", errors, errors))


def _order_of_classes(pool: Pool) -> Places:
    """The classes, likeliest in the whole pool first: an order that does not depend on how they are listed."""
    mass = np.zeros(pool.probabilities.shape[1])
    for start in range(0, len(pool.probabilities), 1 << 16):
        chunk = pool.probabilities[start : start + (1 << 16)]
        mass += (chunk * np.linspace(1.0, 1.1, len(chunk))[:, None]).sum(axis=0)  # different where the sums are equal
    return np.argsort(-mass, kind="stable")
