"""Anchored naive Bayes: how often each rule is right when it fires, learned without gold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labelmill.aggregation._anchored import anchored_evidence, anchored_precision
from labelmill.aggregation._asks import Answers, Counts, Move, Shares
from labelmill.aggregation._by_rounds import ByMixture
from labelmill.aggregation._mixture import Mixture
from labelmill.aggregation._options import at_least_one, open_share
from labelmill.aggregation._posterior import class_balance, reliability
from labelmill.aggregation._tally import Floats
from labelmill.domain.sums import Rounds
from labelmill.domain.vote import AnnotatorKind

__all__ = ["AnchoredNaiveBayes"]


class AnchoredNaiveBayes(ByMixture):
    r"""Rules choose the items they vote on, so firing is evidence; each is judged by its precision.

    .. math:: \log q_{ik} = \log \pi_k + \sum_j \left( \log P(k \mid \lambda_{ij}) - \log \pi_k \right) + const,
              \qquad P(k \mid \lambda_j = l) = \frac{c_{jlk} + w\, n_{jl} P^0_{lk}}{n_{jl} (1 + w)}

    with expected votes :math:`c_{jlk} = \sum_i q_{ik} [\lambda_{ij} = l]` and :math:`n_{jl} = \sum_k c_{jlk}`.
    Naive Bayes over label functions as in data programming (Ratner et al. 2016,
    https://doi.org/10.48550/arXiv.1605.07723), fitted by expectation maximisation (Dempster, Laird and Rubin 1977,
    https://doi.org/10.1111/j.2517-6161.1977.tb01600.x). We differ in parameters and prior: a rule that only ever names
    one class says nothing under a model of "labels given that it voted", so precisions are learned instead, and the
    anchor :math:`P^0`, which weighs twice a rule's own votes, keeps EM from turning a rule around. A vote never speaks
    against the class it names, whatever the class balance, and a class named by every vote on an item is never
    overruled. Where a rare class has many more rules than the common one, its share is overestimated and majority vote
    may do better: `Auto` compares. Abstentions add nothing. Rules leave few distinct rows of
    votes: the fit runs on those, counted.

    Parameters
    ----------
    anchor_precision : float
        How often a rule is right before anything is learned, above 1 / n_classes and below 1.
    anchor_weight : float
        Weight of that belief, in multiples of the rule's own votes. Answers hardly change between 1 and 3; far above,
        rules are all taken as equally precise, and well below, EM may turn one around.
    max_iterations : int
        At most so many sweeps over the votes.
    tolerance : float
        Stop when no probability changes by more.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    class_balance_ : ndarray of float64, shape (n_classes,)
        Share of each class among items with votes, one item of each added.
    precision_ : ndarray of float64, shape (n_annotators, n_classes, n_classes)
        `[j, l, k]`: probability of class k where rule j votes l.
    reliability_ : ndarray of float64, shape (n_annotators,)
        Probability that a vote names the true class; NaN without votes.
    details_ : dict
        `model`, `iterations`, `converged`, `patterns` (distinct rows of votes worked on).

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> table = VoteTable.from_matrix([[0, -1], [0, -1], [-1, 1], [-1, 1]], classes=("ham", "spam"))
    >>> AnchoredNaiveBayes().fit(table).predict_proba(table).argmax(axis=1).tolist()
    [0, 0, 1, 1]
    """

    precision_: Floats

    def __init__(
        self,
        *,
        anchor_precision: float = 0.7,
        anchor_weight: float = 2.0,
        max_iterations: int = 50,
        tolerance: float = 1e-4,
        seed: int = 0,
    ) -> None:
        self.anchor_precision = anchor_precision
        self.anchor_weight = anchor_weight
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
        open_share(anchor_precision=self.anchor_precision)
        by_shares = Counts.of((yield Shares()))
        self._mixture, expected, iterations, converged = yield from self._learn(by_shares)
        answers = Counts.of((yield Answers(self._mixture)))
        _, n_rows, n_items = by_shares.extra.astype(np.int64).tolist()
        self.annotators_, self.classes_ = tuple(annotators), tuple(classes)
        self.class_balance_ = np.exp(self._mixture.log_balance)
        self.precision_ = self._precision(expected.votes)
        self.reliability_ = reliability(answers.votes)
        self.details_ = {
            "model": "anchored_naive_bayes",
            "iterations": iterations,
            "converged": converged,
            "patterns": n_rows if n_rows < n_items else None,
        }

    def _learn(self, by_shares: Counts) -> Rounds[tuple[Mixture, Counts, int, bool]]:
        expected, before = by_shares, None
        for iteration in range(1, self.max_iterations + 1):
            mixture = self._mixture_of(expected)
            expected = Counts.of((yield Move(mixture, before)))
            if expected.most < self.tolerance:
                return mixture, expected, iteration, True
            before = mixture
        return mixture, expected, self.max_iterations, False

    def _mixture_of(self, expected: Counts) -> Mixture:
        log_balance = np.log(class_balance(expected.items))
        evidence = anchored_evidence(self._precision(expected.votes), log_balance)
        return Mixture(log_balance, evidence, np.arange(len(log_balance)))

    def _precision(self, counts: Floats) -> Floats:
        return anchored_precision(counts, anchor_precision=self.anchor_precision, anchor_weight=self.anchor_weight)
