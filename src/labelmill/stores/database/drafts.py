"""What somebody has begun and not sent."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from labelmill.domain.strict_json import dumps, loads
from labelmill.errors import AccessError, UsageError
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import assignments, drafts

__all__ = ["MAX_DRAFTS", "drop_draft", "keep_draft", "list_drafts"]

MAX_DRAFTS = 200
"""For one person in one project."""

MAX_CONTENT = 4_000_000


def keep_draft(database: Database, project: Project, user: int, assignment: str, content: Any) -> None:
    """Keep what somebody has so far; the newest replaces the one before.

    Raises
    ------
    AccessError
        If the assignment is not theirs.
    UsageError
        If there are too many drafts or this one is too large.
    """
    text = dumps(content)
    if len(text) > MAX_CONTENT:
        raise UsageError(f"a draft has at most {MAX_CONTENT} characters of JSON, found {len(text)}")

    def work(connection: sa.Connection) -> None:
        turn = _turn(connection, project, user, assignment)
        connection.execute(_mine(sa.delete(drafts), user, turn))
        count = sa.select(sa.func.count()).where(drafts.c.user_id == user, drafts.c.project_id == project.id)
        if (connection.execute(count).scalar() or 0) >= MAX_DRAFTS:
            raise UsageError(f"{MAX_DRAFTS} drafts are kept already: send or drop some")
        row = {"user_id": user, "assignment_id": turn, "project_id": project.id, "content": text}
        connection.execute(sa.insert(drafts), {**row, "at": database.clock()})

    database.write(work)


def drop_draft(database: Database, project: Project, user: int, assignment: str) -> None:
    """Forget a draft, if there is one."""

    def work(connection: sa.Connection) -> None:
        connection.execute(_mine(sa.delete(drafts), user, _turn(connection, project, user, assignment)))

    database.write(work)


def list_drafts(database: Database, project: Project, user: int) -> dict[str, Any]:
    """Somebody's drafts by the id of the assignment."""
    query = (
        sa.select(assignments.c.public_id, drafts.c.content)
        .join(assignments, assignments.c.id == drafts.c.assignment_id)
        .where(drafts.c.user_id == user, drafts.c.project_id == project.id)
        .order_by(drafts.c.assignment_id)
    )
    with database.read() as connection:
        return {row.public_id: loads(row.content) for row in connection.execute(query)}


def _turn(connection: sa.Connection, project: Project, user: int, assignment: str) -> int:
    query = sa.select(assignments.c.id).where(
        assignments.c.public_id == assignment,
        assignments.c.user_id == user,
        assignments.c.project_id == project.id,
    )
    found = connection.execute(query).scalar()
    if found is None:
        raise AccessError("this task was never given to you")
    return int(found)


def _mine(statement: sa.Delete, user: int, turn: int) -> sa.Delete:
    return statement.where(drafts.c.user_id == user, drafts.c.assignment_id == turn)
