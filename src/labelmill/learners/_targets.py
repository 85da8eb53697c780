"""What learners are given: targets and weights checked, folds that follow from the items, and agreement."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from labelmill.domain.item import ItemBatch
from labelmill.errors import UsageError, nearest

__all__ = ["CLASS_WEIGHTS", "ClassWeight", "agreement", "checked_targets", "class_weighted", "folds", "item_keys"]

Floats = npt.NDArray[np.float64]

ClassWeight = Literal["none", "balanced"]
CLASS_WEIGHTS: Final[tuple[str, ...]] = get_args(ClassWeight)


def checked_targets(batch: ItemBatch, probabilities: Floats, weights: Floats | None) -> tuple[Floats, Floats]:
    """Targets whose rows sum to 1, and weights; copies. A row of zeros becomes even and weighs nothing.

    Raises
    ------
    UsageError
        If shapes do not fit, or a target or weight is negative or not a number.
    """
    targets = np.array(probabilities, dtype=np.float64)
    if targets.ndim != 2 or len(targets) != len(batch) or targets.shape[1] < 1:
        raise UsageError(f"targets must have shape ({len(batch)}, n_classes), found {targets.shape}")
    counts = np.ones(len(batch)) if weights is None else np.array(weights, dtype=np.float64)
    if counts.shape != (len(batch),):
        raise UsageError(f"weights must have shape ({len(batch)},), found {counts.shape}")
    for name, values in (("targets", targets), ("weights", counts)):
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise UsageError(f"{name} must be finite and not negative")
    sums = targets.sum(axis=1, keepdims=True)
    counts[sums[:, 0] == 0] = 0
    even = np.full_like(targets, 1 / targets.shape[1])
    return np.divide(targets, sums, out=even, where=sums > 0), counts


def class_weighted(targets: Floats, weights: Floats, class_weight: str) -> tuple[Floats, Floats]:
    r"""Targets and weights that let every class count the same, whatever its share.

    A weight :math:`c_k` on the loss of class k is a change of both: item i with targets :math:`t_{ik}` and weight
    :math:`w_i` becomes one of weight :math:`w_i \sum_k t_{ik} c_k` and targets in proportion to :math:`t_{ik} c_k`.
    `balanced` takes :math:`c_k` in proportion to 1 / (weight of the class), so that the total weight stays.

    Raises
    ------
    UsageError
        If there is no such way to weigh classes.
    """
    if class_weight not in CLASS_WEIGHTS:
        raise UsageError(f"unknown class_weight {class_weight!r}: {nearest(class_weight, CLASS_WEIGHTS)}")
    mass = weights @ targets
    if class_weight == "none" or not mass.any():
        return targets, weights
    occurs = mass > 0
    ratios = np.divide(mass.sum() / occurs.sum(), mass, out=np.zeros_like(mass), where=occurs)
    tilted = targets * ratios
    sums = tilted.sum(axis=1)
    even = np.full_like(targets, 1 / targets.shape[1])
    return np.divide(tilted, sums[:, None], out=even, where=sums[:, None] > 0), weights * sums


def item_keys(ids: Sequence[str], seed: int) -> npt.NDArray[np.uint64]:
    """A number for each item, drawn by the hash of its id: what follows from it does not know the order of items."""
    draws = [hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest() for name in ids]
    return np.frombuffer(b"".join(draws), dtype=">u8").astype(np.uint64)


def folds(keys: npt.NDArray[np.uint64], strata: npt.NDArray[np.int64], n_folds: int) -> npt.NDArray[np.int64]:
    """A fold for each item, shape (n_items,): every fold has its share of each stratum, whatever its number is.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n_items,)
        From `item_keys`.
    strata : ndarray of int, shape (n_items,)
        E.g. the likely class.
    n_folds : int
    """
    numbers = np.empty(len(keys), dtype=np.int64)
    _, stratum = np.unique(strata, return_inverse=True)
    first = np.full(stratum.max(initial=0) + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(first, stratum, keys)
    numbers[np.lexsort((keys, first[stratum]))] = np.arange(len(keys)) % n_folds
    return numbers


def agreement(predicted: Floats, targets: Floats, weights: Floats) -> float:
    """Weight of the targets on the classes predicted."""
    named = np.take_along_axis(targets, predicted.argmax(axis=1)[:, None], axis=1)[:, 0]
    return float(weights @ named)
