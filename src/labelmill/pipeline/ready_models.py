"""Trained annotators, loaded and ready to say what they would vote on items that are in no lake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from labelmill import registry
from labelmill.domain.item import ItemBatch
from labelmill.domain.schema import LabelSchema
from labelmill.errors import FailedError, nearest
from labelmill.pipeline._encoders import encoder_here
from labelmill.pipeline._features import Features, features_of_model
from labelmill.pipeline._heads import Heads
from labelmill.pipeline.votes import current_machines
from labelmill.pipeline.workspace import Workspace

__all__ = ["Predictions", "ReadyModel", "ready_model", "served_models"]

WARM_UP: Final = ("", "a", "A few words to read, so that everything is in memory when somebody asks. 123!")
"""Texts that a fresh model reads before anybody waits for it."""

MOST_TRIES: Final = 64
"""Calls of a model that fails, to find the items that are to blame; those not found by then share its error."""

SUM_TOLERANCE: Final = 1e-3
"""Probabilities of a choice may miss 1 by so much."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model says of some items.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n_items, n_classes)
        Of each class; a row of 0 where there is a fault.
    faults : dict of int to str
        Position of an item -> why there is no answer.
    """

    probabilities: npt.NDArray[np.float64]
    faults: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.probabilities)

    def slice(self, start: int, length: int) -> Predictions:
        """`length` items from position `start`."""
        faults = {i - start: error for i, error in self.faults.items() if start <= i < start + length}
        return Predictions(self.probabilities[start : start + length], faults)

    @classmethod
    def joined(cls, parts: Sequence[Predictions]) -> Predictions:
        """One after the other."""
        if len(parts) == 1:
            return parts[0]
        starts = np.cumsum([0, *(len(part) for part in parts)])
        faults = {int(start) + i: e for start, part in zip(starts, parts, strict=False) for i, e in part.faults.items()}
        return cls(np.concatenate([part.probabilities for part in parts]), faults)

    @classmethod
    def none(cls, n_items: int, n_classes: int, error: str) -> Predictions:
        """The same fault for every item."""
        return cls(np.zeros((n_items, n_classes)), dict.fromkeys(range(n_items), error))


class ReadyModel:
    """The current model of a trained annotator, in memory.

    Parameters
    ----------
    name : str
        Of the annotator.
    version : str
        Fingerprint under which the lake keeps the model.
    schema : LabelSchema
        What it answers.
    heads : Heads
        Its fitted learners.
    features : Features, optional
        Where their vectors come from, if they read vectors.
    """

    def __init__(
        self, name: str, version: str, schema: LabelSchema, heads: Heads, features: Features | None = None
    ) -> None:
        self.name, self.version, self.schema = name, version, schema
        self._heads, self._features = heads, features
        self._encoder = None if features is None else encoder_here(features.encoder)
        self._tries = 0

    @property
    def n_dimensions(self) -> int | None:
        """Length of the vectors that it can be asked with instead of items; None if it reads none."""
        return None if self._encoder is None else self._encoder.n_dimensions

    @property
    def input_name(self) -> str:
        """What it is asked with: `text`, or `image` and `audio`, whose files lie in the project's media folders."""
        return self.schema.modality

    def warm_up(self) -> None:
        """Predict something, so that whoever asks first does not wait for what is loaded late.

        Raises
        ------
        FailedError
            If the model cannot say anything.
        """
        told = self.predict(ItemBatch.from_texts(WARM_UP if self.schema.modality == "text" else ()))
        if len(told) and len(told.faults) == len(told):
            raise FailedError(f"the model {self.name!r} ({self.version}) fails on every text: {told.faults[0]}")

    def predict(self, batch: ItemBatch) -> Predictions:
        """What it says of each item, in order; one that it fails on is a fault and spoils no other.

        Not for two threads at once.
        """
        self._tries = 0
        return self._answers(batch)

    def label(self, probabilities: npt.NDArray[np.float64]) -> str | list[str]:
        """The vote that follows from one row: a class, or every class likelier than not."""
        classes = self.schema.classes
        if self.schema.kind == "multi_choice":
            return [classes[k] for k in np.flatnonzero(probabilities > 0.5)]
        return classes[int(probabilities.argmax())]

    def uncertainty(self, probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Shape (n_items,): probability that the label, or the least sure of its classes, is wrong."""
        if self.schema.kind == "multi_choice":
            return np.asarray(np.minimum(probabilities, 1 - probabilities).max(axis=1, initial=0.0))
        return np.asarray(1 - probabilities.max(axis=1, initial=0.0))

    def _answers(self, batch: ItemBatch) -> Predictions:
        n_classes = self.schema.n_classes
        if not len(batch):
            return Predictions(np.zeros((0, n_classes)))
        self._tries += 1
        try:
            read, reasons = self._read(batch)
            return self._checked(np.asarray(self._heads.predict_proba(read), dtype=np.float64), len(batch), reasons)
        except Exception as error:  # noqa: BLE001 -- a learner is anybody's code, and fails in any way
            if len(batch) == 1 or self._tries >= MOST_TRIES or isinstance(error, MemoryError):
                return Predictions.none(len(batch), n_classes, f"{type(error).__name__}: {error}"[:500])
        half = len(batch) // 2
        return Predictions.joined(
            [self._answers(batch.slice(0, half)), self._answers(batch.slice(half, len(batch) - half))]
        )

    def _read(self, batch: ItemBatch) -> tuple[ItemBatch, dict[int, str]]:
        """The batch as the learners read it, and why some of it cannot be read."""
        if self._features is None or self._encoder is None or batch.features is not None:
            return batch, {}
        encoded = self._encoder.encode(ItemBatch(batch.frame, media=self._features.media))
        places = {name: i for i, name in enumerate(batch.ids)}
        return ItemBatch(batch.frame, encoded.features), {places[one.item]: one.error for one in encoded.faults}

    def _checked(self, probabilities: npt.NDArray[np.float64], n_items: int, reasons: Mapping[int, str]) -> Predictions:
        """The answers, with a fault in place of each that is none."""
        expected = (n_items, self.schema.n_classes)
        if probabilities.shape != expected:
            return Predictions.none(
                *expected, f"the model answers with the shape {probabilities.shape}, expected {expected}"
            )
        known = np.nan_to_num(probabilities, nan=-1.0, posinf=-1.0, neginf=-1.0)
        is_bad = (known < -SUM_TOLERANCE).any(axis=1) | (known > 1 + SUM_TOLERANCE).any(axis=1)
        if self.schema.kind != "multi_choice":
            is_bad |= np.abs(known.sum(axis=1) - 1) > SUM_TOLERANCE
        reason = "the model gave no probabilities: numbers from 0 to 1 that sum to 1"
        answers = np.where(is_bad.reshape(-1, 1), 0.0, probabilities)
        return Predictions(answers, {int(i): reasons.get(int(i), reason) for i in np.flatnonzero(is_bad)})


def served_models(workspace: Workspace) -> dict[str, str]:
    """Trained annotators whose model can be loaded: name -> version, by name."""
    found = {}
    for machine in current_machines(workspace):
        if machine.evaluation == "learned":
            folder = workspace.lake.current_model(machine.name)
            if folder is not None:
                found[machine.name] = folder.name
    return dict(sorted(found.items()))


def ready_model(workspace: Workspace, name: str) -> ReadyModel:
    """The current model of a trained annotator, loaded.

    Raises
    ------
    FailedError
        If there is none of that name; says how to train one.
    StorageError
        If its files cannot be read.
    """
    known = served_models(workspace)
    if name not in known:
        told = f"no trained annotator is called {name!r}: {nearest(name, known)}" if known else "nothing is trained yet"
        raise FailedError(f"{told}; train one with `labelmill train`")
    folder = workspace.lake.model_folder(name, known[name])
    heads = Heads.load(registry.find("learner", name), folder, workspace.schema)
    features = features_of_model(workspace, name, known[name])
    return ReadyModel(name, known[name], workspace.schema, heads, features)
