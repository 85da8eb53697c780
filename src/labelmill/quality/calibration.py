"""Whether probabilities mean what they say: reliability diagram, expected calibration error, Brier score."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN
from labelmill.errors import UsageError
from labelmill.quality.bounds import wilson_interval

__all__ = ["Calibration", "CalibrationBin", "best_temperature", "calibration", "confidence_bins", "tempered"]

COLDEST, HOTTEST = 0.02, 5.0
"""Temperatures looked at."""
SMALLEST = 1e-9
"""Probabilities below this say no more than it."""


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """One bar of the reliability diagram.

    Parameters
    ----------
    low, high : float
        Confidences in (low, high]; the first bin holds `low` too.
    n_items : int
    confidence, accuracy : float
        Mean confidence, and share of right labels.
    accuracy_low, accuracy_high : float
        95 % Wilson interval.
    """

    low: float
    high: float
    n_items: int
    confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How confidence and accuracy differ.

    Parameters
    ----------
    bins : tuple of CalibrationBin
        Non-empty ones, ascending.
    expected_error : float
        ECE: mean of |confidence - accuracy| over bins, weighted by items; NaN without items.
    largest_error : float
        The largest such difference.
    brier : float
        Mean squared distance between probabilities and truth, 0 to 2.
    accuracy, confidence : float
        Means over all items.
    n_items : int
        Items whose truth is known.
    """

    bins: tuple[CalibrationBin, ...]
    expected_error: float
    largest_error: float
    brier: float
    accuracy: float
    confidence: float
    n_items: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; what is not defined is None."""
        data = {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in asdict(self).items()}
        return data | {"bins": [asdict(b) for b in self.bins]}


def calibration(
    probabilities: npt.NDArray[np.floating[Any]], truth: npt.NDArray[np.integer[Any]], *, n_bins: int = 10
) -> Calibration:
    r"""Compare the confidence of the likeliest class with how often it is right.

    Bins are equally wide in confidence; :math:`ECE = \sum_b \frac{n_b}{n} |acc_b - conf_b|` (Guo et al. 2017,
    arXiv 1706.04599).

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_items, n_classes)
        Rows sum to 1.
    truth : ndarray of int, shape (n_items,)
        Class index, ABSTAIN (-1) where not known: such items are left out.
    n_bins : int
        Over [0, 1].

    Raises
    ------
    UsageError
        If the shapes do not fit, a truth is no class, or `n_bins` is under 1.

    Examples
    --------
    >>> p = np.array([[0.8, 0.2], [0.8, 0.2], [0.8, 0.2], [0.8, 0.2]])
    >>> round(calibration(p, np.array([0, 0, 0, 1])).expected_error, 3)
    0.05
    """
    _check(probabilities, truth, n_bins)
    known = truth != ABSTAIN
    p, y = np.asarray(probabilities, dtype=np.float64)[known], truth[known]
    n = len(y)
    if not n:
        nan = float("nan")
        return Calibration((), nan, nan, nan, nan, nan, 0)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    bins = confidence_bins(confidence, right, n_bins)
    gaps = np.array([abs(b.confidence - b.accuracy) for b in bins])
    brier = (p * p).sum(axis=1) - 2 * p[np.arange(n), y] + 1
    return Calibration(
        bins=bins,
        expected_error=float(np.average(gaps, weights=[b.n_items for b in bins])),
        largest_error=float(gaps.max()),
        brier=float(brier.mean()),
        accuracy=float(right.mean()),
        confidence=float(confidence.mean()),
        n_items=n,
    )


def tempered(probabilities: npt.NDArray[np.floating[Any]], temperature: float) -> npt.NDArray[np.float64]:
    """Probabilities to the power of a temperature above 0, scaled so that rows sum to 1; their order is kept.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_items, n_classes)
        Rows sum to 1.
    temperature : float
        Below 1: less sure than before. The inverse of what Guo et al. (2017) call so.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    if temperature == 1.0 or not p.size:
        return p
    powers = p**temperature
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def best_temperature(probabilities: npt.NDArray[np.floating[Any]], truth: npt.NDArray[np.integer[Any]]) -> float:
    r"""The temperature T between 0.02 and 5 under which the truth is likeliest.

    .. math:: \max_T \sum_i \log \frac{p_{i y_i}^T}{\sum_k p_{ik}^T} - \frac{(\log T)^2}{2}

    Temperature scaling (Guo, Pleiss, Sun and Weinberger 2017, arXiv 1706.04599) with one item's worth of belief in the
    probabilities as they are, so that truth that is never contradicted does not ask for certainty.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_items, n_classes)
        Of a model that has not seen the truth of these items. Rows sum to 1.
    truth : ndarray of int, shape (n_items,)
        Class index, ABSTAIN (-1) where not known: such items are left out.

    Raises
    ------
    UsageError
        If the shapes do not fit, or a truth is no class.

    Examples
    --------
    >>> p = np.tile([0.99, 0.01], (100, 1))
    >>> truth = np.repeat([0, 1], [80, 20])
    >>> round(float(tempered(p, best_temperature(p, truth))[0, 0]), 2)
    0.8
    """
    from scipy.optimize import minimize_scalar

    _check(probabilities, truth, 1)
    known = truth != ABSTAIN
    logs = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64)[known], SMALLEST))
    named = logs[np.arange(len(logs)), truth[known]]

    def loss(log_t: float) -> float:
        scores = np.exp(log_t) * logs
        top = scores.max(axis=1, initial=-np.inf)
        normaliser = np.log(np.exp(scores - top[:, None]).sum(axis=1)) + top
        return float((normaliser - np.exp(log_t) * named).sum() + 0.5 * log_t**2)

    if not len(logs):
        return 1.0
    bounds = (float(np.log(COLDEST)), float(np.log(HOTTEST)))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6}).x))


