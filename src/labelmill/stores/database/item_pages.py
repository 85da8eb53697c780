"""Items as leads look at them: pages of all, those on which people differ, one with its turns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import loads
from labelmill.stores.database.account_tables import users
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import assignments, items, tasks, votes
from labelmill.stores.database.votes import iso_time

__all__ = ["Differing", "ItemLine", "content_of", "differing_items", "item_page", "suggested_items", "turn_for_review"]


class ItemLine(NamedTuple):
    """One task in a list; `key` is where the next page starts."""

    key: int
    item: str
    purpose: str
    state: str
    n_answers: int
    overlap: int
    priority: float


class Differing(NamedTuple):
    """An item on which people differ, and what each says now."""

    key: int
    item: str
    content: Mapping[str, Any]
    votes: list[dict[str, Any]]


def item_page(
    database: Database, project: Project, *, state: str = "", after: int = 0, limit: int = 50
) -> list[ItemLine]:
    """Tasks in the order they were put, from the one after a key, without what the items say; quick at any depth."""
    is_done = tasks.c.n_answers >= tasks.c.overlap
    page = sa.select(tasks).where(tasks.c.project_id == project.id, tasks.c.id > after)
    if state:
        page = page.where(is_done if state == "done" else ~is_done)
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


def differing_items(database: Database, project: Project, *, after: int = 0, limit: int = 20) -> list[Differing]:
    """Items on which people's answers differ and that no lead has decided, in the order they came."""
    said = votes.c.purpose.in_(["label", "gold", "review"])
    reviewed = sa.func.sum(sa.case((votes.c.purpose == "review", 1), else_=0))
    page = (
        sa.select(assignments.c.item_id)
        .join(votes, votes.c.id == assignments.c.vote_id)
        .where(assignments.c.project_id == project.id, assignments.c.item_id > after, said)
        .group_by(assignments.c.item_id)
        .having(sa.func.min(votes.c.value) != sa.func.max(votes.c.value), reviewed == 0)
        .order_by(assignments.c.item_id)
        .limit(limit)
    )
    with database.read() as connection:
        ids = list(connection.execute(page).scalars())
        rows = connection.execute(_VOICES, {"ids": ids}).all() if ids else []
        shown = {row.id: row for row in connection.execute(_SHOWN, {"ids": ids})} if ids else {}
    voices: dict[int, list[dict[str, Any]]] = {one: [] for one in ids}
    for row in rows:
        voices[row.item_id].append({"annotator": row.public_id, "value": loads(row.value), "at": iso_time(row.at)})
    return [Differing(one, shown[one].name, loads(shown[one].content), voices[one]) for one in ids]


def suggested_items(
    database: Database, project: Project, *, value: str | None = None, after: int = 0, limit: int = 100
) -> list[tuple[int, str, Mapping[str, Any], Mapping[str, Any]]]:
    """Open tasks with a suggestion (of one value, if named): key, item, content, first suggestion.

    Looks at `LOOKED_AT` tasks at most, so that a rare value does not make the server read them all.
    """
    query = (
        sa.select(tasks.c.id, items.c.name, items.c.content, tasks.c.suggestions)
        .join(items, items.c.id == tasks.c.item_id)
        .where(
            tasks.c.project_id == project.id,
            tasks.c.id > after,
            tasks.c.purpose == "label",
            tasks.c.suggestions.is_not(None),
            sa.text("tasks.free > 0 AND tasks.assignee_id IS NULL"),
        )
        .order_by(tasks.c.id)
        .limit(LOOKED_AT)
    )
    found = []
    with database.read() as connection:
        for row in connection.execute(query):
            first = loads(row.suggestions)[0]
            if value is None or first["value"] == value:
                found.append((row.id, row.name, loads(row.content), first))
            if len(found) == limit:
                break
    return found


LOOKED_AT = 20_000


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


_VOICES = (
    sa.select(assignments.c.item_id, users.c.public_id, votes.c.value, votes.c.at)
    .join(votes, votes.c.id == assignments.c.vote_id)
    .join(users, users.c.id == votes.c.user_id)
    .where(assignments.c.item_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(votes.c.id)
)

_SHOWN = sa.select(items.c.id, items.c.name, items.c.content).where(items.c.id.in_(sa.bindparam("ids", expanding=True)))
