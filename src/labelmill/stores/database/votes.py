"""People's votes out of the database: for the pipeline, for one item, and the gold they are held against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import loads
from labelmill.domain.vote import Purpose, Vote
from labelmill.stores.database.account_tables import users
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import assignments, gold_answers, items, votes
from labelmill.stores.database.tasks import TaskPurpose

__all__ = ["GoldResult", "OwnAnswer", "Remark", "current_votes", "gold_results", "history", "iso_time", "my_answers"]

PAGE = 2_000

PURPOSES: tuple[Purpose, ...] = ("label", "review", "gold", "audit")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Remark(NamedTuple):
    """One row of an item's history: an act of somebody and all that came with it."""

    sequence: int
    key: str
    annotator: str
    kind: str
    purpose: TaskPurpose
    status: str
    value: Any
    note: str | None
    base: str | None
    shown: str | None
    outcome: str | None
    ms_active: int | None
    ms_total: int | None
    bulk: int | None
    at: str


class OwnAnswer(NamedTuple):
    """One act of somebody, with the item it was about; `sequence` is where the next page begins."""

    sequence: int
    assignment: str
    item: str
    content: Any
    kind: str
    value: Any
    note: str | None
    at: str


class GoldResult(NamedTuple):
    """What one person answered on an item whose answer is known."""

    item: str
    annotator: str
    value: Any
    answer: Any
    purpose: TaskPurpose


def current_votes(
    database: Database, project: Project, *, purposes: Sequence[TaskPurpose] = PURPOSES, after: int = 0
) -> Iterator[Vote]:
    """What everybody says now, as one state of the database: the newest answer of each, without what was taken back.

    Annotators are named by their public ids. Training is left out unless asked for: its answers are shown afterwards.

    Parameters
    ----------
    purposes : sequence of str
    after : int
        Begin after the answer of this number: what was read once need not be read again.
    """
    query = (
        sa.select(
            votes.c.id,
            items.c.name,
            users.c.public_id,
            votes.c.value,
            votes.c.confidence,
            votes.c.at,
            votes.c.purpose,
        )
        .select_from(assignments)
        .join(votes, votes.c.id == assignments.c.vote_id)
        .join(items, items.c.id == votes.c.item_id)
        .join(users, users.c.id == votes.c.user_id)
        .where(assignments.c.project_id == project.id, votes.c.purpose.in_(list(purposes)))
        .order_by(assignments.c.vote_id)
        .limit(PAGE)
    )
    with database.read() as connection:
        while True:
            page = connection.execute(query.where(assignments.c.vote_id > after)).all()
            for row in page:
                yield Vote(row.name, row.public_id, loads(row.value), row.confidence, iso_time(row.at), row.purpose)
            if len(page) < PAGE:
                return
            after = page[-1].id


def history(database: Database, project: Project, item: str, *, limit: int = 1_000) -> list[Remark]:
    """All that people ever said about an item, in order."""
    query = (
        sa.select(votes, users.c.public_id)
        .join(items, items.c.id == votes.c.item_id)
        .join(users, users.c.id == votes.c.user_id)
        .where(items.c.project_id == project.id, items.c.name == item)
        .order_by(votes.c.id)
        .limit(limit)
    )
    with database.read() as connection:
        return [_remark(row) for row in connection.execute(query)]


def my_answers(
    database: Database, project: Project, user: int, *, before: int | None = None, limit: int = 20
) -> list[OwnAnswer]:
    """What somebody answered or skipped, newest first, as it holds now; training left out, where nothing changes."""
    query = (
        sa.select(votes, assignments.c.public_id.label("turn"), items.c.name, items.c.content)
        .join(assignments, assignments.c.id == votes.c.assignment_id)
        .join(items, items.c.id == votes.c.item_id)
        .where(votes.c.project_id == project.id, votes.c.user_id == user, votes.c.purpose != "training")
        .where(
            sa.or_(
                assignments.c.vote_id == votes.c.id,
                sa.and_(votes.c.kind == "skip", assignments.c.state == "skipped"),
            )
        )
        .order_by(votes.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(votes.c.id < before)
    with database.read() as connection:
        return [
            OwnAnswer(
                row.id,
                row.turn,
                row.name,
                loads(row.content),
                row.kind,
                None if row.value is None else loads(row.value),
                row.note,
                iso_time(row.at),
            )
            for row in connection.execute(query)
        ]


def gold_results(database: Database, project: Project, *, user: int | None = None) -> list[GoldResult]:
    """What people answer now on gold and training items, beside the known answers, in the order they came."""
    query = (
        sa.select(items.c.name, users.c.public_id, votes.c.value, gold_answers.c.answer, votes.c.purpose)
        .select_from(assignments)
        .join(votes, votes.c.id == assignments.c.vote_id)
        .join(gold_answers, gold_answers.c.item_id == votes.c.item_id)
        .join(items, items.c.id == votes.c.item_id)
        .join(users, users.c.id == votes.c.user_id)
        .where(assignments.c.project_id == project.id, votes.c.purpose.in_(["gold", "training"]))
        .order_by(votes.c.id)
    )
    if user is not None:
        query = query.where(assignments.c.user_id == user)
    with database.read() as connection:
        return [
            GoldResult(row.name, row.public_id, loads(row.value), loads(row.answer), row.purpose)
            for row in connection.execute(query)
        ]


def iso_time(ms: int) -> str:
    """The moment as text, in UTC."""
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")


def _remark(row: sa.Row[Any]) -> Remark:
    return Remark(
        sequence=row.id,
        key=row.key,
        annotator=row.public_id,
        kind=row.kind,
        purpose=row.purpose,
        status=row.status,
        value=None if row.value is None else loads(row.value),
        note=row.note,
        base=row.base,
        shown=row.shown,
        outcome=row.outcome,
        ms_active=row.ms_active,
        ms_total=row.ms_total,
        bulk=row.bulk,
        at=iso_time(row.at),
    )
