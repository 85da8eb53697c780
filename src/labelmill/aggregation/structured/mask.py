"""Mask: what each pixel is, from people who paint too much, too little, or the wrong class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._confusion import Confusion
from labelmill.aggregation._fitted import require_fitted
from labelmill.aggregation._options import at_least_one
from labelmill.aggregation.structured._pixels import PIXELS_AN_ITEM, Laid, PixelVotes, laid_out
from labelmill.aggregation.structured._rows import Rows
from labelmill.domain.answers import AnswerTable, Merged
from labelmill.domain.attribute_merging import merged_attributes
from labelmill.domain.attributes import Attribute
from labelmill.domain.mask_merging import NOTHING, voted

__all__ = ["MaskModel"]

Floats = npt.NDArray[np.float64]

CLOSE_ENOUGH = 1e-5
"""Mean change of the probabilities of pixels at which the fit ends."""

PRIOR_ITEMS = 1.0
"""Items at the crowd's IoU that every annotator starts with, in `reliability_`."""

NOBODY_KNOWN = 0.5
"""The crowd's IoU where no two answers say anything."""

LEAST = 0.02
"""Probability that anybody paints anything anywhere, in a merge: nobody's word is a proof."""

TEMPER = 0.5
"""Of the evidence in a merge: people err on the same pixels. With it the expected IoU of simulated masks is off by 0.06
in the mean of eleven kinds of crowds, without it by 0.14 and always too high."""

DIGITS = 9
"""Log probabilities are rounded to so many digits before the largest is taken: ties go by class order."""


