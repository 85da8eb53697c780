"""The queue that people work from: how many tasks go in, and label cycles out, on SQLite and PostgreSQL.

    python benchmarks/people_queue.py [sizes, e.g. 10000 100000 1000000]

A cycle is one task leased and its answer acknowledged, which means that it is on the disk: PostgreSQL runs with the
settings it ships with. The annotators are threads of one process, as in a server.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.postgres import running_postgres
from tests.stores.database.people import add_person

from labelmill.stores.database.answers import Answer, submit
from labelmill.stores.database.connect import Database, open_database
from labelmill.stores.database.projects import Project, create_project
from labelmill.stores.database.queue import Queue
from labelmill.stores.database.tasks import NewTask, list_tasks, put_tasks
from labelmill.stores.database.votes import current_votes

SIZES = (10_000, 100_000, 1_000_000)
N_PEOPLE = 16
CYCLES = 60
"""Of each of the sixteen."""

CALLS = 300
"""Of one annotator, for the percentiles."""

TEXT = "Your parcel is waiting: confirm your address within a day and pay the fee of two pounds to have it delivered."


def report(sizes: Sequence[int] = SIZES) -> str:
    """Markdown tables."""
    rows, syncs = [], _sync_ms()
    for kind, opened in (("SQLite", _sqlite), ("PostgreSQL", _postgres)):
        for size in sizes:
            with opened() as database:
                rows.append(f"| {kind} | {size:,} | " + " | ".join(_measured(database, size)) + " |")
                print(rows[-1], file=sys.stderr)
    load = os.getloadavg()[0]
    return "\n".join(
        [
            f"One writer's `fdatasync` takes {syncs:.1f} ms on this disk (median); load of the machine by others: "
            f"{load:.0f}. Milliseconds by the clock are next to CPU of our process in brackets where both are given.",
            "",
            "| database | tasks | put/s (CPU µs each) | `next` p50 / p95 / p99 ms (CPU ms) | "
            "16 annotators: cycles/s (CPU ms each) | page of 100 in the middle, ms | votes out, CPU µs each |",
            "|---|--:|--:|--:|--:|--:|--:|",
            *rows,
        ]
    )


def _measured(database: Database, size: int) -> list[str]:
    project = create_project(database, f"p {uuid.uuid4()}")
    queue = Queue(database, project)
    new = (NewTask(f"item-{i}", {"text": f"{i} {TEXT}"}, priority=float(i % 97)) for i in range(size))
    put_wall, put_cpu = _clocked(lambda: put_tasks(database, project, new))
    people = [add_person(database, project, "annotator", str(i)) for i in range(N_PEOPLE + 1)]
    times, next_cpu = _next_times(queue, people[0])
    cycles, cycle_cpu = _cycles(queue, people[1:])
    middle = size // 2
    page = statistics.median(_clocked(lambda: list_tasks(database, project, after=middle))[0] for _ in range(9))
    n_votes, votes_cpu = _votes(database, project)
    p50, p95, p99 = (1000 * times[int(len(times) * share)] for share in (0.5, 0.95, 0.99))
    return [
        f"{size / put_wall:,.0f} ({1e6 * put_cpu / size:.0f})",
        f"{p50:.1f} / {p95:.1f} / {p99:.1f} ({1000 * next_cpu:.1f})",
        f"{cycles:,.0f} ({1000 * cycle_cpu:.1f})",
        f"{1000 * page:.1f}",
        f"{1e6 * votes_cpu / n_votes:.0f}",
    ]


def _next_times(queue: Queue, user: int) -> tuple[list[float], float]:
    """Sorted seconds of `next`, and its mean CPU; answers come in between, outside the clock."""
    times, cpu = [], 0.0
    for _ in range(CALLS):
        started, before = time.perf_counter(), time.process_time()
        (given,) = queue.next(user)
        times.append(time.perf_counter() - started)
        cpu += time.process_time() - before
        submit(queue, user, [Answer(str(uuid.uuid4()), given.id, value="spam", ms_active=900)])
    return sorted(times), cpu / CALLS


def _cycles(queue: Queue, people: Sequence[int]) -> tuple[float, float]:
    """Cycles a second of all together, and CPU seconds of one."""

    def work(user: int) -> None:
        for _ in range(CYCLES):
            (given,) = queue.next(user)
            (receipt,) = submit(queue, user, [Answer(str(uuid.uuid4()), given.id, value="spam", ms_active=900)])
            if not receipt.is_on_disk:
                raise RuntimeError(receipt.message)

    threads = [threading.Thread(target=work, args=(user,)) for user in people]
    started, before = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    n = CYCLES * len(people)
    return n / (time.perf_counter() - started), (time.process_time() - before) / n


def _votes(database: Database, project: Project) -> tuple[int, float]:
    before = time.process_time()
    n = sum(1 for _ in current_votes(database, project))
    return n, time.process_time() - before


def _clocked(call: Callable[[], object]) -> tuple[float, float]:
    started, before = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - started, time.process_time() - before


def _sync_ms() -> float:
    with tempfile.NamedTemporaryFile() as file:
        times = []
        for _ in range(50):
            file.write(b"x" * 4096)
            file.flush()
            times.append(_clocked(lambda: os.fdatasync(file.fileno()))[0])
    return 1000 * statistics.median(times)


@contextmanager
def _sqlite() -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder, open_database(Path(folder) / "people.db") as database:
        yield database


@contextmanager
def _postgres() -> Iterator[Database]:
    with running_postgres() as server, open_database(server.new_database()) as database:
        yield database


if __name__ == "__main__":
    print(report([int(word) for word in sys.argv[1:]] or SIZES))
