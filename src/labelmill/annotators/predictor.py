"""Predictors: a model's class probabilities as votes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from labelmill.annotators._answers import abstentions, is_multiple
from labelmill.annotators._declared import all_faulty
from labelmill.annotators._faults import FaultLog
from labelmill.annotators._fingerprint import fingerprint_of
from labelmill.annotators._matcher import Evaluation
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Resources
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.vote import AnnotatorKind, VoteBatch
from labelmill.errors import LabelmillError, RulesError, SchemaError, nearest

__all__ = ["Predictor"]

TOLERANCE = 1e-3
"""How far the probabilities of one item may be from summing to 1."""


class Predictor:
    """Votes for the class that a model finds most probable, and keeps all its probabilities.

    An item on which the model fails is found by halving the batch, and becomes a fault; the others keep their votes.

    Parameters
    ----------
    model : object
        Has `predict_proba`, which takes a list of texts (or an `ItemBatch`) and gives shape (n_items, n_classes).
    classes : sequence of str or int, optional
        Class of each column; the model's own `classes_` without it. Classes of the schema that the model does not
        know get probability 0.
    min_confidence : float
        Below this probability the model abstains.
    takes : {"texts", "items"}
        What `predict_proba` is given.
    field : str
        Where the texts are.
    name : str, optional
        Name of the annotator; in a rules file, the variable's without it.
    resources : Resources, optional
        What one worker needs to hold the model.

    Raises
    ------
    RulesError
        If the model has no `predict_proba`, or its classes are not known.

    Notes
    -----
    For `multi_choice` the columns are independent: every class with probability of at least 0.5 is named, and the
    model abstains where some class is decided with less than `min_confidence`.
    """

    kind: AnnotatorKind = "model"
    evaluation: Evaluation = "python"
    reason = "the model is called on whole batches"

    def __init__(
        self,
        model: Any,
        *,
        classes: Sequence[str | int] | None = None,
        min_confidence: float = 0.0,
        takes: Literal["texts", "items"] = "texts",
        field: str = "text",
        name: str | None = None,
        resources: Resources | None = None,
    ) -> None:
        if not callable(getattr(model, "predict_proba", None)):
            raise RulesError(f"a predictor wraps an object with predict_proba, found {type(model).__name__}")
        if takes not in ("texts", "items"):
            raise RulesError(f"takes={takes!r}: {nearest(str(takes), ['texts', 'items'])}")
        if not 0 <= min_confidence <= 1:
            raise RulesError(f"min_confidence must lie between 0 and 1, found {min_confidence!r}")
        known = classes if classes is not None else getattr(model, "classes_", None)
        if known is None:
            raise RulesError(f"{type(model).__name__} does not say its classes: give classes=[...] in column order")
        self.model = model
        self.columns = tuple(label if isinstance(label, str) else int(label) for label in known)
        self.classes = tuple(label for label in self.columns if isinstance(label, str))
        self.min_confidence = min_confidence
        self.takes = takes
        self.field = field
        self.name = name or ""
        self.resources = resources or Resources()

    def __repr__(self) -> str:
        return f"predictor({type(self.model).__name__})"

    @property
    def fingerprint(self) -> str:
        """Hash of the model's state (its own `fingerprint`, if it has one) and the parameters."""
        return fingerprint_of(*self.fingerprint_parts())

    def fingerprint_parts(self) -> tuple[Any, ...]:
        """What its votes depend on."""
        own = getattr(self.model, "fingerprint", None)
        state = own if isinstance(own, str) else self.model
        return (state, "predictor", self.columns, self.min_confidence, self.takes, self.field)

    def annotate(self, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """One vote with probabilities, abstention or fault for each item, in order."""
        log = FaultLog(self.name)
        probabilities = np.full((len(batch), schema.n_classes), np.nan, dtype=np.float32)
        try:
            columns = [schema.index(label) for label in self.columns]
            if ABSTAIN in columns or len(set(columns)) < len(columns):
                raise SchemaError(f"a model's columns must be different classes, found {', '.join(map(str, columns))}")
            present = np.flatnonzero(batch.column(self.field).is_not_null().to_numpy())
        except LabelmillError as error:
            return all_faulty(self.name, batch, schema, error)
        waiting = [present] if len(present) else []
        while waiting:
            rows = waiting.pop()
            try:
                probabilities[rows] = self._predicted(batch, rows, columns, schema)
            except KeyboardInterrupt:
                raise
            except BaseException as failure:  # noqa: BLE001 - whatever the model raises is a fault of one item
                if len(rows) == 1:
                    log.add(int(rows[0]), failure)
                else:
                    waiting += [rows[len(rows) // 2 :], rows[: len(rows) // 2]]
        labels = self._decided(probabilities, schema)
        return VoteBatch(labels, log.faults(batch.ids) if log else [], probabilities)

    def _predicted(
        self, batch: ItemBatch, rows: npt.NDArray[np.intp], columns: Sequence[int], schema: LabelSchema
    ) -> npt.NDArray[np.float32]:
        """Shape (n_rows, n_classes), in the schema's order."""
        given: Any
        if self.takes == "items":
            given = batch if len(rows) == len(batch) else ItemBatch(batch.frame[rows])
        else:
            given = batch.column(self.field).gather(rows).to_list()
        answer = np.asarray(self.model.predict_proba(given), dtype=np.float64)
        expected = (len(rows), len(columns))
        if answer.shape != expected:
            raise SchemaError(f"predict_proba gave shape {answer.shape}, expected {expected}: (items, classes)")
        if not np.isfinite(answer).all() or answer.min(initial=0) < -TOLERANCE or answer.max(initial=1) > 1 + TOLERANCE:
            raise SchemaError("predict_proba gave values outside 0..1, or none")
        if not is_multiple(schema) and np.abs(answer.sum(axis=1) - 1).max(initial=0) > TOLERANCE:
            raise SchemaError("predict_proba gave probabilities that do not sum to 1")
        probabilities = np.zeros((len(rows), schema.n_classes), dtype=np.float32)
        probabilities[:, columns] = answer
        return probabilities

    def _decided(
        self, probabilities: npt.NDArray[np.float32], schema: LabelSchema
    ) -> npt.NDArray[np.int16] | list[tuple[int, ...] | None]:
        """Labels of the probabilities; where it abstains the probabilities become NaN as well."""
        if not len(probabilities):
            return abstentions(0, schema)
        multiple = is_multiple(schema)
        certainty = np.maximum(probabilities, 1 - probabilities).min(axis=1) if multiple else probabilities.max(axis=1)
        abstains = ~(certainty >= np.float32(self.min_confidence))
        probabilities[abstains] = np.nan
        if multiple:
            chosen = probabilities >= 0.5
            return [
                None if declined else tuple(np.flatnonzero(row).tolist())
                for row, declined in zip(chosen, abstains.tolist(), strict=True)
            ]
        labels = np.where(abstains, ABSTAIN, np.nan_to_num(probabilities, nan=-1.0).argmax(axis=1))
        return labels.astype(np.int16)
