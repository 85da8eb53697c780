"""The head that cross-validation prefers among regression, label spreading, their product and self-training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from labelmill import registry
from labelmill.errors import MissingDependencyError, UsageError
from labelmill.learners._feature_head import FeatureHead, Learning
from labelmill.learners._held_out import HeldOut, by_fit, held_out
from labelmill.learners._network import Network
from labelmill.learners._sample import Sample
from labelmill.learners.label_spreading import Spreading
from labelmill.learners.linear_head import linear_learning
from labelmill.learners.self_training import Teaching, learn_by_self_training

__all__ = ["AutoHead"]

Floats = npt.NDArray[np.float64]

_N_JUDGED: Final = 2_000
"""Items with targets from which label spreading and self-training are not tried any more: there they stopped helping,
and they take many times the time of a regression."""


@dataclass(frozen=True)
class _Candidate:
    """A way to learn, and how it predicted held-out items."""

    learn: Callable[[Sample], Network]
    judged: HeldOut

    def calibrated(self, sample: Sample) -> Network:
        """What it learns of a sample, as sure as the held-out items say."""
        return self.learn(sample).cooled(self.judged.temperature)


class AutoHead(FeatureHead):
    """Chooses among heads by their predictions of held-out items, and makes the best as sure as it should be.

    Tried are regression (`linear_head`), label spreading, the product of both, and self-training; the latter three only
    up to 2,000 items with targets and where other items have none. From `large` items with targets on, the torch head
    is tried beside regression, if torch is installed. Each predicts the items with targets in five folds; the least
    cross-entropy at a temperature of its own wins, and the winner keeps that temperature.

    Parameters
    ----------
    most_items : int
        Items in the graph of label spreading, at most.
    large : int
        Items with targets from which the torch head is tried.
    class_weight : {"none", "balanced"}
        `balanced` lets every class count the same, whatever its share.
    seed : int
        Of folds and lots.

    Attributes
    ----------
    details_ : dict
        `head` (the choice), `scores` (head -> mean cross-entropy of held-out targets, nats), `temperature`,
        `regularization`, and `left_out` (head -> why it was not tried).
    """

    def __init__(
        self, *, most_items: int = 10_000, large: int = 20_000, class_weight: str = "none", seed: int = 0
    ) -> None:
        super().__init__(class_weight=class_weight, seed=seed)
        self.most_items = most_items
        self.large = large

    def _check_options(self) -> None:
        for name, value in (("most_items", self.most_items), ("large", self.large)):
            if value < 1:
                raise UsageError(f"{name} must be at least 1, found {value}")

    def settled(self, sample: Sample) -> Learning:
        """The best candidate, at its temperature."""
        regression = linear_learning(sample)
        candidates, left_out = self._candidates(sample, regression)
        name = min(candidates, key=lambda head: candidates[head].judged.score)
        details = {
            "head": name,
            "scores": {head: _told(candidate.judged.score) for head, candidate in candidates.items()},
            "temperature": round(candidates[name].judged.temperature, 4),
            **regression.details,
            "left_out": left_out,
        }
        return Learning(candidates[name].calibrated, details)

    def _candidates(self, sample: Sample, regression: Learning) -> tuple[dict[str, _Candidate], dict[str, str]]:
        """What is tried, regression first, which wins a draw; and why others are not."""
        found = {"linear": _fitted(sample, regression.learn)}
        left_out: dict[str, str] = {}
        n_known, n_open = int(sample.is_known.sum()), int((~sample.is_known & sample.is_encoded).sum())
        if not n_known or not n_open or n_known > _N_JUDGED:
            reason = "no item is without a target" if not n_open else f"{n_known:,} items have targets"
            left_out |= dict.fromkeys(("spread", "product", "self_training"), reason)
        else:
            found |= _semi_supervised(sample, regression, found["linear"], self.most_items)
        if n_known < self.large:
            return found, left_out | {"torch": f"fewer than {self.large:,} items have targets"}
        try:
            found["torch"] = _fitted(
                sample, registry.find("learner", "torch_head")(seed=self.seed).settled(sample).learn
            )
        except MissingDependencyError as error:
            left_out["torch"] = str(error)
        return found, left_out


def _semi_supervised(
    sample: Sample, regression: Learning, linear: _Candidate, most_items: int
) -> dict[str, _Candidate]:
    """What also learns from items without targets."""
    spreading = Spreading.over(sample, most_items)

    def arrived(seen: Sample, asked: npt.NDArray[np.intp]) -> Floats:
        return spreading.logits(seen)[asked]

    def product(seen: Sample) -> Network:
        return regression.learn(seen).times(spreading.learn(seen))

    spread = _Candidate(spreading.learn, held_out(sample, arrived))
    taught = partial(learn_by_self_training, teaching=Teaching(), **regression.details)
    return {
        "spread": spread,
        "product": _Candidate(product, linear.judged.times(spread.judged)),
        "self_training": _fitted(sample, taught),
    }


def _fitted(sample: Sample, learn: Callable[[Sample], Network]) -> _Candidate:
    return _Candidate(learn, held_out(sample, by_fit(learn)))


def _told(score: float) -> float | None:
    """For JSON, which has no infinity: None where nothing could be judged."""
    return score if np.isfinite(score) else None
