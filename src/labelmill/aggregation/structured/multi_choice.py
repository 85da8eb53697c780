"""Multi choice: which classes apply, by annotators who overlook and invent classes at rates of their own."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, expit, logit

from labelmill.aggregation._confusion import STRENGTH_RANGE
from labelmill.aggregation._fitted import require_fitted
from labelmill.aggregation._options import at_least_one
from labelmill.aggregation.structured._rows import Rows, all_equal
from labelmill.domain.answers import AnswerTable, Merged

__all__ = ["MultiChoiceModel"]

Floats = npt.NDArray[np.float64]

CLOSE_ENOUGH = 1e-5
"""Mean change of the probabilities at which the fit ends."""

LEARN_FROM = 3
"""Round from which the spread of annotators and classes is learned."""

VARIANCE_RANGE = (1e-2, 10.0)
NEWTON_STEPS = 3


class MultiChoiceModel:
    r"""Each annotator finds classes that apply, and leaves out others, at rates shared by all classes.

    .. math:: \alpha_{jc} \sim \mathrm{Beta}(s\, m_{jc}, s (1 - m_{jc})), \qquad
              \mathrm{logit}\, m_{jc} = \mathrm{logit}\, \bar\alpha_c + u_j, \qquad u_j \sim N(0, \tau^2)

    for the sensitivity :math:`\alpha_{jc}`, the probability that annotator j names class c where it applies, and
    likewise for the specificity, that it is left out where it does not. The crowd's rate on a class, the annotator's
    own effect, the strength s and the variance are learned together with the truth by variational expectation
    maximisation. One table for each class, as `shrinkage_dawid_skene` has it, knows an annotator by that class alone;
    here what is seen of somebody on one class counts on all, which matters where classes are many or rare.

    The merged value is the classes with a probability above one half. A class that all name, or none names, stays so.

    Parameters
    ----------
    max_iterations : int
        At most so many sweeps over the answers.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    classes_ : tuple of str
    sensitivity_, specificity_ : ndarray of float64, shape (n_annotators, n_classes)
    prevalence_ : ndarray of float64, shape (n_classes,)
        Share of the items each class applies to.
    reliability_ : ndarray of float64, shape (n_annotators,)
        Mean of sensitivity and specificity (balanced accuracy), over the classes; NaN without answers.
    details_ : dict
        `model`, `iterations`, `converged`, `sensitivity` and `specificity` by annotator.

    Examples
    --------
    >>> from labelmill.labels.multi_choice import MultiChoice
    >>> kind = MultiChoice(classes=("cat", "dog"))
    >>> said = [["cat"], ["cat"], ["cat", "dog"], ["dog"], ["dog"], []]
    >>> item, annotator = [0, 0, 0, 1, 1, 1], [0, 1, 2] * 2
    >>> table = AnswerTable(kind, ["x", "y"], list("abc"), item, annotator, said, classes=kind.classes)
    >>> [value for value, *_ in MultiChoiceModel().fit(table).predict(table)]
    [['cat'], ['dog']]
    """

    classes_: tuple[str, ...]
    sensitivity_: Floats
    specificity_: Floats
    prevalence_: Floats
    reliability_: Floats
    details_: dict[str, Any]

    def __init__(self, *, max_iterations: int = 100, seed: int = 0) -> None:
        self.max_iterations = max_iterations
        self.seed = seed

    def fit(self, answers: AnswerTable) -> Self:
        """Learn each annotator's sensitivity and specificity."""
        at_least_one(max_iterations=self.max_iterations)
        rows = Rows.of(answers)
        named = sorted({name for value in rows.values for name in value})
        self.classes_ = answers.classes or tuple(getattr(answers.kind, "classes", ())) or tuple(named)
        chosen = self._coded(rows)
        fit = _Fit(rows, chosen, self.max_iterations)
        self._log_odds, self._strangers = fit.log_odds, fit.strangers
        weights = fit.weights
        answered = rows.per_annotator(np.ones(len(chosen))) > 0
        self._weights = {name: weights[:, j] for j, name in enumerate(rows.names) if answered[j]}
        sensitivity, specificity = fit.found.mean, fit.left.mean
        n_classes = max(len(self.classes_), 1)
        self.reliability_ = rows.in_table((sensitivity + specificity).sum(axis=1) / (2 * n_classes))
        self.sensitivity_, self.specificity_ = (rate[rows.annotator_place] for rate in (sensitivity, specificity))
        self.prevalence_ = expit(fit.log_odds)
        self.details_ = {
            "model": "multi_choice",
            "iterations": fit.iterations,
            "converged": fit.converged,
            "sensitivity": _by_name(rows.names, sensitivity.sum(axis=1) / n_classes, answered),
            "specificity": _by_name(rows.names, specificity.sum(axis=1) / n_classes, answered),
        }
        return self

    def predict(self, answers: AnswerTable) -> list[Merged]:
        """The classes that apply to each item.

        The confidence is the probability that all of them do and no other does; `parts` has that of each class named.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        rows, probabilities = self._judged(answers)
        merged = []
        for values, row in zip(rows.by_item(), probabilities, strict=True):
            if not values:
                merged.append(Merged(None, 0.0))
                continue
            applies = [
                all(name in value for value in values) or (p > 0.5 and any(name in value for value in values))
                for name, p in zip(self.classes_, row.tolist(), strict=True)
            ]
            value = [name for name, does in zip(self.classes_, applies, strict=True) if does]
            sure = np.where(applies, row, 1.0 - row)
            value = values[0] if all_equal(values) else value
            merged.append(Merged(value, float(np.prod(sure)), tuple(sure[applies].tolist())))
        return [merged[place] for place in rows.item_place.tolist()]

    def predict_proba(self, answers: AnswerTable) -> Floats:
        """Probability that each class applies, shape (n_items, n_classes); its prevalence where nobody answered.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        rows, probabilities = self._judged(answers)
        return np.asarray(probabilities[rows.item_place])

    def _judged(self, answers: AnswerTable) -> tuple[Rows, Floats]:
        require_fitted(self, "_weights")
        rows = Rows.of(answers)
        known = np.array(rows.known(self._weights, self._strangers)).reshape(-1, *self._strangers.shape)
        return rows, _posterior(rows, self._coded(rows), known.transpose(1, 0, 2), self._log_odds)

    def _coded(self, rows: Rows) -> Floats:
        """Shape (n_answers, n_classes): 1 where the answer names the class."""
        place = {name: k for k, name in enumerate(self.classes_)}
        coded = np.zeros((len(rows.values), len(self.classes_)))
        for row, value in enumerate(rows.values):
            coded[row, [place[name] for name in value]] = 1.0
        return coded


