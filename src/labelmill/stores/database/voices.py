"""What everybody says now about the same items, and what was sent back to whom; for leads who review."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import loads
from labelmill.stores.database.account_tables import users
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import assignments, gold_answers, items, tasks, votes
from labelmill.stores.database.votes import iso_time

__all__ = ["ItemVoices", "PersonVoice", "SentBack", "Spoken", "number_of", "sent_back", "spoken_lately", "voices_of"]

LOOKED_AT = 20_000
"""Answers looked at for differences, the newest first; whoever reviews all of these comes back for the rest."""

ITEMS_AT_ONCE = 500


class Spoken(NamedTuple):
    """One answer that holds, as it is stored: its item's number, its value's JSON, the JSON of what was suggested."""

    number: int
    annotator: str
    value: str
    purpose: str
    suggestions: str | None


class PersonVoice(NamedTuple):
    """What one person says about an item now."""

    annotator: str
    value: Any
    purpose: str
    at: str


class ItemVoices(NamedTuple):
    """An item with all that people say and machines suggest about it."""

    number: int
    item: str
    content: Mapping[str, Any]
    people: Sequence[PersonVoice]
    suggestions: Sequence[Mapping[str, Any]]


class SentBack(NamedTuple):
    """An item that a lead has sent back, to whom, why, and where that stands."""

    number: int
    item: str
    annotator: str
    comment: str
    state: Literal["waiting", "open", "answered", "skipped"]


_IS_MAIN_TASK = sa.and_(
    tasks.c.item_id == assignments.c.item_id, tasks.c.purpose == "label", tasks.c.assignee_id.is_(None)
)


def spoken_lately(database: Database, project: Project, *, limit: int = LOOKED_AT) -> list[Spoken]:
    """The newest answers that hold, reviews among them, on items whose answer is not known."""
    query = (
        sa.select(
            assignments.c.item_id,
            users.c.public_id,
            votes.c.value,
            votes.c.purpose,
            tasks.c.suggestions,
        )
        .select_from(assignments)
        .join(votes, votes.c.id == assignments.c.vote_id)
        .join(users, users.c.id == votes.c.user_id)
        .outerjoin(tasks, _IS_MAIN_TASK)
        .outerjoin(gold_answers, gold_answers.c.item_id == assignments.c.item_id)
        .where(
            assignments.c.project_id == project.id,
            votes.c.purpose.in_(["label", "review", "audit"]),
            gold_answers.c.item_id.is_(None),
        )
        .order_by(assignments.c.vote_id.desc())
        .limit(limit)
    )
    with database.read() as connection:
        return [Spoken(*row) for row in connection.execute(query)]


def number_of(database: Database, project: Project, item: str) -> int | None:
    """The number of an item in this database; None if nobody was asked about it."""
    query = sa.select(items.c.id).where(items.c.project_id == project.id, items.c.name == item)
    with database.read() as connection:
        return connection.execute(query).scalar()


def voices_of(database: Database, project: Project, numbers: Collection[int]) -> list[ItemVoices]:
    """Items by their numbers, each with what people say now, oldest first, and what machines suggest."""
    found: list[ItemVoices] = []
    wanted = sorted(numbers)
    with database.read() as connection:
        for start in range(0, len(wanted), ITEMS_AT_ONCE):
            given = {"project": project.id, "numbers": wanted[start : start + ITEMS_AT_ONCE]}
            people: dict[int, list[PersonVoice]] = {}
            for said in connection.execute(_PEOPLE, given):
                voice = PersonVoice(said.public_id, loads(said.value), said.purpose, iso_time(said.at))
                people.setdefault(said.item_id, []).append(voice)
            for row in connection.execute(_ITEMS, given):
                suggestions = loads(row.suggestions) if row.suggestions else []
                voices = people.get(row.id, [])
                found.append(ItemVoices(row.id, row.name, loads(row.content), voices, suggestions))
    return found


def sent_back(
    database: Database, project: Project, *, numbers: Collection[int] | None = None, limit: int = 200
) -> list[SentBack]:
    """What was sent back, the newest first; of some items only, if they are named."""
    is_skipped = sa.exists().where(assignments.c.task_id == tasks.c.id, assignments.c.state == "skipped")
    query = (
        sa.select(
            tasks.c.item_id,
            items.c.name,
            users.c.public_id,
            tasks.c.why,
            tasks.c.free,
            tasks.c.n_answers,
            is_skipped.label("is_skipped"),
        )
        .join(items, items.c.id == tasks.c.item_id)
        .join(users, users.c.id == tasks.c.assignee_id)
        .where(tasks.c.project_id == project.id, tasks.c.purpose == "label", tasks.c.assignee_id.is_not(None))
        .order_by(tasks.c.id.desc())
        .limit(limit)
    )
    if numbers is not None:
        query = query.where(tasks.c.item_id.in_(list(numbers)))
    with database.read() as connection:
        return [
            SentBack(row.item_id, row.name, row.public_id, row.why or "", _state(row))
            for row in connection.execute(query)
        ]


def _state(row: Any) -> Literal["waiting", "open", "answered", "skipped"]:
    if row.n_answers:
        return "answered"
    if row.is_skipped:
        return "skipped"
    return "waiting" if row.free else "open"


_PEOPLE = (
    sa.select(assignments.c.item_id, users.c.public_id, votes.c.value, votes.c.purpose, votes.c.at)
    .join(votes, votes.c.id == assignments.c.vote_id)
    .join(users, users.c.id == votes.c.user_id)
    .where(
        assignments.c.project_id == sa.bindparam("project"),
        assignments.c.item_id.in_(sa.bindparam("numbers", expanding=True)),
        votes.c.purpose.in_(["label", "gold", "review", "audit"]),
    )
    .order_by(votes.c.id)
)

_ITEMS = (
    sa.select(items.c.id, items.c.name, items.c.content, tasks.c.suggestions)
    .outerjoin(tasks, sa.and_(tasks.c.item_id == items.c.id, tasks.c.purpose == "label", tasks.c.assignee_id.is_(None)))
    .where(items.c.project_id == sa.bindparam("project"), items.c.id.in_(sa.bindparam("numbers", expanding=True)))
    .order_by(items.c.id)
)
