"""The inside of a Python worker of Spark: partitions go to the shepherd it keeps, receipts go to the driver at once.

Receipts travel in an accumulator, because that is the one thing Spark brings back from each task as it ends and counts
once however often the task is tried; the result of a job comes at the very end.
"""

from __future__ import annotations

import gc
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from pyspark import Accumulator, AccumulatorParam, Broadcast, TaskContext  # noqa: TID253 -- this file is about it

from labelmill.domain.partition import Partition, Receipt
from labelmill.engines._shepherd import Shepherd
from labelmill.engines._versions import mismatch
from labelmill.errors import AnnotationError

__all__ = ["Inbox", "Task", "Trouble"]

IDLE_SECONDS: Final = 2.0
"""How long a worker without a task keeps its child, and with it a loaded model and its memory."""


@dataclass(frozen=True)
class Trouble:
    """Word from a worker that no partition can be done there."""

    message: str


News = Receipt | Trouble


@dataclass(frozen=True)
class Task:
    """Does the partitions of one Spark task.

    Parameters
    ----------
    stage : Broadcast of bytes
        The pickled stage; it travels once to each machine.
    digest : str
        Tells one stage from another.
    n_threads : int
        Threads that a library may use.
    versions : tuple of (str, str)
        What the driver has installed.
    path : tuple of str
        Where the driver finds modules; on this machine or a shared disk a worker finds them there as well.
    outbox : Accumulator
        Brings news to the driver when the task ends.
    """

    stage: Broadcast[bytes]
    digest: str
    n_threads: int
    versions: tuple[tuple[str, str], ...]
    path: tuple[str, ...]
    outbox: Accumulator[list[News]]

    def __call__(self, groups: Iterable[list[Partition]]) -> Iterator[Any]:
        """Do them; the result is empty."""
        problem = _mismatch(self.versions)
        if problem is not None:
            self.outbox.add([Trouble(problem)])
            return iter(())
        sys.path.extend(place for place in self.path if place not in sys.path)
        _spare_the_collector()
        try:
            _keeper.lend(self._key(), self._shepherd, lambda shepherd: self._do(groups, shepherd))
        except AnnotationError as error:
            self.outbox.add([Trouble(str(error))])
        return iter(())

    def _do(self, groups: Iterable[list[Partition]], shepherd: Shepherd) -> None:
        for group in groups:
            for partition in group:
                self.outbox.add([shepherd(partition)])

    def _key(self) -> tuple[str, int, str]:
        return self.digest, self.n_threads, _gpus()

    def _shepherd(self) -> Shepherd:
        if gpus := _gpus():
            os.environ["CUDA_VISIBLE_DEVICES"] = gpus  # noqa: TID251 -- set for the child: those Spark gave to this task
        return Shepherd(self.stage.value, self.n_threads)


class Inbox(AccumulatorParam[list[News]]):
    """The driver's end of the accumulator: what a task brings is put into a queue, and not kept."""

    def __init__(self, news: queue.SimpleQueue[Any]) -> None:
        self._news = news

    def __reduce__(self) -> tuple[type[_Outbox], tuple[()]]:
        return _Outbox, ()

    def zero(self, value: list[News]) -> list[News]:  # noqa: ARG002 -- pyspark's signature
        """No news."""
        return []

    def addInPlace(self, value1: list[News], value2: list[News]) -> list[News]:  # noqa: N802 -- pyspark's name
        """Put them into the queue."""
        for news in value2:
            self._news.put(news)
        return value1


class _Outbox(AccumulatorParam[list[News]]):
    """The worker's end of the accumulator: a list that grows until the task ends."""

    def zero(self, value: list[News]) -> list[News]:  # noqa: ARG002 -- pyspark's signature
        return []

    def addInPlace(self, value1: list[News], value2: list[News]) -> list[News]:  # noqa: N802 -- pyspark's name
        return value1 + value2


class _Keeper:
    """Keeps the shepherd of this process between tasks: Spark reuses its workers, and models are dear to load."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: object = None
        self._shepherd: Shepherd | None = None
        self._timer: threading.Timer | None = None

    def lend(self, key: object, make: Callable[[], Shepherd], use: Callable[[Shepherd], None]) -> None:
        """Lend the shepherd for `key`; one for another key goes."""
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            if self._shepherd is None or self._key != key:
                self._let_go()
                self._key, self._shepherd = key, make()
            use(self._shepherd)
        self._timer = threading.Timer(IDLE_SECONDS, self._let_go_if_idle)
        self._timer.daemon = True
        self._timer.start()

    def _let_go_if_idle(self) -> None:
        if self._lock.acquire(blocking=False):  # else the next task has it
            try:
                self._let_go()
            finally:
                self._lock.release()

    def _let_go(self) -> None:
        shepherd, self._shepherd = self._shepherd, None
        if shepherd is not None:
            shepherd.close()


_keeper = _Keeper()


@cache
def _spare_the_collector() -> None:
    """Spark collects garbage after every task; what is imported by now is none, and looking at it takes 30 ms."""
    gc.freeze()


@cache
def _mismatch(versions: tuple[tuple[str, str], ...]) -> str | None:
    return mismatch(dict(versions))


def _gpus() -> str:
    """Numbers of the accelerators that Spark gave to this task, with commas; empty without."""
    context = TaskContext.get()
    given = context.resources().get("gpu") if context is not None else None
    return ",".join(given.addresses) if given is not None else ""
