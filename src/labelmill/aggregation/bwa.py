"""BWA: a weighted average of votes, each annotator's weight the inverse of their squared distance from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._alignment import aligned, fitted_names
from labelmill.aggregation._asks import Counts, Shares
from labelmill.aggregation._by_rounds import ByRounds
from labelmill.aggregation._known import Known
from labelmill.aggregation._mixture import LeftOut
from labelmill.aggregation._options import above_zero, at_least_one
from labelmill.aggregation._posterior import class_balance, keep_unanimous, reliability
from labelmill.aggregation._tally import Floats, Tally
from labelmill.aggregation._weighted_votes import totals, without_own
from labelmill.domain.sums import Rounds, Sums
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable

__all__ = ["BWA"]

SMALLEST_SPREAD = 1e-3
"""Where everybody agrees no distance tells a weight."""


class BWA(ByRounds):
    r"""Votes as points, the truth as their weighted average, a weight for each annotator: Bayes' rule for Gaussians.

    A vote is the corner :math:`y_{ij}` of the simplex that it names, the truth of an item a point :math:`z_i` that is
    Gaussian around the class balance :math:`\mu` with precision :math:`\lambda`, a vote is Gaussian around it with
    precision :math:`v_j`, which has a Gamma prior:

    .. math:: z_i = \frac{\lambda \mu + \sum_{j \in votes(i)} v_j y_{ij}}{\lambda + \sum_{j \in votes(i)} v_j}, \qquad
              v_j = \frac{a + n_j}{b + \sum_{i} \|y_{ij} - z_i\|^2 / 2}, \qquad
              b = 2 a \frac{K - 1}{K} \cdot \frac{1}{n} \sum_{ij} \|y_{ij} - s_i\|^2

    with n votes in all, :math:`n_j` of j, and :math:`s_i` the vote shares. Bayesian weighted average (Li, Rubinstein
    and Cohn 2019, "Truth Inference at Scale: A Bayesian Model for Adjudicating Highly Redundant Crowd Annotations",
    WWW, https://doi.org/10.1145/3308558.3313459), with the scale of the prior as in the authors' experiments. We differ
    in one weight for all classes, where they run each class against the rest: the same with two classes.

    All it holds of an annotator is a number of votes and a sum of squared distances, of an item two sums, all of which
    one vote adds to. One number an annotator: deaf to what people mix up, for which see `ShrinkageDawidSkene`. The
    average is a point, not a posterior: its shares are timid.

    Parameters
    ----------
    prior_votes : float
        a: votes' worth of the prior of each weight.
    balance_weight : float
        lambda: weight of the class balance on each item, on the scale of `weights_`.
    max_iterations : int
        At most so many sweeps over the votes.
    tolerance : float
        Stop when no weight changes by this share of itself.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    weights_ : ndarray of float64, shape (n_annotators,)
        v_j, above 0; that of the prior for annotators without votes.
    class_balance_ : ndarray of float64, shape (n_classes,)
        mu: mean of the averages over the items with votes, one item of each class added.
    reliability_ : ndarray of float64, shape (n_annotators,)
        Mean share that the averages give to the classes an annotator named; NaN without votes.
    details_ : dict
        `model`, `iterations`, `max_iterations`, `converged`.

    Examples
    --------
    >>> votes = {"item": list("aaabbb"), "annotator": list("xyzxyz"), "label": list("001110")}
    >>> BWA().fit(votes).weights_.argmin().item()
    2
    """

    weights_: Floats

    def __init__(
        self,
        *,
        prior_votes: float = 15.0,
        balance_weight: float = 1.0,
        max_iterations: int = 100,
        tolerance: float = 1e-6,
        seed: int = 0,
    ) -> None:
        self.prior_votes = prior_votes
        self.balance_weight = balance_weight
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
        above_zero(prior_votes=self.prior_votes, balance_weight=self.balance_weight)
        at_least_one(max_iterations=self.max_iterations)
        average, expected = None, Counts.of((yield Shares()))
        distances = Counts.of((yield _Distances(None))).extra
        scale = self._scale(distances, expected.votes)
        weights, converged, iteration = self._weigh(distances, expected.votes, scale), False, 0
        while not converged and iteration < self.max_iterations:
            iteration += 1
            average = _Average(weights, self.balance_weight * class_balance(expected.items))
            expected = Counts.of((yield _Distances(average)))
            before, weights = weights, self._weigh(expected.extra, expected.votes, scale)
            converged = bool(np.abs(weights / before - 1.0).max(initial=0.0) < self.tolerance)
        self.annotators_, self.classes_ = tuple(annotators), tuple(classes)
        self.class_balance_ = class_balance(expected.items)
        self.weights_ = weights
        self._average = _Average(weights, self.balance_weight * self.class_balance_)
        answers = Counts.of((yield _Distances(self._average)))
        self.reliability_ = reliability(answers.votes)
        self.details_ = {
            "model": "bwa",
            "iterations": iteration,
            "max_iterations": self.max_iterations,
            "converged": converged,
        }

    def predict_proba(self, votes: Any) -> Floats:
        """Weighted averages, shape (n_items, n_classes).

        Raises
        ------
        NotFittedError
            Before `fit`.
        UsageError
            If an annotator was not among those fitted.
        """
        tally = Tally.of(aligned(votes, self))
        return tally.expand(keep_unanimous(self._average.of(tally), tally.unanimous))

    def left_out(self, votes: VoteTable) -> LeftOut:
        """Averages with and without each vote."""
        fitted_names(self)
        sums = self._average.totals(Tally.by_item(votes))

        def without(positions: npt.NDArray[np.intp]) -> Floats:
            others = without_own(votes, sums, self.weights_, positions, least=self._average.prior)
            return np.asarray(others / others.sum(axis=1, keepdims=True))

        return LeftOut(sums / sums.sum(axis=1, keepdims=True), without)

    def _scale(self, distances: Floats, votes: Floats) -> float:
        n_votes, n_classes = float(votes.sum()), votes.shape[1]
        spread = float(distances.sum()) / max(n_votes, 1.0)
        chance = 1.0 - 1.0 / max(n_classes, 1)
        return float(self.prior_votes * max(2.0 * chance * spread, SMALLEST_SPREAD))

    def _weigh(self, distances: Floats, votes: Floats, scale: float) -> Floats:
        return np.asarray((self.prior_votes + votes.sum(axis=(1, 2))) / (scale + 0.5 * distances))


@dataclass(frozen=True, slots=True)
class _Average:
    """The point between the class balance and the votes: `weights` (n_annotators,), `prior` (n_classes,)."""

    weights: Floats
    prior: Floats

    def totals(self, tally: Tally) -> Floats:
        """Weight for each class on each row, the prior's included, (n_rows, n_classes)."""
        return totals(tally, self.weights) + self.prior

    def of(self, tally: Tally) -> Floats:
        """The averages, (n_rows, n_classes)."""
        totals = self.totals(tally)
        return np.asarray(totals / np.einsum("ij->i", totals)[:, None])


@dataclass(frozen=True, slots=True)
class _Distances:
    """Asks for the counts by averages (vote shares if None), and each annotator's squared distance from them."""

    average: _Average | None

    def __call__(self, votes: VoteTable, /) -> Sums:
        tally = Tally.of(votes)
        points = tally.shares if self.average is None else self.average.of(tally)
        counts = tally.counts(points)
        squares = np.einsum("ik,ik->i", points, points)
        # |y - z|^2 = 1 - 2 z[l] + |z|^2 for a vote that names l.
        length = tally.counts(squares[:, None])[:, :, 0].sum(axis=1)
        named = np.trace(counts, axis1=1, axis2=2)
        distances = np.maximum(counts.sum(axis=(1, 2)) - 2.0 * named + length, 0.0)
        return Sums((counts, tally.state_counts(points), distances))

    def with_known(self, sums: Sums, known: Known) -> Sums:
        """A known item lies in the corner of its class: a wrong vote is two corners' squared distance away."""
        wrong = known.votes.sum(axis=(1, 2)) - np.trace(known.votes, axis1=1, axis2=2)
        votes, items, distances = known.added(sums).arrays
        return Sums((votes, items, distances + 2.0 * wrong), sums.most)
