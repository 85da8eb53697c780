"""Labeling functions on data in memory, without a project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.annotators._answers import is_multiple
from labelmill.annotators._faults import FaultLog
from labelmill.annotators.labeling_function import LabelingFunction, votes_of
from labelmill.domain.columns import frame_of
from labelmill.domain.item import FACTS, META, Item, ItemBatch
from labelmill.domain.ports import Annotator, Progress
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.vote import Fault, VoteBatch
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import NotFittedError, UsageError, nearest

__all__ = ["LFs", "batch_of"]

BATCH_ROWS = 50_000


class LFs:
    """Applies annotators to texts, items or a table.

    Parameters
    ----------
    annotators : sequence of Annotator
        Labeling functions, keyword rules, predictors ... in the order of the columns. Those without a name get one
        from their kind and position.

    Raises
    ------
    UsageError
        If two have the same name, or one is no annotator.

    >>> from labelmill import keyword, labeling_function
    >>> @labeling_function
    ... def is_short(x):
    ...     return "ham" if len(x.text) < 12 else None
    >>> votes = LFs([is_short, keyword("spam", ["prize"], name="prize")]).apply(["see you", "Claim your PRIZE now"])
    >>> votes.matrix.tolist()
    [[0, -1], [-1, 1]]
    """

    def __init__(self, annotators: Sequence[Annotator]) -> None:
        self.annotators = list(annotators)
        for annotator in self.annotators:
            if not callable(getattr(annotator, "annotate", None)):
                raise UsageError(f"{annotator!r} is no annotator: decorate the function with @labeling_function")
        self.names = [
            annotator.name or f"{type(annotator).__name__.lower()}_{position}"
            for position, annotator in enumerate(self.annotators)
        ]
        twice = {name for name in self.names if self.names.count(name) > 1}
        if twice:
            raise UsageError(f"several annotators are named {min(twice)!r}: give each a name of its own")
        self._faults: list[Fault] | None = None

    @property
    def faults_(self) -> list[Fault]:
        """What failed in the last `apply`, with item and traceback.

        Raises
        ------
        NotFittedError
            Before the first `apply`.
        """
        if self._faults is None:
            raise NotFittedError("no faults yet: call apply(items) first")
        return self._faults

    def apply(
        self,
        data: Any,
        *,
        classes: Sequence[str] | None = None,
        schema: LabelSchema | None = None,
        text: str = "text",
        progress: Progress | None = None,
    ) -> VoteTable:
        """Every annotator's votes on every item.

        Parameters
        ----------
        data : sequence of str, sequence of Item, ItemBatch, or table
            A table is anything with Arrow's C interface: pandas, polars, pyarrow, DuckDB. Its column `id` (if there
            is one) names the items, the other columns read as attributes of `x`.
        classes : sequence of str, optional
            Class order; without it (and without `schema`) the names that were voted for, sorted.
        schema : LabelSchema, optional
            The question, instead of `classes`.
        text : str
            Column with the text of a table.
        progress : callable, optional
            Called with (done, total), counted in items times annotators.

        Raises
        ------
        UsageError
            If `classes` cannot be guessed, or the data is of no known form.
        """
        batch = batch_of(data, text=text)
        if schema is None and classes is not None:
            schema = LabelSchema("label", tuple(classes))
        if schema is not None and (is_multiple(schema) or schema.is_structured):
            raise UsageError(f"a vote table holds one class a vote: annotate {schema.kind} through a project")
        count = _Count(progress, len(batch) * len(self.annotators))
        answers: _Answers = {}
        if schema is None:
            answers = self._answers(batch, count)
            schema = LabelSchema("label", _guessed(self.annotators, answers))
        return self._table(batch, schema, self._votes(batch, schema, answers, count))

    def _answers(self, batch: ItemBatch, count: _Count) -> _Answers:
        """What each labeling function says about each piece, before anybody knows the classes."""
        answers: _Answers = {}
        for piece in _pieces(batch):
            for j, annotator in enumerate(self.annotators):
                if isinstance(annotator, LabelingFunction):
                    answers.setdefault(j, []).append(annotator.answers(piece))
                    count.add(len(piece))
        return answers

    def _votes(self, batch: ItemBatch, schema: LabelSchema, answers: _Answers, count: _Count) -> list[list[VoteBatch]]:
        """Votes by piece and annotator."""
        votes = []
        for k, piece in enumerate(_pieces(batch)):
            row = []
            for j, annotator in enumerate(self.annotators):
                if j in answers:
                    row.append(votes_of(*answers[j][k], piece, schema))
                else:
                    row.append(annotator.annotate(piece, schema))
                    count.add(len(piece))
            votes.append(row)
        return votes

    def _table(self, batch: ItemBatch, schema: LabelSchema, votes: list[list[VoteBatch]]) -> VoteTable:
        self._faults = []
        matrix = np.full((len(batch), len(self.annotators)), ABSTAIN, dtype=np.int16)
        soft: dict[int, npt.NDArray[np.float32]] = {}
        start = 0
        for row in votes:
            for j, part in enumerate(row):
                stop = start + len(part)
                matrix[start:stop, j] = np.asarray(part.labels, dtype=np.int16)
                self._faults += [replace(fault, annotator=self.names[j]) for fault in part.faults]
                if part.probabilities is not None:
                    whole = soft.setdefault(j, np.full((len(batch), schema.n_classes), np.nan, dtype=np.float32))
                    whole[start:stop] = part.probabilities
            start = stop
        table = VoteTable.from_matrix(
            matrix,
            classes=schema.classes,
            annotators=self.names,
            items=batch.ids,
            kinds=[annotator.kind for annotator in self.annotators],
        )
        table.soft.update(soft)
        return table


_Answers = dict[int, list[tuple[list[Any], FaultLog]]]
"""Annotator -> for each piece of the batch, raw answers and failures."""


class _Count:
    """Tells the caller how far the work is."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress = progress
        self.total = total
        self.done = 0

    def add(self, n: int) -> None:
        self.done += n
        if self.progress is not None:
            self.progress(self.done, self.total)


