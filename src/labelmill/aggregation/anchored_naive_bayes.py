"""Anchored naive Bayes: how often each rule is right when it fires, learned without gold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._anchored import anchored_evidence, anchored_precision
from labelmill.aggregation._asks import Answers, Counts, Expectation, Shares
from labelmill.aggregation._by_rounds import ByMixture
from labelmill.aggregation._dependence import Residuals, dependence_weights, two_sided
from labelmill.aggregation._mixture import Mixture
from labelmill.aggregation._options import at_least_one, open_share
from labelmill.aggregation._overlaps import MOST_COLUMNS, AskOverlaps, Overlaps
from labelmill.aggregation._posterior import class_balance, reliability
from labelmill.aggregation._sample import Sample, within_sample
from labelmill.aggregation._tally import Floats
from labelmill.domain.sums import Rounds
from labelmill.domain.vote import AnnotatorKind

__all__ = ["AnchoredNaiveBayes"]

ROUNDS = 4
"""How often dependence is looked at again under the weights found."""
SETTLED = 1e-3
TWO_SIDED = 0.01
"""Share of the anchor's weight that is left for rules that judge each other."""


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
    overruled; a class that nobody names gets no evidence. The anchor of a rule for a class commoner than the others is
    lifted by as much in log-odds: at 90 items in 100 a precision of 0.7 would be worse than none. Where a rare class
    has many more rules than the common one, its share may still be overestimated: `Auto` compares.

    Rules that are copies of one another are no independent witnesses. Those whose votes go together beyond what the
    class explains share their weight (see `dependence_weights`): three copies count about once. And at least four
    rules that each name several classes, and overlap, can be judged by how they contradict each other: their anchor
    is a hundredth as heavy. Both need one more round of sums each, and are left out for more than 5,000 rules times
    classes. Abstentions add nothing.

    Rules mostly leave few distinct rows of votes: the fit runs on those, counted. Where more than 300,000 are left,
    it runs on a sample of about half as many, which is the same however the votes are ordered or sharded (see
    `Sample`); predictions are made for all.

    Parameters
    ----------
    anchor_precision : float
        How often a rule is right before anything is learned, above 1 / n_classes and below 1, where classes are even.
    anchor_weight : float
        Weight of that belief, in multiples of the rule's own votes. Answers hardly change between 1 and 3; far above,
        rules are all taken as equally precise, and well below, EM may turn one around.
    dependence : bool
        Look for rules that are alike.
    max_iterations : int
        At most so many sweeps over the votes, each time.
    tolerance : float
        Stop when the log normalisers change by less than this many nats per vote.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    class_balance_ : ndarray of float64, shape (n_classes,)
        Share of each class among items with votes, one item of each added.
    precision_ : ndarray of float64, shape (n_annotators, n_classes, n_classes)
        `[j, l, k]`: probability of class k where rule j votes l.
    dependence_weights_ : ndarray of float64, shape (n_annotators,)
        How much of a vote each rule's counts for.
    reliability_ : ndarray of float64, shape (n_annotators,)
        Probability that a vote names the true class; NaN without votes.
    details_ : dict
        `model`, `iterations`, `max_iterations`, `converged`, `patterns` (distinct rows of votes worked on), `alike`
        (rules that count for less than one, with their weights), `two_sided` (rules with the weak anchor),
        `one_item_in` (1 where all items were learned from).

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
        dependence: bool = True,
        max_iterations: int = 50,
        tolerance: float = 1e-4,
        seed: int = 0,
    ) -> None:
        self.anchor_precision = anchor_precision
        self.anchor_weight = anchor_weight
        self.dependence = dependence
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
        sample = yield from Sample.learning()
        yield from within_sample(self._learning(annotators, classes), sample)
        self.annotators_, self.classes_ = tuple(annotators), tuple(classes)
        self.details_["one_item_in"] = 1 if sample is None else sample.one_in

    def _learning(self, annotators: Sequence[str], classes: Sequence[str]) -> Rounds[None]:
        by_shares = Counts.of((yield Shares()))
        together = None
        if self.dependence and 1 < len(annotators) * len(classes) <= MOST_COLUMNS:
            together = Overlaps.of((yield AskOverlaps())).together
        step = _Step(
            np.ones(len(annotators)),
            self._anchors(together, by_shares.votes),
            by_shares.votes.sum(axis=(0, 2)) > 0,
            float(by_shares.extra[0]),
        )
        learned = yield from self._learn(step, by_shares)
        if together is not None:
            step, learned = yield from self._unlike(together, step, learned)
        self._mixture = learned.mixture
        answers = Counts.of((yield Answers(self._mixture)))
        _, n_rows, n_items = by_shares.extra.astype(np.int64).tolist()
        self.class_balance_ = np.exp(self._mixture.log_balance)
        self.precision_ = self._precision(learned.expected, step)
        self.dependence_weights_ = step.weights
        self.reliability_ = reliability(answers.votes)
        self.details_ = {
            "model": "anchored_naive_bayes",
            "iterations": learned.iterations,
            "max_iterations": self.max_iterations,
            "converged": learned.converged,
            "patterns": n_rows if n_rows < n_items else None,
            "alike": {name: round(float(w), 4) for name, w in zip(annotators, step.weights, strict=True) if w < 1},
            "two_sided": int((step.anchors < self.anchor_weight).sum()),
        }

    def _unlike(self, together: Floats, step: _Step, learned: _Learned) -> Rounds[tuple[_Step, _Learned]]:
        """The same with rules that are alike sharing their weight."""
        for _ in range(ROUNDS):
            weights = dependence_weights(together, (yield Residuals(learned.mixture)))
            if np.abs(weights - step.weights).max(initial=0.0) < SETTLED:
                break
            step = step._replace(weights=weights)
            learned = yield from self._learn(step, learned.expected, learned)
        return step, learned

    def _anchors(self, together: Floats | None, votes: Floats) -> Floats:
        """Weight of the anchor for each rule, (n_annotators,)."""
        anchors = np.full(len(votes), self.anchor_weight)
        if together is not None:
            anchors[two_sided(together, votes.sum(axis=2))] = self.anchor_weight * TWO_SIDED
        return anchors

    def _learn(self, step: _Step, expected: Counts, since: _Learned | None = None) -> Rounds[_Learned]:
        before, done = -np.inf, 0 if since is None else since.iterations
        for iteration in range(1, self.max_iterations + 1):
            mixture = self._mixture_of(expected, step)
            expected = Counts.of((yield Expectation(mixture)))
            bound = float(expected.extra[0]) / max(step.n_votes, 1.0)
            if abs(bound - before) < self.tolerance:
                return _Learned(mixture, expected, done + iteration, converged=True)
            before = bound
        return _Learned(mixture, expected, done + self.max_iterations, converged=False)

    def _mixture_of(self, expected: Counts, step: _Step) -> Mixture:
        log_balance = np.log(class_balance(expected.items))
        evidence = anchored_evidence(self._precision(expected, step), log_balance, step.named)
        return Mixture(log_balance, evidence * step.weights[:, None, None], np.arange(len(log_balance)))

    def _precision(self, expected: Counts, step: _Step) -> Floats:
        return anchored_precision(
            expected.votes,
            class_balance(expected.items),
            anchor_precision=self.anchor_precision,
            anchor_weight=step.anchors,
        )


class _Step(NamedTuple):
    """What does not change while precisions are learned.

    How much each rule counts, its anchor's weight, which classes anybody names, and the number of votes.
    """

    weights: Floats
    anchors: Floats
    named: npt.NDArray[np.bool_]
    n_votes: float


class _Learned(NamedTuple):
    mixture: Mixture
    expected: Counts
    iterations: int
    converged: bool
