"""What a detector's scores mean: learned from how its boxes fare among everybody's."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Calibration", "fitted_calibration", "flat_calibration"]

Floats = npt.NDArray[np.float64]

LEAST = 1e-3
"""Scores are kept so far from 0 and 1."""

DOUBT = 1.0
"""Precision of the prior of slope and intercept, whose means are 1 and 0: scores mean what they say."""

STEPS = 12
CLOSE_ENOUGH = 1e-8


class Calibration(NamedTuple):
    """The chance to be real is sigmoid(intercept + slope logit(score)); `base` are the log odds over all its boxes."""

    intercept: float
    slope: float
    base: float

    def log_ratio(self, score: Floats) -> Floats:
        """Log of how much likelier a score is for a real object than for a false alarm."""
        return self.intercept + self.slope * _logit(score) - self.base


def flat_calibration() -> Calibration:
    """Scores that say nothing."""
    return Calibration(0.0, 0.0, 0.0)


def fitted_calibration(score: Floats, real: Floats) -> Calibration:
    """Scaling by a sigmoid (Platt 1999) to soft answers, by Newton's steps; the slope is never negative.

    Parameters
    ----------
    score : array of float, shape (n_boxes,)
    real : array of float, shape (n_boxes,)
        How likely each box is a real object.
    """
    if not len(score):
        return flat_calibration()
    design = np.stack([np.ones(len(score)), _logit(score)], axis=1)
    start: Floats = np.array([0.0, 1.0])
    weights = start.copy()
    for _ in range(STEPS):
        chance = _sigmoid(design[:, 0] * weights[0] + design[:, 1] * weights[1])
        pull = real - chance
        gradient = np.array([pull.sum(), (pull * design[:, 1]).sum()]) - DOUBT * (weights - start)
        curve = chance * (1.0 - chance)
        a, b, c = curve.sum() + DOUBT, (curve * design[:, 1]).sum(), (curve * design[:, 1] ** 2).sum() + DOUBT
        step = np.array([c * gradient[0] - b * gradient[1], a * gradient[1] - b * gradient[0]]) / (a * c - b * b)
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        weights = np.array([weights[0] + step[0], max(weights[1] + step[1], 0.0)])
        if float(np.abs(step).max()) < CLOSE_ENOUGH:
            break
    mean = min(max((float(real.sum()) + 0.5) / (len(real) + 1.0), LEAST), 1.0 - LEAST)
    return Calibration(float(weights[0]), float(weights[1]), float(np.log(mean / (1.0 - mean))))


def _logit(score: Floats) -> Floats:
    kept = np.clip(score, LEAST, 1.0 - LEAST)
    return np.log(kept / (1.0 - kept))


def _sigmoid(x: Floats) -> Floats:
    return 0.5 * (1.0 + np.tanh(0.5 * x))
