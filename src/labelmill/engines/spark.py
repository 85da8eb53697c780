"""A Spark cluster, or the Spark session of a notebook: partitions as tasks of an RDD of descriptors."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import math
import queue
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Final

from pyspark import RDD, InheritableThread, SparkContext  # noqa: TID253 -- this file is about it
from pyspark.resource import ResourceProfile, ResourceProfileBuilder, TaskResourceRequests  # noqa: TID253 -- likewise

from labelmill.domain.partition import Partition, Receipt, Resources
from labelmill.domain.ports import Stage
from labelmill.engines._child import pickled
from labelmill.engines._pieces import n_pieces
from labelmill.engines._spark_errors import KEPT, told
from labelmill.engines._spark_session import Session, is_local, open_session
from labelmill.engines._spark_task import Inbox, Task, Trouble
from labelmill.engines._versions import versions
from labelmill.engines._width import fewest_asked, n_cores
from labelmill.errors import AnnotationError

__all__ = ["Spark"]

logger = logging.getLogger(__name__)

SCOUTS: Final = 2
"""Partitions for each core that go first."""

CANCEL_SECONDS: Final = 10.0
"""How long cancelled work may take to stop before we go on without it."""

STALL_SECONDS: Final = 60.0
"""After this long without any task at work, the log says so."""

_POOL: Final = "LABELMILL_POOL"
"""Workers with different values of this variable are different to Spark, and not given each other's tasks."""

_environment_lock = threading.Lock()


class Spark:
    """Runs the stage in child processes of Spark's Python workers, a partition or some short ones per task.

    Each Python worker keeps one child with the stage open. An item that kills its process costs the child; a worker,
    an executor or a node that is lost costs Spark a task, which Spark tries again (`spark.task.maxFailures` times).
    Both are harmless, and so is speculation: the output of a partition has one name, and the first to publish wins.

    With `need.workers` (or `workers`) every partition is a job of its own and so many jobs run at a time, which bounds
    the partitions at work on the whole cluster; without it a job of a few and one of all others take the room there is.
    `need.cpus` above 1 and `need.gpus` ask for a resource profile, which needs executors that have them; a task sees
    the accelerators that Spark gave to it as CUDA_VISIBLE_DEVICES. On one machine (`local[n]`) Spark knows no resource
    profiles: there fewer partitions run at a time and accelerators are not counted. The memory of children is beside
    the JVM's: on YARN and Kubernetes `spark.executor.memoryOverhead` must hold it; `need.memory` changes nothing.

    labelmill must be installed on the nodes, in the versions the driver has.

    Parameters
    ----------
    master : str, optional
        `local[2]`, `spark://host:7077`, `yarn`, `k8s://...`. Without it the active session is joined, which we never
        stop; if there is none, the master that `spark-submit` or spark-defaults.conf name is used, else this machine.
    workers : int, optional
        Number of partitions at work at most.
    """

    isolates: ClassVar[bool] = True
    """Whether a stage that dies leaves the caller alive."""

    def __init__(self, master: str | None = None, *, workers: int | None = None) -> None:
        self.master = master
        self.workers = workers
        self._session: Session | None = None
        self._jobs: list[_Job] = []

    def map(self, stage: Stage, partitions: Iterable[Partition], need: Resources) -> Generator[Receipt, None, None]:
        """A receipt for each partition, as they finish. Closing the iterator cancels the rest.

        Raises
        ------
        UsageError
            If the stage cannot travel, the session cannot be used, or Java is missing.
        AnnotationError
            If Spark cannot start or gives up, or the workers cannot work.
        """
        pickled_stage = pickled(stage)
        width = fewest_asked(self.workers, need.workers)
        todo = list(partitions)
        if not todo:
            return
        job = _Job(self._context(), type(stage).__name__, pickled_stage, need, width)
        self._jobs.append(job)
        try:
            yield from job.receipts(todo)
        finally:
            self._jobs.remove(job)
            job.cancel()

    def close(self) -> None:
        """Cancel what runs, and stop the session if it is ours."""
        for job in list(self._jobs):  # a map in another thread takes its own off meanwhile
            job.cancel()
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _context(self) -> SparkContext:
        if self._session is None:
            self._session = open_session(self.master, min(n_cores(), self.workers or n_cores()))
        return self._session.context


