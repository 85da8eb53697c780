"""Expected error reduction: ask where an answer is expected to save most wrong labels for its cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool, Respondent
from labelmill.errors import UsageError
from labelmill.selection._doubts import in_chunks

__all__ = ["ExpectedErrorReduction", "expected_gain"]

Floats = npt.NDArray[np.float64]

ANYBODY = (Respondent("anybody"),)


class ExpectedErrorReduction:
    r"""How many wrong labels fewer one more answer leaves, by whoever gives most for the money.

    .. math:: s_i = \max_a \frac{1}{c_a} \Bigl( \sum_y \max_k p_{ik} P_a(y \mid k) - \max_k p_{ik} \Bigr)

    with :math:`P_a(y \mid k)` the accuracy of a where y = k, and the rest spread evenly. After Roy and McCallum (2001,
    "Toward Optimal Active Learning through Sampling Estimation of Error Reduction", ICML), on the posterior of the
    votes instead of a model trained anew for each answer; with costs as in Donmez and Carbonell (2008, "Proactive
    Learning", https://doi.org/10.1145/1458082.1458165). An answer that could not change the label saves nothing: an
    annotator who is right in 80 % of the cases is not asked about what is 90 % sure. With people who are always right
    it ranks as `LeastConfidence` does.

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> votes = VoteTable("abc", [], ("no", "yes"), [], [], [])
    >>> sure = np.array([[0.5, 0.5], [0.6, 0.4], [0.9, 0.1]])
    >>> asked = (Respondent("crowd", 0.8, 1.0), Respondent("expert", 1.0, 5.0))
    >>> ExpectedErrorReduction().score(Pool(sure, votes, respondents=asked)).round(2).tolist()
    [0.3, 0.2, 0.02]
    """

    reason: ClassVar[str] = "an answer is worth {score:.2f} wrong labels"

    def score(self, pool: Pool) -> Floats:
        """Wrong labels saved for a unit of cost, shape (n_items,); not below 0."""
        asked = pool.respondents or ANYBODY
        costs = np.array([who.cost for who in asked])
        return in_chunks(lambda p: (expected_gain(p, asked) / costs).max(axis=1, initial=0.0), pool.probabilities)


def expected_gain(probabilities: npt.NDArray[np.floating], respondents: Sequence[Respondent]) -> Floats:
    """How much likelier each item's label is right after one more answer, shape (n_items, n_respondents); 0 to 1.

    Parameters
    ----------
    probabilities : ndarray, shape (n_items, n_classes)
    respondents : sequence of Respondent

    Raises
    ------
    UsageError
        If an accuracy lies outside 0 to 1, or a cost is not above 0.
    """
    for who in respondents:
        if not (0.0 <= who.accuracy <= 1.0 and who.cost > 0.0):
            raise UsageError(
                f"{who.name} has accuracy {who.accuracy} and cost {who.cost}: the first must lie between 0 and 1, "
                "the second above 0"
            )
    p = probabilities.astype(np.float64)
    n_classes = p.shape[1]
    if n_classes < 2:
        return np.zeros((len(p), len(respondents)))
    top = np.partition(p, -2, axis=1)[:, -2:]
    rival = np.repeat(top[:, 1:], n_classes, axis=1)  # the likeliest of the classes that are not answered
    rival[np.arange(len(p)), p.argmax(axis=1)] = top[:, 0]
    gains = [
        np.maximum(p * who.accuracy, rival * (1.0 - who.accuracy) / (n_classes - 1)).sum(axis=1) - top[:, 1]
        for who in respondents
    ]
    return np.asarray(np.maximum(np.stack(gains, axis=1), 0.0))
