"""Metal: the precisions that explain best how often any two annotators vote together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from labelmill.aggregation._by_overlaps import Found, OverlapLearner, Solver, anchor_of, bounded
from labelmill.aggregation._options import at_least_one
from labelmill.aggregation._overlaps import Overlaps
from labelmill.aggregation._tally import Floats

__all__ = ["Metal"]

FLAT = 1e-9
"""A gradient of so many nats a vote is the bottom."""


class Metal(OverlapLearner):
    r"""Precisions fitted to the counts of pairs of votes, all pairs at once.

    If votes are independent given the class, annotators a and b say l and m together on

    .. math:: \hat N_{al,bm} = n \sum_k \pi_k P(\lambda_a = l \mid k) P(\lambda_b = m \mid k)
              = \frac{n_{al} n_{bm}}{n} \sum_k \frac{P(k \mid \lambda_a = l) P(k \mid \lambda_b = m)}{\pi_k}

    of n items: outside the blocks of one annotator's own labels a matrix of the rank of the number of classes, which
    the counts show. The precisions minimise

    .. math:: \frac12 \sum_{al < bm,\, a \neq b} \frac{(N_{al,bm} - \hat N_{al,bm})^2}{v_{al,bm}}
              - w \sum_{al} \sum_k P_0(k \mid l) \log P(k \mid \lambda_a = l)

    by L-BFGS from the anchor :math:`P_0`, so that of the many solutions that differ in the names of the classes it is
    the one in which most annotators are right.

    The matrix completion of MeTaL, Snorkel's label model (Ratner, Hancock, Dunnmon, Sala, Pandey and Ré 2019,
    "Training Complex Models with Multi-Task Weak Supervision", AAAI 33, https://doi.org/10.1609/aaai.v33i01.33014763),
    without edges between annotators. We differ in weighing each count by its variance v (the larger of the count and
    of what chance gives, and one), so that rare labels count; in an anchor worth w votes on each label; in learning the
    class balance, by EM in which keeping silent counts too; and in counting no evidence for silence when predicting.

    For comparison. Copied rules break the assumption. Where items are given to few people each, who was not asked is
    taken as an answer; for people see `ShrinkageDawidSkene`.

    Parameters
    ----------
    class_balance : sequence of float, optional
        Share of each class, in the order of the classes; without it it is learned.
    anchor_precision : float
        Precision of a label about which nothing is known.
    anchor_votes : float
        Votes that the anchor counts for.
    max_iterations : int
        At most so many steps of learning the class balance, one pass over the votes each.
    tolerance : float
        Stop when no class share changes by this much.
    max_steps : int
        At most so many steps down to the precisions, for each class balance; they need no pass over the votes.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    class_balance_ : ndarray of float64, shape (n_classes,)
        Share of each class, given or learned.
    precision_ : ndarray of float64, shape (n_annotators, n_classes, n_classes)
        `[j, l, k]`: probability of class k where annotator j votes l.
    reliability_ : ndarray of float64, shape (n_annotators,)
        Probability that a vote names the true class; NaN without votes.
    details_ : dict
        `model`, `iterations`, `max_iterations` and `converged` (of the class balance), `steps` (of the last descent),
        `misfit` (root mean square of the first sum's terms: below 1 where votes are independent given the class, above
        where rules are copies; None without pairs).

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> table = VoteTable.from_matrix([[0, -1], [0, -1], [-1, 1], [-1, 1]], classes=("ham", "spam"))
    >>> Metal().fit(table).predict_proba(table).argmax(axis=1).tolist()
    [0, 0, 1, 1]
    """

    model_name = "metal"

    def __init__(
        self,
        *,
        class_balance: Sequence[float] | None = None,
        anchor_precision: float = 0.7,
        anchor_votes: float = 10.0,
        max_iterations: int = 50,
        tolerance: float = 1e-3,
        max_steps: int = 500,
        seed: int = 0,
    ) -> None:
        super().__init__(
            class_balance=class_balance,
            anchor_precision=anchor_precision,
            anchor_votes=anchor_votes,
            max_iterations=max_iterations,
            tolerance=tolerance,
            seed=seed,
        )
        self.max_steps = max_steps

    def _solver(self, overlaps: Overlaps) -> Solver:
        at_least_one(max_steps=self.max_steps)
        n_annotators, n_classes = overlaps.votes.shape
        anchor = np.tile(anchor_of(n_classes, self.anchor_precision), (n_annotators, 1))
        voted = overlaps.votes.ravel() > 0
        pairs = _Pairs.of(overlaps, voted) if voted.any() and n_classes > 1 else None

        def solve(balance: Floats, before: Floats | None) -> Found:
            found, steps, misfit = anchor.copy(), 0, None
            if pairs is not None:
                start = anchor if before is None else before.reshape(anchor.shape)
                found[voted], steps = self._descend(pairs, balance, anchor[voted], start[voted])
                misfit = pairs.misfit(found[voted], balance)
            precision = bounded(found.reshape(n_annotators, n_classes, n_classes))
            return Found(precision, {"steps": steps, "misfit": misfit})

        return solve

    def _descend(self, pairs: _Pairs, balance: Floats, anchor: Floats, start: Floats) -> tuple[Floats, int]:
        scale = 1.0 / max(float(pairs.total), 1.0)

        def objective(flat: Floats) -> tuple[float, Floats]:
            precision = _softmax(flat.reshape(anchor.shape))
            loss, slope = pairs.loss(precision, balance)
            loss -= self.anchor_votes * float(np.einsum("uk,uk->", anchor, np.log(np.maximum(precision, 1e-300))))
            inner = np.einsum("uk,uk->u", precision, slope)
            gradient = precision * (slope - inner[:, None]) + self.anchor_votes * (precision - anchor)
            return loss * scale, gradient.ravel() * scale

        options = {"maxiter": self.max_steps, "ftol": 1e-15, "gtol": FLAT, "maxcor": 20}
        end = minimize(objective, np.log(start).ravel(), jac=True, method="L-BFGS-B", options=options)
        return _softmax(end.x.reshape(anchor.shape)), int(end.nit)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Counts of pairs of labels, all (n_labels, n_labels): the labels are those of all annotators that were given.

    `counted` is what was counted, `by_chance` what is expected of votes that know nothing, `weight` one over the
    variance and 0 within an annotator; `total` is the number of votes.
    """

    counted: Floats
    by_chance: Floats
    weight: Floats
    total: float

    @classmethod
    def of(cls, overlaps: Overlaps, voted: npt.NDArray[np.bool_]) -> _Pairs:
        """The pairs of the labels that were given at all."""
        n_annotators, n_classes = overlaps.votes.shape
        votes = overlaps.votes.ravel()[voted]
        annotator = np.repeat(np.arange(n_annotators), n_classes)[voted]
        counted = overlaps.together.reshape(len(voted), len(voted))[np.ix_(voted, voted)]
        by_chance = np.outer(votes, votes) / overlaps.n_items
        other = annotator[:, None] != annotator
        weight = np.where(other, 1.0 / (np.maximum(counted, by_chance) + 1.0), 0.0)
        return cls(counted, by_chance, weight, float(votes.sum()))

    def loss(self, precision: Floats, balance: Floats) -> tuple[float, Floats]:
        """Half the weighted squares, each pair once, and their slope by `precision`, (n_labels, n_classes)."""
        gap = self._gap(precision, balance)
        weighted = self.weight * gap
        slope = (weighted * self.by_chance) @ (precision / balance)
        return 0.25 * float(np.einsum("uv,uv->", weighted, gap)), slope

    def misfit(self, precision: Floats, balance: Floats) -> float | None:
        """Root mean square of the standardised gaps; None without pairs."""
        n_pairs = int(np.count_nonzero(self.weight))
        if not n_pairs:
            return None
        return float(np.sqrt(np.einsum("uv,uv->", self.weight, self._gap(precision, balance) ** 2) / n_pairs))

    def _gap(self, precision: Floats, balance: Floats) -> Floats:
        return np.asarray(self.by_chance * ((precision / balance) @ precision.T) - self.counted)


def _softmax(scores: Floats) -> Floats:
    exponential = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(exponential / exponential.sum(axis=1, keepdims=True))
