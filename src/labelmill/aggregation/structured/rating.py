"""Rating: the level behind ratings from people who are strict, generous or vague."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._confusion import SMALLEST_MEAN, Confusion
from labelmill.aggregation._fitted import require_fitted
from labelmill.aggregation._options import at_least_one
from labelmill.aggregation._posterior import class_balance
from labelmill.aggregation.structured._rows import Rows, all_equal
from labelmill.aggregation.structured._two_effects import Effects
from labelmill.domain.answers import AnswerTable, Merged
from labelmill.errors import UsageError

__all__ = ["RatingModel"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

CLOSE_ENOUGH = 1e-4
"""Mean change of the probabilities at which the fit ends."""

PRIOR_VOTES = 0.5
"""Votes credited to each cell of the crowd's confusions, divided by the distance from the diagonal."""

LEARN_FROM = 3
"""Round from which effects and strength are learned."""


class RatingModel:
    r"""Annotators confuse levels as the crowd does, each with a bias and a spread of their own.

    .. math:: m_{jkl} \propto \bar P_{kl} \exp(\beta_j (l - k) - \gamma_j |l - k|), \qquad
              \theta_{jk\cdot} \sim \mathrm{Dirichlet}(s\, m_{jk\cdot})

    with the crowd's confusions :math:`\bar P`, the bias :math:`\beta_j` (above 0: rates too high) and the exactness
    :math:`\gamma_j` (above 0: strays less than others) of annotator j on the scale, and a strength s, all learned by
    variational expectation maximisation. It is Dawid and Skene's model (1979, https://doi.org/10.2307/2346806)
    shrunk to two numbers an annotator in place of one for each pair of levels; bias and spread on an ordered scale
    are those of Raykar and Yu (2012, "Eliminating spammers and ranking annotators", ordinal case), the crowd's
    pattern in place of a Gaussian threshold is ours. The crowd is taken to be as accurate on one level as on another,
    or not, whichever foretells answers better that were left out (see `Auto`): the freer one can drift until levels
    are taken for their neighbours.

    The merged value is the likeliest level, or the median of their distribution. A level that all name is never
    overruled.

    Parameters
    ----------
    choose : {"likeliest", "median"}
        "likeliest" is most often right, "median" is fewest steps off.
    max_iterations : int
        At most so many sweeps over the answers.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    classes_ : tuple of str
        Levels from low to high.
    confusion_ : ndarray of float64, shape (n_annotators, n_levels, n_levels)
        `[j, k, l]`: probability that annotator j answers l where k is true.
    reliability_ : ndarray of float64, shape (n_annotators,)
        One minus the expected steps from the truth as a share of the longest way; NaN without answers.
    details_ : dict
        `model`, `iterations`, `converged`, `strength`, `equally_accurate_levels` (which crowd was taken), `bias` by
        annotator in steps.

    Examples
    --------
    >>> from labelmill.labels.rating import Rating
    >>> kind = Rating(classes=("low", "mid", "high"))
    >>> said = ["low", "low", "mid", "high", "high", "high"]
    >>> item, annotator = [0, 0, 0, 1, 1, 1], [0, 1, 2] * 2
    >>> table = AnswerTable(kind, ["x", "y"], list("abc"), item, annotator, said, classes=kind.classes)
    >>> [value for value, *_ in RatingModel().fit(table).predict(table)]
    ['low', 'high']
    """

    classes_: tuple[str, ...]
    confusion_: Floats
    reliability_: Floats
    details_: dict[str, Any]

    def __init__(self, *, choose: str = "likeliest", max_iterations: int = 100, seed: int = 0) -> None:
        self.choose = choose
        self.max_iterations = max_iterations
        self.seed = seed

    def fit(self, answers: AnswerTable) -> Self:
        """Learn each annotator's bias and spread."""
        at_least_one(max_iterations=self.max_iterations)
        if self.choose not in {"likeliest", "median"}:
            raise UsageError(f"choose must be 'likeliest' or 'median', found {self.choose!r}")
        rows = Rows.of(answers)
        self.classes_ = _levels(answers, rows.values)
        label = self._coded(rows.values)
        learned = _learned(rows, label, len(self.classes_), self.max_iterations)
        self._log_balance, self._strangers = learned.log_balance, learned.strangers
        per_vote = learned.confusion.per_vote
        answered = rows.per_annotator(np.ones(len(label))) > 0
        self._per_vote = {name: per_vote[j] for j, name in enumerate(rows.names) if answered[j]}
        confusion = learned.confusion.rows
        level = np.arange(len(self.classes_))
        steps = level[None, :] - level[:, None]
        longest = max(len(self.classes_) - 1, 1)
        seen = learned.confusion.counts.sum(axis=1) + 1e-3
        share = seen / seen.sum(axis=1, keepdims=True)
        self.reliability_ = rows.in_table(1.0 - np.einsum("jk,jkl,kl->j", share, confusion, np.abs(steps)) / longest)
        self.confusion_ = confusion[rows.annotator_place]
        bias = np.einsum("jk,jkl,kl->j", share, confusion, steps)
        self.details_ = {
            "model": "rating",
            "iterations": learned.iterations,
            "converged": learned.converged,
            "strength": learned.confusion.strength,
            "equally_accurate_levels": learned.is_even,
            "bias": {name: float(bias[j]) for j, name in enumerate(rows.names) if answered[j]},
        }
        return self

    def predict(self, answers: AnswerTable) -> list[Merged]:
        """The level behind the ratings of each item; its confidence is its probability.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        rows, probabilities = self._judged(answers)
        merged = []
        for values, row in zip(rows.by_item(), probabilities, strict=True):
            level = self._chosen(row)
            if all_equal(values):
                level = self.classes_.index(values[0])
            merged.append(Merged(self.classes_[level], float(min(row[level], 1.0))) if values else Merged(None, 0.0))
        return [merged[place] for place in rows.item_place.tolist()]

    def predict_proba(self, answers: AnswerTable) -> Floats:
        """Probabilities of the levels, shape (n_items, n_levels); the balance of levels where nobody answered.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        rows, probabilities = self._judged(answers)
        return np.asarray(probabilities[rows.item_place])

    def _judged(self, answers: AnswerTable) -> tuple[Rows, Floats]:
        require_fitted(self, "_per_vote")
        rows = Rows.of(answers)
        scores = np.array(rows.known(self._per_vote, self._strangers)).reshape(-1, *self._strangers.shape)
        return rows, _posterior(rows, scores[rows.annotator, self._coded(rows.values)], self._log_balance)

    def _chosen(self, row: Floats) -> int:
        if self.choose == "median":
            return int(np.searchsorted(np.cumsum(row), 0.5 - 1e-9))
        return int(row.argmax())

    def _coded(self, values: list[Any]) -> Ints:
        level = {name: k for k, name in enumerate(self.classes_)}
        return np.array([level[value] for value in values], dtype=np.intp)


