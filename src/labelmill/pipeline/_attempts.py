"""The attempt ledger: what a worker was at when it died, so that one deadly item cannot stop a run.

While a partition is worked on, a note in the lake says which annotator is at which rows. A worker that dies leaves the
note behind, and the next attempt takes those rows in smaller steps, down to single items. An item that is proved to
kill (`_deaths.py`) is left out for that annotator: it becomes a fault and goes to people. An annotator that has killed
on several items of a partition is not asked about the items after them.

In a local folder a note is a write to mapped memory: every step is noted, and the second attempt goes item by item. On
an object store a note is a request: the first attempt at a partition notes nothing but that it began, the second notes
each annotator and batch, and the rows of a deadly batch are looked at in blocks before single items.
"""

from __future__ import annotations

import secrets
import threading
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self

import numpy as np

from labelmill.annotators import _watchdog
from labelmill.domain.item import ItemBatch
from labelmill.domain.ports import Annotator
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.vote import Fault, VoteBatch
from labelmill.pipeline._deaths import BEGIN, BLOCK, Convicted, Death, Place, convicted, key_of, pieces
from labelmill.pipeline._last_words import LastWords, forget, last_words
from labelmill.stores.lake import Lake

__all__ = ["Attempt", "deaths"]

HOPELESS: Final = 5
"""Convicted rows of a partition after which the annotator is left out: each costs some workers, a second or more."""


class Attempt:
    """One try at one partition, on record from begin to end.

    Parameters
    ----------
    lake : Lake
    digest : str
        Name of the set of votes.
    partition : str
    timeout : float, optional
        Seconds one item may take. Given where this process may be ended for an annotator that hangs in compiled code;
        its steps must be inside `guard(timeout)` then, in the main thread, where rows can be seen to advance. Without
        it, and in another thread, nothing is ended.
    """

    def __init__(self, lake: Lake, digest: str, partition: str, *, timeout: float | None = None) -> None:
        self.lake = lake
        self.digest = digest
        self.partition = partition
        self.timeout = timeout if threading.current_thread() is threading.main_thread() else None

    def __enter__(self) -> Self:
        self.name = secrets.token_hex(8)
        self.deaths: list[Death] = []
        self.token = self.lake.begin_attempt(self.digest, self.partition, self._note(BEGIN))
        with ExitStack() as stack:
            stack.callback(self.lake.end_attempt, self.token)
            if not self.token.is_first:
                found = _left_over(self.lake, self.digest, self.partition)
                self.deaths = [death for death in found if death.name != self.name]
                self.token.note(self._note(BEGIN))
            self.convicted = convicted(self.deaths)
            if self.timeout is not None:
                # Only a suspect's words are of use, and a lost machine leaves the file behind.
                self.words = stack.enter_context(LastWords(self.name if self.deaths else None))
            self.stack = stack.pop_all()
        self.notes_all = bool(self.deaths) or self.token.is_cheap
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.close()
        if error is None and self.deaths:
            self.lake.clear_attempts(self.digest, self.partition)
            for death in self.deaths:
                forget(death.name)

    def annotate(self, start: int, annotator: Annotator, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """The votes of an annotator on the batch that starts at row `start` of its file; deadly items left out."""
        key = key_of(annotator.name)
        stop = start + len(batch)
        rows = sorted(row for at, row in self.convicted if at == key)
        hopeless = rows[-1] + 1 if len(rows) >= HOPELESS else stop
        allowed = min(max(hopeless, start), stop)
        died = [death.place for death in self.deaths if death.place.annotator == key]
        steps = pieces(start, allowed, died, block=1 if self.token.is_cheap else BLOCK) if allowed > start else []
        parts = []
        for first, last in steps:
            piece = batch if last - first == len(batch) else batch.slice(first - start, last - first)
            verdict = self.convicted.get((key, first)) if last - first == 1 else None
            if verdict is None:
                parts.append(self._step(Place(key, first, last), annotator, piece, schema))
            else:
                parts.append(_left_out(piece, annotator, schema, self._reason(verdict), verdict.words))
        if allowed < stop:
            reason = f"killed its worker on {HOPELESS} items or more before this one; left out"
            parts.append(_left_out(batch.slice(allowed - start, stop - allowed), annotator, schema, reason))
        if self.notes_all and (self.token.is_cheap or len(steps) > 1 or len(batch) == 1):
            self.token.note(self._note(BEGIN))  # a death while publishing is not the last item's
        return parts[0] if len(parts) == 1 else _joined(parts)

    def _step(self, place: Place, annotator: Annotator, piece: ItemBatch, schema: LabelSchema) -> VoteBatch:
        if self.notes_all:
            self.token.note(self._note(place))
        if self.timeout is None or getattr(annotator, "has_own_limits", False):
            return annotator.annotate(piece, schema)
        beats = _has_heartbeats(annotator)
        with _watchdog.step(self.timeout, len(piece), words=self.words.descriptor, has_heartbeats=beats):
            return annotator.annotate(piece, schema)

    def _note(self, place: Place) -> bytes:
        return Death(len(self.deaths), place, self.name).packed()

    def _reason(self, verdict: Convicted) -> str:
        if verdict.is_hang and self.timeout is not None:
            limit = _watchdog.row_limit(self.timeout)
            return f"took longer than {limit:g} s in compiled code on this item; left out"
        return f"killed its worker {verdict.n_deaths} times{_signal(verdict.words)}; left out"


def deaths(lake: Lake, digest: str, partition: str) -> list[Place]:
    """Where attempts died, as far as each taught something: one more at a known place does if it was a single item."""
    places = [death.place for death in _left_over(lake, digest, partition)]
    return [place for i, place in enumerate(places) if place.n_rows == 1 or place not in places[:i]]


def _left_over(lake: Lake, digest: str, partition: str) -> list[Death]:
    found = map(Death.unpacked, lake.left_over_attempts(digest, partition))
    return [death._replace(words=last_words(death.name)) for death in found if death is not None]


def _has_heartbeats(annotator: Annotator) -> bool:
    """Models, and annotators of the user's own make; our declared rules are one call a batch."""
    return annotator.kind == "model" or not hasattr(annotator, "evaluation")


def _signal(words: str) -> str:
    """`Fatal Python error: Segmentation fault` in brackets, if that is how it died."""
    first = words.partition("\n")[0]
    return f" ({first.rpartition(': ')[2]})" if first.startswith("Fatal Python error: ") else ""


def _left_out(batch: ItemBatch, annotator: Annotator, schema: LabelSchema, reason: str, words: str = "") -> VoteBatch:
    faults = [Fault(item, annotator.name, reason, words) for item in batch.ids]
    if schema.kind == "multi_choice" or schema.is_structured:
        return VoteBatch([None] * len(batch), faults)
    return VoteBatch(np.full(len(batch), ABSTAIN, dtype=np.int16), faults)


def _joined(parts: list[VoteBatch]) -> VoteBatch:
    faults = [fault for part in parts for fault in part.faults]
    arrays = [part.labels for part in parts if isinstance(part.labels, np.ndarray)]
    soft = [part.probabilities for part in parts]
    given = next((p for p in soft if p is not None), None)
    probabilities = None
    if given is not None:
        blanks = [np.full((len(part), given.shape[1]), np.nan, dtype=np.float32) for part in parts]
        probabilities = np.concatenate([blank if p is None else p for blank, p in zip(blanks, soft, strict=True)])
    if len(arrays) == len(parts):
        return VoteBatch(np.concatenate(arrays), faults, probabilities)
    return VoteBatch([labels for part in parts for labels in part.labels], faults, probabilities)
