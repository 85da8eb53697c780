"""By distance: for every kind of label that says how far two answers are apart."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._fitted import require_fitted
from labelmill.aggregation._options import at_least_one
from labelmill.domain.answers import AnswerTable, Merged

__all__ = ["ByDistance"]

Floats = npt.NDArray[np.float64]

SMALLEST = 1e-3
"""Mean distance below which nobody is trusted more."""

START = 0.2
"""Expected distance from the truth that everybody starts with."""

PRIOR_ITEMS = 2.0
"""Items at the crowd's mean distance that everybody starts with."""

CLOSE_ENOUGH = 1e-6


class ByDistance:
    r"""Trusts each annotator by how near its answers come to the others', and merges by that trust.

    .. math:: e_j = \frac{s \bar e + \sum_i \sum_{j' \ne j} w_{j'} (d(x_{ij}, x_{ij'}) - e_{j'}) \,/\,
              \sum_{j' \ne j} w_{j'}}{s + n_j}, \qquad w_j = 1 / e_j

    The distance of two answers is taken for the sum of both their distances from the truth, as squared distances of
    independent errors are; so an annotator is not blamed for what the others get wrong.

    One model over task distances, whatever the answers are (Braylan, Alonso and Lease 2023,
    https://arxiv.org/abs/2312.13437); the weight is that of RASA (Li and Lee 2020,
    https://doi.org/10.1145/3397271.3401239) with shrinkage to the crowd in place of its chi-square. An answer is never
    compared with a merge that it took part in. The merged value is the kind's own `merge` under these weights.

    Parameters
    ----------
    max_iterations : int
        At most so many rounds of distances and weights.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    reliability_ : ndarray of float64, shape (n_annotators,)
        1 - e, the expected nearness to the truth; NaN without answers.
    details_ : dict
        `model`, `iterations`, `converged`, `mean_error` (of the crowd; None without two answers on an item).
    """

    reliability_: Floats
    details_: dict[str, Any]

    def __init__(self, *, max_iterations: int = 50, seed: int = 0) -> None:
        self.max_iterations = max_iterations
        self.seed = seed

    def fit(self, answers: AnswerTable) -> Self:
        """Learn each annotator's mean distance from the others."""
        at_least_one(max_iterations=self.max_iterations)
        apart = [(people, table) for people, table in _distances(answers) if len(people) > 1]
        error = np.full(answers.n_annotators, START)
        pooled, converged, iterations = START, not apart, 0
        while not converged and iterations < self.max_iterations:
            after, pooled = _errors(apart, error)
            converged = bool(np.abs(after - error).max() < CLOSE_ENOUGH)
            error, iterations = (error + after) / 2, iterations + 1
        answered = np.zeros(answers.n_annotators, dtype=np.bool_)
        for positions in answers.by_item:
            answered[answers.annotator_index[positions]] = True
        self._error = {
            name: float(e) for name, e, known in zip(answers.annotators, error, answered, strict=True) if known
        }
        self._pooled = pooled
        self.reliability_ = np.where(answered, 1.0 - error, np.nan)
        self.details_ = {
            "model": "by_distance",
            "iterations": iterations,
            "converged": converged,
            "mean_error": pooled if apart else None,
        }
        return self

    def predict(self, answers: AnswerTable) -> list[Merged]:
        """The merge of each item's answers; its confidence is their weighted nearness to it.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        require_fitted(self, "_error")
        return [self._merge(answers, positions) for positions in answers.by_item]

    def _merge(self, answers: AnswerTable, positions: npt.NDArray[np.intp]) -> Merged:
        if not len(positions):
            return Merged(None, 0.0)
        values = [answers.values[position] for position in positions]
        errors = [
            self._error.get(answers.annotators[j], self._pooled) for j in answers.annotator_index[positions].tolist()
        ]
        weights = [1.0 / error for error in errors]
        merged = answers.kind.merge(values, weights)
        near = [w * (1.0 - answers.kind.distance(value, merged)) for w, value in zip(weights, values, strict=True)]
        # Agreement of few says less: one more vote of the crowd's mean error stands against it.
        doubt = 1.0 / max(errors)
        total = math.fsum(weights)
        return Merged(merged, min(max((math.fsum(near) + doubt * (1.0 - self._pooled)) / (total + doubt), 0.0), 1.0))


def _distances(answers: AnswerTable) -> Iterator[tuple[npt.NDArray[np.int32], Floats]]:
    """For each item, who answered, and how far each two are apart."""
    for positions in answers.by_item:
        values = [answers.values[position] for position in positions]
        table = np.zeros((len(values), len(values)))
        for i, value in enumerate(values):
            for k in range(i):
                table[i, k] = table[k, i] = answers.kind.distance(value, values[k])
        yield answers.annotator_index[positions], table


def _errors(apart: list[tuple[npt.NDArray[np.int32], Floats]], error: Floats) -> tuple[Floats, float]:
    """Each annotator's expected distance from the truth, shrunk to the crowd's; and that."""
    found: list[list[float]] = [[] for _ in error]
    for people, table in apart:
        trust = 1.0 / error[people]
        beyond = table - error[people]
        np.fill_diagonal(beyond, 0.0)
        for j, mean in zip(people.tolist(), (beyond @ trust) / (trust.sum() - trust), strict=True):
            found[j].append(float(mean))
    sums = np.array([math.fsum(distances) for distances in found])
    counts = np.array([len(distances) for distances in found], dtype=np.float64)
    pooled = min(max(math.fsum(sums) / counts.sum(), SMALLEST), 1.0)
    return np.clip((sums + PRIOR_ITEMS * pooled) / (counts + PRIOR_ITEMS), SMALLEST, 1.0), pooled
