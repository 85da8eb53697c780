"""How even the classes are, what each should weigh, and how to draw a more even set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN
from labelmill.errors import UsageError, nearest

__all__ = ["Balance", "Plan", "Resampling", "Weighing", "class_balance", "class_weights", "draw", "resampling_plan"]

Floats = npt.NDArray[np.float64]

Weighing = Literal["inverse", "effective", "none"]
Resampling = Literal["over", "under", "mean"]


@dataclass(frozen=True, slots=True)
class Balance:
    """How many items each class has.

    Parameters
    ----------
    counts : mapping of str to float
        Class -> items, or their expected number, in class order.
    shares : mapping of str to float
        Class -> share of the items with a label; 0 without any.
    effective_classes : float
        As many equally frequent classes have the same entropy: from 1 (one class has all) to the number of classes.
    ratio : float or None
        Items of the most frequent class for each of the rarest; None where a class has none.
    """

    counts: Mapping[str, float]
    shares: Mapping[str, float]
    effective_classes: float
    ratio: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many items of each class to draw.

    Parameters
    ----------
    counts : mapping of str to int
        Class -> items there are.
    targets : mapping of str to int
        Class -> items to draw. Up to their count each is drawn at most once; beyond it each equally often, give or
        take one.
    """

    counts: Mapping[str, int]
    targets: Mapping[str, int]

    @property
    def n_drawn(self) -> int:
        """Items the drawn set has, repeats counted."""
        return sum(self.targets.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "n_drawn": self.n_drawn}


def class_balance(labels: npt.ArrayLike, classes: Sequence[str]) -> Balance:
    """The balance of labels, or of probabilities.

    Parameters
    ----------
    labels : array of int, shape (n_items,), or of float, shape (n_items, n_classes)
        Class index, ABSTAIN (-1) where there is none; or the probability of each class.
    classes : sequence of str

    Raises
    ------
    UsageError
        If the labels do not fit the classes.

    Examples
    --------
    >>> balance = class_balance([0, 0, 0, 1], ["ham", "spam"])
    >>> balance.ratio, round(balance.effective_classes, 2)
    (3.0, 1.75)
    """
    counts = _counts(labels, classes)
    total = float(counts.sum())
    shares = counts / total if total else np.zeros(len(counts))
    some = shares[shares > 0]
    return Balance(
        dict(zip(classes, counts.tolist(), strict=True)),
        dict(zip(classes, shares.tolist(), strict=True)),
        float(np.exp(-(some * np.log(some)).sum())) if total else 0.0,
        float(counts.max() / counts.min()) if len(counts) and counts.min() > 0 else None,
    )


def class_weights(
    counts: Mapping[str, float], *, weighing: Weighing = "effective", beta: float = 0.999
) -> dict[str, float]:
    r"""What an item of each class should weigh in training, so that rare classes are heard.

    `inverse`: :math:`w_k \propto 1 / n_k`. `effective`: :math:`w_k \propto (1 - \beta) / (1 - \beta^{n_k})`, the
    inverse of the effective number of samples (Cui et al. 2019, doi:10.1109/CVPR.2019.00949): further items of a class
    bring ever less that is new; :math:`\beta = 0` weighs all alike, :math:`\beta \to 1` is `inverse`. Weights of the
    classes that have items have mean 1, as there; a class without items weighs 0.

    Parameters
    ----------
    counts : mapping of str to float
        Class -> items.
    weighing : {"inverse", "effective", "none"}
    beta : float
        At least 0, below 1.

    Raises
    ------
    UsageError
        If a count is below 0, or beta out of range.

    Examples
    --------
    >>> class_weights({"ham": 900, "spam": 100}, weighing="inverse")
    {'ham': 0.2, 'spam': 1.8}
    """
    if weighing not in get_args(Weighing):
        raise UsageError(f"unknown weighing {weighing!r}: {nearest(weighing, get_args(Weighing))}")
    if not 0 <= beta < 1:
        raise UsageError(f"beta must lie in [0, 1), found {beta!r}: 0 weighs all classes alike, near 1 is the inverse")
    n = np.array(list(counts.values()), dtype=np.float64)
    if not (np.isfinite(n) & (n >= 0)).all():
        raise UsageError("counts must be numbers from 0 up")
    has = n > 0
    weights = np.zeros(len(n))
    if weighing == "inverse":
        weights[has] = 1 / n[has]
    elif weighing == "effective" and beta:
        weights[has] = -1 / np.expm1(n[has] * np.log(beta))
    else:
        weights[has] = 1.0
    weights *= has.sum() / max(float(weights.sum()), 1e-300)
    return {name: round(weight, 12) for name, weight in zip(counts, weights.tolist(), strict=True)}


