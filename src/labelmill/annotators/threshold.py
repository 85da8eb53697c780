"""Threshold rules: a number is large, small, or in between."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.annotators._answers import votes_where
from labelmill.annotators._characters import accepted, class_source
from labelmill.annotators._declared import Answer, all_faulty, declared_classes
from labelmill.annotators._faults import FaultLog
from labelmill.annotators._fingerprint import fingerprint_of
from labelmill.annotators._matcher import Evaluation
from labelmill.annotators._texts import Texts, texts_of
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Resources
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import AnnotatorKind, VoteBatch
from labelmill.errors import LabelmillError, RulesError, SchemaError

__all__ = ["Threshold"]

MEASURES = ("length", "words")
"""Measures of the text that need no field."""


class Threshold:
    """Votes for a class where a number passes a bound; abstains where the number is missing.

    Parameters
    ----------
    label : str, int or sequence of these
        What it votes for; several classes only for `multi_choice`.
    field : str
        Name in the item's meta or facts. Without such a field, `length` is the number of characters of the text and
        `words` how many words `text.split()` gives. Numbers written as text are read as Python's `float` does; empty
        text is missing, any other text a fault.
    above, below : number, optional
        Bounds that the number must pass, both if both are given; the bound itself does not.
    between : pair of numbers, optional
        The number must lie between them; both bounds do.
    name : str, optional
        Name of the annotator; in a rules file, the variable's without it.

    Raises
    ------
    RulesError
        If no bound is given, or one is no number.

    >>> from labelmill import ItemBatch, LabelSchema, threshold
    >>> long = threshold("spam", field="length", above=10)
    >>> long.annotate(ItemBatch.from_texts(["short", "a longer text"]), LabelSchema("s", ("ham", "spam"))).labels
    array([-1,  1], dtype=int16)
    """

    kind: AnnotatorKind = "rule"
    evaluation: Evaluation = "compiled"
    reason = ""

    def __init__(
        self,
        label: Answer,
        *,
        field: str,
        above: float | None = None,
        below: float | None = None,
        between: tuple[float, float] | None = None,
        name: str | None = None,
    ) -> None:
        self.label = label
        self.classes = declared_classes(label)
        self.field = field
        self.above = above
        self.below = below
        self.between = _pair(between)
        self.name = name or ""
        self.resources = Resources()
        bounds = [bound for bound in (above, below, *(self.between or ())) if bound is not None]
        if not bounds:
            raise RulesError(f"a threshold on {field!r} needs a bound: above=, below= or between=(low, high)")
        for bound in bounds:
            if isinstance(bound, bool) or not isinstance(bound, int | float) or math.isnan(bound):
                raise RulesError(f"a bound on {field!r} must be a number, found {bound!r}")

    def __repr__(self) -> str:
        bounds = {"above": self.above, "below": self.below, "between": self.between}
        shown = ", ".join(f"{name}={bound}" for name, bound in bounds.items() if bound is not None)
        return f"threshold({self.label!r}, field={self.field!r}, {shown})"

    @property
    def fingerprint(self) -> str:
        """Hash of its parameters."""
        return fingerprint_of(*self.fingerprint_parts())

    def fingerprint_parts(self) -> tuple[Any, ...]:
        """What its votes depend on."""
        bounds = [None if bound is None else float(bound) for bound in (self.above, self.below, *(self.between or ()))]
        return ("threshold", self.label, self.field, bounds)

    def annotate(self, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """One vote, abstention or fault for each item, in order."""
        log = FaultLog(self.name)
        try:
            votes = votes_where(self._passes(_numbers(batch, self.field, log)), self.label, schema)
        except LabelmillError as error:
            return all_faulty(self.name, batch, schema, error)
        return VoteBatch(votes.labels, log.faults(batch.ids) if log else [])

    def _passes(self, numbers: pl.Series) -> npt.NDArray[np.bool_]:
        """Shape (n_items,): False where the number is missing or NaN."""
        passes = numbers.is_not_null()
        if numbers.dtype.is_float():  # NaN passes no bound in Python, and every `above` in polars
            passes &= numbers.is_not_nan()
        low, high = self.between or (None, None)
        for bound, compare in (
            (self.above, operator.gt),
            (self.below, operator.lt),
            (low, operator.ge),
            (high, operator.le),
        ):
            if bound is not None:
                passes &= compare(numbers, float(bound) if abs(bound) >= 2**63 else bound)
        result: npt.NDArray[np.bool_] = passes.fill_null(value=False).to_numpy()
        return result


def _numbers(batch: ItemBatch, field: str, log: FaultLog) -> pl.Series:
    """The numbers of a field, null where missing; texts that are none go into the log."""
    try:
        column = batch.column(field)
    except SchemaError:
        if field not in MEASURES:
            raise
        return _measure(texts_of(batch, "text"), field)
    if column.dtype == pl.String:
        return _read(column, log)
    if column.dtype == pl.Boolean:
        return column.cast(pl.Int64)
    if column.dtype == pl.Null:
        return column.cast(pl.Float64)
    if column.dtype == pl.Float32 or column.dtype.is_decimal():
        return column.cast(pl.Float64)
    if not column.dtype.is_numeric():
        raise SchemaError(f"the field {field!r} holds {column.dtype}, a threshold needs numbers")
    return column


def _measure(texts: Texts, name: str) -> pl.Series:
    if name == "length":
        return texts.lengths.cast(pl.Int64)
    # Runs of what Python does not call a space are exactly the parts that `str.split` gives.
    no_space = class_source(accepted(r"\s", 0, ascii_only=False), negated=True)
    return texts.column.str.count_matches(f"{no_space}+").cast(pl.Int64)


def _read(column: pl.Series, log: FaultLog) -> pl.Series:
    numbers: list[float | None] = []
    for i, text in enumerate(column.to_list()):
        try:
            numbers.append(float(text) if text and not text.isspace() else None)
        except ValueError:
            numbers.append(None)
            log.add(i, SchemaError(f"the field {column.name.partition('.')[2]!r} holds {text!r}, which is no number"))
    return pl.Series(numbers, dtype=pl.Float64)


def _pair(between: Any) -> tuple[float, float] | None:
    if between is None:
        return None
    try:
        low, high = between
    except (TypeError, ValueError):
        raise RulesError(f"between= takes two numbers (low, high), found {between!r}") from None
    return low, high
