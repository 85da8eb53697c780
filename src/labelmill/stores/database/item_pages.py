"""Items as leads look at them: pages of all, one with what it shows, one's turn at reviewing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import loads
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import assignments, items, tasks

__all__ = ["ItemLine", "content_of", "item_page", "turn_for_review", "turns_in_review"]


class ItemLine(NamedTuple):
    """One task in a list; `key` is where the next page starts."""

    key: int
    item: str
    purpose: str
    state: str
    n_answers: int
    overlap: int
    priority: float


def item_page(
    database: Database,
    project: Project,
    *,
    conditions: Sequence[sa.ColumnElement[bool]] = (),
    after: int = 0,
    limit: int = 50,
) -> list[ItemLine]:
    """Tasks in the order they were put, from the one after a key, without what the items say; quick at any depth.

    Parameters
    ----------
    conditions : sequence of SQL conditions
        On tasks; see `labelmill.stores.database.item_filter`.
    """
    page = sa.select(tasks).where(tasks.c.project_id == project.id, tasks.c.id > after, *conditions)
    some = page.order_by(tasks.c.project_id, tasks.c.id).limit(limit).subquery()
    query = sa.select(some, items.c.name).join(items, items.c.id == some.c.item_id).order_by(some.c.id)
    with database.read() as connection:
        return [
            ItemLine(
                row.id,
                row.name,
                row.purpose,
                "done" if row.n_answers >= row.overlap else "open",
                row.n_answers,
                row.overlap,
                -row.rank,
            )
            for row in connection.execute(query)
        ]


def content_of(database: Database, project: Project, item: str) -> Mapping[str, Any] | None:
    """What an item shows; None if the project's people were never asked about it."""
    query = sa.select(items.c.content).where(items.c.project_id == project.id, items.c.name == item)
    with database.read() as connection:
        text = connection.execute(query).scalar()
    return None if text is None else loads(text)


def turn_for_review(database: Database, project: Project, user: int, item: str) -> str | None:
    """The last turn by which somebody reviewed an item, or is about to."""
    query = (
        sa.select(assignments.c.public_id)
        .join(tasks, tasks.c.id == assignments.c.task_id)
        .join(items, items.c.id == assignments.c.item_id)
        .where(
            assignments.c.project_id == project.id,
            assignments.c.user_id == user,
            tasks.c.purpose == "review",
            items.c.name == item,
        )
        .order_by(assignments.c.id.desc())
        .limit(1)
    )
    with database.read() as connection:
        return connection.execute(query).scalar()


def turns_in_review(database: Database, project: Project, user: int) -> list[str]:
    """The reviews that somebody holds and has not answered."""
    query = (
        sa.select(assignments.c.public_id)
        .join(tasks, tasks.c.id == assignments.c.task_id)
        .where(
            assignments.c.project_id == project.id,
            assignments.c.user_id == user,
            tasks.c.purpose == "review",
            sa.text("assignments.state = 'leased'"),
        )
    )
    with database.read() as connection:
        return list(connection.execute(query).scalars())
