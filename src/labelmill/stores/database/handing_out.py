"""What is told beside the next tasks: what is left, and what somebody had begun."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import loads
from labelmill.stores.database._statements import Statement, is_one_of
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import assignments, drafts, places, totals

__all__ = ["Beside", "look_beside"]


class Beside(NamedTuple):
    """Tasks that are left for all, and drafts by the turn."""

    n_left: int
    drafts: dict[str, Any]


_FINISHED = (
    sa.select(sa.func.coalesce(sa.func.sum(places.c.finished), 0))
    .where(places.c.project_id == sa.bindparam("project"), places.c.purpose == sa.bindparam("purpose"))
    .scalar_subquery()
)

_GOLD_OF_MINE = (
    sa.select(sa.func.coalesce(sa.func.sum(places.c.answered), 0))
    .where(
        places.c.project_id == sa.bindparam("project"),
        places.c.user_id == sa.bindparam("user"),
        places.c.purpose == sa.bindparam("hidden"),
    )
    .scalar_subquery()
)
"""Each answer lets the number that is left fall: one that did not would tell that its item was gold."""

_LEFT = Statement(
    sa.select(totals.c.n_tasks + totals.c.n_reopened - _FINISHED - _GOLD_OF_MINE).where(
        totals.c.project_id == sa.bindparam("project"), totals.c.purpose == sa.bindparam("purpose")
    )
)

_DRAFTS = Statement(
    sa.select(assignments.c.public_id, drafts.c.content)
    .join(assignments, assignments.c.id == drafts.c.assignment_id)
    .where(
        drafts.c.user_id == sa.bindparam("user"),
        drafts.c.project_id == sa.bindparam("project"),
        is_one_of(assignments.c.public_id, "ids"),
    )
)


def look_beside(
    connection: sa.Connection, project: Project, user: int, *, again: Collection[str], purpose: str = "label"
) -> Beside:
    """What is to be said beside the tasks given to somebody; only those that come again can have drafts."""
    hidden = "gold" if purpose == "label" else ""
    left = _LEFT.value(connection, {"project": project.id, "user": user, "purpose": purpose, "hidden": hidden})
    if not again:
        return Beside(max(0, int(left or 0)), {})
    begun = _DRAFTS.all(connection, {"user": user, "project": project.id, "ids": list(again)})
    return Beside(max(0, int(left or 0)), {row.public_id: loads(row.content) for row in begun})
