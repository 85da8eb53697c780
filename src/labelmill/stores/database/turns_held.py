"""What somebody's turns are about, for whoever checks their answers before they are kept."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import loads
from labelmill.stores.database import _turns
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import assignments, gold_answers, items, tasks

__all__ = ["Turn", "known_answers", "lock_turns", "turns_of"]


class Turn(NamedTuple):
    """The item that a turn is about; `known` is its answer where that is known, and not for the person."""

    item: str
    content: Any
    purpose: str = "label"
    known: Any = None


_TURNS = (
    sa.select(assignments.c.public_id, items.c.name, items.c.content, tasks.c.purpose, gold_answers.c.answer)
    .join(items, items.c.id == assignments.c.item_id)
    .join(tasks, tasks.c.id == assignments.c.task_id)
    .outerjoin(
        gold_answers,
        sa.and_(gold_answers.c.item_id == assignments.c.item_id, tasks.c.purpose.in_(["gold", "training"])),
    )
    .where(
        assignments.c.public_id.in_(sa.bindparam("ids", expanding=True)),
        assignments.c.user_id == sa.bindparam("user"),
        assignments.c.project_id == sa.bindparam("project"),
    )
)


def turns_of(database: Database, project: Project, user: int, ids: Collection[str]) -> dict[str, Turn]:
    """Somebody's turns by their ids; what is not theirs is left out."""
    if not ids:
        return {}
    with database.read() as connection:
        found = connection.execute(_TURNS, {"ids": list(ids), "user": user, "project": project.id})
        return {
            row.public_id: Turn(
                row.name, loads(row.content), row.purpose, None if row.answer is None else loads(row.answer)
            )
            for row in found
        }


def lock_turns(connection: sa.Connection, project: Project, user: int, ids: Collection[str]) -> dict[str, Any]:
    """The same within a transaction that is going to answer them: rows with `name` and `content` as text."""
    return _turns.turns_of(connection, project.id, user, ids, with_items=True) if ids else {}


def known_answers(connection: sa.Connection, items: Collection[int]) -> dict[int, Any]:
    """The known answers of items, by their numbers."""
    if not items:
        return {}
    query = sa.select(gold_answers.c.item_id, gold_answers.c.answer).where(gold_answers.c.item_id.in_(list(items)))
    return {row.item_id: loads(row.answer) for row in connection.execute(query)}
