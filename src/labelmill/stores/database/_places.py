"""How far each person has come in each queue, so that nobody searches again through what they have had."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from labelmill.stores.database._conflicts import insert_or_ignore
from labelmill.stores.database._statements import Gathered, Statement
from labelmill.stores.database.tables import places, tasks

__all__ = ["add", "go_back", "go_on", "lock", "move_back", "place_of"]

_MINE = (
    places.c.project_id == sa.bindparam("p_project"),
    places.c.user_id == sa.bindparam("p_user"),
    places.c.purpose == sa.bindparam("p_purpose"),
)

_IS_ASKED = sa.exists().where(
    tasks.c.assignee_id == sa.bindparam("p_user"),
    tasks.c.project_id == sa.bindparam("p_project"),
    tasks.c.purpose == sa.bindparam("p_purpose"),
    sa.text("tasks.free > 0 AND tasks.assignee_id IS NOT NULL"),
)

_FIND = Statement(sa.select(places, _IS_ASKED.label("is_asked")).where(*_MINE))


def place_of(connection: sa.Connection, project: int, user: int, purpose: str) -> Any:
    """Somebody's place, at the start if they are new; `is_asked`: whether something waits for them by name."""
    mine = {"p_project": project, "p_user": user, "p_purpose": purpose}
    found = _FIND.first(connection, mine)
    if found is None:
        row = {"project_id": project, "user_id": user, "purpose": purpose}
        connection.execute(insert_or_ignore(connection, places), row)
        found = _FIND.first(connection, mine)
    return found


_UNMOVED = places.c.resets == sa.bindparam("p_resets")

_GO_ON = Statement(
    sa.update(places)
    .where(*_MINE)
    .values(
        given=places.c.given + sa.bindparam("p_given"),
        rank=sa.case((_UNMOVED, sa.bindparam("p_rank", type_=sa.Double)), else_=places.c.rank),
        task_id=sa.case((_UNMOVED, sa.bindparam("p_task")), else_=places.c.task_id),
    )
)


def go_on(changes: Gathered, place: Any, rank: float | None, task: int, given: int) -> None:
    """Move somebody's place forward, unless it was moved back since it was read."""
    changes.add(
        _GO_ON,
        {
            "p_project": place.project_id,
            "p_user": place.user_id,
            "p_purpose": place.purpose,
            "p_resets": place.resets,
            "p_rank": rank,
            "p_task": task,
            "p_given": given,
        },
    )


def go_back(connection: sa.Connection, project: int, purpose: str, rank: float, task: int) -> None:
    """A task has become free: whoever is past it comes back to it.

    To be called last in a transaction, as every change of a place is: then nobody holds one while waiting for
    something else.
    """
    if lock(connection, project, purpose, None):
        move_back(connection, project, purpose, rank, task, None)


def lock(connection: sa.Connection, project: int, purpose: str, users: Collection[int] | None) -> bool:
    """Lock the places of some people or, with `None`, of all, in one order; whether there are any."""
    locked = sa.select(places.c.user_id).where(*_of(project, purpose, users)).order_by(places.c.user_id)
    return connection.execute(locked.with_for_update()).first() is not None


def move_back(
    connection: sa.Connection, project: int, purpose: str, rank: float, task: int, users: Collection[int] | None
) -> None:
    """Bring those of these people who are past a task back to it; their places are locked."""
    is_past = sa.or_(places.c.rank > rank, sa.and_(places.c.rank == rank, places.c.task_id > task))
    connection.execute(
        sa.update(places)
        .where(*_of(project, purpose, users))
        .values(
            resets=places.c.resets + 1,
            rank=sa.case((is_past, rank), else_=places.c.rank),
            task_id=sa.case((is_past, task), else_=places.c.task_id),
        )
    )


def _of(project: int, purpose: str, users: Collection[int] | None) -> list[sa.ColumnElement[bool]]:
    of_queue = [places.c.project_id == project, places.c.purpose == purpose]
    return of_queue if users is None else [*of_queue, places.c.user_id.in_(users)]


_COUNTS = ("answered", "skipped", "extra", "finished", "ms_active")

_ADD = Statement(
    sa.update(places).where(*_MINE).values({name: places.c[name] + sa.bindparam(f"p_{name}") for name in _COUNTS})
)


def add(changes: Gathered, project: int, user: int, purpose: str, counts: Mapping[str, int]) -> None:
    """Add to the counts of somebody who has a place."""
    if any(counts.values()):
        mine = {"p_project": project, "p_user": user, "p_purpose": purpose}
        changes.add(_ADD, mine | {f"p_{name}": counts.get(name, 0) for name in _COUNTS})
