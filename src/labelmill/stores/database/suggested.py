"""Open items by what is suggested for them, for those who answer many at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import loads
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import assignments, items, tasks

__all__ = ["LOOKED_AT", "SuggestedItem", "label_turns", "suggested_classes", "suggested_items"]

LOOKED_AT = 20_000
"""Open tasks looked at: a rare class does not make the server read them all."""


class SuggestedItem(NamedTuple):
    """An open item and the best that is suggested for it; `key` is where the next page starts."""

    key: int
    item: str
    content: Mapping[str, Any]
    suggestion: Mapping[str, Any]


def suggested_items(
    database: Database, project: Project, user: int, *, value: str | None = None, after: int = 0, limit: int = 100
) -> list[SuggestedItem]:
    """Open items with a suggestion (of one class, if named) that this person has not had, in the order they came."""
    found: list[SuggestedItem] = []
    with database.read() as connection:
        for row in connection.execute(_OPEN, _given(project, user, after)):
            first = loads(row.suggestions)[0]
            if value is None or first["value"] in (value, [value]):
                found.append(SuggestedItem(row.id, row.name, loads(row.content), first))
            if len(found) == limit:
                break
    return found


def suggested_classes(database: Database, project: Project, user: int) -> dict[str, int]:
    """For each class, how many of the first open items it is suggested for; a list of one class counts as it."""
    counts: Counter[str] = Counter()
    with database.read() as connection:
        for suggestions in connection.execute(_OPEN_SUGGESTIONS, _given(project, user, 0)).scalars():
            counts.update(_class_of(loads(suggestions)[0]["value"]))
    return dict(counts)


def label_turns(
    database: Database, project: Project, user: int, names: Collection[str], *, is_over: bool = False
) -> dict[str, str]:
    """Item -> this person's last turn at it in the queue; with `is_over` turns count that have ended, too."""
    if not names:
        return {}
    query = (
        sa.select(items.c.name, assignments.c.public_id)
        .join(tasks, tasks.c.id == assignments.c.task_id)
        .join(items, items.c.id == assignments.c.item_id)
        .where(
            items.c.project_id == project.id,
            items.c.name.in_(list(names)),
            assignments.c.user_id == user,
            tasks.c.purpose == "label",
        )
        .order_by(assignments.c.id)
    )
    if not is_over:
        query = query.where(assignments.c.live == 1)
    with database.read() as connection:
        return {row.name: row.public_id for row in connection.execute(query)}


def _class_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        yield value[0]


def _given(project: Project, user: int, after: int) -> dict[str, int]:
    return {"project": project.id, "user": user, "after": after}


_HAS_HAD_ITEM = sa.exists().where(
    assignments.c.item_id == tasks.c.item_id,
    assignments.c.user_id == sa.bindparam("user"),
    sa.text("assignments.live = 1 AND assignments.again = 0"),
)

_IS_OPEN = (
    tasks.c.project_id == sa.bindparam("project"),
    tasks.c.id > sa.bindparam("after"),
    tasks.c.purpose == "label",
    tasks.c.suggestions.is_not(None),
    sa.text("tasks.free > 0 AND tasks.assignee_id IS NULL"),
    ~_HAS_HAD_ITEM,
)

_OPEN = (
    sa.select(tasks.c.id, items.c.name, items.c.content, tasks.c.suggestions)
    .join(items, items.c.id == tasks.c.item_id)
    .where(*_IS_OPEN)
    .order_by(tasks.c.id)
    .limit(LOOKED_AT)
)

_OPEN_SUGGESTIONS = sa.select(tasks.c.suggestions).where(*_IS_OPEN).order_by(tasks.c.id).limit(LOOKED_AT)
