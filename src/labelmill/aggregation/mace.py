"""MACE: annotators who sometimes answer without looking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from labelmill.aggregation._asks import Counts
from labelmill.aggregation._climb import Climber
from labelmill.aggregation._dirichlet import divergence, log_shares
from labelmill.aggregation._mixture import Mixture
from labelmill.aggregation._posterior import even_log_balance
from labelmill.aggregation._tally import Floats

__all__ = ["MACE"]

LOOKS_PRIOR = 0.5
"""Votes with and without looking that each annotator is credited with: most look always or never."""
HABIT_PRIOR = 10.0
"""Votes without looking for each label that each annotator is credited with."""


class MACE(Climber["_Habits"]):
    r"""Who looks gives the true class; who does not gives a label by habit, whatever the item.

    .. math:: P(vote_{ij} = l \mid class\ k) = \theta_j [l = k] + (1 - \theta_j)\, \xi_{jl}

    Multi-annotator competence estimation (Hovy, Berg-Kirkpatrick, Vaswani and Hovy 2013, "Learning Whom to Trust with
    MACE", NAACL-HLT, https://aclanthology.org/N13-1132), by variational Bayes with the paper's priors: Beta(0.5, 0.5)
    for :math:`\theta_j` and Dirichlet(10, ..., 10) for the habit :math:`\xi_j`; every class as likely as any other.
    Whether a vote was given with a look is summed out, which needs nothing but the expected counts of labels by
    class. We differ in starting from vote shares instead of the best of ten random starts, so that nothing is drawn,
    and in two guards: classes that come back under each other's names are refused, and a class named by every vote on
    an item is never overruled.

    Made for spammers: somebody who always says the same is not heard, however often they are right by chance. What
    an honest annotator mixes up it takes for not looking.

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
    competence_ : ndarray of float64, shape (n_annotators,)
        Posterior mean of theta_j, the share of votes given with a look; 0.5 for annotators without votes.
    habit_ : ndarray of float64, shape (n_annotators, n_classes)
        Posterior mean of xi_j: what the annotator answers without looking; rows sum to 1.
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
    >>> MACE().fit(votes).predict_proba(votes).argmax(axis=1).tolist()[:2]
    [0, 1]
    """

    model_name = "mace"
    competence_: Floats
    habit_: Floats

    def _start(self, by_shares: Counts) -> _Habits:
        return _Habits.of(by_shares.votes, looked=1.0)

    def _remember(self, beliefs: _Habits) -> None:
        looks, habits = beliefs.looks + LOOKS_PRIOR, beliefs.habits + HABIT_PRIOR
        self.competence_ = looks[:, 0] / looks.sum(axis=1)
        self.habit_ = habits / habits.sum(axis=1, keepdims=True)


@dataclass(frozen=True, slots=True)
class _Habits:
    """Expected votes with and without looking, `looks` [j, 2], and those without by label, `habits` [j, l]."""

    looks: Floats
    habits: Floats

    @classmethod
    def of(cls, counts: Floats, looked: Floats | float) -> Self:
        """From expected votes `[j, l, k]` and the probability `[j, l]` that a right vote was given with a look."""
        right = np.diagonal(counts, axis1=1, axis2=2) * looked
        habits = np.maximum(counts.sum(axis=2) - right, 0.0)
        return cls(np.column_stack([right.sum(axis=1), habits.sum(axis=1)]), habits)

    @property
    def mixture(self) -> Mixture:
        log_looks, log_habits = self._logs()
        n_classes = self.habits.shape[1]
        right = np.logaddexp(log_looks[:, :1], log_habits)
        per_vote = np.where(np.eye(n_classes, dtype=np.bool_), right[:, :, None], log_habits[:, :, None])
        return Mixture(even_log_balance(n_classes), per_vote, np.arange(n_classes))

    @property
    def price(self) -> float:
        return divergence(self.looks, LOOKS_PRIOR, axis=1) + divergence(self.habits, HABIT_PRIOR, axis=1)

    def refit(self, expected: Counts, _iteration: int, /) -> Self:
        log_looks, log_habits = self._logs()
        looked = np.exp(log_looks[:, :1] - np.logaddexp(log_looks[:, :1], log_habits))
        return self.of(expected.votes, looked)

    def _logs(self) -> tuple[Floats, Floats]:
        """Expected log of looking and not looking, [j, 2], and of each label without looking, [j, l]."""
        log_looks = log_shares(self.looks, LOOKS_PRIOR, axis=1)
        return log_looks, log_looks[:, 1:] + log_shares(self.habits, HABIT_PRIOR, axis=1)
