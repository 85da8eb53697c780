"""The first items of a project, to see what they are like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import loads
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import items, tasks

__all__ = ["FirstItem", "first_items"]


class FirstItem(NamedTuple):
    """An item with what it shows, and what was suggested for it."""

    item: str
    content: Mapping[str, Any]
    suggestions: list[Any]


def first_items(database: Database, project: Project, limit: int) -> list[FirstItem]:
    """The first items that were put before people; nobody is given them by that."""
    query = (
        sa.select(items.c.name, items.c.content, tasks.c.suggestions)
        .select_from(tasks.join(items, items.c.id == tasks.c.item_id))
        .where(tasks.c.project_id == project.id, tasks.c.purpose == "label", tasks.c.assignee_id.is_(None))
        .order_by(tasks.c.project_id, tasks.c.id)
        .limit(limit)
    )
    with database.read() as connection:
        return [
            FirstItem(row.name, loads(row.content), loads(row.suggestions) if row.suggestions else [])
            for row in connection.execute(query)
        ]
