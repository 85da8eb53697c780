"""Kill what holds people's votes, and count them afterwards."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.postgres import Postgres, running_postgres
from tests.stores.database.people import People, people_in, said
from tests.trials.annotators import journal_entries

from labelmill.stores.database.answers import submit
from labelmill.stores.database.backup import back_up, restore
from labelmill.stores.database.connect import open_database
from labelmill.stores.database.projects import find_project, list_projects
from labelmill.stores.database.tables import slots, tasks, votes
from labelmill.stores.database.votes import current_votes

N_ANNOTATORS = 16


def kills(request: pytest.FixtureRequest, short: int, long: int) -> int:
    """How many: few, or as many as a promise asks for."""
    return long if request.config.getoption("--slow") else short


def started(people_address: str, people: People, folder: Path, users: list[int]) -> subprocess.Popen[str]:
    """The annotators, at work."""
    words = [sys.executable, "-m", "tests.trials.annotators", people_address, people.project.name, str(folder)]
    process = subprocess.Popen([*words, *map(str, users)], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    assert "ready\n" == process.stdout.readline()
    before = n_answered(folder)
    until = time.monotonic() + 60
    while n_answered(folder) == before and time.monotonic() < until:
        time.sleep(0.01)
    return process


def n_answered(folder: Path) -> int:
    """Lines about acknowledged votes in all journals."""
    return sum(path.read_text().count('"answered"') for path in folder.glob("*.jsonl"))


def ended(process: subprocess.Popen[str]) -> None:
    """Killed at once, and waited for."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def check(people: People, folder: Path, users: list[int]) -> int:
    """Every acknowledged vote is there once as it was sent, and nothing that nobody sent; how many there are."""
    with people.database.read() as connection:
        query = sa.select(votes.c.key, votes.c.value).where(votes.c.project_id == people.project.id)
        stored = [tuple(row) for row in connection.execute(query)]
        over = sa.select(sa.func.count()).select_from(slots.join(tasks, tasks.c.id == slots.c.task_id))
        assert 0 == connection.execute(over.where(slots.c.slot >= tasks.c.overlap)).scalar()
    kept = dict(stored)
    assert len(kept) == len(stored)
    sent: dict[str, str] = {}
    for user in users:
        for line in journal_entries(folder / f"{user}.jsonl"):
            if "sent" in line:
                sent[line["sent"]["key"]] = f'"{line["sent"]["value"]}"'
            else:
                assert line["status"] in {"kept", "extra"}
                assert kept[line["answered"]] == sent[line["answered"]]
    assert set(kept) <= set(sent)
    assert all(sent[key] == value for key, value in kept.items())
    return len(stored)