class _Rates:
    """How often each annotator does right on each class, shape (n_annotators, n_classes), shrunk as the model says."""

    def __init__(self, n_annotators: int) -> None:
        self.effect, self.variance, self.strength = np.zeros(n_annotators), 1.0, 10.0

    def refit(self, right: Floats, asked: Floats, *, learn: bool) -> None:
        """From expected counts, of shape (n_annotators, n_classes)."""
        overall = (right.sum() + 4.0) / (asked.sum() + 5.0)
        crowd = (right.sum(axis=0) + 4.0 * overall) / (asked.sum(axis=0) + 4.0)
        self.crowd = np.clip(crowd, 0.5, 0.999)
        if learn:
            self._learn_effects(right, asked)
        self.prior = np.clip(expit(logit(self.crowd) + self.effect[:, None]), 0.02, 0.999)
        if learn and asked.any():
            self._learn_strength(right, asked)
        self.right, self.asked = right, asked

    @property
    def mean(self) -> Floats:
        """Posterior means."""
        return np.asarray((self.right + self.strength * self.prior) / (self.asked + self.strength))

    @property
    def logs(self) -> tuple[Floats, Floats]:
        """Expected logarithms of the rate and of one minus the rate."""
        return _expected_logs(self.right + self.strength * self.prior, self.asked + self.strength)

    @property
    def strangers(self) -> tuple[Floats, Floats]:
        """The same of somebody never seen."""
        return _expected_logs(self.strength * self.crowd, np.full(len(self.crowd), self.strength))

    def _learn_effects(self, right: Floats, asked: Floats) -> None:
        held = np.ones_like(self.effect)
        for _ in range(NEWTON_STEPS):
            rate = expit(logit(self.crowd) + self.effect[:, None])
            held = (asked * rate * (1 - rate)).sum(axis=1) + 1.0 / self.variance
            slope = (right - asked * rate).sum(axis=1) - self.effect / self.variance
            self.effect = self.effect + np.clip(slope / held, -1.0, 1.0)
        seen = asked.sum(axis=1) > 0
        if seen.any():
            self.variance = float(np.clip((self.effect**2 + 1.0 / held)[seen].mean(), *VARIANCE_RANGE))

    def _learn_strength(self, right: Floats, asked: Floats) -> None:
        """One step of Minka's fixed point for the beta-binomial."""
        gain = 0.0
        for count, mean in ((right, self.prior), (asked - right, 1.0 - self.prior)):
            before = self.strength * mean
            gain += float((mean * (digamma(np.maximum(count, 0.0) + before) - digamma(before))).sum())
        spread = float((digamma(asked + self.strength) - digamma(self.strength)).sum())
        if spread > 0:
            self.strength = float(np.clip(self.strength * gain / spread, *STRENGTH_RANGE))


