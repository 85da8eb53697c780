"""Softmax regression on features: the head to begin with."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from labelmill.errors import UsageError
from labelmill.learners._feature_head import FeatureHead, Learning
from labelmill.learners._held_out import by_fit, held_out
from labelmill.learners._network import Network
from labelmill.learners._sample import Sample
from labelmill.learners._softmax_fit import fit_softmax

__all__ = ["LinearHead", "learn_linear", "linear_learning"]

_STRENGTHS: Final = (1.0, 0.1, 0.01)
"""Regularizations tried, from simple models to bold ones; features have a root mean square length of 1."""

_N_CHOICE: Final = 2_000
"""Items the choice is made on, at most."""

_CHOICE_FOLDS: Final = 3


class LinearHead(FeatureHead):
    """Softmax regression on features and probabilistic targets, by L-BFGS.

    Parameters
    ----------
    regularization : float, optional
        Strength of the ridge on features of root mean square length 1, see `fit_softmax`. Without it, that of 1, 0.1
        and 0.01 is taken whose predictions of held-out items have the least cross-entropy at their best temperature:
        being too sure is not held against a model that orders the classes rightly.
    class_weight : {"none", "balanced"}
        `balanced` lets every class count the same, whatever its share.
    warm_start : bool
        Begin where the last fit ended, if it had as many features and classes: quicker from round to round, and the
        answer differs within the tolerance of a fit.
    seed : int
        Of the folds.

    Examples
    --------
    >>> import numpy as np
    >>> from labelmill.domain.item import ItemBatch
    >>> batch = ItemBatch.from_texts("abcd")
    >>> batch.features = np.array([[0, 1], [0, 2], [1, 0], [2, 0]], dtype=np.float32)
    >>> LinearHead().fit(batch, np.eye(2)[[0, 0, 1, 1]]).predict_proba(batch).argmax(axis=1)
    array([0, 0, 1, 1])
    """

    def __init__(
        self,
        *,
        regularization: float | None = None,
        class_weight: str = "none",
        warm_start: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(class_weight=class_weight, seed=seed)
        self.regularization = regularization
        self.warm_start = warm_start

    def _check_options(self) -> None:
        if self.regularization is not None and not self.regularization > 0:
            raise UsageError(
                f"regularization must be above 0, found {self.regularization}; leave it out to have it chosen"
            )

    def settled(self, sample: Sample) -> Learning:
        """Regression of the best strength."""
        learning = linear_learning(sample, self.regularization)
        if not self.warm_start or not hasattr(self, "network_"):
            return learning
        start = self.network_.on_raw_features(-sample.center / sample.scale, 1 / sample.scale)
        if start.layers[0][0].shape != (sample.features.shape[1], sample.n_classes):
            return learning
        strength = learning.details["regularization"]
        return Learning(partial(learn_linear, regularization=strength, start=start), learning.details)


def learn_linear(sample: Sample, *, regularization: float, start: Network | None = None) -> Network:
    """The regression of a sample."""
    return fit_softmax(sample.features, sample.targets, sample.weights, regularization=regularization, start=start)


def linear_learning(sample: Sample, regularization: float | None = None) -> Learning:
    """Regression of the strength given, or of the best."""
    strength = _best_strength(sample) if regularization is None else regularization
    return Learning(partial(learn_linear, regularization=strength), {"regularization": strength})


def _best_strength(sample: Sample) -> float:
    """Judged on at most `_N_CHOICE` of the items that teach."""
    few = sample.only(np.flatnonzero(sample.is_known)[:_N_CHOICE])
    if len(few) < 2 or few.n_classes < 2:
        return _STRENGTHS[0]
    scores = [
        held_out(few, by_fit(partial(learn_linear, regularization=strength)), n_folds=_CHOICE_FOLDS).score
        for strength in _STRENGTHS
    ]
    return _STRENGTHS[int(np.argmin(scores))]
