"""Turns that end without an answer, and the slots they free."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from labelmill.stores.database import _places
from labelmill.stores.database._statements import Gathered, Statement, is_one_of
from labelmill.stores.database.tables import assignments, slots, tasks

__all__ = ["Freed", "end", "expire", "is_expired_somewhere", "leave", "sit_again", "sit_down", "stand_up", "tell_all"]

EXPIRED_AT_ONCE = 500

_OVERDUE = (
    sa.select(assignments.c.id, assignments.c.task_id, assignments.c.user_id)
    .where(
        assignments.c.project_id == sa.bindparam("project"),
        assignments.c.deadline < sa.bindparam("now"),
        sa.text("assignments.state = 'leased'"),
    )
    .limit(EXPIRED_AT_ONCE)
)

_FARTHEST = sa.select(sa.func.max(assignments.c.deadline)).where(
    assignments.c.project_id == sa.bindparam("project"), sa.text("assignments.state = 'leased'")
)


def is_expired_somewhere(connection: sa.Connection, project: int, now: int, longest: int) -> bool:
    """Whether `expire` would find something."""
    given = {"project": project, "now": now}
    if connection.execute(_OVERDUE.limit(1), given).first() is not None:
        return True
    farthest = connection.execute(_FARTHEST, {"project": project}).scalar()
    return farthest is not None and farthest > now + longest


def expire(connection: sa.Connection, project: int, now: int, longest: int) -> int:
    """End the leases that are over; how many there were.

    A lease that seems to end later than any can was given before the clock was set back: it ends one lease from now.
    """
    beyond = (
        sa.select(assignments.c.id)
        .where(
            assignments.c.project_id == project,
            assignments.c.deadline > now + longest,
            sa.text("assignments.state = 'leased'"),
        )
        .with_for_update(skip_locked=True)
    )
    connection.execute(sa.update(assignments).where(assignments.c.id.in_(beyond)).values(deadline=now + longest))
    overdue = connection.execute(_OVERDUE.with_for_update(skip_locked=True), {"project": project, "now": now}).all()
    leave(connection, project, overdue, "expired")
    return len(overdue)


class Freed(NamedTuple):
    """A task with a slot more, and whether all slots had been taken."""

    task: int
    rank: float
    purpose: str
    users: tuple[int, ...]
    was_full: bool


def leave(connection: sa.Connection, project: int, turns: Sequence[Any], state: str) -> None:
    """End turns (`id`, `task_id`, `user_id`) without an answer; the same person may meet the item again."""
    tell_all(connection, project, end(connection, turns, state))


def end(connection: sa.Connection, turns: Sequence[Any], state: str) -> list[Freed]:
    """`leave` without its last act; `tell_all` is to follow at the end of the transaction."""
    if not turns:
        return []
    ended = sa.update(assignments).where(assignments.c.id.in_([turn.id for turn in turns]))
    connection.execute(ended.values(state=state, live=0, vote_id=None))
    return stand_up(connection, turns)


def stand_up(connection: sa.Connection, turns: Sequence[Any]) -> list[Freed]:
    """Free the slots of these turns; `tell_all` is to follow at the end of the transaction."""
    pairs = [(turn.task_id, turn.user_id) for turn in turns]
    connection.execute(sa.delete(slots).where(sa.tuple_(slots.c.task_id, slots.c.user_id).in_(pairs)))
    users: dict[int, list[int]] = defaultdict(list)
    for turn in turns:
        users[turn.task_id].append(turn.user_id)
    freed = []
    for task in sorted(users):
        row = connection.execute(_FREE, {"task": task, "n": len(users[task])}).one()
        if row.assignee_id is None:  # who was asked by name finds the task without a place
            freed.append(Freed(task, row.rank, row.purpose, tuple(users[task]), row.free == len(users[task])))
    return freed


def tell_all(connection: sa.Connection, project: int, freed: Sequence[Freed]) -> None:
    """Whoever may be past these tasks comes back to them.

    Queue by queue, and all places of a queue are locked at once: so two who tell do it in the same order.
    """
    for purpose in sorted({task.purpose for task in freed}):
        tasks_here = [task for task in freed if task.purpose == purpose]
        everybody = any(task.was_full for task in tasks_here)
        told = None if everybody else {user for task in tasks_here for user in task.users}
        if not _places.lock(connection, project, purpose, told):
            continue
        for task in tasks_here:
            whose = None if task.was_full else task.users
            _places.move_back(connection, project, purpose, task.rank, task.task, whose)


_FREE = (
    sa.update(tasks)
    .where(tasks.c.id == sa.bindparam("task"))
    .values(free=tasks.c.free + sa.bindparam("n"))
    .returning(tasks.c.rank, tasks.c.purpose, tasks.c.free, tasks.c.assignee_id)
)

_TAKE_ONE = (
    sa.update(tasks)
    .where(tasks.c.id == sa.bindparam("task"), tasks.c.free > 0)
    .values(free=tasks.c.free - 1)
    .returning(tasks.c.overlap)
)


def sit_again(connection: sa.Connection, project: int, turn: Any) -> bool:
    """Give an ended turn a slot again, if its task has a free one."""
    overlap = connection.execute(_TAKE_ONE, {"task": turn.task_id}).scalar()
    if overlap is None:
        return False
    taken = {slot for _, slot in _OCCUPIED.all(connection, {"tasks": [turn.task_id]})}
    row = {
        "task_id": turn.task_id,
        "slot": next(slot for slot in range(overlap + 1) if slot not in taken),
        "overlap": overlap,
        "project_id": project,
        "user_id": turn.user_id,
    }
    _SIT.change(connection, row)
    return True


_OCCUPIED = Statement(sa.select(slots.c.task_id, slots.c.slot).where(is_one_of(slots.c.task_id, "tasks")))
_SIT = Statement(sa.insert(slots).inline())
_TAKE = Statement(
    sa.update(tasks).where(tasks.c.id == sa.bindparam("task")).values(free=tasks.c.free - sa.literal_column("1"))
)


def sit_down(connection: sa.Connection, changes: Gathered, project: int, user: int, chosen: Sequence[Any]) -> None:
    """Take one slot of each task (`id`, `overlap`, `free`); the tasks are locked and have one."""
    shared = [task.id for task in chosen if task.free < task.overlap]
    taken: dict[int, set[int]] = defaultdict(set)
    if shared:
        for task, slot in _OCCUPIED.all(connection, {"tasks": shared}):
            taken[task].add(slot)
    for task in chosen:
        row = {
            "task_id": task.id,
            "slot": next(slot for slot in range(task.overlap + 1) if slot not in taken[task.id]),
            "overlap": task.overlap,
            "project_id": project,
            "user_id": user,
        }
        changes.add(_SIT, row)
        changes.add(_TAKE, {"task": task.id})
