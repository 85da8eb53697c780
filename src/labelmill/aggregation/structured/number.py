"""Number: the truth behind numbers from people with biases, noise and blunders."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from labelmill.aggregation._fitted import require_fitted
from labelmill.aggregation._options import above_zero, at_least_one
from labelmill.aggregation.structured._located import locate, measurers
from labelmill.aggregation.structured._rows import Rows, all_equal
from labelmill.domain.answers import AnswerTable, Merged

__all__ = ["NumberModel"]

Floats = npt.NDArray[np.float64]

SMALLEST = float(np.finfo(np.float64).tiny)
"""No scale is smaller: it is divided by."""


class NumberModel:
    r"""Annotators measure with a bias and a noise of their own, and blunder now and then.

    .. math:: x_{ij} = t_i + b_j + \sigma_j \epsilon_{ij}, \qquad \epsilon_{ij} \sim t_\nu

    fitted as `measurers` says; the Gaussian form is that of Dawid and Skene's successors for numbers (Raykar et al.
    2010, "Learning from crowds", section 4), to which we add Student's t and shrinkage. The merged value is the mean
    of the answers, biases removed, weighted by precision and by how little they look like blunders. Where one
    annotator alone answered, or all gave the same number, that is the value.

    A bias is seen only against the others: one that all share stays.

    Parameters
    ----------
    degrees : float
        Degrees of freedom of the noise: 4 expects a blunder now and then, 1000 none.
    max_iterations : int
        At most so many rounds of places, biases and scales.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    bias_, scale_ : ndarray of float64, shape (n_annotators,)
        Mean error and scale of the noise, in the unit of the answers; NaN without answers.
    reliability_ : ndarray of float64, shape (n_annotators,)
        Share of the variance of its answers, bias removed, that is the truth's, times the share of its answers that
        are no blunders (mean weight under Student's t, one more counted that is none); NaN without answers.
    details_ : dict
        `model`, `iterations`, `converged`, `bias` and `scale` by annotator, `typical_scale`.

    Examples
    --------
    >>> from labelmill.labels.number import Number
    >>> who, what = [0, 1, 2] * 3, [1.0, 1.2, 1.1, 2.0, 2.2, 2.1, 3.0, 3.2, 9.0]
    >>> table = AnswerTable(Number(), list("xyz"), list("abc"), [0, 0, 0, 1, 1, 1, 2, 2, 2], who, what)
    >>> [round(value, 1) for value, *_ in NumberModel().fit(table).predict(table)]
    [1.1, 2.1, 3.2]
    """

    bias_: Floats
    scale_: Floats
    reliability_: Floats
    details_: dict[str, Any]

    def __init__(self, *, degrees: float = 4.0, max_iterations: int = 200, seed: int = 0) -> None:
        self.degrees = degrees
        self.max_iterations = max_iterations
        self.seed = seed

    def fit(self, answers: AnswerTable) -> Self:
        """Learn each annotator's bias and scale."""
        above_zero(degrees=self.degrees)
        at_least_one(max_iterations=self.max_iterations)
        rows = Rows.of(answers)
        x = np.array(rows.values, dtype=np.float64)
        unit = _unit_of(x)
        learned = measurers(
            rows.item,
            rows.annotator,
            x / unit,
            rows.n_items,
            rows.n_annotators,
            degrees=self.degrees,
            max_iterations=self.max_iterations,
        )
        bias, scale = learned.bias * unit, np.maximum(learned.scale * unit, SMALLEST)
        self._typical = max(learned.pooled * unit, SMALLEST)
        count = rows.per_annotator(np.ones(len(x)))
        answered = count > 0
        self._learned = {name: (float(bias[j]), float(scale[j])) for j, name in enumerate(rows.names) if answered[j]}
        found = locate(rows.item, x / unit, *self._shares(rows, unit), rows.n_items, degrees=self.degrees)
        spread = float(np.var(found.place[np.isfinite(found.place)])) if len(x) else 0.0
        truth = spread if spread > 0 else learned.pooled**2
        sound = np.minimum((rows.per_annotator(found.weight) + 1.0) / (count + 1.0), 1.0)
        self.reliability_ = rows.in_table(sound * truth / (truth + learned.scale**2))
        self.bias_, self.scale_ = (np.where(answered, column, np.nan)[rows.annotator_place] for column in (bias, scale))
        self.details_ = {
            "model": "number",
            "iterations": learned.iterations,
            "converged": learned.converged,
            "bias": {name: b for name, (b, _) in self._learned.items()},
            "scale": {name: s for name, (_, s) in self._learned.items()},
            "typical_scale": self._typical,
        }
        return self

    def predict(self, answers: AnswerTable) -> list[Merged]:
        """The number behind the answers of each item.

        Its confidence is the probability that the truth is no further from it than a typical annotator's scale.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        require_fitted(self, "_learned")
        rows = Rows.of(answers)
        x = np.array(rows.values, dtype=np.float64)
        found = locate(
            rows.item, x / self._typical, *self._shares(rows, self._typical), rows.n_items, degrees=self.degrees
        )
        sure = erf(1.0 / np.sqrt(2.0 * found.variance))
        merged = [
            Merged(values[0] if all_equal(values) else float(place) * self._typical, float(confidence))
            if values
            else Merged(None, 0.0)
            for values, place, confidence in zip(rows.by_item(), found.place, sure, strict=True)
        ]
        return [merged[place] for place in rows.item_place.tolist()]

    def _shares(self, rows: Rows, unit: float) -> tuple[Floats, Floats]:
        """Bias and scale behind each answer, in a unit in which nothing overflows."""
        known = np.array(rows.known(self._learned, (0.0, self._typical)), dtype=np.float64).reshape(-1, 2) / unit
        return known[rows.annotator, 0], known[rows.annotator, 1]


def _unit_of(x: Floats) -> float:
    """A power of two near the largest answer: dividing by it loses no digit, and squares do not overflow."""
    largest = float(np.abs(x).max(initial=0.0))
    return float(2.0 ** np.clip(np.frexp(largest)[1] - 1, -1000, 1000)) if largest > 0 else 1.0
