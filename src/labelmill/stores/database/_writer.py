"""One thread writes to SQLite, and commits what has gathered at once.

SQLite has one writer at a time, and a commit that survives a power cut waits for the disk. So callers hand their work
to one thread, which runs it in the order it came, each piece behind a savepoint of its own, and commits when nothing is
waiting. While the disk works the next group gathers: many people share one wait. A caller goes on only after the
commit that holds its work.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa

from labelmill.errors import StorageError

__all__ = ["Writer"]

T = TypeVar("T")

Work = Callable[[sa.Connection], T]


class _Job(NamedTuple):
    work: Work[Any]
    future: Future[Any]


class Writer:
    """Runs pieces of work one after the other and commits them in groups.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Its transactions begin with the right to write.
    longest_group : float
        Seconds after which a group is committed although more work waits.
    """

    def __init__(self, engine: sa.Engine, *, longest_group: float = 0.05) -> None:
        self._connection, self._longest_group = engine.connect(), longest_group
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="labelmill-writer", daemon=True)
        self._thread.start()

    def __call__(self, work: Work[T]) -> T:
        """What the work returns, once it is on the disk; or what it raises, after it has been undone."""
        return self.later(work).result()

    def later(self, work: Work[T]) -> Future[T]:
        """The same, promised."""
        future: Future[T] = Future()
        with self._lock:
            if self._is_closed:
                raise StorageError("the database is closed: open it again")
            self._jobs.put(_Job(work, future))
        return future

    def close(self) -> None:
        """Finish what is waiting, then end."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        with self._connection as connection:
            while (job := self._jobs.get()) is not None:
                if not self._commit_group(connection, job):
                    return

    def _commit_group(self, connection: sa.Connection, job: _Job | None) -> bool:
        """Whether to go on after it."""
        done: list[tuple[Future[Any], Any]] = []
        waiting = job
        until = time.monotonic() + self._longest_group
        try:
            with connection.begin():
                while job is not None:
                    waiting = job
                    self._run_one(connection, job, done)
                    waiting = None
                    if time.monotonic() > until:
                        break
                    try:
                        job = self._jobs.get_nowait()
                    except queue.Empty:
                        break
        except BaseException as error:  # noqa: BLE001 -- whoever waits is told; the thread must go on
            failed = [future for future, _ in done] + ([waiting.future] if waiting else [])
            for future in failed:
                future.set_exception(error)
            return job is not None
        for future, result in done:
            future.set_result(result)
        return job is not None

    def _run_one(self, connection: sa.Connection, job: _Job, done: list[tuple[Future[Any], Any]]) -> None:
        if not job.future.set_running_or_notify_cancel():  # nobody waits for it any more
            return
        driver: Any = connection.connection.driver_connection
        driver.execute("SAVEPOINT piece")
        try:
            result = job.work(connection)
        except BaseException as error:
            if not driver.in_transaction:  # a full disk undoes all
                raise
            driver.execute("ROLLBACK TO piece")
            driver.execute("RELEASE piece")
            job.future.set_exception(error)
        else:
            driver.execute("RELEASE piece")
            done.append((job.future, result))
