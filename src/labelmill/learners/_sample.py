"""What a head learns from: features on one scale, targets, weights, in an order that follows from the items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.item import ItemBatch
from labelmill.errors import UsageError
from labelmill.learners._targets import checked_targets, class_weighted, folds, item_keys

__all__ = ["Sample", "features_of"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Items to learn from, those of weight 0 for what their features alone tell.

    Parameters
    ----------
    features : ndarray of float32, shape (n_items, n_dimensions)
        Centred on the mean of all items and divided by their root mean square distance from it, so that a
        regularization means the same whatever an encoder's scale. Zeros for an item that could not be encoded.
    targets : ndarray, shape (n_items, n_classes)
        Rows sum to 1.
    weights : ndarray, shape (n_items,)
        0 where nothing is known, and for items without features.
    keys : ndarray of uint64, shape (n_items,)
        Drawn by the hash of the ids; the items are in their order.
    is_encoded : ndarray of bool, shape (n_items,)
    place : ndarray of int, shape (n_items,)
        Where in the batch each item stands.
    center : ndarray, shape (n_dimensions,)
    scale : float
    """

    features: npt.NDArray[np.float32]
    targets: Floats
    weights: Floats
    keys: npt.NDArray[np.uint64]
    is_encoded: npt.NDArray[np.bool_]
    place: npt.NDArray[np.intp]
    center: Floats
    scale: float

    @classmethod
    def of(
        cls, batch: ItemBatch, probabilities: Floats, weights: Floats | None, *, class_weight: str, seed: int
    ) -> Sample:
        """The items of a batch with their targets.

        Raises
        ------
        UsageError
            If the batch has no features, or targets and weights do not fit.
        """
        raw = features_of(batch)
        targets, counts = class_weighted(*checked_targets(batch, probabilities, weights), class_weight)
        is_encoded: npt.NDArray[np.bool_] = np.asarray(np.isfinite(raw).all(axis=1))
        counts[~is_encoded] = 0.0
        keys = item_keys(batch.ids, seed)
        order = np.lexsort((*raw.T[:2], keys))  # items that share an id still have one order
        center, scale = _measures(raw[order], is_encoded[order])
        features = np.zeros(raw.shape, dtype=np.float32)
        usable = is_encoded[order]
        features[usable] = (raw[order][usable] - center.astype(np.float32)) / np.float32(scale)
        return cls(features, targets[order], counts[order], keys[order], usable, order, center, scale)

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return int(self.targets.shape[1])

    @property
    def is_known(self) -> npt.NDArray[np.bool_]:
        """Items that teach, shape (n_items,)."""
        return self.weights > 0

    @property
    def shares(self) -> Floats:
        """Share of each class among the targets, shape (n_classes,); even without any."""
        mass = self.weights @ self.targets
        return mass / mass.sum() if mass.any() else np.full(self.n_classes, 1 / self.n_classes)

    def only(self, chosen: npt.NDArray[Any]) -> Sample:
        """Some of the items."""
        parts = ("features", "targets", "weights", "keys", "is_encoded", "place")
        return replace(self, **{name: getattr(self, name)[chosen] for name in parts})

    def without_targets(self, hidden: npt.NDArray[np.bool_]) -> Sample:
        """The same items, some of which teach nothing any more."""
        return replace(self, weights=np.where(hidden, 0.0, self.weights))

    def with_targets(self, targets: Floats, weights: Floats) -> Sample:
        """The same items with other targets and weights."""
        return replace(self, targets=targets, weights=weights)

    def chosen(self, count: int) -> npt.NDArray[np.intp]:
        """Places of the items that teach and of as many others, by lot, as make `count`; in order."""
        others = np.flatnonzero(~self.is_known & self.is_encoded)[: max(0, count - int(self.is_known.sum()))]
        return np.sort(np.append(np.flatnonzero(self.is_known), others))

    def held_out(self, n_folds: int) -> Iterator[npt.NDArray[np.bool_]]:
        """Folds of the items, each with its share of every likely class among those that teach."""
        strata = np.where(self.is_known, self.targets.argmax(axis=1), -1)
        numbers = folds(self.keys, strata, max(1, min(n_folds, len(self))))
        for k in range(int(numbers.max(initial=-1)) + 1):
            yield numbers == k


def features_of(batch: ItemBatch) -> npt.NDArray[np.float32]:
    """The batch's features.

    Raises
    ------
    UsageError
        If it has none, or not one row an item.
    """
    if batch.features is None:
        raise UsageError('this learner reads features, the items have none: set [features] encoder = "hashing"')
    features = np.asarray(batch.features, dtype=np.float32)
    if features.ndim != 2 or len(features) != len(batch) or not features.shape[1]:
        raise UsageError(f"features must have shape ({len(batch)}, n_dimensions), found {features.shape}")
    return features


def _measures(features: npt.NDArray[np.float32], usable: npt.NDArray[np.bool_]) -> tuple[Floats, float]:
    """The mean, and the root mean square distance from it."""
    if not usable.any():
        return np.zeros(features.shape[1]), 1.0
    center = features[usable].mean(axis=0, dtype=np.float64)
    spread = features.var(axis=0, dtype=np.float64, where=usable[:, None]).sum()
    return center, float(np.sqrt(spread)) if spread > 1e-20 else 1.0
