"""Micro-batches: what many clients ask for at the same moment is one call of the model.

A model pays a fixed price for each call. While one batch is computed, what comes meanwhile waits for the next one; and
because clients that were just answered ask again, the batcher waits a moment for as many as there were: without it they
would fall apart into two groups that take turns. Once a client was alone, nobody is waited for, so that one pays
nothing for a crowd that is not there.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from labelmill.domain.item import ItemBatch
from labelmill.errors import FailedError
from labelmill.pipeline.ready_models import Predictions
from labelmill.server.model_serving.figures import ModelFigures

__all__ = ["Batcher", "BusyError", "LateError", "Limits", "Model"]


class BusyError(FailedError):
    """So many items wait already that no more are taken. Ask again in a moment."""


class LateError(FailedError):
    """The answer took longer than it may. Ask for fewer items at once, or allow more time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken, and how long it may take.

    Parameters
    ----------
    max_batch : int
        Items of one call of the model.
    max_wait : float
        Seconds that a batch waits for others to fill it.
    max_waiting : int
        Items that wait at most; who comes then is told to come again.
    time_limit : float
        Seconds until an answer, waiting included.
    most_items : int
        Items of one request.
    most_characters : int
        Of one text.
    """

    max_batch: int = 64
    max_wait: float = 0.005
    max_waiting: int = 4_096
    time_limit: float = 60.0
    most_items: int = 2_048
    most_characters: int = 1_000_000


class Model(Protocol):
    """What a batch is given to."""

    def predict(self, batch: ItemBatch) -> Predictions:
        """What it says of each item; never two calls at once."""


@dataclass(eq=False, slots=True)
class _Call:
    """A part of a request, at most a batch."""

    model: Model
    texts: Sequence[str]
    features: npt.NDArray[np.float32] | None
    answer: asyncio.Future[Predictions]
    has_begun: bool = False

    def goes_with(self, other: _Call) -> bool:
        """Whether both can be one batch: a new version of a model does not answer for the old one."""
        return self.model is other.model and (self.features is None) == (other.features is None)


class Batcher:
    """Gathers calls into batches and computes them one after the other, beside the event loop.

    Parameters
    ----------
    limits : Limits
    worker : Executor
        Of one thread, so that no model is asked twice at once.
    figures : ModelFigures
        Told the size and the seconds of each batch.
    """

    def __init__(self, limits: Limits, worker: Executor, figures: ModelFigures) -> None:
        self.limits = limits
        self._worker, self._figures = worker, figures
        self._waiting: deque[_Call] = deque()
        self._n_waiting = 0
        self._n_expected = 1
        self._enough = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None

    async def predict(
        self, model: Model, texts: Sequence[str], features: npt.NDArray[np.float32] | None = None
    ) -> Predictions:
        """What the model says of the items; cancelling it takes back what has not begun.

        Parameters
        ----------
        model : Model
        texts : sequence of str
            The items' data; empty texts beside features.
        features : ndarray of float32, shape (n_items, n_dimensions), optional

        Raises
        ------
        BusyError
            If too much waits already.
        LateError
            If there was no answer in time.
        """
        if self._n_waiting + len(texts) > self.limits.max_waiting:
            raise BusyError(f"{self._n_waiting} items wait already, and {self.limits.max_waiting} may: ask again soon")
        calls = self._enter(model, texts, features)
        try:
            async with asyncio.timeout(self.limits.time_limit):
                return Predictions.joined([await call.answer for call in calls])
        except TimeoutError:
            raise LateError(
                f"no answer within {self.limits.time_limit:g} s: ask for fewer items at once, or allow more time"
            ) from None
        finally:
            for call in calls:
                self._withdraw(call)

    def _enter(self, model: Model, texts: Sequence[str], features: npt.NDArray[np.float32] | None) -> list[_Call]:
        loop, size = asyncio.get_running_loop(), self.limits.max_batch
        calls = [
            _Call(
                model,
                texts[at : at + size],
                None if features is None else features[at : at + size],
                loop.create_future(),
            )
            for at in range(0, max(1, len(texts)), size)
        ]
        self._waiting.extend(calls)
        self._n_waiting += len(texts)
        if self._n_waiting >= self._n_expected:
            self._enough.set()
        if self._runner is None or self._runner.done():
            self._runner = loop.create_task(self._run())
        return calls

    def _withdraw(self, call: _Call) -> None:
        """Nobody waits for it any more; nothing happens if it has begun."""
        call.answer.cancel()
        if not call.has_begun:
            call.has_begun = True
            self._waiting.remove(call)
            self._n_waiting -= len(call.texts)

    async def _run(self) -> None:
        while self._waiting:
            await self._gather()
            batch = self._take()
            if batch:
                await self._compute(batch)
                n = sum(len(call.texts) for call in batch) + self._n_waiting
                self._n_expected = max(1, min(n, self.limits.max_batch))

    async def _gather(self) -> None:
        """Wait a moment for those who were just answered."""
        if self._n_waiting >= self._n_expected:
            return
        self._enough.clear()
        try:
            async with asyncio.timeout(self.limits.max_wait):
                await self._enough.wait()
        except TimeoutError:
            pass

    def _take(self) -> list[_Call]:
        """The first calls that can be one batch, in the order they came."""
        batch: list[_Call] = []
        n = 0
        while self._waiting:
            call = self._waiting[0]
            is_full = n + len(call.texts) > self.limits.max_batch
            if batch and (is_full or not call.goes_with(batch[0])):
                break
            call.has_begun = True
            batch.append(self._waiting.popleft())
            n += len(call.texts)
        self._n_waiting -= n
        return batch

    async def _compute(self, batch: list[_Call]) -> None:
        started = time.perf_counter()
        loop = asyncio.get_running_loop()
        try:
            told = await loop.run_in_executor(self._worker, batch[0].model.predict, _joined(batch))
        except Exception as error:  # noqa: BLE001 -- whoever waits must hear of it, and the next batch must run
            for call in batch:
                if not call.answer.done():
                    call.answer.set_exception(FailedError(f"the model failed: {type(error).__name__}: {error}"))
            return
        self._figures.computed(len(told), time.perf_counter() - started, len(told.faults))
        at = 0
        for call in batch:
            if not call.answer.done():
                call.answer.set_result(told.slice(at, len(call.texts)))
            at += len(call.texts)


def _joined(batch: Sequence[_Call]) -> ItemBatch:
    items = ItemBatch.from_texts([text for call in batch for text in call.texts])
    features = [call.features for call in batch if call.features is not None]
    return ItemBatch(items.frame, np.concatenate(features)) if features else items
