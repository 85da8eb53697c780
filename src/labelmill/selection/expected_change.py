"""Expected change: ask where the answer, whatever it is, would change the model most."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool
from labelmill.selection._doubts import in_chunks

__all__ = ["ExpectedChange"]

Floats = npt.NDArray[np.float64]


class ExpectedChange:
    r"""Expected length of the gradient that the answer would cause in a linear head.

    .. math:: s_i = \sqrt{1 + \lVert x_i \rVert^2} \sum_k p_{ik} \lVert p_i - e_k \rVert

    Settles, Craven and Ray (2008, "Multiple-Instance Active Learning", NeurIPS,
    https://papers.nips.cc/paper/3252-multiple-instance-active-learning). The square root holds one for the intercept;
    without features it is left out, and what remains is a measure of doubt.

    .. warning:: Long vectors come first, which are odd items as often as telling ones: `Auto` is the safe choice.

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> votes = VoteTable(["a", "b"], [], ("no", "yes"), [], [], [])
    >>> ExpectedChange().score(Pool(np.array([[0.5, 0.5], [1.0, 0.0]]), votes)).round(3).tolist()
    [0.707, 0.0]
    """

    reads_features: ClassVar[bool] = True
    reason: ClassVar[str] = "its answer would change the model"

    def score(self, pool: Pool) -> Floats:
        """Not below 0, shape (n_items,); −1 for items that no encoder could read, which are asked last."""
        scores = in_chunks(_expected_errors, pool.probabilities)
        if pool.features is None:
            return scores
        with np.errstate(invalid="ignore", over="ignore"):
            lengths = np.sqrt(1.0 + np.einsum("ij,ij->i", pool.features, pool.features, dtype=np.float64))
            scores *= lengths
        return np.where(np.isfinite(lengths), scores, -1.0)


def _expected_errors(p: npt.NDArray[np.floating]) -> Floats:
    squared = np.einsum("ij,ij->i", p, p)[:, None] - 2.0 * p + 1.0
    return np.asarray(np.einsum("ij,ij->i", p, np.sqrt(np.maximum(squared, 0.0))))
