"""A project with people, for the tests of what they do."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from labelmill.stores.database.account_tables import identities, members, users
from labelmill.stores.database.answers import Answer, Receipt, submit
from labelmill.stores.database.connect import Database, open_database
from labelmill.stores.database.projects import Project, QueueSettings, create_project
from labelmill.stores.database.queue import Assignment, Queue
from labelmill.stores.database.tasks import NewTask, TaskPurpose, put_tasks

START = 1_700_000_000_000


@dataclass
class SetClock:
    """Stands still until it is moved."""

    now: int = START

    def __call__(self) -> int:
        """Milliseconds since 1970."""
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        """Move it, forward or back."""
        self.now += int(seconds * 1000)


@dataclass
class People:
    """An open database with one project; people are made as they are asked for."""

    database: Database
    clock: SetClock
    project: Project
    queue: Queue
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def person(self, role: str = "annotator") -> int:
        """A new member; the way by invitations has tests of its own, and costs a password."""
        return add_person(self.database, self.project, role, f"{role} {next(self._numbers)}")

    def put(self, *items: str, purpose: TaskPurpose = "label", **options: Any) -> None:
        """Queue items by their names, the first first."""
        if purpose in {"gold", "training"}:
            options.setdefault("answer", "right")
        new = [
            NewTask(item, {"text": f"text of {item}"}, purpose, -float(i), **options) for i, item in enumerate(items)
        ]
        put_tasks(self.database, self.project, new)

    def next(self, user: int, n: int = 1, **options: Any) -> list[str]:
        """The names of the items that come next."""
        return [given.item for given in self.queue.next(user, n, **options)]

    def take(self, user: int, **options: Any) -> Assignment:
        """The one that comes next, among what the client does not hold."""
        (given,) = self.queue.next(user, 1, **options)
        return given

    def answer(self, user: int, given: Assignment, value: Any = "a", **rest: Any) -> Receipt:
        """Send one answer."""
        (receipt,) = submit(self.queue, user, [said(given, value, **rest)])
        return receipt

    def count(self, query: sa.Select[Any]) -> int:
        """One number out of the database."""
        with self.database.read() as connection:
            return int(connection.execute(query).scalar_one())


def said(given: Assignment, value: Any = "a", **rest: Any) -> Answer:
    """An answer under a new key, unless one is given."""
    return Answer(rest.pop("key", None) or str(uuid.uuid4()), given.id, value=value, **rest)


def people_in(address: str, settings: QueueSettings | None = None) -> People:
    """Open a database with a new project."""
    clock = SetClock()
    database = open_database(address, clock=clock, allow_unsafe=True)
    project = create_project(database, f"project {uuid.uuid4()}", queue=settings or QueueSettings())
    return People(database, clock, project, Queue(database, project))


def add_person(database: Database, project: Project, role: str, name: str) -> int:
    """A member without a password."""

    def work(connection: sa.Connection) -> int:
        row = {"public_id": f"p-{name}-{uuid.uuid4()}", "created_at": 0}
        user = int(connection.execute(sa.insert(users).values(row).returning(users.c.id)).scalar_one())
        connection.execute(sa.insert(identities), {"user_id": user, "name": row["public_id"], "display_name": name})
        connection.execute(sa.insert(members), {"project_id": project.id, "user_id": user, "role": role})
        return user

    return database.write(work)


def names(given: Sequence[Assignment]) -> list[str]:
    """Of the items."""
    return [one.item for one in given]
