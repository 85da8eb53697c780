"""Did it happen, and what was it? From who marked an event, and with which class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._confusion import Confusion

__all__ = ["Marks", "Watchers"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

PRIOR_EVENTS = 4.0
"""Events at the crowd's rate that everybody starts with."""

RATE_RANGE = (0.01, 0.99)

MOST_INVENTED = 0.1
"""The crowd's rate of marking what did not happen is at most this, and nobody's more than twice as much.

Who errs alone errs in a place of its own. Without a bound, three annotators who agree by two and two can be explained
by events that never happened.
"""

CLOSE_ENOUGH = 1e-5
"""Mean change of a probability at which the fit ends."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Who was there, who marked, and what they called it.

    Parameters
    ----------
    event, annotator : ndarray of int, shape (n_chances,)
        One row for each annotator of an event's item, whether it marked the event or not.
    label : ndarray of int, shape (n_chances,)
        Class index of the mark; -1 where the annotator has none there.
    n_events, n_annotators, n_classes : int
    """

    event: Ints
    annotator: Ints
    label: Ints
    n_events: int
    n_annotators: int
    n_classes: int

    @property
    def is_marked(self) -> npt.NDArray[np.bool_]:
        """Shape (n_chances,)."""
        return np.asarray(self.label >= 0)

    def per_event(self, weights: Floats) -> Floats:
        """Sums over the chances of each event."""
        return np.bincount(self.event, weights=weights, minlength=self.n_events).astype(np.float64)

    def per_annotator(self, weights: Floats) -> Floats:
        """Sums over the chances of each annotator."""
        return np.bincount(self.annotator, weights=weights, minlength=self.n_annotators).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Watchers:
    r"""How often each annotator marks what happened, and what did not, and what it takes it for.

    An event that happened is marked by annotator j with probability :math:`1 - \mu_j`; one that did not, but that
    somebody marked, with :math:`\nu_j`: Dawid and Skene's two-class model of the marks, on events of which at least
    one mark is seen, which the probabilities are conditioned on. Rates are shrunk to the crowd's. Classes follow
    `Confusion`.

    Parameters
    ----------
    found, invented : ndarray of float64, shape (n_annotators,)
        1 - mu and nu.
    crowd_found, crowd_invented : float
    happened : float
        Share of the events that did.
    confusion : Confusion
    class_balance : ndarray of float64, shape (n_classes,)
    iterations : int
    converged : bool
    """

    found: Floats
    invented: Floats
    crowd_found: float
    crowd_invented: float
    happened: float
    confusion: Confusion
    class_balance: Floats
    iterations: int = 0
    converged: bool = True

    @classmethod
    def fitted(cls, marks: Marks, max_iterations: int) -> Self:
        """Learned from the marks, by expectation maximisation."""
        share = marks.per_event(marks.is_marked.astype(np.float64)) / np.maximum(
            marks.per_event(np.ones(len(marks.event))), 1.0
        )
        named = np.stack([marks.per_event(marks.label == k) for k in range(marks.n_classes)], axis=1)
        classes = named / np.maximum(named.sum(axis=1, keepdims=True), 1.0)
        watchers = cls._of(marks, share, classes, None)
        for iteration in range(1, max_iterations + 1):
            before = share
            share, classes = watchers.judged(marks, _per_vote(watchers.confusion, marks))
            watchers = cls._of(marks, share, classes, watchers)
            if not len(share) or np.abs(share - before).mean() < CLOSE_ENOUGH:
                return replace(watchers, iterations=iteration, converged=True)
        return replace(watchers, iterations=max_iterations, converged=False)

    def judged(self, marks: Marks, per_vote: Floats) -> tuple[Floats, Floats]:
        """Probability that each event happened, (n_events,), and of its class, (n_events, n_classes).

        `per_vote` has the score of each chance for each class, 0 where there is no mark.
        """
        return self.existence(marks, self.found[marks.annotator], self.invented[marks.annotator]), self.classes(
            marks, per_vote
        )

    def existence(self, marks: Marks, found: Floats, invented: Floats) -> Floats:
        """Probability that each event happened, from the rates at each chance."""
        is_marked = marks.is_marked
        told = np.where(is_marked, np.log(found) - np.log(invented), np.log1p(-found) - np.log1p(-invented))
        # Given that somebody marked it: an event that nobody marked is not seen.
        unseen_true = marks.per_event(np.log1p(-found))
        unseen_false = marks.per_event(np.log1p(-invented))
        seen = np.log(-np.expm1(unseen_true)) - np.log(-np.expm1(unseen_false))
        score = np.log(self.happened) - np.log1p(-self.happened) + marks.per_event(told) - seen
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(score, -700, 700))))

    def classes(self, marks: Marks, per_vote: Floats) -> Floats:
        """Probability of each class, shape (n_events, n_classes)."""
        scores = np.stack([marks.per_event(per_vote[:, k]) for k in range(marks.n_classes)], axis=1)
        scores = scores.reshape(marks.n_events, marks.n_classes) + np.log(self.class_balance)
        likelihood = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(likelihood / likelihood.sum(axis=1, keepdims=True))

    @classmethod
    def _of(cls, marks: Marks, share: Floats, classes: Floats, before: Watchers | None) -> Self:
        is_marked = marks.is_marked.astype(np.float64)
        true = share[marks.event]
        found, crowd_found = _rates(marks, true * is_marked, true, most=RATE_RANGE[1])
        invented, crowd_invented = _rates(marks, (1.0 - true) * is_marked, 1.0 - true, most=MOST_INVENTED)
        # A mark speaks for an event, never against it.
        invented, crowd_invented = np.minimum(invented, found), min(crowd_invented, crowd_found)
        happened = float(np.clip((share.sum() + 1.0) / (len(share) + 2.0), *RATE_RANGE))
        weight = share[:, None] * classes
        counts = _counts(marks, weight)
        confusion = Confusion.of(counts) if before is None else before.confusion.refit(counts, learn_strengths=True)
        balance = (weight.sum(axis=0) + 1.0) / (weight.sum() + marks.n_classes)
        return cls(found, invented, crowd_found, crowd_invented, happened, confusion, balance)


def _rates(marks: Marks, times: Floats, chances: Floats, *, most: float) -> tuple[Floats, float]:
    """Of each annotator, shrunk to the crowd's; and that."""
    crowd = float(np.clip((times.sum() + 1.0) / (chances.sum() + 2.0), RATE_RANGE[0], most))
    rate = (marks.per_annotator(times) + PRIOR_EVENTS * crowd) / (marks.per_annotator(chances) + PRIOR_EVENTS)
    return np.clip(rate, RATE_RANGE[0], min(2.0 * most, RATE_RANGE[1])), crowd


def _counts(marks: Marks, weight: Floats) -> Floats:
    """Expected marks `[j, l, k]`: label l by annotator j on events of class k."""
    at = marks.is_marked
    cell = marks.annotator[at] * marks.n_classes + marks.label[at]
    size = marks.n_annotators * marks.n_classes
    columns = [np.bincount(cell, weights=weight[marks.event[at], k], minlength=size) for k in range(marks.n_classes)]
    return np.stack(columns, axis=1).astype(np.float64).reshape(marks.n_annotators, marks.n_classes, marks.n_classes)


def _per_vote(confusion: Confusion, marks: Marks) -> Floats:
    scores = confusion.per_vote[marks.annotator, np.maximum(marks.label, 0)]
    return np.where(marks.is_marked[:, None], scores, 0.0)
