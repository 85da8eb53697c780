"""What labelling costs the server, through its API: processor time, time until the next item is there, memory, start.

    python benchmarks/server.py [items, e.g. 10000 100000 1000000] [--labels 3000] [--only sqlite|postgresql]

The server runs in a process of its own, on SQLite and on a PostgreSQL with the settings it ships with, and every answer
is on the disk before it is acknowledged. A label is a request with an answer and a request for the next item, as the
browser app makes them. The annotators are threads of a third process that do nothing but send and read, one connection
each; all of them share the machine with the database.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.postgres import running_postgres

from labelmill.stores.database.accounts import accept_link, create_link
from labelmill.stores.database.connect import Database, open_database
from labelmill.stores.database.projects import Project, create_project
from labelmill.stores.database.sessions import create_token
from labelmill.stores.database.tasks import NewTask, put_tasks
from labelmill.stores.database.votes import current_votes

SIZES = (10_000, 100_000, 1_000_000)
N_PEOPLE = 16
N_LABELS = 3_000

SCHEMA = {
    "name": "spam",
    "classes": ["ham", "spam"],
    "kind": "choice",
    "modality": "text",
    "guidelines": "",
    "version": 1,
}

COLUMNS = (
    "database",
    "items",
    "put, items/s (CPU s)",
    "start, CPU s",
    "one annotator: CPU ms a label",
    "`next` p50 / p95 ms",
    "16 annotators: CPU ms a label",
    "labels/s",
    "`next` p95, answer p95 ms",
    "page of 50 p95 ms",
    "votes out, CPU µs each",
    "memory, MB",
)

SERVE = """
import sys
from labelmill.server.app import create_app
from labelmill.server.running import listen, run_until_stopped
from labelmill.server.settings import ServerSettings
from labelmill.stores.database.connect import open_database
with open_database(sys.argv[1]) as database, listen("127.0.0.1", 0) as taken:
    app = create_app(database, ServerSettings(requests_per_second=1e6, burst=1e6))
    run_until_stopped(app, taken, started=lambda: print(taken.getsockname()[1], flush=True))
"""
"""The server alone, as `labelmill serve` runs it."""

SESSION = multiprocessing.get_context("spawn")


class Cost(NamedTuple):
    """Milliseconds of processors a label, milliseconds of the wall until the next item is there, labels a second."""

    server_cpu: float
    database_cpu: float
    next_p50: float
    next_p95: float
    submit_p95: float
    rate: float


@dataclass(frozen=True)
class Place:
    """A database: its address, and the processes that work for it apart from the server."""

    address: str
    helpers: Callable[[], list[psutil.Process]]


def report(sizes: Sequence[int] = SIZES, n_labels: int = N_LABELS, only: str = "") -> str:
    """A markdown table."""
    rows = []
    for kind, opened in (("SQLite", _sqlite), ("PostgreSQL", _postgres)):
        for size in sizes if kind.lower().startswith(only) else ():
            with opened() as place:
                rows.append(f"| {kind} | {size:,} | " + " | ".join(_row(place, size, n_labels)) + " |")
                print(rows[-1], file=sys.stderr)
    load = os.getloadavg()[0]
    told = f"Load of the machine by others: {load:.0f}. CPU is of the server's process; in brackets of PostgreSQL's."
    return "\n".join([told, "", f"| {' | '.join(COLUMNS)} |", f"|---|{'--:|' * (len(COLUMNS) - 1)}", *rows])


def _row(place: Place, size: int, n_labels: int) -> list[str]:
    with open_database(place.address) as database:
        cpu, wall = time.process_time(), time.perf_counter()
        project = _project(database, size)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        tokens = [_member(database, project, i) for i in range(N_PEOPLE + 1)]
    with _server(place.address) as (process, port):
        start = _cpu([process])
        one = _measured(place, process, port, project, tokens[:1], min(n_labels, 500))
        many = _measured(place, process, port, project, tokens[1:], n_labels)
        page = _pages(port, project, tokens[0], size)
        memory = process.memory_info().rss / 1e6
    with open_database(place.address) as database:
        before = time.process_time()
        n_votes = sum(1 for _ in current_votes(database, project))
        out = (time.process_time() - before) / n_votes
    return [
        f"{size / wall:,.0f} ({cpu:.1f})",
        f"{start:.2f}",
        f"{one.server_cpu:.2f}{_beside(one)}",
        f"{one.next_p50:.1f} / {one.next_p95:.1f}",
        f"{many.server_cpu:.2f}{_beside(many)}",
        f"{many.rate:,.0f}",
        f"{many.next_p95:.0f}, {many.submit_p95:.0f}",
        f"{page:.1f}",
        f"{1e6 * out:.0f}",
        f"{memory:.0f}",
    ]


def _beside(cost: Cost) -> str:
    return f" ({cost.database_cpu:.2f})" if cost.database_cpu else ""


def _project(database: Database, n_items: int) -> Project:
    project = create_project(database, f"mails {n_items}", {"schema": SCHEMA, "queue": {"max_held": 1_000}})
    new = (
        NewTask(f"item-{i}", {"data": f"text {i} " * 20, "facts": {}, "meta": {}}, priority=-float(i))
        for i in range(n_items)
    )
    put_tasks(database, project, new)
    return project


def _member(database: Database, project: Project, i: int) -> str:
    link = create_link(database, "invitation", project=project, role="lead")
    user = accept_link(database, link, password="long enough", name=f"person {i}")  # noqa: S106 -- nobody's
    return create_token(database, user, "benchmark", ["read", "annotate"]).secret


def _measured(
    place: Place, process: psutil.Process, port: int, project: Project, tokens: Sequence[str], n_labels: int
) -> Cost:
    """What so many labels by these people cost, after some to get warm."""
    each = max(1, n_labels // len(tokens))
    mine, its = SESSION.Pipe()
    child = SESSION.Process(target=_annotate, args=(its, port, project.public_id, tokens, each))
    child.start()
    mine.recv()  # warm by now
    before = _cpu([process]), _cpu(place.helpers())
    mine.send("go")
    seconds, nexts, submits = mine.recv()
    after = _cpu([process]), _cpu(place.helpers())
    mine.send("end")
    child.join()
    n = each * len(tokens)
    return Cost(
        1e3 * (after[0] - before[0]) / n,
        1e3 * (after[1] - before[1]) / n,
        1e3 * statistics.median(nexts),
        1e3 * _p95(nexts),
        1e3 * _p95(submits),
        n / seconds,
    )


def _annotate(told: Any, port: int, project: str, tokens: Sequence[str], each: int) -> None:
    """The annotators' process: seconds of all together, and of each `next` and each answer."""
    people = [Annotator(port, project, token) for token in tokens]
    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(lambda one: one.work(8), people))
        told.send("warm")
        told.recv()
        started = time.perf_counter()
        timed = [both for one in pool.map(lambda one: one.work(each), people) for both in one]
        seconds = time.perf_counter() - started
    told.send((seconds, [a for a, _ in timed], [b for _, b in timed]))
    told.recv()


