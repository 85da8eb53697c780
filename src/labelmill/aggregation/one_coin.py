"""One coin: each annotator has one accuracy, whatever the class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from labelmill.aggregation._accuracy import Accuracy
from labelmill.aggregation._asks import Counts
from labelmill.aggregation._climb import Climber
from labelmill.aggregation._dirichlet import divergence, log_shares
from labelmill.aggregation._mixture import Mixture
from labelmill.aggregation._posterior import even_log_balance
from labelmill.aggregation._tally import Floats

__all__ = ["OneCoin"]

LEARN_STRENGTH_FROM = 3
SMALLEST_SHARE = 1e-4
"""A prior of all right or all wrong would forbid the other for good."""


class OneCoin(Climber["_Coins"]):
    r"""Each annotator is right with one probability, whatever the class, and wrong evenly: few numbers to learn.

    .. math:: \log q_{ik} = \sum_{(j,l) \in votes(i)} \left( [l = k]\, E[\log a_j]
              + [l \neq k]\, E\left[\log \frac{1 - a_j}{K - 1}\right] \right) + const

    The one-coin form of Dawid and Skene (1979, https://doi.org/10.2307/2346806), as used by ZenCrowd (Demartini,
    Difallah and Cudré-Mauroux 2012, https://doi.org/10.1145/2187836.2187900), fitted by variational Bayes. We differ
    in the prior: accuracies have a Beta prior with the crowd's mean and a strength learned from the data, so that one
    vote decides nothing about an annotator and nobody is infallible. As in ZenCrowd every class is as likely as any
    other beforehand: one number an annotator cannot tell a common class from a common error, so that a learned balance
    can run away with everything into one class.

    Good with many classes and few votes an annotator; deaf to what people mix up, for which see `ShrinkageDawidSkene`.

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
    accuracy_ : ndarray of float64, shape (n_annotators,)
        Posterior mean of a_j; the crowd's mean for annotators without votes.
    class_balance_ : ndarray of float64, shape (n_classes,)
        Share of each class, one item of each added.
    reliability_ : ndarray of float64, shape (n_annotators,)
        Probability that a vote names the true class; NaN without votes.
    details_ : dict
        `model`, `iterations`, `max_iterations`, `converged`, `fallback` (None, or why equal annotators were taken
        instead).

    Examples
    --------
    >>> votes = {"item": list("aabbcc"), "annotator": list("xyxyxy"), "label": list("001101")}
    >>> OneCoin().fit(votes).predict_proba(votes).argmax(axis=1).tolist()[:2]
    [0, 1]
    """

    model_name = "one_coin"
    accuracy_: Floats

    def _start(self, by_shares: Counts) -> _Coins:
        return _Coins(Accuracy.of(by_shares.votes))

    def _remember(self, beliefs: _Coins) -> None:
        self.accuracy_ = beliefs.accuracy.shrunk


@dataclass(frozen=True, slots=True)
class _Coins:
    accuracy: Accuracy

    @property
    def mixture(self) -> Mixture:
        n_classes = self.accuracy.n_classes
        right, wrong = log_shares(self._counts, self._prior, axis=1).T
        each_wrong = wrong - np.log(max(n_classes - 1, 1))
        per_vote = np.where(np.eye(n_classes, dtype=np.bool_), right[:, None, None], each_wrong[:, None, None])
        return Mixture(even_log_balance(n_classes), per_vote, np.arange(n_classes))

    @property
    def price(self) -> float:
        return divergence(self._counts, self._prior, axis=1)

    def refit(self, expected: Counts, iteration: int, /) -> Self:
        strength = self.accuracy.strength
        if iteration + 1 >= LEARN_STRENGTH_FROM:
            strength = self.accuracy.next_strength
        return type(self)(Accuracy.of(expected.votes, strength))

    @property
    def _counts(self) -> Floats:
        return np.column_stack([self.accuracy.right, np.maximum(self.accuracy.total - self.accuracy.right, 0.0)])

    @property
    def _prior(self) -> Floats:
        mean = np.clip(self.accuracy.mean, SMALLEST_SHARE, 1.0 - SMALLEST_SHARE)
        return self.accuracy.strength * np.array([mean, 1.0 - mean])
