"""Majority vote: every vote counts the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._alignment import aligned
from labelmill.aggregation._asks import Counts, Shares
from labelmill.aggregation._by_rounds import ByRounds
from labelmill.aggregation._mixture import LeftOut
from labelmill.aggregation._posterior import class_balance, reliability
from labelmill.aggregation._tally import Floats
from labelmill.domain.sums import Rounds
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable

__all__ = ["MajorityVote"]


class MajorityVote(ByRounds):
    """The share of the votes each class got; abstentions do not count and ties stay ties.

    p_ik = (votes for class k on item i) / (votes on item i); items without votes get the class balance. Nothing is
    learned about the annotators that would change an answer: the yardstick for every other label model.

    Parameters
    ----------
    seed : int
        Not used; every label model takes one.

    Attributes
    ----------
    class_balance_ : ndarray of float64, shape (n_classes,)
        Mean share of each class over the items with votes, one item of each class added.
    reliability_ : ndarray of float64, shape (n_annotators,)
        Mean vote share of the classes an annotator named; NaN without votes.
    details_ : dict
        `model`, `iterations`, `converged`.

    Examples
    --------
    >>> votes = {"item": ["a", "a", "a"], "annotator": ["x", "y", "z"], "label": ["cat", "cat", "dog"]}
    >>> MajorityVote().fit(votes).predict_proba(votes).round(2).tolist()
    [[0.67, 0.33]]
    """

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def learning(
        self,
        annotators: Sequence[str],
        classes: Sequence[str],
        kinds: Sequence[AnnotatorKind | None],  # noqa: ARG002 -- the role asks for it
    ) -> Rounds[None]:
        """Learn from sums over shards; see `LearnsByRounds`."""
        by_shares = Counts.of((yield Shares()))
        self.annotators_, self.classes_ = tuple(annotators), tuple(classes)
        self.class_balance_ = class_balance(by_shares.items)
        self.reliability_ = reliability(by_shares.votes)
        self.details_ = {"model": "majority_vote", "iterations": 0, "converged": True}

    def predict_proba(self, votes: Any) -> Floats:
        """Vote shares, shape (n_items, n_classes).

        Raises
        ------
        NotFittedError
            Before `fit`.
        UsageError
            If an annotator was not among those fitted.
        """
        return self._shares(aligned(votes, self).counts.astype(np.float64))

    def left_out(self, votes: VoteTable) -> LeftOut:
        """Vote shares with and without each vote; one vote's worth of class balance is added to the latter."""
        counts = votes.counts.astype(np.float64)

        def without(positions: npt.NDArray[np.intp]) -> Floats:
            others = counts[votes.item_index[positions]] + self.class_balance_
            others[np.arange(len(positions)), votes.label[positions]] -= 1.0
            return np.asarray(others / others.sum(axis=1, keepdims=True))

        return LeftOut(self._shares(counts), without)

    def _shares(self, counts: Floats) -> Floats:
        total = np.einsum("ij->i", counts)[:, None]
        return np.where(total > 0, counts / np.maximum(total, 1.0), self.class_balance_)
