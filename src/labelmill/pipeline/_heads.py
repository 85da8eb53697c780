"""One learner for a choice; one per class, answering yes or no, for a multi-choice."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.item import ItemBatch
from labelmill.domain.ports import Learner, Progress
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.vote import VoteBatch

__all__ = ["Heads", "model_votes", "takes"]

Probabilities = npt.NDArray[np.float64]
Balance = Callable[[Probabilities, Probabilities], tuple[Probabilities, Probabilities]]


def takes(method: Callable[..., object], name: str) -> bool:
    """Whether a method has a parameter of that name: `progress` and `teacher` are for learners that know them."""
    return name in inspect.signature(method).parameters


class Heads:
    """Learners that together answer a schema.

    Parameters
    ----------
    make : callable
        Makes an unfitted learner.
    schema : LabelSchema
        Its kind decides how many there are.
    balance : callable, optional
        Makes other targets and weights of those that each is to learn from.
    """

    def __init__(self, make: Callable[[], Learner], schema: LabelSchema, balance: Balance | None = None) -> None:
        self.is_multi = schema.kind == "multi_choice"
        self.balance = balance
        self.learners = [make() for _ in range(schema.n_classes if self.is_multi else 1)]

    @classmethod
    def load(cls, plugin: type[Learner], folder: Path, schema: LabelSchema) -> Heads:
        """The heads that `save` wrote."""
        heads = cls.__new__(cls)
        heads.is_multi, heads.balance = schema.kind == "multi_choice", None
        n_heads = schema.n_classes if heads.is_multi else 1
        heads.learners = [plugin.load(folder / str(k)) for k in range(n_heads)]
        return heads

    def save(self, folder: Path) -> None:
        """Each head into a folder of its own."""
        for k, learner in enumerate(self.learners):
            (folder / str(k)).mkdir(parents=True)
            learner.save(folder / str(k))

    @property
    def details(self) -> list[dict[str, Any]]:
        """What the fitted learners say about themselves, where they say something."""
        return [dict(getattr(learner, "details_", {})) for learner in self.learners]

    @property
    def fingerprint(self) -> str:
        """Of the fitted states."""
        return "-".join(learner.fingerprint[:16] for learner in self.learners)

    def fit(
        self,
        batch: ItemBatch,
        targets: Probabilities,
        weights: Probabilities,
        *,
        progress: Progress,
        teacher: Probabilities | None = None,
    ) -> None:
        """Learn from targets of shape (n_items, n_classes), and from a teacher's probabilities where there is one."""
        rows = _encoded(batch)
        if rows is not None:
            batch, targets, weights = batch.take(rows), targets[rows], weights[rows]
            teacher = None if teacher is None else teacher[rows]
        for k, (learner, target) in enumerate(zip(self.learners, self._split(targets), strict=True)):
            taught = self._taught(learner.fit, teacher, k)
            learner.fit(batch, *self._balanced(target, weights), progress, **taught)

    def predict_proba(self, batch: ItemBatch) -> Probabilities:
        """Class probabilities, shape (n_items, n_classes); a row of NaN for an item without features to read."""
        rows = _encoded(batch)
        if rows is not None:
            return _at(rows, self.predict_proba(batch.take(rows)), len(batch))
        return self._join([learner.predict_proba(batch) for learner in self.learners])

    def cross_predict_proba(
        self,
        batch: ItemBatch,
        targets: Probabilities,
        weights: Probabilities,
        *,
        progress: Progress,
        teacher: Probabilities | None = None,
    ) -> Probabilities:
        """Predictions for the items learned from, each by a fit that did not see it."""
        rows = _encoded(batch)
        if rows is not None:
            part = None if teacher is None else teacher[rows]
            found = self.cross_predict_proba(
                batch.take(rows), targets[rows], weights[rows], progress=progress, teacher=part
            )
            return _at(rows, found, len(batch))
        parts = []
        for k, (learner, target) in enumerate(zip(self.learners, self._split(targets), strict=True)):
            cross_predict = learner.cross_predict_proba
            taught = self._taught(cross_predict, teacher, k)
            told: dict[str, Any] = {"progress": progress} if takes(cross_predict, "progress") else {}
            goals, counts = self._balanced(target, weights)
            parts.append(cross_predict(batch, goals, counts, **taught, **told))
            if not told:
                progress(k + 1, len(self.learners))
        return self._join(parts)

    def _balanced(self, target: Probabilities, weights: Probabilities) -> tuple[Probabilities, Probabilities]:
        return (target, weights) if self.balance is None else self.balance(target, weights)

    def _taught(self, method: Callable[..., object], teacher: Probabilities | None, k: int) -> dict[str, Any]:
        """The teacher of the k-th head as an argument, for learners that take one."""
        if teacher is None or not takes(method, "teacher"):
            return {}
        return {"teacher": self._split(teacher)[k]}

    def _split(self, targets: Probabilities) -> list[Probabilities]:
        if not self.is_multi:
            return [targets]
        return [np.stack([1 - targets[:, k], targets[:, k]], axis=1) for k in range(targets.shape[1])]

    def _join(self, parts: list[Probabilities]) -> Probabilities:
        return np.stack([part[:, 1] for part in parts], axis=1) if self.is_multi else parts[0]


def model_votes(probabilities: Probabilities, schema: LabelSchema) -> VoteBatch:
    """What a model with these probabilities votes: its likeliest class, or each class it finds likelier than not.

    It abstains where it could not say: on a row of NaN.
    """
    soft = probabilities.astype(np.float32)
    silent = np.isnan(soft).any(axis=1)
    if schema.kind != "multi_choice":
        return VoteBatch(np.where(silent, ABSTAIN, probabilities.argmax(axis=1)).astype(np.int16), [], soft)
    named: list[tuple[int, ...] | None] = [tuple(np.flatnonzero(row > 0.5).tolist()) for row in probabilities]
    for place in np.flatnonzero(silent):
        named[place] = None
    return VoteBatch(named, [], soft)


def _encoded(batch: ItemBatch) -> npt.NDArray[np.intp] | None:
    """Places of the items that have features, if some have none; None where nothing has to be left out."""
    if batch.features is None:
        return None
    given = np.isfinite(batch.features).all(axis=1)
    return None if given.all() else np.flatnonzero(given)


def _at(rows: npt.NDArray[np.intp], probabilities: Probabilities, n_items: int) -> Probabilities:
    """Rows at their places among all items, NaN elsewhere."""
    every = np.full((n_items, probabilities.shape[1]), np.nan)
    every[rows] = probabilities
    return every
