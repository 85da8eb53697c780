"""How well predictions of held-out items fit their targets, once they are as sure as they should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from labelmill.learners._network import Network, log_softmax
from labelmill.learners._sample import Sample

__all__ = ["HeldOut", "best_temperature", "by_fit", "held_out", "log_loss"]

Floats = npt.NDArray[np.float64]
Predict = Callable[[Sample, npt.NDArray[np.intp]], Floats]

_SPAN: Final = float(np.log(30.0))
"""Temperatures tried lie between 1/30 and 30."""

_DOUBT: Final = 1.0
"""How strongly a temperature is drawn to 1, in items: a few lucky predictions do not make a head certain."""


@dataclass(frozen=True)
class HeldOut:
    """Items with targets and what was predicted of them without these.

    Parameters
    ----------
    logits : ndarray, shape (n_judged, n_classes)
    targets : ndarray, shape (n_judged, n_classes)
    weights : ndarray, shape (n_judged,)
    """

    logits: Floats
    targets: Floats
    weights: Floats

    @property
    def temperature(self) -> float:
        """What the logits must be divided by."""
        return best_temperature(self.logits, self.targets, self.weights)

    @property
    def score(self) -> float:
        """Mean cross-entropy at that temperature, nats; infinite if nothing was judged.

        Being too sure is not held against logits that order the classes rightly.
        """
        if not self.weights.any():
            return float("inf")
        return round(log_loss(self.logits / self.temperature, self.targets, self.weights), 6)

    def times(self, other: HeldOut) -> HeldOut:
        """The normalised product of two predictions of the same items."""
        return HeldOut(self.logits + other.logits, self.targets, self.weights)


def held_out(sample: Sample, predict: Predict, *, n_folds: int = 5, enough: int = 2_000) -> HeldOut:
    """Predictions for the items that teach, each without its own target.

    Parameters
    ----------
    predict : callable
        Takes the sample with the targets of a fold hidden and the places of the fold's items that teach; returns their
        logits.
    n_folds : int
    enough : int
        No more folds are predicted once so many items are.
    """
    logits, judged = [np.zeros((0, sample.n_classes))], np.zeros(0, dtype=np.intp)
    for fold in sample.held_out(n_folds):
        asked = np.flatnonzero(fold & sample.is_known)
        if len(asked) and len(judged) < enough:
            logits.append(predict(sample.without_targets(fold), asked))
            judged = np.append(judged, asked)
    return HeldOut(np.concatenate(logits), sample.targets[judged], sample.weights[judged])


def by_fit(learn: Callable[[Sample], Network]) -> Predict:
    """Predicts by what is learned of the sample."""

    def predict(seen: Sample, asked: npt.NDArray[np.intp]) -> Floats:
        return learn(seen).logits(seen.features[asked])

    return predict


def best_temperature(logits: Floats, targets: Floats, weights: Floats) -> float:
    """What the logits must be divided by for the least cross-entropy (Guo et al. 2017, arXiv:1706.04599).

    Where few items speak, it stays near 1.
    """
    total = float(weights.sum())
    if not total or logits.shape[1] < 2:
        return 1.0

    def loss(log_temperature: float) -> float:
        fit = log_loss(logits / np.exp(log_temperature), targets, weights)
        return fit + _DOUBT / 2 * log_temperature**2 / total

    return float(np.exp(minimize_scalar(loss, bounds=(-_SPAN, _SPAN), method="bounded").x))


def log_loss(logits: Floats, targets: Floats, weights: Floats) -> float:
    """Mean cross-entropy of the targets, in nats."""
    return -float(weights @ (targets * log_softmax(logits)).sum(axis=1)) / float(weights.sum())
