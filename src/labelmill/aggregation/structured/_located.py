"""Where something lies, from several who measured it with biases, noise and blunders of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Located", "Measurers", "locate", "measurers"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

PRIOR_ANSWERS = 4.0
"""Answers of the crowd's variance that everybody starts with."""

SMALLEST = 1e-3
"""Of the crowd's scale: nobody is taken for more exact."""

CLOSE_ENOUGH = 1e-6
"""Of the crowd's scale: change of a scale or bias at which the fit ends."""

FURTHEST = 1e50
"""Scales from a place at which something stays a blunder; its square is finite."""

STEPS = 30
"""To a place, once biases and scales are known."""

MIDDLE_STEPS = 5
"""To the middle of the biases, in every round."""


@dataclass(frozen=True, slots=True)
class Measurers:
    """What was learned of those who measure.

    Parameters
    ----------
    bias, scale : ndarray of float64, shape (n_annotators,)
        Mean error and scale of the noise, in the unit of the measurements; scales are above 0.
    pooled : float
        Scale of a typical annotator, above 0.
    iterations : int
    converged : bool
    """

    bias: Floats
    scale: Floats
    pooled: float
    iterations: int
    converged: bool


@dataclass(frozen=True, slots=True)
class Located:
    """Places and how sure they are, shape (n_units,) each; NaN and infinity for units nobody measured."""

    place: Floats
    variance: Floats
    weight: Floats
    """Shape (n_measurements,): 1 for an ordinary measurement, towards 0 for a blunder."""


def measurers(
    unit: Ints, annotator: Ints, x: Floats, n_units: int, n_annotators: int, *, degrees: float, max_iterations: int
) -> Measurers:
    r"""Bias and scale of each annotator, by expectation maximisation.

    .. math:: x_{uj} = t_u + b_j + \sigma_j \epsilon_{uj}, \qquad \epsilon \sim t_\nu

    Student's t as a Gaussian of random precision, so that a blunder weighs little (Lange, Little and Taylor 1989,
    https://doi.org/10.1080/01621459.1989.10478852); places have a flat prior and enter with their variance, without
    which whoever is followed most closely would be taken for exact; variances are shrunk to the crowd's (geometric
    mean, `PRIOR_ANSWERS`), biases to 0. Only differences of biases can be seen: they are measured from their mean,
    in which an odd one weighs little by the same t.
    """
    place = _medians(unit, x, n_units)
    residual = x - place[unit]
    # Whoever is off by the same each time has a bias; begun at 0, all its measurements would be taken for blunders.
    bias = np.nan_to_num(_medians(annotator, residual, n_annotators))
    beside = np.abs(residual - bias[annotator])
    pooled = _typical(beside)
    scale = np.maximum(np.nan_to_num(_medians(annotator, beside, n_annotators)), pooled)
    answered = np.bincount(annotator, minlength=n_annotators)
    bias_variance = max(_mean(bias[answered > 0] ** 2), pooled**2)
    iterations, converged = 0, not len(x)
    while not converged and iterations < max_iterations:
        before = np.concatenate([bias, scale])
        found = _step(unit, annotator, x, place, bias, scale, degrees)
        place = found.place
        precision = found.weight / scale[annotator] ** 2
        held = np.bincount(annotator, weights=precision, minlength=n_annotators) + 1.0 / bias_variance
        bias = np.bincount(annotator, weights=precision * (x - place[unit]), minlength=n_annotators) / held
        bias = _from_their_middle(bias, answered > 0, degrees)
        bias_variance = max(_mean((bias**2 + 1.0 / held)[answered > 0]), (SMALLEST * pooled) ** 2)
        squares = found.weight * ((x - place[unit] - bias[annotator]) ** 2 + found.variance[unit])
        crowd = float(np.exp(_mean(2.0 * np.log(scale[answered > 0]))))
        total = np.bincount(annotator, weights=squares, minlength=n_annotators) + PRIOR_ANSWERS * crowd
        scale = np.maximum(np.sqrt(total / (answered + PRIOR_ANSWERS)), SMALLEST * pooled)
        iterations += 1
        converged = bool(np.abs(np.concatenate([bias, scale]) - before).max() < CLOSE_ENOUGH * pooled)
    typical = float(np.exp(_mean(np.log(scale[answered > 0])))) if answered.any() else pooled
    return Measurers(bias, scale, typical, iterations, converged)


def locate(unit: Ints, x: Floats, bias: Floats, scale: Floats, n_units: int, *, degrees: float) -> Located:
    """The likeliest place of each unit.

    Parameters
    ----------
    unit : ndarray of int, shape (n_measurements,)
    x, bias, scale : ndarray of float64, shape (n_measurements,)
        What was measured, and the bias and scale of whoever measured it.
    """
    everyone = np.arange(len(x))
    found = Located(_medians(unit, x - bias, n_units), np.full(n_units, np.inf), np.ones(len(x)))
    for _ in range(STEPS):
        found = _step(unit, everyone, x, found.place, bias, scale, degrees)
    return found


def _step(
    unit: Ints, annotator: Ints, x: Floats, place: Floats, bias: Floats, scale: Floats, degrees: float
) -> Located:
    shifted, variance = x - bias[annotator], scale[annotator] ** 2
    away = np.clip((shifted - place[unit]) / scale[annotator], -FURTHEST, FURTHEST)
    weight = (degrees + 1.0) / (degrees + away**2)
    # Places are moved from where they are, so that what all agree on stays to the last bit.
    moved = np.bincount(unit, weights=weight / variance * (shifted - place[unit]), minlength=len(place))
    held = np.bincount(unit, weights=weight / variance, minlength=len(place))
    with np.errstate(divide="ignore", invalid="ignore"):
        return Located(place + moved / held, 1.0 / held, weight)


def _medians(unit: Ints, x: Floats, n_units: int) -> Floats:
    """Median of each unit, half way between two in the middle; NaN for those without measurements."""
    ordered = x[np.lexsort((x, unit))]
    counts = np.bincount(unit, minlength=n_units)
    first = np.cumsum(counts) - counts
    known = counts > 0
    low, high = first + (counts - 1) // 2, first + counts // 2
    medians = np.full(n_units, np.nan)
    medians[known] = ordered[low[known]] / 2 + ordered[high[known]] / 2
    return medians


def _typical(residuals: Floats) -> float:
    """A scale above 0: of the residuals that are not 0, which agreement to the last digit leaves many of."""
    apart = residuals[residuals > 0]
    if not len(apart):
        return 1.0
    share = len(apart) / len(residuals)
    return float(max(np.median(apart) * np.sqrt(share), np.finfo(np.float64).tiny ** 0.25))


def _from_their_middle(bias: Floats, answered: npt.NDArray[np.bool_], degrees: float) -> Floats:
    """Biases from a mean in which an odd one weighs little; 0 of those without answers."""
    known = bias[answered]
    if not len(known):
        return bias
    middle = float(np.median(known))
    spread = max(float(np.median(np.abs(known - middle))), np.finfo(np.float64).tiny ** 0.25)
    for _ in range(MIDDLE_STEPS):
        weight = (degrees + 1.0) / (degrees + ((known - middle) / spread) ** 2)
        middle += float((weight * (known - middle)).sum() / weight.sum())
    return np.where(answered, bias - middle, 0.0)


def _mean(x: Floats) -> float:
    return float(x.mean()) if len(x) else 0.0
