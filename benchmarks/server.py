"""What labelling costs the server: processor time a label, time until the next item is there, memory, start.

    python benchmarks/server.py [--items 100000] [--labels 2000] [--annotators 1]

The server runs in a process of its own on SQLite, with every answer on the disk before it is acknowledged. A label is a
request for the next item and a request with the answer to the one before, as the browser app makes them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil
import uvicorn

from labelmill.server.app import create_app
from labelmill.server.running import listen
from labelmill.server.settings import ServerSettings
from labelmill.stores.database.accounts import accept_link, create_link
from labelmill.stores.database.connect import Database, open_database
from labelmill.stores.database.projects import Project, create_project
from labelmill.stores.database.sessions import create_token
from labelmill.stores.database.tasks import NewTask, put_tasks

SCHEMA = {
    "name": "spam",
    "classes": ["ham", "spam"],
    "kind": "choice",
    "modality": "text",
    "guidelines": "",
    "version": 1,
}


class Cost(NamedTuple):
    """Milliseconds of the server's processor a label, and of the wall until the next item is there."""

    cpu_ms: float
    next_p50: float
    next_p95: float
    submit_p95: float
    labels_per_second: float


def main() -> None:
    """Print one line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--labels", type=int, default=2_000)
    parser.add_argument("--annotators", type=int, default=16)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.db"
        started = time.process_time()
        project, tokens = _project(path, asked.items, asked.annotators)
        print(f"import: {asked.items / (time.process_time() - started):,.0f} items a CPU second")
        with _server(path) as (process, url):
            cpu = process.cpu_times()
            print(f"start: {cpu.user + cpu.system:.2f} CPU s, {_rss(process):.0f} MB")
            for n in sorted({1, asked.annotators}):
                cost = _measured(process, url, project, tokens[:n], asked.labels)
                print(
                    f"{n} annotator(s), {asked.items:,} items: {cost.cpu_ms:.2f} ms CPU a label, next p50 "
                    f"{cost.next_p50:.1f} ms, p95 {cost.next_p95:.1f} ms, submit p95 {cost.submit_p95:.1f} ms, "
                    f"{cost.labels_per_second:.0f} labels/s, {_rss(process):.0f} MB"
                )
            lead = httpx.Client(base_url=url, headers=_headers(tokens[0]))
            print(f"list of items, page of 50 at any depth: p95 {_pages(lead, project, asked.items):.1f} ms")
            lead.close()


def _project(path: Path, n_items: int, n_people: int) -> tuple[Project, list[str]]:
    with open_database(path) as database:
        project = create_project(database, "mails", {"schema": SCHEMA, "queue": {"max_held": 1_000}})
        put_tasks(
            database,
            project,
            (
                NewTask(f"item-{i}", {"data": f"text {i} " * 20, "facts": {}, "meta": {}}, priority=-float(i))
                for i in range(n_items)
            ),
        )
        return project, [_member(database, project, i) for i in range(n_people)]


def _member(database: Database, project: Project, i: int) -> str:
    link = create_link(database, "invitation", project=project, role="lead")
    user = accept_link(database, link, password="long enough", name=f"person {i}")  # noqa: S106 -- nobody's
    return create_token(database, user, "benchmark", ["read", "annotate"]).secret


def _serve(path: Path, told: Any) -> None:
    with open_database(path) as database, listen("127.0.0.1", 0) as taken:
        settings = ServerSettings(requests_per_second=1e6, burst=1e6)
        config = uvicorn.Config(create_app(database, settings), log_config=None, access_log=False, ws="none")
        server = uvicorn.Server(config)
        threading.Thread(target=_tell_when_started, args=(server, told, taken.getsockname()[1]), daemon=True).start()
        server.run(sockets=[taken])


def _tell_when_started(server: uvicorn.Server, told: Any, port: int) -> None:
    while not server.started:
        time.sleep(0.01)
    told.send(port)


@contextmanager
def _server(path: Path) -> Iterator[tuple[psutil.Process, str]]:
    context = multiprocessing.get_context("spawn")
    mine, its = context.Pipe()
    child = context.Process(target=_serve, args=(path, its))
    child.start()
    port = mine.recv()
    yield psutil.Process(child.pid), f"http://127.0.0.1:{port}"
    child.terminate()
    child.join()


def _measured(process: psutil.Process, url: str, project: Project, tokens: list[str], n_labels: int) -> Cost:
    each = max(1, n_labels // len(tokens))
    _work(url, project, tokens[0], 20)
    before, started = process.cpu_times(), time.perf_counter()
    with ThreadPoolExecutor(len(tokens)) as pool:
        timed = [both for one in pool.map(lambda token: _work(url, project, token, each), tokens) for both in one]
    after, seconds = process.cpu_times(), time.perf_counter() - started
    cpu = after.user + after.system - before.user - before.system
    nexts, submits = sorted(a for a, _ in timed), sorted(b for _, b in timed)
    return Cost(
        cpu / len(timed) * 1e3,
        statistics.median(nexts) * 1e3,
        nexts[int(len(nexts) * 0.95)] * 1e3,
        submits[int(len(submits) * 0.95)] * 1e3,
        len(timed) / seconds,
    )


def _work(url: str, project: Project, token: str, n: int) -> list[tuple[float, float]]:
    """Seconds that `next` and `votes` took, for each of so many labels."""
    root, timed = f"/api/projects/{project.public_id}", []
    with httpx.Client(base_url=url, headers=_headers(token)) as client:
        held = client.post(f"{root}/next", json={"n": 4, "have": []}).json()["tasks"]
        for _ in range(n):
            task = held.pop(0)
            vote = {
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
            start = time.perf_counter()
            done = client.post(f"{root}/votes", json={"votes": [vote]}).json()
            middle = time.perf_counter()
            assert done["results"][0]["status"] == "stored", done  # noqa: S101 -- a benchmark of what works
            have = [one["assignment"] for one in held]
            held += client.post(f"{root}/next", json={"n": 1, "have": have}).json()["tasks"]
            timed.append((time.perf_counter() - middle, middle - start))
    return timed


def _pages(client: httpx.Client, project: Project, n_items: int) -> float:
    times = []
    for k in range(40):
        start = time.perf_counter()
        after = str(n_items * k // 40)
        client.get(f"/api/projects/{project.public_id}/items", params={"after": after, "limit": 50}).raise_for_status()
        times.append(time.perf_counter() - start)
    return sorted(times)[int(len(times) * 0.95)] * 1e3


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "X-Labelmill": "1"}


def _rss(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


if __name__ == "__main__":
    main()
