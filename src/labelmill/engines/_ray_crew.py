"""The inside of a Ray cluster: workers that keep a shepherd each, and the conductor of their pool."""

from __future__ import annotations

import contextlib
import pickle
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import ray  # noqa: TID253 -- this file is about it
from ray.exceptions import ActorUnschedulableError  # noqa: TID253 -- likewise

from labelmill.domain.partition import Partition, Receipt
from labelmill.engines._attempt import spoken
from labelmill.engines._shepherd import Shepherd
from labelmill.engines._versions import mismatch
from labelmill.errors import LabelmillError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Conductor", "News", "Work"]

_WAIT: Final = 1.0
"""Seconds after which the conductor answers even without news, so that a driver can be interrupted."""

_END: Final = 2.0
"""Seconds that workers have to be gone when the conductor stops."""


_COORDINATOR: Final = "AutoscalingCoordinator"
"""Name and namespace of the actor that Ray Data shares."""


@dataclass(frozen=True)
class Work:
    """What one `map` asks of the cluster.

    Parameters
    ----------
    name : str
        Tells it from what the conductor did before.
    stage : bytes
        The pickled stage.
    n_threads : int
        Threads that a library may use in a worker.
    versions : mapping of str to str
        What the driver has installed.
    path : tuple of str
        Where the driver finds modules; on this machine or a shared disk a worker finds them there as well.
    resources : mapping
        What one worker takes, in the words of `map_batches`: num_cpus, num_gpus, memory.
    n_workers, most_workers : int, int or None
        Workers at the start and at most.
    n_blocks : int
        Into how many pieces the partitions are cut. A piece is what Ray hands to a worker.
    """

    name: str
    stage: bytes
    n_threads: int
    versions: Mapping[str, str]
    path: tuple[str, ...]
    resources: Mapping[str, Any]
    n_workers: int
    most_workers: int | None
    n_blocks: int


@dataclass(frozen=True)
class News:
    """What has come in: pairs of a partition's id and its receipt, whether it is all, and what ended it early."""

    receipts: list[tuple[str, Receipt]]
    is_all: bool
    problem: str | None


class Conductor:
    """Runs Ray Data's actor pool and keeps the receipts until the driver has them.

    It is an actor itself: so a driver outside the cluster does as well as one inside, the driver's process stays free
    of Ray Data with its settings and its log, and ending this one actor ends the pool. It serves one `map` after the
    other: to start it takes longer than to start its workers.
    """

    def __init__(self) -> None:
        self._me = ray.get_runtime_context().current_actor
        self._is_stopped = False
        self._workers: dict[str, Any] = {}
        self._changed = threading.Condition()

    def begin(self, work: Work, partitions: list[Partition]) -> None:
        """Hand out the partitions; what was done before is forgotten."""
        with self._changed:
            self._work = work
            self._receipts: list[tuple[str, Receipt]] = []
            self._problem: str | None = None
            self._is_over = False
            self._workers.clear()
        threading.Thread(target=self._run, args=(partitions,), daemon=True).start()

    def news(self, n_known: int) -> News:
        """Receipts after the first `n_known`; waits a moment if there is none. Asked twice it says the same."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or len(self._receipts) > n_known, _WAIT)
            return News(self._receipts[n_known:], self._is_over, self._problem)

    def note(self, work: str, partition: str, answer: Receipt | str) -> None:
        """Take a partition's receipt at once, however many share its piece; words instead of one end the work."""
        with self._changed:
            if work != self._work.name:
                return  # from a worker that was thought lost
            if isinstance(answer, str):
                self._problem = self._problem or answer
                self._is_over = True
            else:
                self._receipts.append((partition, answer))
            self._changed.notify_all()

    def enlist(self, name: str, worker: Any) -> bool:
        """Take note of a worker, so that `stop` finds it; whether there is work."""
        with self._changed:
            self._workers[name] = worker
            return not self._is_stopped

    def stop(self) -> None:
        """End all workers now. That they are the conductor's own would end them too, but only when Ray has noticed."""
        with self._changed:
            self._is_stopped = True
            workers = list(self._workers.values())
        for worker in workers:
            ray.kill(worker)
        if workers:  # a call to a dead actor fails, and not before it is dead
            ray.wait([worker.__ray_ready__.remote() for worker in workers], num_returns=len(workers), timeout=_END)

    def _run(self, partitions: list[Partition]) -> None:
        problem = None
        try:
            self._conduct(partitions)
        except BaseException as error:  # noqa: BLE001 -- told to the driver
            problem = spoken(error)
        with self._changed:
            self._problem = self._problem or problem
            self._is_over = True
            self._changed.notify_all()

    def _conduct(self, partitions: list[Partition]) -> None:
        left = partitions
        for is_last in (False, False, True):
            try:
                for _ in self._pool(left):
                    if self._is_over:
                        break
            except ActorUnschedulableError:
                if is_last:
                    raise
                _forget_the_coordinator()
            done = {name for name, _ in self._receipts}
            left = [partition for partition in partitions if partition.id not in done]
            if self._is_over or not left:
                return

    def _pool(self, partitions: list[Partition]) -> Iterable[Any]:
        from ray import data  # a second's import, and not for the driver

        work = self._work
        context = data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        context.execution_no_progress_timeout_s = -1  # a partition takes as long as it takes
        context.target_max_block_size = 1 << 20  # what Ray Data reckons with until it has seen the first receipt
        pool = data.from_items(
            [{"partition": pickle.dumps(partition)} for partition in partitions],
            override_num_blocks=min(work.n_blocks, len(partitions)),
        ).map_batches(
            Worker,
            fn_constructor_args=(self._me, work),
            batch_size=1,  # Ray Data gathers blocks until it has that many
            batch_format="pyarrow",
            compute=data.ActorPoolStrategy(
                min_size=1,
                max_size=work.most_workers,
                initial_size=work.n_workers,
                max_tasks_in_flight_per_actor=2,
            ),
            **work.resources,
        )
        return pool.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)


def _forget_the_coordinator() -> None:
    """End an actor that Ray Data keeps for the whole cluster, so that it makes a new one.

    It is bound to the machine that used Ray Data first. When that machine is lost nobody can use Ray Data any more.
    """
    with contextlib.suppress(ValueError):  # somebody else has ended it
        ray.kill(ray.get_actor(_COORDINATOR, namespace=_COORDINATOR))
    time.sleep(_WAIT)  # until its name is free


class Worker:
    """One of the pool: hands partitions to its shepherd, and the receipts to the conductor."""

    def __init__(self, conductor: Any, work: Work) -> None:
        sys.path.extend(place for place in work.path if place not in sys.path)
        self._conductor = conductor
        self._work = work.name
        self._shepherd = Shepherd(work.stage, work.n_threads)
        self._problem = mismatch(work.versions)
        here = ray.get_runtime_context()
        if not ray.get(conductor.enlist.remote(here.get_actor_id(), here.current_actor)):
            self._problem = "the work is cancelled"

    def __call__(self, batch: pa.Table) -> dict[str, list[str]]:
        """Partitions in, their names out when the conductor has the receipts."""
        partitions = [pickle.loads(row) for row in batch["partition"].to_pylist()]  # noqa: S301 -- from our own conductor
        note = self._conductor.note
        ray.get([note.remote(self._work, partition.id, self._answer(partition)) for partition in partitions])
        return {"partition": [partition.id for partition in partitions]}

    def _answer(self, partition: Partition) -> Receipt | str:
        """The partition's receipt, or why no partition can be done here."""
        if self._problem is None:
            try:
                return self._shepherd(partition)
            except LabelmillError as error:
                self._problem = str(error)
        return self._problem