class _Fit:
    """What is learned, round by round."""

    def __init__(self, n_annotators: int, n_levels: int, *, is_even: bool) -> None:
        self.is_even = is_even
        self.effects = Effects.none(n_annotators)
        level = np.arange(n_levels, dtype=np.float64)
        steps = level[None, :] - level[:, None]
        self.features = np.stack([steps, -np.abs(steps)])
        self.away = np.abs(steps)
        self.iterations, self.converged = 0, False
        self.strength, self.foretelling = 4.0, 0.0

    def refit(self, counts: Floats, items: Floats) -> None:
        """Everything from expected counts `[j, l, k]` and the expected number of items of each level."""
        balance = class_balance(items)
        self.log_balance = np.log(balance)
        by_row = counts.transpose(0, 2, 1)
        crowd = _crowd(by_row.sum(axis=0), self.away, is_even=self.is_even)
        if self.iterations >= LEARN_FROM:
            self.effects = self.effects.refit(by_row, crowd, self.features)
        mean = np.maximum(self.effects.tilted(crowd, self.features), SMALLEST_MEAN).transpose(0, 2, 1)
        mean = mean / mean.sum(axis=1, keepdims=True)
        self.confusion = Confusion(counts, mean, self.strength)
        if self.iterations >= LEARN_FROM:
            self.strength = self.confusion.next_strength
        self.strangers = Confusion(np.zeros((1, *crowd.shape)), crowd.T[None], self.strength).per_vote[0]
        self.iterations += 1