class _Job:
    """The Spark jobs of one `map`: one for all partitions, or one each in as many lanes as may be at work."""

    def __init__(self, context: SparkContext, name: str, stage: bytes, need: Resources, width: int | None) -> None:
        self._context = context
        self._name = name
        self._need = need
        self._width = _width_here(context, need, width)
        self._news: queue.SimpleQueue[Receipt | Trouble | _LaneEnd] = queue.SimpleQueue()
        self._stage = context.broadcast(stage)
        self._task = Task(
            self._stage,
            hashlib.sha256(stage).hexdigest(),
            max(1, int(need.cpus)),
            tuple(versions("pyspark").items()),
            tuple(str(Path(place).absolute()) for place in sys.path),
            context.accumulator([], Inbox(self._news)),
        )
        self._group = f"labelmill-{uuid.uuid4().hex}"
        self._chunks: deque[list[list[Partition]]] = deque()
        self._later: list[Partition] = []
        self._lanes: list[threading.Thread] = []
        self._is_cancelled = False

    def receipts(self, todo: list[Partition]) -> Iterator[Receipt]:
        """One for each partition; a task that was tried twice is counted once."""
        open_ids = {partition.id for partition in todo}
        self._start(todo)
        n_ended, quickest = 0, math.inf
        while n_ended < len(self._lanes):
            news = self._next()
            if isinstance(news, Receipt):
                if news.partition in open_ids:
                    open_ids.remove(news.partition)
                    quickest = min(quickest, news.seconds)
                    if len(todo) - len(open_ids) > self._context.defaultParallelism:  # one has done its second
                        self._start_later(quickest)
                    yield news
            elif self._is_cancelled:
                return
            elif isinstance(news, Trouble):
                raise AnnotationError(news.message)
            elif news.error is not None:
                raise told(news.error) from news.error
            else:
                n_ended += 1
        if open_ids:
            raise AnnotationError(f"Spark brought no receipt for {len(open_ids)} of {len(todo)} partitions; {KEPT}")

    def cancel(self) -> None:
        """Stop what runs. Spark interrupts the tasks and kills their workers, and with them the children end."""
        self._is_cancelled = True
        self._chunks.clear()
        deadline = time.monotonic() + CANCEL_SECONDS
        with contextlib.suppress(Exception):  # the session may be gone, and its work with it
            while any(lane.is_alive() for lane in self._lanes) and time.monotonic() < deadline:
                self._context.cancelJobGroup(self._group)  # again and again: a job may be just about to start
                for lane in self._lanes:
                    lane.join(0.1)
            self._stage.destroy()

    def _start(self, todo: list[Partition]) -> None:
        """Some partitions of an unbounded job go first, one per task: they tell how long one takes."""
        if self._width is None:
            n_first = SCOUTS * self._context.defaultParallelism
            self._chunks.append([[partition] for partition in todo[:n_first]])
            self._later = todo[n_first:]
        else:
            self._chunks.extend([[partition]] for partition in todo)
        self._add_lanes(min(self._width or 1, len(self._chunks)))

    def _start_later(self, seconds: float) -> None:
        """The rest as a second job beside the first, so that no worker waits in between; nothing the second time."""
        rest, self._later = self._later, []
        if rest and not self._is_cancelled:
            n_tasks = n_pieces(len(rest), self._context.defaultParallelism, seconds)
            self._chunks.append([rest[i::n_tasks] for i in range(n_tasks)])
            self._add_lanes(1)

    def _add_lanes(self, n_lanes: int) -> None:
        lanes = [InheritableThread(target=self._lane, daemon=True) for _ in range(n_lanes)]
        self._lanes += lanes
        for lane in lanes:
            lane.start()

    def _lane(self) -> None:
        error = None
        try:
            self._context.setJobGroup(self._group, f"labelmill: {self._name}", interruptOnCancel=True)
            while not self._is_cancelled:
                try:
                    chunk = self._chunks.popleft()
                except IndexError:
                    break
                self._rdd(chunk).collect()  # of nothing: what there is to say came by the accumulator
        except BaseException as problem:  # noqa: BLE001 -- told in the caller's thread
            error = problem
        self._news.put(_LaneEnd(error))

    def _rdd(self, groups: list[list[Partition]]) -> RDD[Any]:
        """One task for each group."""
        rdd = self._context.parallelize(groups, len(groups)).mapPartitions(self._task)
        profile = _profile(self._context, self._need)
        if profile is not None:
            rdd = rdd.withResources(profile)
        with _environment_lock, self._own_pool(profile is not None):
            rdd.id()  # builds it, with the environment as it is now
        return rdd

    @contextlib.contextmanager
    def _own_pool(self, is_special: bool) -> Iterator[None]:  # noqa: FBT001 -- private, one caller
        """Workers of bounded maps are kept apart: there are never more of them than may be at work.

        Spark hands tasks to the worker that has been idle longest. From a common pool one lane would wake all workers
        by turns, and each would load the model.
        """
        pool = f"{self._width or ''}/{self._need.cpus:g}/{self._need.gpus:g}"
        if self._width is None and not is_special:
            yield
            return
        before = self._context.environment
        self._context.environment = {**before, _POOL: pool}
        try:
            yield
        finally:
            self._context.environment = before

    def _next(self) -> Receipt | Trouble | _LaneEnd:
        """Wait for news. If nothing is at work for long, say so once: Spark waits forever for room on its cluster."""
        try:
            return self._news.get(timeout=STALL_SECONDS)
        except queue.Empty:
            if not self._is_at_work():
                logger.warning(
                    "spark_gives_no_worker seconds=%.0f master=%s (does the cluster have a free executor with the cpus "
                    "and gpus asked for?)",
                    STALL_SECONDS,
                    self._context.master,
                )
        return self._news.get()

    def _is_at_work(self) -> bool:
        tracker = self._context.statusTracker()
        stages = [
            tracker.getStageInfo(stage)
            for job in tracker.getJobIdsForGroup(self._group)
            for stage in getattr(tracker.getJobInfo(job), "stageIds", ())
        ]
        return any(stage is not None and stage.numActiveTasks for stage in stages)


class _LaneEnd:
    """The last word of a lane."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def _width_here(context: SparkContext, need: Resources, width: int | None) -> int | None:
    """On one machine, how many partitions have the cores they need; None if that is what Spark does by itself."""
    if not is_local(context):
        return width
    n_slots = context.defaultParallelism
    room = max(1, int(n_slots / max(need.cpus, 1)))
    width = min(width or room, room)
    return None if width >= n_slots else width


def _profile(context: SparkContext, need: Resources) -> ResourceProfile | None:
    if is_local(context) or (need.cpus <= 1 and not need.gpus):
        return None
    requests = TaskResourceRequests().cpus(max(1, math.ceil(need.cpus)))
    if need.gpus:
        requests = requests.resource("gpu", need.gpus)
    return ResourceProfileBuilder().require(requests).build
