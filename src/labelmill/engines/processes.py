"""Worker processes on this machine, one partition each at a time."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from multiprocessing.connection import wait
from typing import ClassVar

from labelmill.domain.partition import Partition, Receipt, Resources
from labelmill.domain.ports import Stage
from labelmill.engines._child import MOST_DEATHS, Child, costly, pickled, stillborn
from labelmill.engines._width import fewest_asked, n_cores
from labelmill.engines._worker import GRACE

__all__ = ["Processes"]


class Processes:
    """Runs the stage in fresh Python processes, as many as there are cores.

    A worker that dies is replaced, and only the partition it was at is tried again: after all others, alone, because
    it may need the memory that they took. Workers start when there is work for them and end with the `map` that
    started them; if the driver dies, however it dies, they end by themselves within a second or so.

    The workers are not those of `concurrent.futures`: there, one death throws away the work of all, nobody can say
    which partition was the cause, the main script is run again in every worker, and workers outlive a killed driver.

    Parameters
    ----------
    workers : int, optional
        Number of workers at most; a core each (or `need.cpus` cores) without it.
    """

    isolates: ClassVar[bool] = True
    """Whether a stage that dies leaves the caller alive."""

    def __init__(self, *, workers: int | None = None) -> None:
        self.workers = workers
        self._crews: list[_Crew] = []

    def map(self, stage: Stage, partitions: Iterable[Partition], need: Resources) -> Generator[Receipt, None, None]:
        """A receipt for each partition, as they finish. Closing the iterator cancels the rest.

        Raises
        ------
        UsageError
            If the stage cannot travel to a worker.
        AnnotationError
            If workers die before they are ready to work.
        """
        crew = _Crew(pickled(stage), self._n_workers(need), max(1, int(need.cpus)))
        self._crews.append(crew)
        try:
            yield from crew.run(partitions)
        finally:
            self._crews.remove(crew)
            crew.close()

    def close(self) -> None:
        """End all workers; a `map` that is under way ends with them."""
        for crew in list(self._crews):  # a map in another thread takes its own off meanwhile
            crew.close()

    def _n_workers(self, need: Resources) -> int:
        return fewest_asked(self.workers, need.workers) or max(1, int(n_cores() / max(need.cpus, 0.01)))


class _Crew:
    """The workers of one `map`."""

    def __init__(self, pickled_stage: bytes, n_workers: int, n_threads: int) -> None:
        self._pickled_stage = pickled_stage
        self._n_workers = n_workers
        self._n_threads = n_threads
        self._children: list[Child] = []
        self._again: deque[Partition] = deque()
        self._suspects: deque[Partition] = deque()
        self._deaths: Counter[str] = Counter()
        self._n_stillborn = 0
        self._is_closed = False

    def run(self, partitions: Iterable[Partition]) -> Iterator[Receipt]:
        """All partitions side by side, then the suspects one by one."""
        yield from self._side_by_side(iter(partitions), self._n_workers)
        while self._suspects:
            yield from self._side_by_side(iter([self._suspects.popleft()]), 1)

    def close(self) -> None:
        """End all workers: all are told at once, and none outlives its grace."""
        self._is_closed = True
        children, self._children = self._children, []
        deadline = time.monotonic() + GRACE + 0.5
        with ExitStack() as endings:  # every worker is buried, whatever interrupts the burial of another
            for child in children:
                endings.callback(child.bury, deadline)
            for child in children:
                child.dismiss()

    def _side_by_side(self, partitions: Iterator[Partition], width: int) -> Iterator[Receipt]:
        receipts: list[Receipt] = []
        while not self._is_closed:
            self._hand_out(partitions, width)
            yield from receipts  # after handing out: the workers do not wait for the caller
            busy = {child.connection: child for child in self._children if child.partition is not None}
            if not busy:
                return
            answers = [self._answer(busy[connection]) for connection in wait(list(busy)) if connection in busy]
            receipts = [receipt for receipt in answers if receipt is not None]

    def _hand_out(self, partitions: Iterator[Partition], width: int) -> None:
        while sum(child.partition is not None for child in self._children) < width:
            partition = self._again.popleft() if self._again else next(partitions, None)
            if partition is None:
                return
            self._idle_child().give(partition)

    def _idle_child(self) -> Child:
        for child in self._children:
            if child.partition is None:
                return child
        self._children.append(Child(self._pickled_stage, self._n_threads))
        return self._children[-1]

    def _answer(self, child: Child) -> Receipt | None:
        partition = child.partition
        try:
            receipt = child.answer()
        except EOFError:
            return self._replace(child)
        self._n_stillborn = 0
        if receipt is None or partition is None:
            return None
        return receipt._replace(retries=self._deaths[partition.id])

    def _replace(self, child: Child) -> Receipt | None:
        """Take a dead worker off; the next partition that is handed out starts another."""
        self._children.remove(child)
        ending = child.bury()
        partition = child.partition
        if partition is None:
            return None
        if not child.is_ready:
            self._n_stillborn += 1
            if self._n_stillborn >= MOST_DEATHS:
                raise stillborn(ending)
            self._again.append(partition)
            return None
        self._deaths[partition.id] += 1
        if self._deaths[partition.id] < MOST_DEATHS:
            self._suspects.append(partition)
            return None
        return costly(partition, ending)