def batch_of(data: Any, *, text: str = "text") -> ItemBatch:
    """Items in any form as a batch; see `LFs.apply`.

    Raises
    ------
    UsageError
        If the form is not known, or a table has no column with the text.
    """
    if isinstance(data, ItemBatch):
        return data
    if isinstance(data, str):
        raise UsageError("apply takes many texts, found one: write [text]")
    if isinstance(data, Iterable) and not hasattr(data, "columns") and not hasattr(data, "__arrow_c_stream__"):
        members = list(data) if not isinstance(data, Mapping) else []
        if members and all(isinstance(member, Item) for member in members):
            return ItemBatch.from_items(members)
        if not isinstance(data, Mapping) and all(isinstance(member, str) for member in members):
            return ItemBatch.from_texts(members)
    return _batch_of_frame(frame_of(data), text)


def _batch_of_frame(frame: pl.DataFrame, text: str) -> ItemBatch:
    if text not in frame.columns:
        raise UsageError(f"the table has no column {text!r} with the text: {nearest(text, frame.columns)}")
    if "id" in frame.columns:
        ids = frame["id"].cast(pl.String)
        if ids.null_count() or ids.n_unique() < frame.height:
            raise UsageError("the column 'id' must name every row differently")
    else:
        ids = pl.int_range(frame.height, eager=True).cast(pl.String)
    known = (FACTS, META)
    others = [name for name in frame.columns if name not in {"id", text}]
    columns = {name if name.startswith(known) else META + name: frame[name] for name in others}
    return ItemBatch(pl.DataFrame({"id": ids, "data": frame[text].cast(pl.String), **columns}))


def _pieces(batch: ItemBatch) -> Iterator[ItemBatch]:
    if len(batch) <= BATCH_ROWS:
        yield batch
        return
    for start in range(0, len(batch), BATCH_ROWS):
        yield batch.slice(start, BATCH_ROWS)


def _guessed(annotators: Sequence[Annotator], answers: _Answers) -> tuple[str, ...]:
    """The classes voted for: names sorted, or "0", "1", ... where functions return numbers."""
    given = {
        answer for pieces in answers.values() for piece, _ in pieces for answer in piece if type(answer) in {str, int}
    }
    names = {answer for answer in given if isinstance(answer, str)} - {"ABSTAIN"}
    names |= {name for annotator in annotators for name in getattr(annotator, "classes", ())}
    largest = max((answer for answer in given if isinstance(answer, int)), default=ABSTAIN)
    if names and largest >= 0:
        raise UsageError(f"some functions return numbers, some names ({min(names)!r}): give classes=[...] in order")
    if names:
        return tuple(sorted(names))
    if largest >= MOST_GUESSED:
        raise UsageError(f"a function returned {largest}: give classes=[...] in the order of the numbers")
    return tuple(map(str, range(max(largest + 1, 2))))


MOST_GUESSED = 1000
"""More classes than this are a number that was never meant as a class."""
