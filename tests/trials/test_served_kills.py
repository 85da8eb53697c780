"""Kill the server itself under people who work over HTTP, and count afterwards."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from functools import partial

import pytest
import sqlalchemy as sa
from tests.stores.database.people import add_person
from tests.trials.nodes import free_port, wait_until
from tests.trials.test_people_kills import ended
from tests.trials.voters import Voter

from labelmill.domain.strict_json import loads
from labelmill.stores.database.accounts import list_members
from labelmill.stores.database.connect import Database, open_database
from labelmill.stores.database.projects import Project, create_project
from labelmill.stores.database.sessions import create_token
from labelmill.stores.database.tables import slots, tasks, votes
from labelmill.stores.database.tasks import NewTask, put_tasks

N_VOTERS = 16
QUESTION = {"name": "said", "classes": [], "kind": "text", "modality": "text", "guidelines": "", "version": 1}


def served(address: str, port: int) -> subprocess.Popen[str]:
    """A server process that answers."""
    words = [sys.executable, "-m", "tests.trials.serving", address, str(port)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    assert "ready\n" == process.stdout.readline()
    return process


def tokens(database: Database, project: Project, n: int) -> list[str]:
    """New annotators, by their tokens."""
    numbers = {add_person(database, project, "annotator", f"a{i}") for i in range(n)}
    people = [member.user for member in list_members(database, project) if member.user.id in numbers]
    return [create_token(database, user, "trial", ["read", "annotate"]).secret for user in people]


def stored(database: Database) -> dict[str, str]:
    """Key -> value of every vote; none twice, and nobody one too many on a task."""
    with database.read() as connection:
        rows = [tuple(row) for row in connection.execute(sa.select(votes.c.key, votes.c.value))]
        over = sa.select(sa.func.count()).select_from(slots.join(tasks, tasks.c.id == slots.c.task_id))
        assert 0 == connection.execute(over.where(slots.c.slot >= tasks.c.overlap)).scalar()
    assert len(dict(rows)) == len(rows)
    return {key: loads(value) for key, value in rows}


def n_acknowledged(voters: list[Voter]) -> int:
    """Votes that the server has answered for."""
    return sum(len(voter.acknowledged) for voter in voters)


def has_more(voters: list[Voter], than: int) -> bool:
    """Whether more have come."""
    return n_acknowledged(voters) > than


def test_killed_web_servers_lose_nothing(database_url: str, request: pytest.FixtureRequest) -> None:
    """A server killed again and again under sixteen annotators: no acknowledged vote is lost, changed or invented."""
    rng, port, is_over = random.Random(11), free_port(), threading.Event()
    n_kills = 50 if request.config.getoption("--slow") else 1
    with open_database(database_url, allow_unsafe=True) as database:
        project = create_project(database, "killed", {"schema": QUESTION})
        items = (NewTask(f"i{i}", {"data": "text", "facts": {}, "meta": {}}) for i in range(1_000 * (n_kills + 1)))
        put_tasks(database, project, items)
        url = f"http://127.0.0.1:{port}"
        voters = [Voter(url, token, project.public_id, is_over) for token in tokens(database, project, N_VOTERS)]
        process = served(database_url, port)
        threads = [voter.start() for voter in voters]
        try:
            for _ in range(n_kills):
                enough = n_acknowledged(voters) + 20
                wait_until(partial(has_more, voters, enough), "votes arrive")
                time.sleep(rng.uniform(0, 0.3))
                ended(process)
                process = served(database_url, port)
        finally:
            is_over.set()
            for thread in threads:
                thread.join(60)
            ended(process)

        kept = stored(database)
        for voter in voters:
            assert voter.errors == []
            assert all(kept[key] == voter.sent[key] for key in voter.acknowledged)
        assert kept == {key: value for voter in voters for key, value in voter.sent.items()}
