"""What a model's probabilities say, once its over- or underconfidence is taken out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._posterior import posterior
from labelmill.aggregation._tally import Floats
from labelmill.domain.sums import Ask, Rounds, Sums

__all__ = ["Bend", "bend", "log_of_soft", "newton", "tempered"]

SMALLEST = 1e-6
HIGHEST = 1.5
STEPS = 8
CLOSE_ENOUGH = 1e-4


def log_of_soft(probabilities: Floats) -> Floats:
    """Log probabilities with floor 1e-6, shape (n_items, n_classes); zeros where the model gave none."""
    given = np.asarray(np.isfinite(probabilities).all(axis=1))
    return np.log(np.where(given[:, None], np.maximum(probabilities, SMALLEST), 1.0))


def tempered(probabilities: Floats, temperature: float, rows: npt.NDArray[np.bool_]) -> Floats:
    """Probabilities to the power of a temperature above 0, scaled to sum to 1, on some rows; their order is kept.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n_items, n_classes)
        Rows sum to 1; not changed.
    temperature : float
        Below 1: less sure than before.
    rows : ndarray of bool, shape (n_items,)
        The others are left as they are, such as items without votes, which have the class balance.
    """
    if temperature == 1.0 or not probabilities.size:
        return probabilities
    powers = probabilities**temperature
    return np.where(rows[:, None], powers / np.einsum("ij->i", powers)[:, None], probabilities)


class Bend(NamedTuple):
    """First derivative of the log likelihood, and minus the second: what a Newton step needs."""

    gain: float
    curvature: float

    @property
    def sums(self) -> Sums:
        """The same as the answer of a shard."""
        return Sums((np.array(self),))

    @classmethod
    def of(cls, sums: Sums) -> Self:
        """The bend over all shards."""
        return cls(*sums.arrays[0].tolist())


def bend(log_soft: Floats, targets: Floats, weights: Floats, temperature: float, offset: Floats) -> Bend:
    """How sum_i w_i sum_k targets_ik log softmax(offset_i + T log p_i)_k bends at T, over these rows.

    Parameters
    ----------
    log_soft : ndarray of float64, shape (n_rows, n_classes)
        Log probabilities of the model.
    targets : ndarray of float64, same shape
        What the others make of the same items; rows sum to 1.
    weights : ndarray of float64, shape (n_rows,)
        How many items each row stands for.
    temperature : float
        T.
    offset : ndarray of float64, same shape as `log_soft`
        What is said beside it, as scores.
    """
    tempered, _ = posterior(offset + temperature * log_soft)
    mean = np.einsum("ij,ij->i", tempered, log_soft)
    variance = np.einsum("ij,ij,ij->i", tempered, log_soft, log_soft) - mean**2
    aim = np.einsum("ij,ij->i", targets, log_soft)
    return Bend(float(np.einsum("i,i->", weights, aim - mean)), float(np.einsum("i,i->", weights, variance)))


def newton(start: float, ask_at: Callable[[float], Ask], *, highest: float = HIGHEST) -> Rounds[float]:
    """The T in 0..highest that maximises the log likelihood less (T - 1)^2 / 2, by Newton steps from `start`.

    `ask_at(T)` asks for the `Bend` there. The last term, one item's worth of belief in the model as it is, decides
    where there are no targets.
    """
    temperature = start
    for _ in range(STEPS):
        gain, curvature = Bend.of((yield ask_at(temperature)))
        step = (gain + 1.0 - temperature) / (curvature + 1.0)
        after = float(np.clip(temperature + step, 0.0, highest))
        if abs(after - temperature) < CLOSE_ENOUGH:
            return after
        temperature = after
    return temperature