def test_killed_annotators_lose_nothing(
    people: People, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Sixteen annotators killed again and again: no acknowledged vote is lost, changed, doubled or invented."""
    rng = random.Random(7)
    users = [people.person() for _ in range(N_ANNOTATORS)]
    rounds = kills(request, 1, 200)
    people.put(*(f"i{i}" for i in range(1500 * rounds)), overlap=2)
    counts = [0]
    for _ in range(rounds):
        process = started(database_url, people, tmp_path, users)
        time.sleep(rng.uniform(0.02, 0.5))
        ended(process)
        counts.append(check(people, tmp_path, users))

    assert counts == sorted(counts)
    assert counts[-1] > 0
    if people.database.is_sqlite:
        with closing(sqlite3.connect(database_url)) as connection:
            assert "ok" == connection.execute("PRAGMA integrity_check").fetchone()[0]


def test_killed_server_loses_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A PostgreSQL killed under sixteen annotators comes back with every acknowledged vote."""
    rng = random.Random(8)
    with running_postgres() as server:
        address = server.new_database()
        people = people_in(address)
        users = [people.person() for _ in range(N_ANNOTATORS)]
        rounds = kills(request, 1, 100)
        people.put(*(f"i{i}" for i in range(1500 * rounds)), overlap=2)
        for _ in range(rounds):
            process = started(address, people, tmp_path, users)
            time.sleep(rng.uniform(0.02, 0.3))
            server.kill()
            ended(process)
            people.database.close()
            server.start()
            people.database = open_database(address)
            assert check(people, tmp_path, users) > 0
        people.database.close()


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: it shows what reaches the disk")
def test_acknowledged_means_synced(tmp_path: Path) -> None:
    """Between sending an answer and its receipt, the log of the database is synced each time."""
    people = people_in(str(tmp_path / "a.db"))
    ann = people.person()
    people.put(*(f"i{i}" for i in range(20)))
    people.database.close()
    script = tmp_path / "say.py"
    script.write_text(
        "import os, sys, uuid\n"
        "from labelmill.stores.database.answers import Answer, submit\n"
        "from labelmill.stores.database.connect import open_database\n"
        "from labelmill.stores.database.projects import find_project\n"
        "from labelmill.stores.database.queue import Queue\n"
        "database = open_database(sys.argv[1])\n"
        "queue = Queue(database, find_project(database, sys.argv[2]))\n"
        "for given in queue.next(int(sys.argv[3]), 20):\n"
        "    os.write(1, b'SEND')\n"
        "    (receipt,) = submit(queue, int(sys.argv[3]), [Answer(str(uuid.uuid4()), given.id, value='a')])\n"
        "    os.write(1, b'DONE')\n"
        "database.close()\n"
    )
    trace = tmp_path / "trace"
    words = ["strace", "-f", "-e", "trace=write,fsync,fdatasync", "-o", str(trace), sys.executable, str(script)]
    subprocess.run([*words, str(tmp_path / "a.db"), people.project.name, str(ann)], check=True, capture_output=True)

    acts = "".join(
        {"SEND": "s", "DONE": "d"}.get(found.group(2) or "", "f")
        for found in re.finditer(r'(write\(1, "(SEND|DONE)"|f(?:data)?sync\b[^\n]*= 0)', trace.read_text())
    )
    assert re.fullmatch(r"f*(sf+df*){20}", acts), acts


def test_backup_under_load_holds_what_was_acknowledged(
    people: People, tmp_path: Path, postgres: Postgres, request: pytest.FixtureRequest
) -> None:
    """A backup taken while people vote, restored, holds every vote acknowledged before it began."""
    users = [people.person() for _ in range(4)]
    people.put(*(f"i{i}" for i in range(20_000)))
    before: list[set[str]] = []
    acknowledged: set[str] = set()
    is_over = threading.Event()

    def label(user: int) -> None:
        while not is_over.is_set():
            for given in people.queue.next(user, 4):
                answer = said(given, "a")
                assert "kept" == submit(people.queue, user, [answer])[0].status
                acknowledged.add(answer.key)

    threads = [threading.Thread(target=label, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    backups = [tmp_path / f"backup-{i}" for i in range(kills(request, 1, 50))]
    for target in backups:
        n, until = len(acknowledged), time.monotonic() + 60
        while len(acknowledged) < n + 8 and time.monotonic() < until:
            time.sleep(0.02)
        before.append(set(acknowledged))
        back_up(people.database, target)
    is_over.set()
    for thread in threads:
        thread.join()
    for target, known in zip(backups, before, strict=True):
        address = f"{target}.db" if people.database.is_sqlite else postgres.new_database("template0")
        restore(target, address)
        with open_database(address, allow_unsafe=True) as again:
            with again.read() as connection:
                kept = set(connection.execute(sa.select(votes.c.key)).scalars())
            assert known <= kept
            assert len(kept) == len(list(current_votes(again, find_project(again, people.project.name))))
    assert len(before[-1]) > 0


def test_killed_migration_is_old_or_new(tmp_path: Path, postgres: Postgres, request: pytest.FixtureRequest) -> None:
    """A migration killed at any moment leaves a database that opens."""
    rng = random.Random(9)
    script = "import sys; from labelmill.stores.database.connect import open_database as o; import alembic.command;"
    script += "print('ready', flush=True); o(sys.argv[1], allow_unsafe=True).close()"
    for i in range(kills(request, 1, 20)):
        for address in (str(tmp_path / f"{i}.db"), postgres.new_database("template0")):
            process = subprocess.Popen(
                [sys.executable, "-c", script, address], stdout=subprocess.PIPE, text=True, start_new_session=True
            )
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.3))
            ended(process)

            with open_database(address, allow_unsafe=True) as database:
                assert [] == list_projects(database)
                assert database.write(lambda connection: connection.execute(sa.text("SELECT 1")).scalar()) == 1
