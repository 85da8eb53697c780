"""Rare classes heard: class weights and resampling, for whatever learner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN
from labelmill.errors import ProjectError, nearest
from labelmill.pipeline.project import PROJECT_FILE
from labelmill.pipeline.workspace import Workspace
from labelmill.quality.balance import class_weights, draw, resampling_plan

__all__ = ["Balancing"]

Floats = npt.NDArray[np.float64]

_WEIGHINGS: Final = {"none": None, "balanced": "inverse", "effective": "effective"}
_RESAMPLINGS: Final = ("none", "over", "under", "mean")


@dataclass(frozen=True)
class Balancing:
    """What `[train]` says of rare classes: `class_weight` and `resample`.

    Parameters
    ----------
    class_weight : {"none", "balanced", "effective"}
        What an error on an item of each class counts, see `labelmill.quality.balance.class_weights`; balanced is
        `inverse` there.
    resample : {"none", "over", "under", "mean"}
        See `labelmill.quality.balance.resampling_plan`.
    seed : int
        Of the lot that decides which items are repeated or left out.
    """

    class_weight: str = "none"
    resample: str = "none"
    seed: int = 0

    @classmethod
    def of_project(cls, workspace: Workspace) -> Self:
        """The project's.

        Raises
        ------
        ProjectError
            If a setting has no such value. Names the file and the key.
        """
        told = {}
        for name, known in (("class_weight", _WEIGHINGS), ("resample", _RESAMPLINGS)):
            told[name] = workspace.project[f"train.{name}"]
            if told[name] not in known:
                raise ProjectError(
                    f"{workspace.project.folder / PROJECT_FILE}: train.{name} is {told[name]!r}: "
                    f"{nearest(told[name], list(known))}"
                )
        return cls(**told, seed=workspace.project["project.seed"])

    def __call__(self, targets: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """Targets of shape (n_items, n_classes) and weights of shape (n_items,) in which rare classes count more.

        A weight on the loss of a class changes both: item i with targets t and weight w becomes one whose targets are
        in proportion to t times the class weights c, and whose weight is w times their sum. A repeated item is one of
        double weight; one that is not drawn weighs nothing.
        """
        weights = weights * self._times_drawn(targets, weights)
        weighing = _WEIGHINGS[self.class_weight]
        if weighing is None:
            return targets, weights
        counts = dict(enumerate((weights @ targets).tolist()))
        costs = np.array(list(class_weights(counts, weighing=weighing).values()))  # type: ignore[arg-type]  # any names do
        tilted = targets * costs
        sums = tilted.sum(axis=1, keepdims=True)
        return np.divide(tilted, sums, out=targets.copy(), where=sums > 0), weights * sums[:, 0]

    def _times_drawn(self, targets: Floats, weights: Floats) -> Floats:
        """How often the resampling plan draws each item; the likeliest class is its class."""
        if self.resample == "none":
            return np.ones(len(weights))
        labels = np.where(weights > 0, targets.argmax(axis=1), ABSTAIN)
        names = [str(k) for k in range(targets.shape[1])]
        counts = dict(zip(names, np.bincount(labels[labels >= 0], minlength=len(names)).tolist(), strict=True))
        plan = resampling_plan(counts, resampling=self.resample)  # type: ignore[arg-type]  # one of them, see of_project
        return np.bincount(draw(labels, plan, seed=self.seed), minlength=len(weights)).astype(np.float64)