class MaskModel:
    r"""Learns how often each annotator paints the pixels of each class, and how often in vain; weighs votes by it.

    With :math:`s` the class that a pixel is of, nothing among them, and :math:`a_j` what annotator j painted there,

    .. math:: P(s \mid a) \propto \pi_s \prod_j P_j(a_j \mid s)

    by expectation maximisation: STAPLE for several classes (Warfield, Zou and Wells 2004,
    https://doi.org/10.1109/TMI.2004.828354; several classes: Rohlfing, Russakoff and Maurer 2004,
    https://doi.org/10.1109/TMI.2004.830803). The diagonal of :math:`P_j` holds the sensitivities of the annotator, the
    rest of it its specificities. Where we differ:

    - it is learned over all items together, and rows are shrunk to the crowd's (`Confusion`), so that a single picture
      or an annotator with few of them does no harm;
    - every item counts the same, however large, since its pixels are no independent votes, and ground that nobody
      painted counts at most twice the pixels that somebody did: with all of an empty ground, everybody is nearly never
      wrong there, and a single one's paint would be taken for proof, the more so the wider the picture;
    - a pixel never gets what nobody said of it: sole answers, and pixels on which all agree, stay as they are;
    - answers are cut into the pieces in which none of them changes, and equal pieces are counted once: the cost grows
      with the runs of the masks and not with the pixels.

    Masks of one class that are objects (`labelmill.domain.mask_merging.pieces_of`) share the class's numbers; which of
    its objects a pixel belongs to, and what attributes an object has, is a vote by the same weights. Where most
    annotators err alike, painting everything too large, say, nothing tells, and the model follows them.

    Parameters
    ----------
    max_iterations : int
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    classes_ : tuple of str
    reliability_ : ndarray of float64, shape (n_annotators,)
        Expected mean IoU of the annotator's masks with the truth, over classes; NaN without answers.
    details_ : dict
        `model`, `iterations`, `converged`, and by annotator and class `sensitivity` (share of the class's pixels that
        it paints so) and `specificity` (share of the other pixels that it does not), of the pixels that count.

    Examples
    --------
    >>> from labelmill.labels.mask import Mask
    >>> cat = lambda *counts: [{"label": "cat", "size": [2, 4], "counts": list(counts)}]
    >>> answers = [cat(2, 4, 2), cat(2, 4, 2), cat(1, 6, 1)]
    >>> table = AnswerTable(Mask(), ["x"], list("abc"), [0, 0, 0], [0, 1, 2], answers)
    >>> MaskModel().fit(table).predict(table)[0].value
    [{'label': 'cat', 'size': [2, 4], 'counts': '242'}]
    """

    classes_: tuple[str, ...]
    reliability_: Floats
    details_: dict[str, Any]

    def __init__(self, *, max_iterations: int = 50, seed: int = 0) -> None:
        self.max_iterations = max_iterations
        self.seed = seed

    def fit(self, answers: AnswerTable) -> Self:
        """Learn what each annotator paints on pixels of each class.

        Raises
        ------
        UsageError
            If `max_iterations` is less than 1.
        """
        at_least_one(max_iterations=self.max_iterations)
        rows = Rows.of(answers)
        named = sorted({mask["label"] for value in rows.values for mask in value})
        self.classes_ = answers.classes or tuple(getattr(answers.kind, "classes", ())) or tuple(named)
        votes = PixelVotes.of(laid_out(rows, self.classes_), self.classes_, rows.n_annotators)
        believed = votes.shares()
        habits = _Habits.of(votes, believed, None)
        iterations, converged = 0, False
        while not converged and iterations < self.max_iterations:
            before, iterations = believed, iterations + 1
            believed = habits.believed(votes)
            habits = _Habits.of(votes, believed, habits)
            converged = not len(before) or float(np.abs(believed - before).max(axis=1).mean()) < CLOSE_ENOUGH
        self._log_balance = habits.log_balance
        self._stranger = habits.typical()
        self._scores = dict(zip(rows.names, np.maximum(habits.confusion.per_vote, np.log(LEAST)), strict=True))
        self.reliability_ = rows.in_table(_mean_iou(votes, believed))
        self.details_ = {"model": "mask", "iterations": iterations, "converged": converged} | self._rates(rows, habits)
        return self

    def predict(self, answers: AnswerTable) -> list[Merged]:
        """The masks of each item, with the IoU that each is expected to have with the truth.

        The confidence is the expected share of pixels that are right, among those somebody painted.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        require_fitted(self, "_scores")
        rows = Rows.of(answers)
        scores = rows.known(self._scores, self._stranger)
        merged = [
            self._merged(laid, [scores[j] for j in laid.annotators], answers.attributes)
            if laid.values
            else Merged(None, 0.0)
            for laid in laid_out(rows, self.classes_)
        ]
        return [merged[place] for place in rows.item_place.tolist()]

    def _merged(self, laid: Laid, scores: list[Floats], attributes: Sequence[Attribute]) -> Merged:
        said = laid.said
        classes = laid.class_of_object[said.objects]
        told = np.stack([score[label] for score, label in zip(scores, classes, strict=True)])
        log_p = TEMPER * (self._log_balance + told.sum(axis=0))
        p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        somebody = np.zeros(p.shape, dtype=np.bool_)
        for label in classes:
            somebody[np.arange(len(p)), label] = True
        best = np.where(somebody, np.round(log_p, DIGITS), -np.inf).argmax(axis=1)
        chosen = self._objects(laid, classes, best, scores)
        is_painted = (said.objects != NOTHING).any(axis=0)
        of_pixels = said.n_pixels * (is_painted if is_painted.any() else True)
        right = float(of_pixels @ p[np.arange(len(p)), best] / of_pixels.sum())
        value = laid.values[0] if laid.is_unanimous else _told(laid, chosen, scores, attributes)
        return Merged(value, min(max(right, 0.0), 1.0), _parts(laid, chosen, p, value))

    def _objects(
        self, laid: Laid, classes: npt.NDArray[np.intp], best: npt.NDArray[np.intp], scores: list[Floats]
    ) -> npt.NDArray[np.intp]:
        """Which object of its class each pattern belongs to: by the sensitivities of those who say one."""
        is_of_class = (classes == best) & (best != NOTHING)
        weights = np.where(is_of_class, np.exp(np.stack([score[best, best] for score in scores])), 0.0)
        objects = np.where(is_of_class, laid.said.objects, NOTHING)
        return voted(laid.said._replace(objects=objects), weights, len(laid.pieces.labels))

    def _rates(self, rows: Rows, habits: _Habits) -> dict[str, Any]:
        """Sensitivity and specificity by annotator and class."""
        told = habits.confusion.rows
        answered = rows.per_annotator(np.ones(len(rows.values))) > 0
        rates: dict[str, Any] = {"sensitivity": {}, "specificity": {}}
        for j in np.flatnonzero(answered).tolist():
            for name in rates:
                rates[name][rows.names[j]] = {}
            for k, label in enumerate(self.classes_, start=1):
                others = np.delete(habits.balance, k)
                in_vain = float(np.delete(told[j, :, k], k) @ others / others.sum())
                rates["sensitivity"][rows.names[j]][label] = float(told[j, k, k])
                rates["specificity"][rows.names[j]][label] = 1.0 - in_vain
        return rates


class _Habits(NamedTuple):
    """What was learned: what everybody says of pixels of each class, and how common these are."""

    confusion: Confusion
    balance: Floats

    @classmethod
    def of(cls, votes: PixelVotes, believed: Floats, before: _Habits | None) -> _Habits:
        counts = votes.counts(believed)
        confusion = Confusion.of(counts) if before is None else before.confusion.refit(counts, learn_strengths=True)
        total = votes.weight @ believed + 1.0
        return cls(confusion, total / total.sum())

    @property
    def log_balance(self) -> Floats:
        """Shape (n_classes + 1,)."""
        return np.log(self.balance)

    def believed(self, votes: PixelVotes) -> Floats:
        """Probability of each class on each row, shape (n_rows, n_classes + 1)."""
        scores = votes.sums(self.confusion.per_vote) + self.log_balance
        likelihood = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(likelihood / likelihood.sum(axis=1, keepdims=True))

    def typical(self) -> Floats:
        """Scores of somebody who was not fitted, `[l, k]`."""
        n_classes = len(self.balance)
        if not len(self.confusion.mean):
            return np.zeros((n_classes, n_classes))
        mean = self.confusion.mean.mean(axis=0)[None]
        typical = Confusion(np.zeros((1, n_classes, n_classes)), mean, self.confusion.strength)
        return np.asarray(typical.per_vote[0])


def _told(
    laid: Laid, chosen: npt.NDArray[np.intp], scores: list[Floats], attributes: Sequence[Attribute]
) -> list[dict[str, Any]]:
    """The masks of the objects chosen, with the attributes that those who have the object say, by sensitivity."""

    def told(number: int) -> dict[str, Any]:
        drawn, k = laid.pieces.drawn[number], laid.class_of_object[number]
        trust = [float(np.exp(scores[owner][k, k])) for owner, _ in drawn]
        return merged_attributes([mask for _, mask in drawn], trust, laid.pieces.labels[number], attributes)

    return laid.pieces.masks(chosen[laid.said.of_piece], told)


def _mean_iou(votes: PixelVotes, believed: Floats) -> Floats:
    """Shape (n_annotators,): expected IoU with the truth, over the classes that there were for the annotator."""
    counts = votes.counts(believed)
    both = np.diagonal(counts, axis1=1, axis2=2)[:, 1:]
    either = counts.sum(axis=1)[:, 1:] + counts.sum(axis=2)[:, 1:] - both
    total = either.sum()
    crowd = float(both.sum() / total) if total > 0 else NOBODY_KNOWN
    weight = PRIOR_ITEMS * PIXELS_AN_ITEM
    share = (both + weight * crowd) / (either + weight)
    met = either > 0
    return np.where(met.any(axis=1), (share * met).sum(axis=1) / np.maximum(met.sum(axis=1), 1), crowd)


def _parts(laid: Laid, chosen: npt.NDArray[np.intp], p: Floats, value: list[dict[str, Any]]) -> tuple[float, ...]:
    """Expected IoU of each mask with the truth, in the order of the value."""
    parts = []
    for number in laid.in_order(chosen)[: len(value)]:
        believed = laid.said.n_pixels * p[:, laid.class_of_object[number]]
        is_inside = chosen == number
        outside = float(believed[~is_inside & (laid.said.objects == number).any(axis=0)].sum())
        inside = float(laid.said.n_pixels[is_inside].sum())
        parts.append(min(max(float(believed[is_inside].sum()) / (inside + outside), 0.0), 1.0))
    return tuple(parts)