def resampling_plan(counts: Mapping[str, int], *, resampling: Resampling = "over", most: float | None = None) -> Plan:
    """How many items of each class to draw for a more even set.

    Parameters
    ----------
    counts : mapping of str to int
        Class -> items. A class without any stays without.
    resampling : {"over", "under", "mean"}
        Bring every class to the most frequent one's count, to the rarest one's, or to the mean.
    most : float, optional
        How often a single item may be repeated at most; `over` a very rare class teaches its few items by heart.

    Raises
    ------
    UsageError
        If an option is impossible.

    Examples
    --------
    >>> resampling_plan({"ham": 900, "spam": 100}, most=3).targets
    {'ham': 900, 'spam': 300}
    """
    if resampling not in get_args(Resampling):
        raise UsageError(f"unknown resampling {resampling!r}: {nearest(resampling, get_args(Resampling))}")
    if most is not None and not most >= 1:
        raise UsageError(
            f"most must be at least 1, found {most!r}: each item is drawn at least once before any is twice"
        )
    some = [n for n in counts.values() if n > 0]
    if any(n < 0 for n in counts.values()):
        raise UsageError("counts must be numbers from 0 up")
    goals = {"over": max(some, default=0), "under": min(some, default=0), "mean": _mean(some)}
    goal = goals[resampling]
    targets = {
        name: 0 if n == 0 else min(goal, int(n * most)) if most is not None and goal > n else goal
        for name, n in counts.items()
    }
    return Plan(dict(counts), targets)


def draw(labels: npt.ArrayLike, plan: Plan, *, seed: int = 0) -> npt.NDArray[np.intp]:
    """The items of a plan: indices into the labels, in a random order that the seed decides.

    Parameters
    ----------
    labels : array of int, shape (n_items,)
        Class index, ABSTAIN (-1) where there is none: such items are never drawn.
    plan : Plan
        Of these labels.

    Raises
    ------
    UsageError
        If the labels are not those of the plan.
    """
    index = np.asarray(labels, dtype=np.int64)
    rng = np.random.default_rng(seed)
    parts = [np.zeros(0, dtype=np.intp)]
    for k, (name, wanted) in enumerate(plan.targets.items()):
        own = np.flatnonzero(index == k)
        if len(own) != plan.counts[name]:
            raise UsageError(f"the plan is for {plan.counts[name]:,} items of {name!r}, the labels have {len(own):,}")
        whole, rest = divmod(wanted, len(own)) if len(own) else (0, 0)
        parts += [np.repeat(own, whole), rng.permutation(own)[:rest]]
    return np.asarray(rng.permutation(np.concatenate(parts)))


def _mean(counts: Sequence[int]) -> int:
    return round(sum(counts) / max(len(counts), 1))


def _counts(labels: npt.ArrayLike, classes: Sequence[str]) -> Floats:
    given = np.asarray(labels)
    if given.ndim == 2 and given.shape[1] == len(classes):
        return np.asarray(given.sum(axis=0), dtype=np.float64)
    if given.ndim != 1:
        raise UsageError(
            f"labels have shape {given.shape} for {len(classes)} classes: an index or {len(classes)} shares each"
        )
    index = given.astype(np.int64)
    if index.size and not ABSTAIN <= index.min() <= index.max() < len(classes):
        raise UsageError(f"labels must lie in -1..{len(classes) - 1}, found {index.min()}..{index.max()}")
    return np.bincount(index[index != ABSTAIN], minlength=len(classes)).astype(np.float64)
