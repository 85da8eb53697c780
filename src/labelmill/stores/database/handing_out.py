"""What is told beside the next tasks, in one look: which of those held still are, what is left, what was begun."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import loads
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import assignments, drafts, places, totals

__all__ = ["Beside", "look_beside"]


class Beside(NamedTuple):
    """The held turns that are still leased, tasks that are left for all, and drafts by the turn."""

    leased: frozenset[str]
    n_left: int
    drafts: dict[str, Any]


_LEASED = sa.select(assignments.c.public_id).where(
    assignments.c.public_id.in_(sa.bindparam("ids", expanding=True)),
    assignments.c.user_id == sa.bindparam("user"),
    assignments.c.project_id == sa.bindparam("project"),
    sa.text("assignments.state = 'leased'"),
)

_FINISHED = (
    sa.select(sa.func.coalesce(sa.func.sum(places.c.finished), 0))
    .where(places.c.project_id == sa.bindparam("project"), places.c.purpose == sa.bindparam("purpose"))
    .scalar_subquery()
)

_LEFT = sa.select(totals.c.n_tasks + totals.c.n_reopened - _FINISHED).where(
    totals.c.project_id == sa.bindparam("project"), totals.c.purpose == sa.bindparam("purpose")
)

_DRAFTS = (
    sa.select(assignments.c.public_id, drafts.c.content)
    .join(assignments, assignments.c.id == drafts.c.assignment_id)
    .where(
        drafts.c.user_id == sa.bindparam("user"),
        drafts.c.project_id == sa.bindparam("project"),
        assignments.c.public_id.in_(sa.bindparam("ids", expanding=True)),
    )
)


def look_beside(
    database: Database,
    project: Project,
    user: int,
    *,
    held: Collection[str],
    given: Collection[str],
    purpose: str = "label",
) -> Beside:
    """What is to be said beside the tasks given to somebody who holds others."""
    mine = {"user": user, "project": project.id}
    with database.read() as connection:
        leased = connection.execute(_LEASED, {**mine, "ids": list(held)}).scalars() if held else ()
        left = connection.execute(_LEFT, {"project": project.id, "purpose": purpose}).scalar()
        begun = connection.execute(_DRAFTS, {**mine, "ids": list(given)}) if given else ()
        kept = {row.public_id: loads(row.content) for row in begun}
        return Beside(frozenset(leased), max(0, int(left or 0)), kept)
