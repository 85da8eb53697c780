"""What label models have in common that learn precisions from pairs of votes alone."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._anchored import anchored_evidence
from labelmill.aggregation._asks import Counts, Expectation
from labelmill.aggregation._by_rounds import ByMixture
from labelmill.aggregation._known import Known
from labelmill.aggregation._mixture import Mixture
from labelmill.aggregation._options import above_zero, at_least_one, open_share
from labelmill.aggregation._overlaps import AskOverlaps, Overlaps, check_size, checked_balance
from labelmill.aggregation._posterior import class_balance, posterior
from labelmill.aggregation._tally import Floats
from labelmill.domain.sums import Rounds
from labelmill.domain.vote import AnnotatorKind

__all__ = ["Found", "OverlapLearner", "Solver", "anchor_of", "bounded"]

DECIMALS = 12
SMALLEST = 1e-3
"""A precision of 0 would rule a class out for good."""


class Found(NamedTuple):
    """Precisions `[j, l, k]`, P(class k | annotator j says l), and what `details_` says beside the model's name."""

    precision: Floats
    details: dict[str, Any]


Solver = Callable[[Floats, Floats | None], Found]
"""Precisions, each above 0, from a class balance and the precisions found for the balance before, if any."""


class _Learned(NamedTuple):
    balance: Floats
    named: npt.NDArray[np.bool_]
    found: Found
    iterations: int
    converged: bool

    @property
    def mixture(self) -> Mixture:
        log_balance = np.log(self.balance)
        evidence = anchored_evidence(self.found.precision, log_balance, self.named)
        return Mixture(log_balance, evidence, np.arange(len(log_balance)))


class OverlapLearner(ByMixture):
    """A label model that learns from how often any two annotators give any two labels together.

    A class balance that is not given starts from the vote shares and is learned in turns with the precisions, by EM
    in which keeping silent counts too: without it votes of rules that name one class each leave the balance open.

    A vote counts log P(class | vote) - log P(class), never less for the class it names than for another, and no vote
    counts nothing. A class named by every vote on an item is never overruled.
    """

    model_name: ClassVar[str]

    precision_: Floats

    def __init__(
        self,
        *,
        class_balance: Sequence[float] | None = None,
        anchor_precision: float = 0.7,
        anchor_votes: float = 10.0,
        max_iterations: int = 50,
        tolerance: float = 1e-3,
        seed: int = 0,
    ) -> None:
        self.class_balance = class_balance
        self.anchor_precision = anchor_precision
        self.anchor_votes = anchor_votes
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
        open_share(anchor_precision=self.anchor_precision)
        at_least_one(max_iterations=self.max_iterations)
        above_zero(anchor_votes=self.anchor_votes)
        check_size(self.model_name, len(annotators), len(classes))
        overlaps = Overlaps.of((yield AskOverlaps()))
        if self.class_balance is None:
            learned = yield from self._learn(overlaps)
        else:
            balance = checked_balance(self.class_balance, len(classes))
            learned = _Learned(balance, overlaps.named, self._solver(overlaps)(balance, None), 1, converged=True)
        found = learned.found
        self.annotators_, self.classes_ = tuple(annotators), tuple(classes)
        self.class_balance_, self.precision_ = learned.balance, found.precision
        self._mixture = learned.mixture
        self.reliability_ = _reliability(found.precision, overlaps.votes)
        self.details_ = {
            "model": self.model_name,
            "iterations": learned.iterations,
            "max_iterations": self.max_iterations,
            "converged": learned.converged,
            **found.details,
        }

    def informed_learning(
        self,
        annotators: Sequence[str],
        classes: Sequence[str],
        kinds: Sequence[AnnotatorKind | None],
        known: Known | None,  # noqa: ARG002 -- pairs of votes on known items are not kept apart
    ) -> Rounds[None]:
        """Learn from the other items alone: what is known is not in overlaps."""
        return self.learning(annotators, classes, kinds)

    def _learn(self, overlaps: Overlaps) -> Rounds[_Learned]:
        """Precisions given the balance, and the balance they predict, in turns."""
        solve, before = self._solver(overlaps), None
        shares = balance = _rounded(class_balance(overlaps.shares))
        for iteration in range(1, self.max_iterations + 1):
            found = solve(balance, before)
            learned = _Learned(balance, overlaps.named, found, iteration, converged=False)
            generative = _generative(learned, overlaps)
            items = Counts.of((yield Expectation(generative))).items
            silent = posterior(generative.log_balance[None].copy())[0][0]
            predicted = class_balance(items + (overlaps.n_items - items.sum()) * silent)
            # Votes that tell nothing would let the balance drift away: a class keeps most of the share it was voted.
            predicted = np.maximum(predicted, self.anchor_precision * shares)
            predicted = _rounded(np.where(overlaps.named, predicted, np.minimum(predicted, shares)))
            if np.abs(predicted - balance).max(initial=0.0) < self.tolerance:
                return learned._replace(converged=True)
            balance, before = predicted, found.precision
        return learned

    @abstractmethod
    def _solver(self, overlaps: Overlaps) -> Solver:
        """What finds precisions from these overlaps, given a class balance."""


def _generative(learned: _Learned, overlaps: Overlaps) -> Mixture:
    """The mixture in which keeping silent says something too."""
    rate = overlaps.votes / max(overlaps.n_items, 1.0)
    given = np.clip(rate[:, :, None] * learned.found.precision / learned.balance, SMALLEST, 1.0)
    silent = np.maximum(1.0 - given.sum(axis=1), SMALLEST)
    log_balance = np.log(learned.balance) + np.log(silent).sum(axis=0)
    return Mixture(log_balance, np.log(given) - np.log(silent)[:, None], np.arange(len(log_balance)))


def anchor_of(n_classes: int, anchor_precision: float) -> Floats:
    """What a label is taken to say of the classes where nothing is known of it, `[l, k]`; rows sum to 1."""
    if n_classes < 2:
        return np.ones((n_classes, n_classes))
    anchor = np.full((n_classes, n_classes), (1.0 - anchor_precision) / (n_classes - 1))
    np.fill_diagonal(anchor, anchor_precision)
    return anchor


def bounded(precision: Floats) -> Floats:
    """The same with no precision near 0; rows sum to 1."""
    bounded = np.maximum(precision, SMALLEST)
    return np.asarray(bounded / bounded.sum(axis=2, keepdims=True))


def _rounded(balance: Floats) -> Floats:
    """The balance without its last bits, which depend on the order of sums over items and would grow in a descent."""
    rounded = np.round(balance / balance.sum(), DECIMALS)
    return np.asarray(rounded / rounded.sum())


def _reliability(precision: Floats, votes: Floats) -> Floats:
    """Mean precision of an annotator's votes `[j, l]`; NaN without votes."""
    right = np.einsum("jll,jl->j", precision, votes)
    total = votes.sum(axis=1)
    return np.asarray(np.divide(right, total, out=np.full(len(total), np.nan), where=total > 0))
