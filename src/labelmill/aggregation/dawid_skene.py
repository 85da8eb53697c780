"""Dawid-Skene: each annotator's confusions, the likeliest ones, learned without gold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from labelmill.aggregation._asks import Counts
from labelmill.aggregation._climb import Climber
from labelmill.aggregation._mixture import Mixture
from labelmill.aggregation._posterior import class_balance
from labelmill.aggregation._tally import Floats

__all__ = ["DawidSkene"]

CREDITED = 0.5
"""Votes in each cell of each annotator's confusions before any: a density of Dir(1.5, ..., 1.5), whose mode this is."""
CREDITED_IF_RIGHT = 1.0
"""As many more on the diagonal: who has hardly voted is a little better than chance."""


class DawidSkene(Climber["_Likeliest"]):
    r"""People differ in accuracy and in what they mix up; the likeliest confusions of each stand for them.

    .. math:: q_{ik} \propto \pi_k \prod_{(j,l) \in votes(i)} \theta_{jkl}, \qquad
              \theta_{jkl} = \frac{n_{jkl} + c + d\,[k = l]}{\sum_{l'} n_{jkl'} + K c + d}, \qquad
              n_{jkl} = \sum_i q_{ik} [vote_{ij} = l]

    Expectation maximisation after Dawid and Skene (1979, https://doi.org/10.2307/2346806), in its maximum a posteriori
    form: each confusion row has a Dirichlet prior that is the same for everybody, so that an answer never given is not
    impossible. We differ from the paper in that prior, in starting from vote shares of single votes, in stopping on
    the log posterior per vote, and in two guards: classes that come back under each other's names are refused (all
    annotators are taken as equal), and a class named by every vote on an item is never overruled.

    Each annotator is known by their own votes alone; `ShrinkageDawidSkene` lets those with few votes borrow from the
    crowd, and measures better on real votes. Take this one to compare with other implementations.

    Meant for people, who are assigned their items: an abstention says nothing. For rules, which choose theirs, use
    `AnchoredNaiveBayes`.

    Parameters
    ----------
    max_iterations : int
        At most so many sweeps over the votes.
    tolerance : float
        Stop when the log posterior changes by less than this many nats per vote.
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
    >>> DawidSkene().fit(votes).predict_proba(votes).argmax(axis=1).tolist()[:2]
    [0, 1]
    """

    model_name = "dawid_skene"
    confusion_: Floats

    def _start(self, by_shares: Counts) -> _Likeliest:
        return _Likeliest(by_shares.votes, by_shares.items)

    def _remember(self, beliefs: _Likeliest) -> None:
        self.confusion_, self._prior = beliefs.rows, beliefs.prior[None]

    def _credited(self) -> Floats:
        return self._prior


@dataclass(frozen=True, slots=True)
class _Likeliest:
    """The most probable confusions for expected `counts` [j, l, k], and `items` [k]."""

    counts: Floats
    items: Floats

    @property
    def prior(self) -> Floats:
        """Votes credited beforehand, `[l, k]`."""
        return np.asarray(CREDITED + CREDITED_IF_RIGHT * np.eye(len(self.items)))

    @property
    def mixture(self) -> Mixture:
        return Mixture(np.log(class_balance(self.items)), np.log(self._shares), np.arange(len(self.items)))

    @property
    def price(self) -> float:
        """Minus the log prior density of the confusions and of the balance, less what does not change."""
        return -float((self.prior * np.log(self._shares)).sum() + np.log(class_balance(self.items)).sum())

    def refit(self, expected: Counts, _iteration: int, /) -> Self:
        return type(self)(expected.votes, expected.items)

    @property
    def rows(self) -> Floats:
        """As confusion matrices `[j, k, l]`."""
        return np.ascontiguousarray(self._shares.transpose(0, 2, 1))

    @property
    def _shares(self) -> Floats:
        credited = self.counts + self.prior
        return np.asarray(credited / credited.sum(axis=1, keepdims=True))