def _crowd(counts: Floats, away: Floats, *, is_even: bool) -> Floats:
    """The crowd's confusions `[k, l]`, even: as accurate on one level as on another, errors as they are spread."""
    n_levels = len(counts)
    if n_levels < 2:
        return np.ones_like(counts)
    errors = np.where(away > 0, counts + PRIOR_VOTES / np.maximum(away, 1.0), 0.0)
    right = np.diag(counts) + 1.0
    share = right / (right + errors.sum(axis=1))
    if is_even:
        share = np.full(n_levels, (np.trace(counts) + 4.0) / (counts.sum() + 6.0))
    share = np.clip(share, 1.0 / n_levels + 0.02, 0.995)
    return np.asarray((1.0 - share)[:, None] * errors / errors.sum(axis=1, keepdims=True) + np.diag(share))


def _learned(rows: Rows, label: Ints, n_levels: int, max_iterations: int) -> _Fit:
    """The better of two crowds, as accurate on every level or not, by how they foretell answers left out."""
    even, uneven = (_fitted(rows, label, n_levels, max_iterations, is_even=is_even) for is_even in (True, False))
    return uneven if uneven.foretelling > even.foretelling else even


def _fitted(rows: Rows, label: Ints, n_levels: int, max_iterations: int, *, is_even: bool) -> _Fit:
    fit = _Fit(rows.n_annotators, n_levels, is_even=is_even)
    answered = rows.per_item(np.ones(len(label))) > 0
    said = np.stack([rows.per_item(label == k) for k in range(n_levels)], axis=1)
    total = said.sum(axis=1, keepdims=True)
    beliefs = np.divide(said, total, out=np.full_like(said, 1.0 / max(n_levels, 1)), where=total > 0)
    while not fit.converged and fit.iterations < max_iterations:
        fit.refit(_counts(rows, label, beliefs), beliefs[answered].sum(axis=0))
        before = beliefs
        beliefs = _posterior(rows, fit.confusion.per_vote[rows.annotator, label], fit.log_balance)
        changed = np.abs(beliefs - before)[answered]
        fit.converged = not changed.size or bool(changed.mean() < CLOSE_ENOUGH)
    fit.foretelling = _foretelling(rows, label, beliefs, fit.confusion)
    return fit


def _foretelling(rows: Rows, label: Ints, beliefs: Floats, confusion: Confusion) -> float:
    """Mean log probability of each answer by the others on its item and the annotator's others."""
    several = rows.per_item(np.ones(len(label)))[rows.item] > 1
    if not several.any():
        return 0.0
    item, j, said = rows.item[several], rows.annotator[several], label[several]
    own = beliefs[item]
    without = np.log(np.maximum(own, 1e-300)) - confusion.per_vote[j, said]
    without = np.exp(without - without.max(axis=1, keepdims=True))
    without /= without.sum(axis=1, keepdims=True)
    prior = confusion.prior
    cell = np.maximum(confusion.counts[j, said] - own, 0.0) + prior[j, said]
    row = np.maximum(confusion.counts.sum(axis=1)[j] - own, 0.0) + confusion.strength
    return float(np.log((without * cell / row).sum(axis=1)).mean())


def _counts(rows: Rows, label: Ints, beliefs: Floats) -> Floats:
    n_levels = beliefs.shape[1]
    cell = rows.annotator * n_levels + label
    size = rows.n_annotators * n_levels
    per_level = [np.bincount(cell, weights=beliefs[rows.item, k], minlength=size) for k in range(n_levels)]
    table = np.stack(per_level, axis=1).astype(np.float64)
    return np.asarray(table.reshape(rows.n_annotators, n_levels, n_levels))


def _posterior(rows: Rows, scores: Floats, log_balance: Floats) -> Floats:
    """Shape (n_items, n_levels), from the score of each answer for each level."""
    summed = np.stack([rows.per_item(scores[:, k]) for k in range(len(log_balance))], axis=1) + log_balance
    likelihood = np.exp(summed - summed.max(axis=1, keepdims=True))
    return np.asarray(likelihood / likelihood.sum(axis=1, keepdims=True))


def _levels(answers: AnswerTable, values: list[Any]) -> tuple[str, ...]:
    return answers.classes or tuple(getattr(answers.kind, "classes", ())) or tuple(sorted(set(values)))
