"""GLAD: how able each annotator is, and how difficult each item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.special import expit

from labelmill.aggregation._alignment import aligned
from labelmill.aggregation._asks import Counts
from labelmill.aggregation._climb import Climber
from labelmill.aggregation._mixture import Mixture
from labelmill.aggregation._options import at_least_one
from labelmill.aggregation._posterior import even_log_balance
from labelmill.aggregation._tally import Floats, Tally
from labelmill.domain.sums import Rounds
from labelmill.domain.vote import AnnotatorKind

__all__ = ["GLAD"]

ABILITY_MEAN = 1.0
EASE_MEAN = 1.0
"""Of the log; with an ability of 1 the middle item is answered right by 94 in 100."""
ABILITY_LIMIT = 10.0
HALVINGS = 50
CREDITED = 4.0
"""Votes each annotator is credited with where a vote is to be foretold from the others."""


class GLAD(Climber["_Abilities"]):
    r"""Able annotators are right on easy items; on difficult ones everybody guesses.

    .. math:: P(vote_{ij} = l \mid class\ k) = \begin{cases} \sigma(\alpha_j \beta_i) & l = k \\
              (1 - \sigma(\alpha_j \beta_i)) / (K - 1) & l \neq k \end{cases}, \qquad
              \alpha_j \sim N(1, 1), \quad \log \beta_i \sim N(1, 1)

    with alpha the ability of an annotator and 1 / beta the difficulty of an item. Generative model of labels,
    abilities, and difficulties (Whitehill, Ruvolo, Wu, Bergsma and Movellan 2009, "Whose Vote Should Count More:
    Optimal Integration of Labels from Labelers of Unknown Expertise", NeurIPS 22), with the paper's priors and every
    class as likely as any other. We differ in the difficulty: the paper climbs to one value for each item by gradient
    steps, here it is integrated over `n_grades` points of Gauss-Hermite quadrature, so that the posterior of an item
    needs its own votes and the abilities only, a sweep is one sum, and three votes do not pretend to know how
    difficult an item is. Abilities are then found exactly, each the root of one monotone function. Further two guards:
    classes that come back under each other's names are refused, and a class named by every vote on an item is never
    overruled.

    A negative ability is somebody who is wrong more often than not. Chance of the model is one half whatever the
    number of classes, as in the paper.

    Parameters
    ----------
    n_grades : int
        Points of difficulty; a sweep costs so many times what one of Dawid-Skene does.
    max_iterations : int
        At most so many sweeps over the votes.
    tolerance : float
        Stop when the evidence bound changes by less than this many nats per vote.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    ability_ : ndarray of float64, shape (n_annotators,)
        alpha_j, between -10 and 10; 1 for annotators without votes.
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
    >>> GLAD().fit(votes).predict_proba(votes).argmax(axis=1).tolist()[:2]
    [0, 1]
    """

    model_name = "glad"
    ability_: Floats

    def __init__(self, *, n_grades: int = 5, max_iterations: int = 100, tolerance: float = 1e-4, seed: int = 0) -> None:
        super().__init__(max_iterations=max_iterations, tolerance=tolerance, seed=seed)
        self.n_grades = n_grades

    def learning(
        self, annotators: Sequence[str], classes: Sequence[str], kinds: Sequence[AnnotatorKind | None]
    ) -> Rounds[None]:
        """Learn from sums over shards; see `LearnsByRounds`."""
        at_least_one(n_grades=self.n_grades)
        yield from super().learning(annotators, classes, kinds)

    def difficulty(self, votes: Any) -> Floats:
        """Expected 1 / beta_i of each item given its votes, above 0, shape (n_items,).

        Raises
        ------
        NotFittedError
            Before `fit`.
        UsageError
            If an annotator was not among those fitted.
        """
        tally, grades = Tally.of(aligned(votes, self)), _grades(self.n_grades)
        states, _ = self._believed.states(tally)
        return tally.expand((states @ np.tile(1.0 / grades.ease, tally.n_classes))[:, None])[:, 0]

    def _n_parts(self) -> int:
        return self.n_grades

    def _start(self, by_shares: Counts) -> _Abilities:
        abilities = np.full(len(by_shares.votes), ABILITY_MEAN)
        return _Abilities(abilities, by_shares.votes.shape[1], self.n_grades).refit(by_shares, 0)

    def _remember(self, beliefs: _Abilities) -> None:
        self.ability_, self._believed = beliefs.ability, beliefs.mixture
        self._prior = CREDITED * np.exp(self._believed.per_vote)

    def _credited(self) -> Floats | None:
        return self._prior if len(self._mixture.class_of) == len(self._believed.class_of) else None


class _Grades(NamedTuple):
    """Points of the prior on difficulty: `ease` is beta, ascending; `weight` sums to 1. Both of shape (n_grades,)."""

    ease: Floats
    weight: Floats


@cache
def _grades(n_grades: int) -> _Grades:
    points, weights = np.polynomial.hermite_e.hermegauss(n_grades)
    return _Grades(np.exp(EASE_MEAN + points), weights / weights.sum())


@dataclass(frozen=True, slots=True)
class _Abilities:
    ability: Floats
    n_classes: int
    n_grades: int

    @property
    def mixture(self) -> Mixture:
        n_classes, grades = self.n_classes, _grades(self.n_grades)
        log_odds = self.ability[:, None] * grades.ease
        right, wrong = -np.logaddexp(0.0, -log_odds), -np.logaddexp(0.0, log_odds) - np.log(max(n_classes - 1, 1))
        is_own = np.eye(n_classes, dtype=np.bool_)[:, :, None]
        per_vote = np.where(is_own, right[:, None, None, :], wrong[:, None, None, :])
        log_balance = even_log_balance(n_classes)[:, None] + np.log(grades.weight)
        return Mixture(
            log_balance.ravel(),
            per_vote.reshape(len(self.ability), n_classes, n_classes * self.n_grades),
            np.repeat(np.arange(n_classes), self.n_grades),
        )

    @property
    def price(self) -> float:
        return float(0.5 * ((self.ability - ABILITY_MEAN) ** 2).sum())

    def refit(self, expected: Counts, _iteration: int, /) -> Self:
        counts = expected.votes.reshape(len(self.ability), self.n_classes, self.n_classes, self.n_grades)
        right, total = np.einsum("jkkg->jg", counts), counts.sum(axis=(1, 2))
        return type(self)(_likeliest(right, total, _grades(self.n_grades).ease), self.n_classes, self.n_grades)


def _likeliest(right: Floats, total: Floats, ease: Floats) -> Floats:
    """The abilities, shape (n_annotators,), most probable given expected right and all votes `[j, g]` by grade.

    The derivative sum_g beta_g (right_jg - total_jg sigma(alpha beta_g)) - (alpha - 1) falls in alpha everywhere: its
    root is found by halving, which unlike Newton's step cannot overshoot.
    """
    low, high = np.full(len(right), -ABILITY_LIMIT), np.full(len(right), ABILITY_LIMIT)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        slope = ((right - total * expit(middle[:, None] * ease)) * ease).sum(axis=1) - (middle - ABILITY_MEAN)
        low, high = np.where(slope > 0, middle, low), np.where(slope > 0, high, middle)
    return np.asarray(0.5 * (low + high))
