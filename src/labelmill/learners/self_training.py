"""Self-training: a regression that also learns from what it is sure of itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from labelmill.errors import UsageError
from labelmill.learners._feature_head import FeatureHead, Learning
from labelmill.learners._network import Network
from labelmill.learners._sample import Sample
from labelmill.learners.linear_head import learn_linear, linear_learning

__all__ = ["SelfTraining", "Teaching", "learn_by_self_training", "pseudo_labels"]

Floats = npt.NDArray[np.float64]

_FULL: Final = 0.8
"""Share of the items without a target that has a pseudo-label in the last round."""


@dataclass(frozen=True)
class Teaching:
    """How a regression teaches itself.

    Parameters
    ----------
    rounds : int
        In round r of n, r / n of `_FULL` of the items without a target get a pseudo-label, the surest first.
    confidence : float
        Probability below which none is given.
    trust : float
        What all pseudo-labels weigh together, in multiples of what the targets weigh.
    is_balanced : bool
        Give every class its share among the targets, not what the regression believes: otherwise the common classes
        take over.
    most_items : int
        Items without a target that take part at most.
    """

    rounds: int = 3
    confidence: float = 0.0
    trust: float = 3.0
    is_balanced: bool = True
    most_items: int = 2_000


class SelfTraining(FeatureHead):
    """Softmax regression, its sure predictions as further targets, and again.

    Parameters
    ----------
    rounds, confidence, trust, is_balanced, most_items
        See `Teaching`.
    regularization : float, optional
        See `LinearHead`.
    class_weight : {"none", "balanced"}
    seed : int
        Of the lot that decides who takes part, and of folds.

    References
    ----------
    Lee (2013). Pseudo-label. ICML workshop on challenges in representation learning. The growing share is that of
    curriculum labeling (Cascante-Bonilla et al. 2021, doi:10.1609/aaai.v35i8.16852).
    """

    def __init__(
        self,
        *,
        rounds: int = 3,
        confidence: float = 0.0,
        trust: float = 3.0,
        is_balanced: bool = True,
        most_items: int = 2_000,
        regularization: float | None = None,
        class_weight: str = "none",
        seed: int = 0,
    ) -> None:
        super().__init__(class_weight=class_weight, seed=seed)
        self.rounds = rounds
        self.confidence = confidence
        self.trust = trust
        self.is_balanced = is_balanced
        self.most_items = most_items
        self.regularization = regularization

    def _check_options(self) -> None:
        for name, value in (("rounds", self.rounds), ("most_items", self.most_items)):
            if value < 1:
                raise UsageError(f"{name} must be at least 1, found {value}")
        if not 0 <= self.confidence < 1:
            raise UsageError(f"confidence must lie in [0, 1), found {self.confidence}")
        for name, number in (("trust", self.trust), ("regularization", self.regularization)):
            if number is not None and not number > 0:
                raise UsageError(f"{name} must be above 0, found {number}")

    def settled(self, sample: Sample) -> Learning:
        """Rounds of regression of the strength that is best without them."""
        strength = linear_learning(sample, self.regularization).details["regularization"]
        teaching = Teaching(self.rounds, self.confidence, self.trust, self.is_balanced, self.most_items)
        learn = partial(learn_by_self_training, teaching=teaching, regularization=strength)
        return Learning(learn, {"regularization": strength, "rounds": self.rounds})


def learn_by_self_training(sample: Sample, *, teaching: Teaching, regularization: float) -> Network:
    """The regression of a sample after the last round."""
    some = sample.only(sample.chosen(int(sample.is_known.sum()) + teaching.most_items))
    network = learn_linear(some, regularization=regularization)
    if not (~some.is_known & some.is_encoded).any() or not some.is_known.any():
        return network
    for i in range(teaching.rounds):
        taught = pseudo_labels(some, network, teaching, share=_FULL * (i + 1) / teaching.rounds)
        network = learn_linear(taught, regularization=regularization, start=network)
    return network


def pseudo_labels(sample: Sample, network: Network, teaching: Teaching, *, share: float) -> Sample:
    """The sample with pseudo-labels on that share of its items without targets, the surest of each class.

    Each is certain of its class and weighs the probability of it; the weights are scaled to `Teaching.trust`.
    """
    open_places = np.flatnonzero(~sample.is_known & sample.is_encoded)
    probabilities = network.predict_proba(sample.features[open_places])
    labels, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wanted = _quota(sample, labels, share, is_balanced=teaching.is_balanced)
    chosen = np.concatenate([_surest(labels == k, sure, n) for k, n in enumerate(wanted)])
    chosen = chosen[sure[chosen] >= teaching.confidence]
    targets, weights = sample.targets.copy(), sample.weights.copy()
    places = open_places[chosen]
    targets[places] = np.eye(sample.n_classes)[labels[chosen]]
    mass = float(sure[chosen].sum())
    weights[places] = sure[chosen] * (teaching.trust * float(sample.weights.sum()) / mass if mass else 0.0)
    return sample.with_targets(targets, weights)


def _quota(sample: Sample, labels: npt.NDArray[np.intp], share: float, *, is_balanced: bool) -> npt.NDArray[np.intp]:
    """How many pseudo-labels each class gets, shape (n_classes,)."""
    given = np.bincount(labels, minlength=sample.n_classes) * share
    fair = sample.shares * len(labels) * share
    return np.asarray(np.floor(np.minimum(given, fair) if is_balanced else given), dtype=np.intp)


def _surest(own: npt.NDArray[np.bool_], sure: Floats, count: int) -> npt.NDArray[np.intp]:
    """Places of the surest items of a class."""
    places = np.flatnonzero(own)
    return places[np.argsort(-sure[places], kind="stable")[:count]]
