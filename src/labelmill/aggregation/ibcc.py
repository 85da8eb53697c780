"""IBCC: each annotator's confusions, by variational Bayes with a prior that stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from labelmill.aggregation._asks import Counts
from labelmill.aggregation._climb import Climber
from labelmill.aggregation._dirichlet import divergence, log_shares
from labelmill.aggregation._mixture import Mixture
from labelmill.aggregation._options import above_zero
from labelmill.aggregation._tally import Floats
from labelmill.domain.sums import Rounds
from labelmill.domain.vote import AnnotatorKind

__all__ = ["IBCC"]

CLASS_PRIOR = 1.0
"""Items of each class credited before any vote."""


class IBCC(Climber["_Rows"]):
    r"""Each annotator's confusion rows and the class balance, all with Dirichlet priors that are given, not learned.

    .. math:: \log q_{ik} = E[\log \pi_k] + \sum_{(j,l) \in votes(i)} E[\log \theta_{jkl}] + const, \qquad
              \theta_{jk\cdot} \sim \mathrm{Dir}(b, \dots, b, a, b, \dots, b), \quad \pi \sim \mathrm{Dir}(1, \dots, 1)

    with a on the true class. Independent Bayesian classifier combination (Kim and Ghahramani 2012, "Bayesian
    Classifier Combination", AISTATS, PMLR 22:619-627), with the variational updates of Simpson, Roberts, Psorakis and
    Smith (2013, https://doi.org/10.1007/978-3-642-36406-8_1). We differ in starting from vote shares and in two guards:
    classes that come back under each other's names are refused, and a class named by every vote on an item is never
    overruled.

    `ShrinkageDawidSkene` learns what is fixed here, each annotator's accuracy and the crowd's pattern of errors
    included, and measures better on real votes; this is the plain Bayesian form for comparison.

    Parameters
    ----------
    right, wrong : float
        a and b: votes each annotator is credited with in each cell, on and off the diagonal of its confusions. With
        many classes `wrong` adds up: an annotator's prior accuracy is `right / (right + (n_classes - 1) * wrong)`.
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
    >>> IBCC().fit(votes).predict_proba(votes).argmax(axis=1).tolist()[:2]
    [0, 1]
    """

    model_name = "ibcc"
    confusion_: Floats

    def __init__(
        self,
        *,
        right: float = 4.0,
        wrong: float = 1.0,
        max_iterations: int = 100,
        tolerance: float = 1e-4,
        seed: int = 0,
    ) -> None:
        super().__init__(max_iterations=max_iterations, tolerance=tolerance, seed=seed)
        self.right = right
        self.wrong = wrong

    def learning(
        self, annotators: Sequence[str], classes: Sequence[str], kinds: Sequence[AnnotatorKind | None]
    ) -> Rounds[None]:
        """Learn from sums over shards; see `LearnsByRounds`."""
        above_zero(right=self.right, wrong=self.wrong)
        yield from super().learning(annotators, classes, kinds)

    def _start(self, by_shares: Counts) -> _Rows:
        n_classes = by_shares.votes.shape[1]
        prior = np.where(np.eye(n_classes, dtype=np.bool_), self.right, self.wrong)
        return _Rows(by_shares.votes, by_shares.items, prior)

    def _remember(self, beliefs: _Rows) -> None:
        self.confusion_, self._prior = beliefs.rows, beliefs.prior[None]

    def _credited(self) -> Floats:
        return self._prior


@dataclass(frozen=True, slots=True)
class _Rows:
    """Dirichlet posteriors: `counts` [j, l, k], `items` [k], and the `prior` [l, k] that all annotators share."""

    counts: Floats
    items: Floats
    prior: Floats

    @property
    def mixture(self) -> Mixture:
        per_vote = log_shares(self.counts, self.prior, axis=1)
        return Mixture(log_shares(self.items, CLASS_PRIOR, axis=0), per_vote, np.arange(len(self.items)))

    @property
    def price(self) -> float:
        return divergence(self.counts, self.prior, axis=1) + divergence(self.items, CLASS_PRIOR, axis=0)

    def refit(self, expected: Counts, _iteration: int, /) -> Self:
        return type(self)(expected.votes, expected.items, self.prior)

    @property
    def rows(self) -> Floats:
        """Posterior mean as confusion matrices `[j, k, l]`."""
        concentration = self.counts + self.prior
        return np.ascontiguousarray((concentration / concentration.sum(axis=1, keepdims=True)).transpose(0, 2, 1))
