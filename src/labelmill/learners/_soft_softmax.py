"""Softmax regression on probabilistic targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from threadpoolctl import threadpool_limits

__all__ = ["Softmax", "fit_softmax"]

Floats = npt.NDArray[np.float64]

_MOST_STEPS: Final = 50
"""Newton steps at most; about ten are taken."""

_MOST_DIRECTIONS: Final = 200
"""Conjugate directions within a step at most."""

_LEAST_CURVATURE: Final = 1e-12
"""Keeps the scaling finite where the sum is flat: the intercept of a sole class."""


class Softmax(NamedTuple):
    """Class probabilities are the softmax of ``x @ coefficients + intercepts``.

    `coefficients` has shape (n_terms, n_classes), `intercepts` (n_classes,).
    """

    coefficients: Floats
    intercepts: Floats

    def probabilities(self, matrix: sparse.csr_array) -> Floats:
        """Shape (n_items, n_classes); rows sum to 1."""
        return np.exp(_log_softmax(np.asarray(matrix @ self.coefficients, dtype=np.float64) + self.intercepts))


def fit_softmax(
    matrix: sparse.csr_array,
    targets: Floats,
    weights: Floats,
    *,
    regularization: float,
    start: Softmax | None = None,
    tolerance: float = 1e-5,
) -> Softmax:
    """The minimum of the weighted cross-entropy to the targets plus a ridge.

    ::

        sum_i w_i · sum_c -q_ic ln p_c(x_i)  +  regularization/2 · |W|²  +  sum_c -1/k ln p_c(0)

    The targets q enter as they are: a row of (0.7, 0.3) costs the same as 0.7 items of one class and 0.3 of the other,
    without copying rows. The last term is one imaginary item without words and with an even target; it keeps the
    intercepts finite when a class never occurs. The sum is convex with one minimum, found by Newton's method; its
    linear systems are solved by conjugate gradients, only as exactly as the distance to the minimum deserves (Dembo &
    Steihaug 1983, doi:10.1007/BF02592055), scaled by the diagonal of the Hessian. For two classes, only the difference
    of the two columns is fitted, which is the same problem because at the minimum the columns of W sum to zero.

    Parameters
    ----------
    matrix : csr_array, shape (n_items, n_terms)
    targets : ndarray, shape (n_items, n_classes)
        Rows sum to 1.
    weights : ndarray, shape (n_items,)
        How often each item counts.
    regularization : float
        Strength of the ridge; above 0.
    start : Softmax, optional
        Where to begin; the answer is the same up to the tolerance.
    tolerance : float
        The fit ends when no component of the gradient, divided by the total weight, exceeds it.
    """
    problem = _Problem(matrix.astype(np.float64), targets, weights, regularization)
    with threadpool_limits(1):  # vectors this short gain nothing from threads, and lose much on a busy machine
        return problem.unpacked(_minimum(problem, problem.packed(start), tolerance))


class _Problem:
    """The sum to be minimized, as a function of one table of shape (n_terms + 1, n_columns), intercepts last.

    With two classes the one column holds the second class minus the first.
    """

    def __init__(self, matrix: sparse.csr_array, targets: Floats, weights: Floats, regularization: float) -> None:
        self.is_binary = targets.shape[1] == 2
        self.targets = targets[:, 1:] if self.is_binary else targets
        self.n_classes = targets.shape[1]
        self.even = 1 / self.n_classes
        self.matrix = matrix
        self.transposed = matrix.T.tocsr()
        self.squared = self.transposed.power(2)
        self.weights = weights[:, None]
        self.ridge = regularization / 2 if self.is_binary else regularization  # |W|² = |difference|²/2
        self.total = float(weights.sum()) + 1

    def packed(self, start: Softmax | None) -> Floats:
        """The table to begin with: that of `start`, or no terms and the share of each class."""
        if start is None:
            shares = (self.weights * self.targets).sum(axis=0) / self.total + self.even / self.total
            logs = np.log(shares / (1 - shares)) if self.is_binary else np.log(shares)
            return np.vstack([np.zeros((self.matrix.shape[1], len(logs))), logs])
        table = np.vstack([start.coefficients, start.intercepts])
        return table[:, 1:] - table[:, :1] if self.is_binary else table

    def unpacked(self, table: Floats) -> Softmax:
        """The model a table stands for."""
        full = np.hstack([-table / 2, table / 2]) if self.is_binary else table
        return Softmax(np.ascontiguousarray(full[:-1]), full[-1] - full[-1].mean())

    def value(self, table: Floats) -> float:
        """The sum at a table."""
        return self._forward(table)[0]

    def at(self, table: Floats) -> tuple[float, Floats, Callable[[Floats], Floats], Floats]:
        """The sum at a table, its gradient, its Hessian as a function of a direction, and the Hessian's diagonal."""
        value, seen, none = self._forward(table)
        residual = self.weights * (seen - self.targets)
        gradient = np.vstack([self.transposed @ residual + self.ridge * table[:-1], residual.sum(axis=0)])
        gradient[-1] += none[0] - self.even

        def curved(direction: Floats) -> Floats:
            change = self.weights * self._spread(seen, self.matrix @ direction[:-1] + direction[-1])
            bent = np.vstack([self.transposed @ change + self.ridge * direction[:-1], change.sum(axis=0)])
            bent[-1] += self._spread(none, direction[-1:])[0]
            return bent

        variance = self.weights * seen * (1 - seen)
        diagonal = np.vstack([self.squared @ variance + self.ridge, variance.sum(axis=0) + none[0] * (1 - none[0])])
        return value, gradient, curved, np.maximum(diagonal, _LEAST_CURVATURE)

    def _forward(self, table: Floats) -> tuple[float, Floats, Floats]:
        """The sum, and the probabilities of the classes that have a column: of the items, and of the imaginary one."""
        logs, none_logs = self._logs(self.matrix @ table[:-1] + table[-1]), self._logs(table[-1:])
        targets = np.hstack([1 - self.targets, self.targets]) if self.is_binary else self.targets
        value = -float(np.vdot(self.weights * targets, logs)) - self.even * float(none_logs.sum())
        value += self.ridge / 2 * float(np.vdot(table[:-1], table[:-1]))
        first = 1 if self.is_binary else 0
        return value, np.exp(logs[:, first:]), np.exp(none_logs[:, first:])

    def _logs(self, scores: Floats) -> Floats:
        """Log-probabilities of all classes."""
        return _log_softmax(np.hstack([np.zeros_like(scores), scores]) if self.is_binary else scores)

    def _spread(self, probabilities: Floats, scores: Floats) -> Floats:
        """How probabilities change as scores do."""
        if self.is_binary:
            return probabilities * (1 - probabilities) * scores
        mean: Floats = (probabilities * scores).sum(axis=1, keepdims=True)
        return probabilities * (scores - mean)


