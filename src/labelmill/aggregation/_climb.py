"""Expectation maximisation over rounds, and the label models that need nothing else."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, NamedTuple, Protocol, Self, TypeVar

import numpy as np

from labelmill.aggregation._asks import Answers, Counts, Expectation, Shares
from labelmill.aggregation._by_rounds import BalancedMixture
from labelmill.aggregation._confusion import Confusion
from labelmill.aggregation._mixture import Mixture
from labelmill.aggregation._options import at_least_one
from labelmill.aggregation._posterior import class_balance, even_log_balance, is_switched, reliability
from labelmill.domain.sums import Rounds
from labelmill.domain.vote import AnnotatorKind

__all__ = ["EQUAL", "Beliefs", "Climb", "Climber", "climb"]

EQUAL = "the classes came back under each other's names; all annotators were taken as equal"


class Beliefs(Protocol):
    """What a sweep believes of the annotators."""

    @property
    def mixture(self) -> Mixture:
        """The same as a prediction."""

    @property
    def price(self) -> float:
        """Nats to take off the log likelihood: divergence from the prior, or minus the log prior density."""

    def refit(self, expected: Counts, iteration: int, /) -> Self:
        """Better beliefs, from the counts expected under these; the sweep before this one was number `iteration`."""


B = TypeVar("B", bound=Beliefs)


class Climb(NamedTuple, Generic[B]):
    """Where EM ended."""

    beliefs: B
    iterations: int
    converged: bool


def climb(start: B, *, n_votes: float, max_iterations: int, tolerance: float) -> Rounds[Climb[B]]:
    """EM until the evidence bound, the log likelihood less the price, changes by `tolerance` nats per vote or less."""
    beliefs, before = start, -np.inf
    for iteration in range(1, max_iterations + 1):
        expected = Counts.of((yield Expectation(beliefs.mixture)))
        bound = (float(expected.extra[0]) - beliefs.price) / max(n_votes, 1.0)
        if abs(bound - before) < tolerance:
            return Climb(beliefs, iteration, converged=True)
        before = bound
        if iteration < max_iterations:
            beliefs = beliefs.refit(expected, iteration)
    return Climb(beliefs, max_iterations, converged=False)


class Climber(BalancedMixture, Generic[B]):
    """A label model whose beliefs are learned by EM from vote shares and predict by one sum of evidence an item.

    Two guards: classes that come back under each other's names are refused (all annotators are taken as equal), and a
    class named by every vote on an item is never overruled.
    """

    model_name: ClassVar[str]

    def __init__(self, *, max_iterations: int = 100, tolerance: float = 1e-4, seed: int = 0) -> None:
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
        by_shares = Counts.of((yield Shares(self._n_parts())))
        learned = yield from climb(
            self._start(by_shares),
            n_votes=float(by_shares.extra[0]),
            max_iterations=self.max_iterations,
            tolerance=self.tolerance,
        )
        beliefs, fallback = learned.beliefs, None
        self._mixture = beliefs.mixture
        answers = Counts.of((yield Answers(self._mixture)))
        if is_switched(answers.votes):
            beliefs, fallback = self._start(by_shares), EQUAL
            self._mixture = _equal_annotators(answers)
            answers = Counts.of((yield Answers(self._mixture)))
        self.annotators_, self.classes_ = tuple(annotators), tuple(classes)
        self.class_balance_ = class_balance(answers.items)
        self.reliability_ = reliability(answers.votes)
        self._remember(beliefs)
        self.details_ = {
            "model": self.model_name,
            "iterations": learned.iterations,
            "max_iterations": self.max_iterations,
            "converged": learned.converged,
            "fallback": fallback,
        }

    def _n_parts(self) -> int:
        """States of each class."""
        return 1

    @abstractmethod
    def _start(self, by_shares: Counts) -> B:
        """The first beliefs, from counts by vote shares."""

    @abstractmethod
    def _remember(self, beliefs: B) -> None:
        """Keep what is worth showing as attributes."""


def _equal_annotators(answers: Counts) -> Mixture:
    """Every annotator with the same accuracy and even errors: the likeliest class is the majority's."""
    n_classes = answers.votes.shape[1]
    per_vote = Confusion.of(np.zeros_like(answers.votes)).per_vote
    return Mixture(even_log_balance(n_classes), per_vote, np.arange(n_classes))
