"""Predictors: a model's class probabilities as votes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from labelmill.annotators._answers import abstentions, is_multiple
from labelmill.annotators._batches import Rows, in_batches, rows_of
from labelmill.annotators._column_map import ColumnMap, checked_rename
from labelmill.annotators._declared import all_faulty
from labelmill.annotators._faults import FaultLog
from labelmill.annotators._fingerprint import fingerprint_of
from labelmill.annotators._matcher import Evaluation
from labelmill.annotators._places import positive, resources_of, within
from labelmill.annotators._scores import Gives, checked_gives, probabilities_of, table_of
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Resources
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.vote import AnnotatorKind, VoteBatch
from labelmill.errors import LabelmillError, RulesError, nearest

__all__ = ["Predictor"]


class Predictor:
    """Votes for the class that a model finds most probable, and keeps all its probabilities.

    An item on which the model fails is found by halving the batch, and becomes a fault; the others keep their votes.

    Parameters
    ----------
    model : object or callable
        Has `predict_proba`, or is called itself: takes a list of texts (or an `ItemBatch`) and gives shape
        (n_items, n_classes), or for each item a mapping of class to probability, whose names win over any order.
    classes : sequence of str or int, optional
        Class of each column; the model's own `classes_` without it. Classes of the schema that the model does not
        know get probability 0. Where the model has names of its own in another order, these win.
    min_confidence : float
        Below this probability the model abstains.
    takes : {"texts", "items"}
        What the model is given.
    gives : {"probabilities", "logits", "log_probabilities"}
        What its numbers are. Logits become probabilities by softmax, for `multi_choice` by the logistic function.
    rename : mapping of str to str, optional
        The model's class -> one of the schema; several may become one. With it, classes that are neither renamed nor
        in the schema are left out, and the model abstains where it finds one of these more probable.
    field : str
        Where the texts are.
    batch_size : int, optional
        Items the model is given at once; all that there are without it.
    name : str, optional
        Name of the annotator; in a rules file, the variable's without it.
    resources : Resources, optional
        What one worker needs to hold the model.

    Raises
    ------
    RulesError
        If the model can neither be called nor has `predict_proba`, or its classes are not known.

    Notes
    -----
    For `multi_choice` the columns are independent: every class with probability of at least 0.5 is named, and the
    model abstains where some class is decided with less than `min_confidence`.

    A model may have `predict_with_faults`, which takes an `ItemBatch` and gives such a table and a mapping of row to
    exception, for rows that cannot be decoded; what the table holds there is not looked at.
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
        gives: Gives = "probabilities",
        rename: Mapping[str, str] | None = None,
        field: str = "text",
        batch_size: int | None = None,
        name: str | None = None,
        resources: Resources | None = None,
    ) -> None:
        if not callable(model) and not any(hasattr(model, way) for way in ("predict_proba", "predict_with_faults")):
            raise RulesError(
                f"a predictor wraps an object with predict_proba or a function, found {type(model).__name__}"
            )
        if takes not in ("texts", "items"):
            raise RulesError(f"takes={takes!r}: {nearest(str(takes), ['texts', 'items'])}")
        self.model = model
        self.columns = _columns(model, classes)
        self._map = ColumnMap(self.columns, checked_rename(rename))
        self.classes = self._map.classes
        self.min_confidence = within(min_confidence, "min_confidence")
        self.takes = takes
        self.gives = checked_gives(gives)
        self.field = field
        self.batch_size = None if batch_size is None else positive(batch_size, "batch_size")
        self.name = name or ""
        self.resources = resources_of(resources)

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
        later = {"gives": self.gives, "rename": self._map.rename}
        added = {name: value for name, value in later.items() if value not in ("probabilities", None)}
        parts = (state, "predictor", self.columns, self.min_confidence, self.takes, self.field)
        return (*parts, added) if added else parts

    def check(self, schema: LabelSchema, *, here: bool = True) -> None:
        """Look before a run whether the model can be used, as far as that can be seen.

        Parameters
        ----------
        schema : LabelSchema
        here : bool
            Whether it will vote on this machine; if not, its file is not opened and its server not asked.

        Raises
        ------
        LabelmillError
            If its file cannot be opened, its server does not answer, or its classes do not fit the schema.
        """
        self._map.targets(schema)
        look = getattr(self.model, "check", None)
        if here and callable(look):
            look()

    def annotate(self, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """One vote with probabilities, abstention or fault for each item, in order."""
        log = FaultLog(self.name)
        probabilities = np.full((len(batch), schema.n_classes), np.nan, dtype=np.float32)
        try:
            self._map.targets(schema)
            present = np.flatnonzero(batch.column(self.field).is_not_null().to_numpy())
        except LabelmillError as error:
            return all_faulty(self.name, batch, schema, error)

        def work(rows: Rows) -> None:
            probabilities[rows] = self._predicted(batch, rows, schema, log)

        in_batches(present, self.batch_size, log, work, whole=getattr(self.model, "not_about_items", ()))
        labels = self._decided(probabilities, schema)
        return VoteBatch(labels, log.faults(batch.ids) if log else [], probabilities)

    def _predicted(self, batch: ItemBatch, rows: Rows, schema: LabelSchema, log: FaultLog) -> npt.NDArray[np.float32]:
        """Shape (n_rows, n_classes), in the schema's order; NaN where an item failed."""
        answer, failures = self._asked(batch, rows)
        good = np.array([k for k in range(len(rows)) if k not in failures], dtype=np.intp)
        multiple = is_multiple(schema)
        probabilities = np.full((len(rows), schema.n_classes), np.nan, dtype=np.float32)
        if len(good):
            one_for_two = getattr(self.model, "one_for_two", False)
            table = table_of(answer, len(rows), self.columns, one_for_two=one_for_two)[good]
            table = probabilities_of(table, self.gives, multiple=multiple, n_classes=len(self.columns))
            probabilities[good] = self._map.gathered(table, schema, multiple=multiple)
        for k, failure in failures.items():
            log.add(int(rows[k]), failure)
        return probabilities

    def _asked(self, batch: ItemBatch, rows: Rows) -> tuple[Any, Mapping[int, BaseException]]:
        if hasattr(self.model, "predict_with_faults"):
            answer, failures = self.model.predict_with_faults(rows_of(batch, rows))
            return answer, failures
        given = rows_of(batch, rows) if self.takes == "items" else batch.column(self.field).gather(rows).to_list()
        ask = getattr(self.model, "predict_proba", self.model)
        return ask(given), {}

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


def _columns(model: Any, told: Sequence[str | int] | None) -> tuple[str | int, ...]:
    """The model's classes in its own order."""
    own = getattr(model, "classes_", None)
    if told is None and own is None:
        raise RulesError(f"{type(model).__name__} does not say its classes: give classes=[...] in column order")
    columns, known = (
        tuple(label if isinstance(label, str) else int(label) for label in (names if names is not None else ()))
        for names in (told, own)
    )
    if told is None:
        return known
    if columns != known and known and all(isinstance(label, str) for label in (*known, *columns)):
        if set(known) != set(columns):
            raise RulesError(
                f"the model's own classes are {', '.join(map(str, known))}, and classes= names "
                f"{', '.join(map(str, columns))}: leave classes= out, and use rename= for other names"
            )
        return known
    return columns