def _minimum(problem: _Problem, table: Floats, tolerance: float) -> Floats:
    first = None
    for _ in range(_MOST_STEPS):
        value, gradient, curved, diagonal = problem.at(table)
        norm = float(np.linalg.norm(gradient / np.sqrt(diagonal)))
        if np.abs(gradient).max() <= tolerance * problem.total:
            break
        first = first or norm
        step = _conjugate_gradients(curved, gradient, diagonal, accuracy=min(0.3, (norm / first) ** 0.5))
        slope = float(np.vdot(gradient, step))
        length = 1.0
        while problem.value(table + length * step) > value + 1e-4 * length * slope and length > 1e-8:
            length /= 2
        table = table + length * step
    return table


def _conjugate_gradients(
    curved: Callable[[Floats], Floats], gradient: Floats, diagonal: Floats, *, accuracy: float
) -> Floats:
    """The step s with ``curved(s) = -gradient``, up to a share `accuracy` of the gradient."""
    step = np.zeros_like(gradient)
    residual = -gradient
    scaled = residual / diagonal
    direction = scaled.copy()
    size = start = float(np.vdot(residual, scaled))
    for _ in range(_MOST_DIRECTIONS):
        bent = curved(direction)
        length = size / float(np.vdot(direction, bent))
        step += length * direction
        residual -= length * bent
        scaled = residual / diagonal
        previous, size = size, float(np.vdot(residual, scaled))
        if size <= accuracy**2 * start:
            break
        direction *= size / previous
        direction += scaled
    return step


def _log_softmax(scores: Floats) -> Floats:
    shifted: Floats = scores - scores.max(axis=1, keepdims=True)
    total: Floats = np.exp(shifted).sum(axis=1, keepdims=True)
    return shifted - np.log(total)
