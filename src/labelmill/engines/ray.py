"""The workers of a Ray cluster."""

from __future__ import annotations

import contextlib
import sys
import threading
import uuid
from collections.abc import Generator, Iterable, Iterator
from typing import Any, ClassVar, Final

import ray  # noqa: TID253 -- this file is about it
from ray.exceptions import RayActorError, RayError  # noqa: TID253 -- likewise
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: TID253 -- likewise

from labelmill.domain.partition import Partition, Receipt, Resources
from labelmill.domain.ports import Stage
from labelmill.engines._child import pickled
from labelmill.engines._pieces import n_pieces
from labelmill.engines._ray_cluster import connect, disconnect, room
from labelmill.engines._ray_crew import Conductor, News, Work
from labelmill.engines._versions import versions
from labelmill.engines._width import fewest_asked
from labelmill.errors import AnnotationError

__all__ = ["Ray"]

MOST_LOSSES: Final = 3
"""Conductors lost one after another, without a receipt between, before the cluster counts as broken."""

END_SECONDS: Final = 3.0
"""How long the workers of a cancelled `map` are waited for."""

CALLERS: Final = 16
"""Calls a conductor serves at once: the driver's that waits, and those of workers that arrive."""


class Ray:
    """Runs the stage in the actor pool of Ray Data, whose actors Ray restarts and moves as machines come and go.

    Only names of partitions, the stage and receipts travel. Each actor keeps a child process that does the work, so
    an item that kills its process costs a child as on every engine; what Ray retries are lost actors and machines.
    A conductor in the cluster (an actor without a core of its own) hands the work out. `map` may be called by
    several threads at once; work on CPUs leaves a core to each accelerator.

    Every machine needs the same Python, Ray and labelmill, and must see the lake. On a head node with Ray Client set
    GRPC_ENABLE_FORK_SUPPORT=0 if `ray://` connections break off at random: some releases of gRPC do not survive the
    way in which its proxy starts servers.

    Parameters
    ----------
    address : str, optional
        `ray://host:10001` for a cluster this machine is not part of (through Ray Client); `host:6379` for the one it is
        part of, also as `ray://host:6379` or whatever RAY_ADDRESS says. Without it: the cluster this process is
        connected to, the one that RAY_ADDRESS names, the one that `ray start` has made this machine part of, and if
        there is none a cluster on this machine alone, which ends with `close`.
    workers : int, optional
        Number of workers at most; without it as many as the cluster has room for.
    """

    isolates: ClassVar[bool] = True
    """Whether a stage that dies leaves the caller alive."""

    def __init__(self, address: str | None = None, *, workers: int | None = None) -> None:
        self.address = address
        self.workers = workers
        self._lock = threading.Lock()
        self._conductors: list[Any] = []
        self._idle: list[Any] = []
        self._is_ours = False
        self._is_connected = False

    def map(self, stage: Stage, partitions: Iterable[Partition], need: Resources) -> Generator[Receipt, None, None]:
        """A receipt for each partition, as they finish. Closing the iterator cancels the rest.

        Raises
        ------
        UsageError
            If the stage cannot travel to a worker, or the address is none.
        AnnotationError
            If the cluster cannot be joined, has no room for a worker, or has other versions of what matters.
        """
        packed = pickled(stage)
        limit = fewest_asked(self.workers, need.workers)
        left = {partition.id: partition for partition in partitions}
        n_losses = 0
        while left:
            self._connect()
            try:
                for name, receipt in self._conducted(_work(packed, need, limit, len(left)), list(left.values())):
                    if left.pop(name, None) is not None:
                        n_losses = 0
                        yield receipt
            except Exception as error:
                if not self._is_connected:
                    return  # closed meanwhile, and Ray says so in many ways
                if not isinstance(error, (RayError, ConnectionError)):
                    raise
                n_losses += 1
                if n_losses == MOST_LOSSES or not isinstance(error, RayActorError):
                    raise _told(error) from error
            else:
                return

    def close(self) -> None:
        """End all workers, and the cluster if it was started here; a `map` that is under way ends with them."""
        with self._lock:
            conductors, self._conductors, self._idle = [*self._conductors, *self._idle], [], []
            is_ours, self._is_ours, self._is_connected = self._is_ours, False, False
        for conductor in conductors:
            _end(conductor)
        if is_ours:
            disconnect()

    def _connect(self) -> None:
        with self._lock:
            if not self._is_connected:
                self._is_ours = connect(self.address)
                self._is_connected = True

    def _conducted(self, work: Work, partitions: list[Partition]) -> Iterator[tuple[str, Receipt]]:
        """What one conductor brings in, until all is there or it is lost."""
        conductor = self._conductor()
        n_known = 0
        try:
            ray.get(conductor.begin.remote(work, partitions))
            while True:
                news: News = ray.get(conductor.news.remote(n_known))
                yield from news.receipts
                n_known += len(news.receipts)
                if news.problem is not None:
                    raise AnnotationError(news.problem)
                if news.is_all:
                    self._keep(conductor)
                    return
        finally:
            if conductor in self._conductors:
                self._conductors.remove(conductor)
                _end(conductor)

    def _conductor(self) -> Any:
        """One that has nothing to do, or a new one."""
        with self._lock:
            conductor = self._idle.pop() if self._idle else _new_conductor()
            self._conductors.append(conductor)
        return conductor

    def _keep(self, conductor: Any) -> None:
        with self._lock:
            if conductor in self._conductors:  # else all has been closed meanwhile
                self._conductors.remove(conductor)
                self._idle.append(conductor)


def _work(packed: bytes, need: Resources, limit: int | None, n_partitions: int) -> Work:
    n_now, n_ever = room(need)
    n_workers = min(n_partitions, n_now if limit is None else min(n_now, limit))
    resources = {"num_cpus": need.cpus, "num_gpus": need.gpus or None, "memory": need.memory}
    return Work(
        name=uuid.uuid4().hex,
        stage=packed,
        n_threads=max(1, int(need.cpus)),
        versions=versions("ray"),
        path=tuple(sys.path),
        resources={name: amount for name, amount in resources.items() if amount is not None},
        n_workers=n_workers,
        most_workers=n_ever if limit is None else limit,
        n_blocks=n_pieces(n_partitions, n_workers),
    )


def _new_conductor() -> Any:
    """Started where this process is connected: it is lost with the driver's machine, not with another."""
    beside = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    remote: Any = ray.remote(Conductor)
    options = {"num_cpus": 0, "max_concurrency": CALLERS, "scheduling_strategy": beside}
    return remote.options(**options).remote()


def _end(conductor: Any) -> None:
    """End it and its workers; their children end because nobody is left to serve."""
    with contextlib.suppress(Exception):  # it may be dead, or the connection gone; then Ray ends them as its orphans
        ray.get(conductor.stop.remote(), timeout=END_SECONDS)
    with contextlib.suppress(Exception):  # likewise
        ray.kill(conductor)


def _told(error: Exception) -> AnnotationError:
    message = str(error)
    if "No module named 'labelmill" in message:
        return AnnotationError(
            "labelmill is not installed on the machines of the Ray cluster, or not in this version: install there what "
            "is installed here, then run the same command again"
        )
    line = " ".join(message.split())[:600] or type(error).__name__
    return AnnotationError(f"Ray gave up: {line}; what is finished is kept: run the same command again")
