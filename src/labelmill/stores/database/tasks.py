"""What is asked of people: put into the queue in bulk, moved up and down in it, looked at in pages."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import NamedTuple

import sqlalchemy as sa

from labelmill.errors import UsageError
from labelmill.stores.database import _put
from labelmill.stores.database.connect import Database
from labelmill.stores.database.new_task import NewTask, TaskPurpose
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import items, places, tasks, totals

__all__ = [
    "NewTask",
    "Progress",
    "Put",
    "TaskPurpose",
    "TaskRow",
    "list_tasks",
    "progress",
    "progress_of_person",
    "put_tasks",
    "reprioritise",
]

ROWS_AT_ONCE = 2_000
"""Tasks written in one transaction: others get their turn in between."""

MAX_PAGE = 1_000


class Put(NamedTuple):
    """How many tasks were new, and how many were there and took on what is new."""

    added: int
    updated: int


class TaskRow(NamedTuple):
    """One task as leads see it in a list; `key` is where the next page starts."""

    key: int
    task: str
    item: str
    purpose: str
    priority: float
    overlap: int
    n_answers: int
    n_out: int

    @property
    def state(self) -> str:
        """Done when as many have answered as shall."""
        return "done" if self.n_answers >= self.overlap else "open"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a queue stands: tasks, tasks with all answers, answers, and active milliseconds spent."""

    n_tasks: int
    n_done: int
    n_answers: int
    n_skipped: int
    n_extra: int
    ms_active: int


def put_tasks(database: Database, project: Project, new: Iterable[NewTask]) -> Put:
    """Queue items, in pieces of `ROWS_AT_ONCE`, each whole or not at all.

    An item has one task a purpose: put again it takes on the new priority, suggestions and overlap (never fewer than
    people already on it). So the same call after a crash adds what is missing and doubles nothing.

    Raises
    ------
    UsageError
        If a task is not well formed; pieces before it are kept.
    """
    added = updated = 0
    rest = iter(new)
    while piece := list(islice(rest, ROWS_AT_ONCE)):
        rows = [_put.Row.of(task, database.ids()) for task in piece]
        new_ones, old_ones = database.write(partial(_put.put, project=project, rows=rows))
        added, updated = added + new_ones, updated + old_ones
    return Put(added, updated)


def reprioritise(
    database: Database, project: Project, priorities: Mapping[str, float], *, purpose: TaskPurpose = "label"
) -> int:
    """Give items a new place in the queue while people work; how many there were.

    Raises
    ------
    UsageError
        If a priority is not finite.
    """
    for item, priority in priorities.items():
        if not math.isfinite(priority):
            raise UsageError(f"the priority of item {item!r} must be a finite number, found {priority}")
    rest, changed = iter(priorities.items()), 0
    while piece := list(islice(rest, ROWS_AT_ONCE)):
        changed += database.write(partial(_put.reprioritise, project=project, purpose=purpose, priorities=piece))
    return changed


def list_tasks(database: Database, project: Project, *, after: int = 0, limit: int = 100) -> list[TaskRow]:
    """A page of tasks in the order they were put, from the one after a key; quick at any depth."""
    if not 1 <= limit <= MAX_PAGE:
        raise UsageError(f"limit must lie between 1 and {MAX_PAGE}, found {limit}")
    page = (
        sa.select(tasks)
        .where(tasks.c.project_id == project.id, tasks.c.id > after)
        .order_by(tasks.c.project_id, tasks.c.id)
        .limit(limit)
        .subquery()
    )
    query = sa.select(page, items.c.name).join(items, items.c.id == page.c.item_id).order_by(page.c.id)
    with database.read() as connection:
        return [
            TaskRow(
                row.id,
                row.public_id,
                row.name,
                row.purpose,
                -row.rank,
                row.overlap,
                row.n_answers,
                row.overlap - row.free - row.n_answers,
            )
            for row in connection.execute(query)
        ]


def progress(database: Database, project: Project, *, purpose: TaskPurpose = "label") -> Progress:
    """Where a queue stands, from counts kept as people work."""
    asked = sa.select(totals.c.n_tasks, totals.c.n_reopened).where(
        totals.c.project_id == project.id, totals.c.purpose == purpose
    )
    names = ("finished", "answered", "skipped", "extra", "ms_active")
    done = sa.select(*(sa.func.coalesce(sa.func.sum(places.c[name]), 0) for name in names)).where(
        places.c.project_id == project.id, places.c.purpose == purpose
    )
    with database.read() as connection:
        n_tasks, n_reopened = connection.execute(asked).first() or (0, 0)
        finished, *others = (int(value) for value in connection.execute(done).one())
    return Progress(n_tasks, finished - n_reopened, *others)


def progress_of_person(database: Database, project: Project, user: int, *, purpose: TaskPurpose = "label") -> int:
    """How many tasks somebody has answered, or left to others."""
    query = sa.select(places.c.answered + places.c.skipped).where(
        places.c.project_id == project.id, places.c.user_id == user, places.c.purpose == purpose
    )
    with database.read() as connection:
        return int(connection.execute(query).scalar() or 0)
