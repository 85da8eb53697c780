"""Give somebody tasks, within a transaction: what they lost on the way first, then what comes next for them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import loads
from labelmill.stores.database import _lanes, _leases, _places
from labelmill.stores.database._statements import Gathered, Statement
from labelmill.stores.database.connect import Database
from labelmill.stores.database.new_task import TaskPurpose
from labelmill.stores.database.projects import Project, QueueSettings
from labelmill.stores.database.tables import assignments, items, tasks

__all__ = ["Assignment", "Handed", "Hands"]

FRESH_MS = 1_000
"""A lease that began so lately is not begun anew; of a short lease, a tenth of it."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One task in one person's hands.

    Parameters
    ----------
    id : str
        Names this turn when it is renewed, given back or answered.
    task : str
        The task's public id.
    item : str
        The item's id.
    content : mapping
        What to show.
    purpose : str
        Not for the person: a gold item must look like any other.
    suggestions : sequence of mapping
        Best first; empty when blind.
    is_blind : bool
        Whether suggestions are withheld.
    why : str or None
        Why this item was chosen.
    deadline : int
        When the lease ends, in milliseconds since 1970, unless it is renewed.
    """

    id: str
    task: str
    item: str
    content: Any
    purpose: str
    suggestions: Sequence[Any]
    is_blind: bool
    why: str | None
    deadline: int


class Handed(NamedTuple):
    """Tasks given to somebody: those that come again first, `n_again` of them; `held` are the turns they had."""

    given: list[Assignment]
    n_again: int
    held: frozenset[str]


class Hands:
    """What one person holds and gets, within a transaction in which nobody else acts for them.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    database : Database
        Its clock and ids.
    project : Project
    settings : QueueSettings
        As they are in this transaction.
    user : int
    """

    def __init__(
        self, connection: sa.Connection, database: Database, project: Project, settings: QueueSettings, user: int
    ) -> None:
        self._connection, self._database, self._project = connection, database, project
        self._settings, self._user = settings, user
        self._mine = {"project": project.id, "user": user}
        self._now, self._lease_ms = database.clock(), int(settings.lease_seconds * 1000)
        self._deadline = self._now + self._lease_ms

    def fill(
        self,
        n: int,
        have: Collection[str],
        purpose: TaskPurpose,
        *,
        room: int | None = None,
        more: Callable[[int], int] | None = None,
    ) -> Handed:
        """Up to `n` tasks: those lost come again, those the client has are renewed; see `Queue.next`.

        Parameters
        ----------
        room : int, optional
            How many they may hold and answer at most.
        more : callable, optional
            Frees so many tasks for them where the queue has too few; how many.
        """
        held = _HELD.all(self._connection, self._mine)
        self._renew(held)
        again = self._come_again({turn.public_id for turn in held}.difference(have), purpose)[:n]
        wanted = min(n - len(again), self._settings.max_held - len(held))
        if room is not None:
            wanted = min(wanted, room - len(held))
        new = self._next(wanted, purpose) if wanted > 0 else []
        if more is not None and len(new) < wanted and more(wanted - len(new)):
            new += self._next(wanted - len(new), purpose)
        return Handed(again + new, len(again), frozenset(turn.public_id for turn in held))

    def take(self, names: Collection[str]) -> dict[str, str]:
        """The label tasks of these items, as far as they are free or held already; item -> assignment."""
        wanted = set(names)
        taken = {
            turn.name: turn.public_id
            for turn in _HELD_ITEMS.all(self._connection, self._mine)
            if turn.name in wanted and turn.purpose == "label"
        }
        rest = [name for name in names if name not in taken]
        new = [
            (task, self._database.ids(), 0) for task in _lanes.named(self._connection, self._project, self._user, rest)
        ]
        if new:
            changes = Gathered(self._connection)
            self._lease(changes, new)
            changes.write()
            _places.place_of(self._connection, self._project.id, self._user, "label")
        return taken | {task.name: turn for task, turn, _ in new}

    def _renew(self, held: Sequence[Any]) -> None:
        fresh = min(FRESH_MS, self._lease_ms // 10)
        if not all(0 <= self._deadline - turn.deadline <= fresh for turn in held):
            _RENEW.change(self._connection, {**self._mine, "new_deadline": self._deadline})

    def _come_again(self, lost: Collection[str], purpose: TaskPurpose) -> list[Assignment]:
        if not lost:
            return []
        return [
            _assignment(turn, turn.public_id, turn.deadline, is_blind=bool(turn.blind))
            for turn in _HELD_ITEMS.all(self._connection, self._mine)
            if turn.public_id in lost and _serves(turn.purpose, purpose)
        ]

    def _next(self, n: int, purpose: TaskPurpose) -> list[Assignment]:
        """Up to `n` tasks that they have not had, leased to them."""
        chosen, lanes = _lanes.choose(self._connection, self._project, self._settings, self._user, purpose, n)
        new = [(task, self._database.ids(), int(self._is_blind(task))) for task in chosen]
        changes = Gathered(self._connection)
        if new:
            self._lease(changes, new)
        _lanes.go_on(changes, lanes)
        changes.write()
        return [_assignment(task, turn, self._deadline, is_blind=bool(blind)) for task, turn, blind in new]

    def _is_blind(self, task: _lanes.Candidate) -> bool:
        return _lanes.is_blind(self._project, self._settings, self._user, task)

    def _lease(self, changes: Gathered, new: Sequence[tuple[_lanes.Candidate, str, int]]) -> None:
        _leases.sit_down(self._connection, changes, self._project.id, self._user, [task for task, _, _ in new])
        for task, public_id, is_blind in new:
            changes.add(_LEASE, self._turn(task, public_id, is_blind))

    def _turn(self, task: _lanes.Candidate, public_id: str, is_blind: int) -> dict[str, Any]:
        return {
            "public_id": public_id,
            "project_id": self._project.id,
            "task_id": task.id,
            "item_id": task.item_id,
            "user_id": self._user,
            "state": "leased",
            "live": 1,
            "again": int(task.assignee_id is not None),
            "blind": is_blind,
            "leased_at": self._now,
            "deadline": self._deadline,
        }


_LEASE = Statement(
    sa.insert(assignments).inline(),
    columns=(
        "public_id",
        "project_id",
        "task_id",
        "item_id",
        "user_id",
        "state",
        "live",
        "again",
        "blind",
        "leased_at",
        "deadline",
    ),
)

_IS_HELD = (
    assignments.c.user_id == sa.bindparam("user"),
    assignments.c.project_id == sa.bindparam("project"),
    sa.text("assignments.state = 'leased'"),
)

_HELD = Statement(
    sa.select(assignments.c.public_id, assignments.c.deadline).where(*_IS_HELD).order_by(assignments.c.id)
)

_HELD_ITEMS = Statement(
    sa.select(
        assignments.c.id,
        assignments.c.public_id,
        assignments.c.blind,
        assignments.c.deadline,
        tasks.c.public_id.label("task"),
        tasks.c.purpose,
        tasks.c.suggestions,
        tasks.c.why,
        items.c.name,
        items.c.content,
    )
    .join(tasks, tasks.c.id == assignments.c.task_id)
    .join(items, items.c.id == assignments.c.item_id)
    .where(*_IS_HELD)
    .order_by(assignments.c.id)
)

_RENEW = Statement(sa.update(assignments).where(*_IS_HELD).values(deadline=sa.bindparam("new_deadline")))


def _serves(held: str, asked: str) -> bool:
    return held == asked or (held == "gold" and asked == "label")


def _assignment(task: Any, public_id: str, deadline: int, *, is_blind: bool) -> Assignment:
    return Assignment(
        id=public_id,
        task=task.task,
        item=task.name,
        content=loads(task.content),
        purpose=task.purpose,
        suggestions=[] if is_blind or not task.suggestions else loads(task.suggestions),
        is_blind=is_blind,
        why=None if is_blind else task.why,
        deadline=deadline,
    )
