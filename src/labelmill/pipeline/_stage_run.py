"""Run a stage over partitions until each has its receipt, and keep account of how it goes."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any, Final, TypeVar

from labelmill.domain.partition import Partition, Receipt, Resources
from labelmill.domain.ports import Engine, Progress, Stage
from labelmill.errors import AnnotationError
from labelmill.pipeline._attempts import deaths
from labelmill.pipeline.workspace import Workspace

__all__ = ["Tally", "receipts_of", "run_stage", "side_by_side"]

T = TypeVar("T")

MOST_ALIKE: Final = 3
"""Partitions that may fail in the same words, none having been done, before the rest is not even tried."""


def run_stage(
    workspace: Workspace,
    stage: Stage,
    partitions: Sequence[Partition],
    engine: Engine,
    need: Resources,
    *,
    digest: str,
    progress: Progress,
) -> list[Receipt]:
    """Receipts of all partitions; see `receipts_of`."""
    tally = Tally(sum(partition.n_rows for partition in partitions), len(partitions))
    receipts = {}
    for receipt in receipts_of(workspace, stage, partitions, engine, need, digest=digest):
        tally.add(receipt)
        receipts[receipt.partition] = receipt
        progress(tally.n_rows, tally.total, tally.detail())
    return list(receipts.values())


def receipts_of(
    workspace: Workspace,
    stage: Stage,
    partitions: Sequence[Partition],
    engine: Engine,
    need: Resources,
    *,
    digest: str,
) -> Iterator[Receipt]:
    """Receipts as they come; one whose worker keeps dying is tried again as long as the ledger learns of it.

    Raises
    ------
    AnnotationError
        At the end, if some partitions could not be finished; early, if the first ones fail alike. The finished ones
        are published.
    CancelledError
        If somebody asked for the run's end.
    """
    receipts: dict[str, Receipt] = {}
    todo = list(partitions)
    known: dict[str, int] = {}
    while todo:
        with closing(_generator(engine.map(stage, todo, need))) as arriving:
            for receipt in arriving:
                receipts[receipt.partition] = receipt
                yield receipt
                workspace.obey()
                _stop_if_hopeless(receipts.values(), len(partitions))
        todo = []
        for partition in partitions:
            if receipts[partition.id].died:
                convicted = len(deaths(workspace.lake, digest, partition.id))
                if convicted > known.get(partition.id, 0):
                    known[partition.id] = convicted
                    todo.append(partition)
    failed = [receipt for receipt in receipts.values() if receipt.error is not None]
    if failed:
        raise AnnotationError(
            f"{len(failed)} of {len(partitions)} partitions could not be finished: {failed[0].error}\n"
            "The others are kept: run the same command again to go on."
        )


def _stop_if_hopeless(receipts: Iterable[Receipt], n_partitions: int) -> None:
    """What is wrong with everything need not be said of each partition."""
    found = list(receipts)
    errors = {receipt.error for receipt in found}
    is_alike = len(errors) == 1 and None not in errors and not any(receipt.died for receipt in found)
    if len(found) == MOST_ALIKE < n_partitions and is_alike:
        raise AnnotationError(
            f"the first {MOST_ALIKE} of {n_partitions} partitions could not be finished, all for this reason: "
            f"{found[0].error}\nThe others were not tried."
        )


def _generator(receipts: Iterable[Receipt]) -> Generator[Receipt, None, None]:
    """Any engine's iterator, with a `close`."""
    yield from receipts


def side_by_side(lanes: Sequence[Iterable[T]], stop: Callable[[], None]) -> Iterator[T]:
    """What several iterables bring, as it comes; each runs in a thread of its own if there is more than one.

    An error in one lets the others finish before it is raised.

    Parameters
    ----------
    lanes : sequence of iterable
    stop : callable
        Ends what the lanes wait for, if this iterator is closed or interrupted before its end.
    """
    if len(lanes) == 1:
        yield from lanes[0]
        return
    news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    threads = [threading.Thread(target=_drive, args=(lane, news), daemon=True) for lane in lanes]
    errors = []
    n_running = len(threads)
    try:
        for thread in threads:
            thread.start()
        while n_running:
            kind, value = news.get()
            if kind == "item":
                yield value
                continue
            n_running -= 1
            if kind == "error":
                errors.append(value)
    finally:
        if n_running:
            stop()
            for thread in threads:
                thread.join(STOP_SECONDS)
    if errors:
        raise errors[0]


STOP_SECONDS: Final = 5.0
"""How long stopped work may take to end before we go on without it."""


def _drive(lane: Iterable[T], news: queue.SimpleQueue[tuple[str, Any]]) -> None:
    try:
        for item in lane:
            news.put(("item", item))
    except BaseException as error:  # noqa: BLE001 -- raised in the caller's thread
        news.put(("error", error))
    else:
        news.put(("end", None))


class Tally:
    """How far a run is.

    Parameters
    ----------
    total : int
        Items it is about.
    n_partitions : int
        Partitions it is about.
    n_rows_before, n_before : int
        How many of them an earlier run had done.
    """

    def __init__(self, total: int, n_partitions: int, *, n_rows_before: int = 0, n_before: int = 0) -> None:
        self.total = total
        self.n_partitions = n_partitions
        self.n_rows = n_rows_before
        self.n_done = n_before
        self.n_before = n_before
        self.n_faults = 0
        self.n_retries = 0
        self.hosts: Counter[str] = Counter()
        self.seconds: dict[str, float] = {}
        self.printed = ""
        self._failed: set[str] = set()

    def add(self, receipt: Receipt) -> None:
        """Take account of a receipt; a partition that failed may come again."""
        self.n_retries += receipt.retries
        if receipt.error is not None:
            self._failed.add(receipt.partition)
            return
        self._failed.discard(receipt.partition)
        self.n_rows += receipt.rows
        self.n_done += 1
        self.n_faults += receipt.faults
        self.printed = self.printed or receipt.printed
        if receipt.host:
            self.hosts[receipt.host] += 1
        for name, seconds in receipt.timings:
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def detail(self) -> dict[str, Any]:
        """What `Progress` is told."""
        whole = sum(self.seconds.values())
        return {
            "partitions": {
                "done": self.n_done,
                "total": self.n_partitions,
                "failed": len(self._failed),
                "retried": self.n_retries,
            },
            "faults": self.n_faults,
            "hosts": dict(self.hosts),
            "shares": {name: seconds / whole for name, seconds in self.seconds.items()} if whole else {},
        }
