"""What all heads on features share: how they are fitted, asked, cross-validated, saved and loaded."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from labelmill.domain.item import ItemBatch
from labelmill.domain.ports import Progress
from labelmill.errors import NotFittedError, UsageError
from labelmill.learners._network import Network
from labelmill.learners._sample import Sample, features_of
from labelmill.learners._saved import loading, read_state, state_fingerprint, write_state

__all__ = ["FeatureHead", "Learning"]

Floats = npt.NDArray[np.float64]

_LAYOUT: Final = 1


@dataclass(frozen=True)
class Learning:
    """What is settled before a fit: how to learn, and what is told of the choice.

    Parameters
    ----------
    learn : callable
        Makes a network of a sample.
    details : dict
        JSON-able.
    """

    learn: Callable[[Sample], Network]
    details: dict[str, Any] = field(default_factory=dict)


class FeatureHead(ABC):
    """Learns classes from the features of items; what is fitted is a `Network`.

    Nothing is drawn at random but what follows from the items' ids and the seed, so neither the order of the items nor
    earlier fits change an answer. An item that could not be encoded teaches nothing and is predicted by the share of
    each class. Items of weight 0 are not learned from, but their features may be.

    Attributes
    ----------
    network_ : Network
        On features as the encoder makes them.
    shares_ : ndarray, shape (n_classes,)
        Share of each class among the targets.
    details_ : dict
        What the fit says about itself; JSON-able, kept with the model.
    """

    reads_features: ClassVar[bool] = True

    network_: Network
    shares_: Floats
    details_: dict[str, Any]

    def __init__(self, *, class_weight: str = "none", seed: int = 0) -> None:
        self.class_weight = class_weight
        self.seed = seed

    @abstractmethod
    def settled(self, sample: Sample) -> Learning:
        """Makes all choices that the targets decide, once for a fit and for its folds."""

    @abstractmethod
    def _check_options(self) -> None:
        """Raise UsageError for an impossible option."""

    def fit(
        self,
        batch: ItemBatch,
        probabilities: Floats,
        weights: Floats | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Learn from targets of shape (n_items, n_classes) and weights of shape (n_items,).

        An item whose targets are all zero teaches nothing. A weight of 2 is the same as the item twice.

        Raises
        ------
        UsageError
            If the batch has no features, shapes do not fit, a target or weight is negative or not a number, or an
            option is impossible.
        """
        sample = self._sample(batch, probabilities, weights)
        # More threads sum in another order, and cost more than they save on matrices this narrow.
        with threadpool_limits(1):
            learning = self.settled(sample)
            if progress is not None:
                progress(1, 2)
            self.network_ = learning.learn(sample).on_raw_features(sample.center, sample.scale)
        self.shares_, self.details_ = sample.shares, learning.details
        if progress is not None:
            progress(2, 2)
        return self

    def predict_proba(self, batch: ItemBatch) -> Floats:
        """Class probabilities, shape (n_items, n_classes); rows sum to 1.

        Raises
        ------
        NotFittedError
            If called before `fit`.
        UsageError
            If the features have another length than those learned from.
        """
        self._require_fit()
        features = features_of(batch)
        if features.shape[1] != self.network_.n_dimensions:
            raise UsageError(
                f"the features have {features.shape[1]} dimensions, learned were {self.network_.n_dimensions}: "
                "another encoder made them; train again"
            )
        is_encoded = np.isfinite(features).all(axis=1)
        probabilities = np.tile(self.shares_, (len(features), 1))
        probabilities[is_encoded] = self.network_.predict_proba(features[is_encoded])
        return probabilities

    def cross_predict_proba(
        self,
        batch: ItemBatch,
        probabilities: Floats,
        weights: Floats | None = None,
        *,
        n_folds: int = 3,
    ) -> Floats:
        """Class probabilities, shape (n_items, n_classes), each predicted by a fit that did not see its target.

        What `fit` chooses (strengths, kinds of head) is chosen once for all folds. With one item there is nothing to
        learn from, and its classes are equally likely. Leaves a fitted state as it is.
        """
        sample = self._sample(batch, probabilities, weights)
        if len(sample) < 2 or sample.n_classes < 2:
            return np.full((len(sample), sample.n_classes), 1 / sample.n_classes)
        if n_folds < 2:
            raise UsageError(f"n_folds must be at least 2, found {n_folds}")
        predicted = np.empty((len(sample), sample.n_classes))
        with threadpool_limits(1):
            learning = self.settled(sample)
            for held_out in sample.held_out(n_folds):
                seen = sample.without_targets(held_out)
                rows = learning.learn(seen).predict_proba(sample.features[held_out])
                rows[~sample.is_encoded[held_out]] = seen.shares
                predicted[sample.place[held_out]] = rows
        return predicted

    def save(self, folder: Path) -> None:
        """Write `model.npz` (arrays) and `model.json` (options and details); never a pickle."""
        self._require_fit()
        state = {"layout": _LAYOUT, "options": self._options(), "details": self.details_}
        write_state(folder, state, {**self.network_.arrays, "shares": self.shares_})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The learner that `save` wrote.

        Raises
        ------
        StorageError
            If its files are missing, damaged or of another layout.
        """
        with loading(folder):
            state, arrays = read_state(folder, layout=_LAYOUT)
            learner = cls(**state["options"])
            learner.shares_, learner.details_ = arrays.pop("shares"), state["details"]
            learner.network_ = Network.of_arrays(arrays)
        return learner

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the options and the fitted state; equal exactly when all predictions are."""
        self._require_fit()
        return state_fingerprint(self._options(), arrays={**self.network_.arrays, "shares": self.shares_})

    def _sample(self, batch: ItemBatch, probabilities: Floats, weights: Floats | None) -> Sample:
        self._check_options()
        return Sample.of(batch, probabilities, weights, class_weight=self.class_weight, seed=self.seed)

    def _options(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in list(inspect.signature(type(self)).parameters)}

    def _require_fit(self) -> None:
        if not hasattr(self, "network_"):
            raise NotFittedError(
                f"this {type(self).__name__} has not learned yet: call fit(batch, probabilities) first"
            )
