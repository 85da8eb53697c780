"""Wawa: each vote counts as much as its annotator agrees with the majority."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._alignment import aligned, fitted_names
from labelmill.aggregation._asks import Counts
from labelmill.aggregation._by_rounds import ByRounds
from labelmill.aggregation._known import Known
from labelmill.aggregation._mixture import LeftOut
from labelmill.aggregation._posterior import class_balance, reliability
from labelmill.aggregation._tally import Floats, Tally
from labelmill.aggregation._weighted_votes import totals, without_own
from labelmill.domain.sums import Rounds, Sums
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable

__all__ = ["Wawa"]


class Wawa(ByRounds):
    r"""Votes weighed by how often their annotator is with the majority: two passes, nothing to converge.

    .. math:: w_j = \frac{\bar w + \sum_{votes\ of\ j} [\text{it names the majority's class}]}{1 + \text{votes of } j},
              \qquad p_{ik} = \frac{\sum_{j: vote_{ij} = k} w_j}{\sum_{j \in votes(i)} w_j}

    Worker agreement with aggregate, a common practice of crowdsourcing platforms; the name and the weighted vote are
    those of crowd-kit (Ustalov, Pavlichenko and Tseitlin 2024, https://doi.org/10.21105/joss.06227). We differ in two
    things: where m classes share the majority, naming one of them is 1/m of an agreement, so that the order of the
    classes does not matter; and everybody starts with one vote at the mean agreement :math:`\bar w`, so that a weight
    is never zero and a single vote decides little about it. An annotator's own vote is part of the majority, which
    flatters those who are often alone.

    Safe with few votes an annotator. It hears neither what an annotator mixes up nor who is worse than chance.

    Parameters
    ----------
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    weights_ : ndarray of float64, shape (n_annotators,)
        w_j, above 0 and at most 1; the mean agreement for annotators without votes.
    class_balance_ : ndarray of float64, shape (n_classes,)
        Mean weighted share of each class over the items with votes, one item of each class added.
    reliability_ : ndarray of float64, shape (n_annotators,)
        Mean weighted share of the classes an annotator named; NaN without votes.
    details_ : dict
        `model`, `iterations`, `converged`, `mean_agreement` (share of all votes that name the majority's class; None
        without votes).

    Examples
    --------
    >>> votes = {"item": list("aaabbb"), "annotator": list("xyzxyz"), "label": list("001110")}
    >>> Wawa().fit(votes).weights_.round(2).tolist()
    [0.89, 0.89, 0.22]
    """

    weights_: Floats

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def learning(
        self,
        annotators: Sequence[str],
        classes: Sequence[str],
        kinds: Sequence[AnnotatorKind | None],  # noqa: ARG002 -- the role asks for it
    ) -> Rounds[None]:
        """Learn from sums over shards, two rounds; see `LearnsByRounds`."""
        by_majority = Counts.of((yield _Majorities()))
        self.weights_, mean = _agreement(by_majority.votes)
        weighted = Counts.of((yield _WeightedShares(self.weights_)))
        self.annotators_, self.classes_ = tuple(annotators), tuple(classes)
        self.class_balance_ = class_balance(weighted.items)
        self.reliability_ = reliability(weighted.votes)
        self.details_ = {"model": "wawa", "iterations": 1, "converged": True, "mean_agreement": mean}

    def predict_proba(self, votes: Any) -> Floats:
        """Weighted vote shares, shape (n_items, n_classes).

        Raises
        ------
        NotFittedError
            Before `fit`.
        UsageError
            If an annotator was not among those fitted.
        """
        tally = Tally.of(aligned(votes, self))
        shares = _shares(totals(tally, self.weights_), self.class_balance_)
        return tally.expand(shares)

    def left_out(self, votes: VoteTable) -> LeftOut:
        """Weighted shares with and without each vote; one vote's worth of class balance is added to the latter."""
        fitted_names(self)
        sums = totals(Tally.by_item(votes), self.weights_)

        def without(positions: npt.NDArray[np.intp]) -> Floats:
            others = without_own(votes, sums, self.weights_, positions, least=0.0) + self.class_balance_
            return np.asarray(others / others.sum(axis=1, keepdims=True))

        return LeftOut(_shares(sums, self.class_balance_), without)


@dataclass(frozen=True, slots=True)
class _Majorities:
    """Asks for the counts by the class most voted for, split evenly where several are."""

    def __call__(self, votes: VoteTable, /) -> Sums:
        tally = Tally.of(votes)
        leads = (tally.shares >= tally.shares.max(axis=1, keepdims=True, initial=0.0)).astype(np.float64)
        leads /= np.maximum(np.einsum("ij->i", leads), 1.0)[:, None]
        return Sums((tally.counts(leads), tally.state_counts(leads), np.zeros(0)))

    def with_known(self, sums: Sums, known: Known) -> Sums:
        return known.added(sums)


@dataclass(frozen=True, slots=True)
class _WeightedShares:
    """Asks for the counts by weighted vote shares; the start of what is predicted."""

    weights: Floats

    def __call__(self, votes: VoteTable, /) -> Sums:
        tally = Tally.of(votes)
        shares = _shares(totals(tally, self.weights), np.zeros(tally.n_classes))
        return Sums((tally.counts(shares), tally.state_counts(shares), np.zeros(0)))

    def with_known(self, sums: Sums, known: Known) -> Sums:
        return known.added(sums)


def _agreement(counts: Floats) -> tuple[Floats, float | None]:
    """The annotators' weights from counts by the majority, `[j, l, k]`, and the mean agreement."""
    agreed, total = np.trace(counts, axis1=1, axis2=2), counts.sum(axis=(1, 2))
    if not total.any():
        return np.ones(len(counts)), None
    mean = float(agreed.sum() / total.sum())
    return np.asarray((agreed + mean) / (total + 1.0)), mean


def _shares(sums: Floats, unvoted: Floats) -> Floats:
    total = np.einsum("ij->i", sums)[:, None]
    return np.where(total > 0, sums / np.where(total > 0, total, 1.0), unvoted)