def confidence_bins(
    confidence: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], n_bins: int = 10
) -> tuple[CalibrationBin, ...]:
    """The bars of a reliability diagram: bins of one width over [0, 1], empty ones left out.

    Parameters
    ----------
    confidence : ndarray of float64, shape (n,)
        Between 0 and 1.
    right : ndarray of bool, shape (n,)
    n_bins : int
        1 or more.
    """
    edges = np.linspace(0, 1, n_bins + 1)
    at = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, n_bins - 1)
    counts = np.bincount(at, minlength=n_bins)
    n_right = np.bincount(at, weights=right, minlength=n_bins)
    total = np.bincount(at, weights=confidence, minlength=n_bins)
    low, high = wilson_interval(n_right, counts)
    return tuple(
        CalibrationBin(
            low=float(edges[b]),
            high=float(edges[b + 1]),
            n_items=int(counts[b]),
            confidence=float(total[b] / counts[b]),
            accuracy=float(n_right[b] / counts[b]),
            accuracy_low=float(low[b]),
            accuracy_high=float(high[b]),
        )
        for b in np.flatnonzero(counts).tolist()
    )


def _check(probabilities: npt.NDArray[np.floating[Any]], truth: npt.NDArray[np.integer[Any]], n_bins: int) -> None:
    if probabilities.ndim != 2 or truth.shape != probabilities.shape[:1]:
        raise UsageError(
            f"probabilities of shape {probabilities.shape} and truth of shape {truth.shape}: expected "
            "(n_items, n_classes) and (n_items,)"
        )
    if truth.size and not ABSTAIN <= int(truth.min()) <= int(truth.max()) < probabilities.shape[1]:
        raise UsageError(f"truth must lie in -1..{probabilities.shape[1] - 1}, found {truth.min()}..{truth.max()}")
    if n_bins < 1:
        raise UsageError(f"n_bins must be 1 or more, found {n_bins}")
