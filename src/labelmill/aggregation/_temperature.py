"""What a model's probabilities say, once its over- or underconfidence is taken out."""

from __future__ import annotations

import numpy as np

from labelmill.aggregation._posterior import posterior
from labelmill.aggregation._tally import Floats

__all__ = ["learned_temperature", "log_of_soft"]

SMALLEST = 1e-6
HIGHEST = 1.5
STEPS = 8


def log_of_soft(probabilities: Floats) -> Floats:
    """Log probabilities with floor 1e-6, shape (n_items, n_classes); zeros where the model gave none."""
    given = np.asarray(np.isfinite(probabilities).all(axis=1))
    return np.log(np.where(given[:, None], np.maximum(probabilities, SMALLEST), 1.0))


def learned_temperature(
    log_soft: Floats, targets: Floats, start: float, *, offset: Floats | None = None, highest: float = HIGHEST
) -> float:
    """The T that maximises sum_ik targets_ik log softmax(offset_i + T log p_i)_k - (T - 1)^2 / 2, by Newton steps.

    The last term, one item's worth of belief in the model as it is, decides where there are no targets.

    Parameters
    ----------
    log_soft : ndarray of float64, shape (n_rows, n_classes)
        Log probabilities of the model.
    targets : ndarray of float64, same shape
        What the others make of the same items; rows sum to 1.
    start : float
        Where to start.
    offset : ndarray of float64, same shape, optional
        What is said beside it, as scores; 0 without.
    highest : float
        T lies between 0 and this.
    """
    beside = np.zeros_like(log_soft) if offset is None else offset
    temperature = start
    aim = float(np.einsum("ij,ij->", targets, log_soft))
    for _ in range(STEPS):
        tempered, _ = posterior(beside + temperature * log_soft)
        mean = np.einsum("ij,ij->i", tempered, log_soft)
        variance = np.einsum("ij,ij,ij->i", tempered, log_soft, log_soft) - mean**2
        step = (aim - mean.sum() + 1.0 - temperature) / (variance.sum() + 1.0)
        after = float(np.clip(temperature + step, 0.0, highest))
        if abs(after - temperature) < 1e-4:
            return after
        temperature = after
    return temperature