class _Fit:
    """Truth and rates, learned from each other."""

    def __init__(self, rows: Rows, chosen: Floats, max_iterations: int) -> None:
        self.found, self.left = _Rates(rows.n_annotators), _Rates(rows.n_annotators)
        n_answers = rows.per_item(np.ones(len(chosen)))
        answered = n_answers > 0
        beliefs = _per_item(rows, chosen) / np.maximum(n_answers, 1.0)[:, None]
        self.iterations, self.converged = 0, False
        while not self.converged and self.iterations < max_iterations:
            self._refit(rows, chosen, beliefs, answered)
            before = beliefs
            beliefs = _posterior(rows, chosen, self.weights, self.log_odds)
            changed = np.abs(beliefs - before)[answered]
            self.converged = not changed.size or bool(changed.mean() < CLOSE_ENOUGH)

    @property
    def weights(self) -> Floats:
        """Shape (2, n_annotators, n_classes): log odds that a class named, and one left out, adds."""
        return _weights(self.found.logs, self.left.logs)

    @property
    def strangers(self) -> Floats:
        """Shape (2, n_classes)."""
        return _weights(self.found.strangers, self.left.strangers)

    def _refit(self, rows: Rows, chosen: Floats, beliefs: Floats, answered: npt.NDArray[np.bool_]) -> None:
        applies = beliefs[rows.item]
        learn = self.iterations >= LEARN_FROM
        self.found.refit(_per_annotator(rows, applies * chosen), _per_annotator(rows, applies), learn=learn)
        absent = 1.0 - applies
        self.left.refit(_per_annotator(rows, absent * (1.0 - chosen)), _per_annotator(rows, absent), learn=learn)
        share = (beliefs[answered].sum(axis=0) + 1.0) / (answered.sum() + 2.0)
        self.log_odds = logit(share)
        self.iterations += 1


def _posterior(rows: Rows, chosen: Floats, weights: Floats, log_odds: Floats) -> Floats:
    """Probability that each class applies, shape (n_items, n_classes)."""
    named, left_out = weights[:, rows.annotator]
    return np.asarray(expit(log_odds + _per_item(rows, np.where(chosen > 0, named, left_out))))


def _weights(found: tuple[Floats, Floats], left: tuple[Floats, Floats]) -> Floats:
    return np.stack([found[0] - left[1], found[1] - left[0]])


def _expected_logs(right: Floats, total: Floats) -> tuple[Floats, Floats]:
    wrong = np.maximum(total - right, 1e-6)
    return np.asarray(digamma(right) - digamma(total)), np.asarray(digamma(wrong) - digamma(total))


def _per_item(rows: Rows, columns: Floats) -> Floats:
    return np.array([rows.per_item(column) for column in columns.T]).reshape(columns.shape[1], rows.n_items).T


def _per_annotator(rows: Rows, columns: Floats) -> Floats:
    summed = np.array([rows.per_annotator(column) for column in columns.T])
    return summed.reshape(columns.shape[1], rows.n_annotators).T


def _by_name(names: list[str], numbers: Floats, answered: npt.NDArray[np.bool_]) -> dict[str, float]:
    return {name: float(numbers[j]) for j, name in enumerate(names) if answered[j]}