class Annotator:
    """Somebody who answers as fast as the server lets them, with four items in hand."""

    def __init__(self, port: int, project: str, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._root = f"/api/projects/{project}"
        self._headers = {
            "Authorization": f"Bearer {token}",
            "X-Labelmill": "1",
            "Content-Type": "application/json",
        }
        self._held = self._ask("POST", "/next", {"n": 4, "have": []})["tasks"]

    def work(self, n: int) -> list[tuple[float, float]]:
        """Seconds that `next` and the answer took, for each of so many labels."""
        timed = []
        for _ in range(n):
            task = self._held.pop(0)
            start = time.perf_counter()
            done = self._ask("POST", "/votes", {"votes": [_vote(task)]})
            middle = time.perf_counter()
            if done["results"][0]["status"] != "stored":
                raise RuntimeError(done)
            have = [one["assignment"] for one in self._held]
            self._held += self._ask("POST", "/next", {"n": 1, "have": have})["tasks"]
            timed.append((time.perf_counter() - middle, middle - start))
        return timed

    def page(self, after: int) -> None:
        """Look at a page of the list of items."""
        self._ask("GET", f"/items?after={after}&limit=50")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        self._connection.request(method, self._root + path, sent, self._headers)
        answer = self._connection.getresponse()
        read = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {read.decode()}")
        return json.loads(read)


def _vote(task: dict[str, Any]) -> dict[str, Any]:
    return {
        "key": str(uuid.uuid4()),
        "assignment": task["assignment"],
        "item": task["item"],
        "kind": "label",
        "value": "spam",
        "base": None,
        "verdict": "blind",
        "reason": "",
        "ms_active": 900,
        "ms_total": 1_000,
        "at": "2026-01-01T00:00:00Z",
        "ui": "1",
        "bulk": None,
    }


def _pages(port: int, project: Project, token: str, n_items: int) -> float:
    lead, times = Annotator(port, project.public_id, token), []
    for k in range(40):
        start = time.perf_counter()
        lead.page(n_items * k // 40)
        times.append(time.perf_counter() - start)
    return 1e3 * _p95(times)


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]


def _cpu(processes: Sequence[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            used = process.cpu_times()
            total += used.user + used.system
    return total


@contextmanager
def _server(address: str) -> Iterator[tuple[psutil.Process, int]]:
    child = subprocess.Popen([sys.executable, "-c", SERVE, address], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None  # noqa: S101 -- asked for above
    try:
        yield psutil.Process(child.pid), int(child.stdout.readline())
    finally:
        child.terminate()
        child.wait()


@contextmanager
def _sqlite() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder:
        yield Place(str(Path(folder) / "people.db"), list)


@contextmanager
def _postgres() -> Iterator[Place]:
    with running_postgres() as server:

        def helpers() -> list[psutil.Process]:
            if server.process is None:
                return []
            parent = psutil.Process(server.process.pid)
            return [parent, *parent.children(recursive=True)]

        yield Place(server.new_database(), helpers)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--labels", type=int, default=N_LABELS)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    print(report(asked.sizes, asked.labels, asked.only))
