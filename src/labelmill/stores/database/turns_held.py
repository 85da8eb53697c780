"""What somebody's turns are about, for whoever checks their answers before they are kept."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import loads
from labelmill.stores.database import _turns
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import assignments, items

__all__ = ["Turn", "lock_turns", "turns_of"]


class Turn(NamedTuple):
    """The item that a turn is about."""

    item: str
    content: Any


_TURNS = (
    sa.select(assignments.c.public_id, items.c.name, items.c.content)
    .join(items, items.c.id == assignments.c.item_id)
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
        return {row.public_id: Turn(row.name, loads(row.content)) for row in found}


def lock_turns(connection: sa.Connection, project: Project, user: int, ids: Collection[str]) -> dict[str, Any]:
    """The same within a transaction that is going to answer them: rows with `name` and `content` as text."""
    return _turns.turns_of(connection, project.id, user, ids, with_items=True) if ids else {}
