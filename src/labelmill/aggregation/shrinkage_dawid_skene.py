"""Shrinkage Dawid-Skene: each annotator's confusions, drawn to their accuracy and the crowd's errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from labelmill.aggregation._asks import Answers, Counts, Shares
from labelmill.aggregation._by_rounds import ByMixture
from labelmill.aggregation._climb import EQUAL, climb
from labelmill.aggregation._confusion import Confusion
from labelmill.aggregation._mixture import Mixture
from labelmill.aggregation._options import at_least_one
from labelmill.aggregation._posterior import class_balance, is_switched, reliability
from labelmill.aggregation._tally import Floats
from labelmill.domain.sums import Rounds
from labelmill.domain.vote import AnnotatorKind

__all__ = ["ShrinkageDawidSkene"]

LEARN_STRENGTHS_FROM = 3


class ShrinkageDawidSkene(ByMixture):
    r"""People differ in accuracy and in what they mix up; both are learned from how they agree.

    .. math:: \log q_{ik} = \log \pi_k + \sum_{(j,l) \in votes(i)} E[\log \theta_{jkl}] + const, \qquad
              n_{jkl} = \sum_i q_{ik} [vote_{ij} = l]

    where :math:`\theta_{jk\cdot}`, the labels annotator j gives to items of class k, has a Dirichlet posterior with
    counts :math:`n_{jk\cdot}`. The model of Dawid and Skene (1979, https://doi.org/10.2307/2346806; see `DawidSkene`
    for its plain form) made hierarchical, in the variational form of Kim and Ghahramani (2012, "Bayesian classifier
    combination"): rows are shrunk to the annotator's accuracy and the crowd's error pattern, with strengths learned
    from the data, so that somebody with three votes decides nothing alone. We differ in that prior, in starting from
    vote shares; in stopping on the evidence bound per vote, which is sooner than stopping on the last posterior and
    measures better; and in two guards: classes that come back under each other's names are refused (the fit falls
    back to equal annotators), and a class named by every vote on an item is never overruled.

    Meant for people, who are assigned their items: an abstention says nothing. For rules, which choose theirs, use
    `AnchoredNaiveBayes`.

    Parameters
    ----------
    max_iterations : int
        At most so many sweeps over the votes.
    tolerance : float
        Stop when the evidence bound changes by less than this many nats per vote.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    class_balance_ : ndarray of float64, shape (n_classes,)
        Share of each class, one item of each added.
    confusion_ : ndarray of float64, shape (n_annotators, n_classes, n_classes)
        `[j, k, l]`: probability that annotator j answers l on an item of class k.
    reliability_ : ndarray of float64, shape (n_annotators,)
        Probability that a vote names the true class; NaN without votes.
    details_ : dict
        `model`, `iterations`, `max_iterations`, `converged`, `fallback` (None, or why equal annotators were taken
        instead).

    Examples
    --------
    >>> votes = {"item": list("aabbcc"), "annotator": list("xyxyxy"), "label": list("001101")}
    >>> ShrinkageDawidSkene().fit(votes).predict_proba(votes).argmax(axis=1).tolist()[:2]
    [0, 1]
    """

    confusion_: Floats

    def __init__(self, *, max_iterations: int = 100, tolerance: float = 3e-4, seed: int = 0) -> None:
        self.max_iterations = max_iterations
        self.tolerance = tolerance
        self.seed = seed

    def learning(
        self,
        annotators: Sequence[str],
        classes: Sequence[str],
        kinds: Sequence[AnnotatorKind | None],  # noqa: ARG002 -- the role asks for it
    ) -> Rounds[None]:
        """Learn from sums over shards; see `LearnsByRounds`."""
        at_least_one(max_iterations=self.max_iterations)
        by_shares = Counts.of((yield Shares()))
        learned = yield from climb(
            _Judged(by_shares.items, Confusion.of(by_shares.votes)),
            n_votes=float(by_shares.extra[0]),
            max_iterations=self.max_iterations,
            tolerance=self.tolerance,
        )
        judged, fallback = learned.beliefs, None
        if is_switched(judged.confusion.counts):
            judged, fallback = _equal_annotators(by_shares), EQUAL
        self._mixture, self._confusion = judged.mixture, judged.confusion
        answers = Counts.of((yield Answers(self._mixture)))
        self.annotators_, self.classes_ = tuple(annotators), tuple(classes)
        self.class_balance_ = np.exp(self._mixture.log_balance)
        self.confusion_ = judged.confusion.rows
        self.reliability_ = reliability(answers.votes)
        self.details_ = {
            "model": "shrinkage_dawid_skene",
            "iterations": learned.iterations,
            "max_iterations": self.max_iterations,
            "converged": learned.converged,
            "fallback": fallback,
        }

    def _credited(self) -> Floats:
        return self._confusion.prior


@dataclass(frozen=True, slots=True)
class _Judged:
    """Items expected in each class, and what the votes on them say about the annotators."""

    items: Floats
    confusion: Confusion

    @property
    def mixture(self) -> Mixture:
        balance = class_balance(self.items)
        return Mixture(np.log(balance), self.confusion.per_vote, np.arange(len(balance)))

    @property
    def price(self) -> float:
        return self.confusion.divergence

    def refit(self, expected: Counts, iteration: int, /) -> Self:
        learn_strengths = iteration + 1 >= LEARN_STRENGTHS_FROM
        return type(self)(expected.items, self.confusion.refit(expected.votes, learn_strengths=learn_strengths))


def _equal_annotators(by_shares: Counts) -> _Judged:
    """Every annotator with the same accuracy and even errors: the likeliest class is the majority's."""
    return _Judged(by_shares.items, Confusion.of(np.zeros_like(by_shares.votes)))
