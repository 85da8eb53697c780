"""The attempt ledger: what a worker was at when it died, so that one deadly item cannot stop a run.

While a partition is worked on, a small file beside its output holds which annotator is at which batch. A worker that
dies leaves the file behind. The next attempt takes that batch row by row and notes the row too; two deaths at the
same annotator and row, and the item is left out for that annotator: it becomes a fault and goes to people. An
annotator that has killed on several items of a partition is not asked about the items after them.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Set as AbstractSet
from types import TracebackType
from typing import Self

import numpy as np

from labelmill.domain.item import ItemBatch
from labelmill.domain.ports import Annotator
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.vote import Fault, VoteBatch
from labelmill.stores.lake import Lake

__all__ = ["Attempt", "deaths"]

DEADLY = 2
"""Deaths at the same row that convict it."""

HOPELESS = 5
"""Convicted rows of a partition after which the annotator is left out: each costs two workers, a second or more."""

CELLS = struct.Struct("3q")
"""Annotator, first row of the batch, row within the batch (-1: the batch as a whole)."""


class Attempt:
    """One try at one partition, on record from begin to end."""

    def __init__(self, lake: Lake, digest: str, partition: str) -> None:
        self.lake = lake
        self.digest = digest
        self.partition = partition

    def __enter__(self) -> Self:
        self.deaths = deaths(self.lake, self.digest, self.partition)
        self.token = self.lake.begin_attempt(self.digest, self.partition, CELLS.pack(-1, -1, -1))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.lake.end_attempt(self.token)
        if error is None:
            self.lake.clear_attempts(self.digest, self.partition)

    def annotate(self, j: int, start: int, annotator: Annotator, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """The votes of annotator j on the batch that starts at row `start` of its file; deadly items left out."""
        self.token.note(CELLS.pack(j, start, -1))
        convicted = sorted(
            (first, row) for (at, first, row), n in self.deaths.items() if at == j and row >= 0 and n >= DEADLY
        )
        stop = len(batch)
        if len(convicted) >= HOPELESS:
            last, row = convicted[-1]
            stop = len(batch) if start < last else row + 1 if start == last else 0
        if stop == len(batch) and not any((at, first) == (j, start) for at, first, _ in self.deaths):
            return annotator.annotate(batch, schema)
        killers = {row for first, row in convicted if first == start}
        return self._in_single_steps(killers, stop, annotator, batch, schema, (j, start))

    def _in_single_steps(
        self,
        killers: AbstractSet[int],
        stop: int,
        annotator: Annotator,
        batch: ItemBatch,
        schema: LabelSchema,
        at: tuple[int, int],
    ) -> VoteBatch:
        """Row by row, so that a death inside compiled code names its row too; nothing from row `stop` on."""
        parts = []
        for i in range(len(batch)):
            single = batch.slice(i, 1)
            if i in killers:
                parts.append(_left_out(single, annotator, schema, f"killed its worker {DEADLY} times; left out"))
            elif i >= stop:
                reason = f"killed its worker on {HOPELESS} items or more before this one; left out"
                parts.append(_left_out(single, annotator, schema, reason))
            else:
                self.token.note(CELLS.pack(*at, i))
                parts.append(annotator.annotate(single, schema))
        return _joined(parts)


def deaths(lake: Lake, digest: str, partition: str) -> Counter[tuple[int, int, int]]:
    """(annotator, first row of batch, row) -> how many left-over attempts died there."""
    counts: Counter[tuple[int, int, int]] = Counter()
    for note in lake.left_over_attempts(digest, partition):
        if len(note) == CELLS.size:
            annotator, first, row = CELLS.unpack(note)
            if annotator >= 0:
                counts[annotator, first, row] += 1
    return counts


def _left_out(batch: ItemBatch, annotator: Annotator, schema: LabelSchema, reason: str) -> VoteBatch:
    fault = Fault(batch.ids[0], annotator.name, reason)
    if schema.kind == "multi_choice":
        return VoteBatch([None], [fault])
    return VoteBatch(np.array([ABSTAIN], dtype=np.int16), [fault])


def _joined(parts: list[VoteBatch]) -> VoteBatch:
    faults = [fault for part in parts for fault in part.faults]
    arrays = [part.labels for part in parts if isinstance(part.labels, np.ndarray)]
    soft = [part.probabilities for part in parts]
    given = next((p for p in soft if p is not None), None)
    probabilities = None
    if given is not None:
        blank = np.full((1, given.shape[1]), np.nan, dtype=np.float32)
        probabilities = np.concatenate([blank if p is None else p for p in soft])
    if len(arrays) == len(parts):
        return VoteBatch(np.concatenate(arrays), faults, probabilities)
    return VoteBatch([labels for part in parts for labels in part.labels], faults, probabilities)
