"""Hand out tasks: who gets what next, for how long, and how it comes back."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from labelmill.domain.strict_json import loads
from labelmill.errors import AccessError, UsageError
from labelmill.stores.database import _lanes, _leases, _members, outbox
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project, QueueSettings, queue_settings
from labelmill.stores.database.tables import assignments, items, projects, tasks
from labelmill.stores.database.tasks import TaskPurpose

__all__ = ["Assignment", "Queue"]

SWEEP_MS = 1_000
"""Leases that are over are looked for this often at most."""

LEADS = frozenset({"admin", "lead"})


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


class Queue:
    """One project's queue.

    Parameters
    ----------
    database : Database
    project : Project
        Its settings are read anew at each call.
    """

    def __init__(self, database: Database, project: Project) -> None:
        self.database, self.project = database, project
        self._lock = threading.Lock()
        self._swept_at: int | None = None
        self.has_webhooks = False
        self._settings: tuple[int, QueueSettings] = (project.version, project.queue)

    def next(
        self, user: int, n: int = 1, *, have: Collection[str] = (), purpose: TaskPurpose = "label"
    ) -> list[Assignment]:
        """Lease up to `n` more tasks to somebody, best first.

        What they hold by the database but not by `have` was lost on the way, and comes again first. What they have
        is renewed. Nobody gets an item twice, unless a reviewer sent it back to them; nobody reviews their own.

        Parameters
        ----------
        user : int
        n : int
            Tasks wanted; fewer come when the queue is empty or `max_held` is reached.
        have : collection of str
            Ids of the assignments that the client holds.
        purpose : str
            The queue. Gold items are mixed into "label" by the setting `gold_share`; "review" is for leads.

        Raises
        ------
        AccessError
            If they are no member, or may not review.
        """
        if not 1 <= n <= 1_000:
            raise UsageError(f"n must lie between 1 and 1000, found {n}")
        self.sweep()
        return self.database.write(lambda connection: self._next(connection, user, n, frozenset(have), purpose))

    def take(self, user: int, names: Collection[str]) -> dict[str, str]:
        """Lease these items to somebody, who sees them already; item -> assignment.

        What others hold, or what this person has had, is left out.
        """

        def work(connection: sa.Connection) -> dict[str, str]:
            entry = _members.enter(connection, self.project.id, user, alone=True)
            settings, now = self.current_settings(connection, entry), self.database.clock()
            mine = {"project": self.project.id, "user": user}
            wanted = set(names)
            taken = {
                turn.name: turn.public_id
                for turn in connection.execute(_HELD, mine)
                if turn.name in wanted and turn.purpose == "label"
            }
            chosen = _lanes.named(connection, self.project, user, [name for name in names if name not in taken])
            new = [(task, self.database.ids(), 0) for task in chosen]
            if new:
                deadline = now + _ms(settings.lease_seconds)
                _leases.sit_down(connection, self.project.id, user, chosen)
                connection.execute(_LEASE, [self._turn(user, *given, now=now, deadline=deadline) for given in new])
            return taken | {task.name: turn for task, turn, _ in new}

        return self.database.write(work) if names else {}

    def renew(self, user: int, held: Collection[str]) -> list[str]:
        """Begin the leases anew that somebody still holds; their ids. The others are over."""
        now = self.database.clock()

        def work(connection: sa.Connection) -> list[str]:
            entry = _members.enter(connection, self.project.id, user)
            deadline = now + _ms(self.current_settings(connection, entry).lease_seconds)
            change = sa.update(assignments).where(
                assignments.c.public_id.in_(list(held)),
                assignments.c.user_id == user,
                assignments.c.project_id == self.project.id,
                assignments.c.state == "leased",
            )
            return sorted(
                connection.execute(change.values(deadline=deadline).returning(assignments.c.public_id)).scalars()
            )

        return self.database.write(work) if held else []

    def give_back(self, user: int, held: Collection[str]) -> list[str]:
        """Return unanswered tasks to the queue, where the same person may meet them again; their ids."""

        def work(connection: sa.Connection) -> list[str]:
            _members.enter(connection, self.project.id, user)
            query = sa.select(assignments).where(
                assignments.c.public_id.in_(list(held)),
                assignments.c.user_id == user,
                assignments.c.project_id == self.project.id,
                assignments.c.state == "leased",
            )
            turns = connection.execute(query.order_by(assignments.c.task_id).with_for_update()).all()
            _leases.leave(connection, self.project.id, turns, "returned")
            return sorted(turn.public_id for turn in turns)

        return self.database.write(work) if held else []

    def sweep(self, *, now: int | None = None) -> int:
        """Take back the leases that are over; how many. `next` does it on its own, once a second at most."""
        now = self.database.clock() if now is None else now
        with self._lock:
            if self._swept_at is not None and 0 <= now - self._swept_at < SWEEP_MS:
                return 0
            self._swept_at = now
        with self.database.read() as connection:
            entry = connection.execute(_VERSION, {"project": self.project.id}).one()
            longest = _ms(self.current_settings(connection, entry).lease_seconds)
            if not _leases.is_expired_somewhere(connection, self.project.id, now, longest):
                return 0
        return self.database.write(lambda connection: _leases.expire(connection, self.project.id, now, longest))

    def current_settings(self, connection: sa.Connection, entry: Any) -> QueueSettings:
        """The settings as they are in this transaction; parsed again only when they changed.

        Parameters
        ----------
        entry : row
            The project's `version` and `n_webhooks`, as `_members.enter` finds them.
        """
        self.has_webhooks = entry.n_webhooks > 0
        if entry.version != self._settings[0]:
            text = connection.execute(_SETTINGS, {"project": self.project.id}).scalar()
            self._settings = (entry.version, queue_settings(loads(str(text))))
        return self._settings[1]

    def tell_webhooks(self, connection: sa.Connection, event: str, body: Mapping[str, Any]) -> None:
        """Write an event into the outbox, in the transaction that makes it true."""
        outbox.enqueue(connection, self.database, self.project.id, event, body)

    def _next(
        self, connection: sa.Connection, user: int, n: int, have: frozenset[str], purpose: TaskPurpose
    ) -> list[Assignment]:
        entry = _members.enter(connection, self.project.id, user, alone=True)
        settings = self.current_settings(connection, entry)
        if purpose == "review" and entry.role not in LEADS:
            raise AccessError(f"reviewing is for leads, not for the role {entry.role!r}: ask an admin of the project")
        now = self.database.clock()
        deadline = now + _ms(settings.lease_seconds)
        held = connection.execute(_HELD, {"project": self.project.id, "user": user}).all()
        if held:
            renewal = sa.update(assignments).where(assignments.c.id.in_([turn.id for turn in held]))
            connection.execute(renewal.values(deadline=deadline))
        lost = [turn for turn in held if turn.public_id not in have and _serves(turn.purpose, purpose)][:n]
        again = [_assignment(turn, turn.public_id, deadline, is_blind=bool(turn.blind)) for turn in lost]
        wanted = min(n - len(again), settings.max_held - len(held))
        if wanted <= 0:
            return again
        chosen, lanes = _lanes.choose(connection, self.project, settings, user, purpose, wanted)
        new = [(task, self.database.ids(), int(_lanes.is_blind(self.project, settings, user, task))) for task in chosen]
        if new:
            _leases.sit_down(connection, self.project.id, user, chosen)
            connection.execute(_LEASE, [self._turn(user, *given, now=now, deadline=deadline) for given in new])
        _lanes.go_on(connection, lanes)
        return again + [_assignment(task, turn, deadline, is_blind=bool(blind)) for task, turn, blind in new]

    def _turn(
        self,
        user: int,
        task: _lanes.Candidate,
        public_id: str,
        is_blind: int,
        *,
        now: int,
        deadline: int,
    ) -> dict[str, Any]:
        return {
            "public_id": public_id,
            "project_id": self.project.id,
            "task_id": task.id,
            "item_id": task.item_id,
            "user_id": user,
            "state": "leased",
            "live": 1,
            "again": int(task.assignee_id is not None),
            "blind": is_blind,
            "leased_at": now,
            "deadline": deadline,
        }


_VERSION = sa.select(projects.c.version, projects.c.n_webhooks).where(projects.c.id == sa.bindparam("project"))
_SETTINGS = sa.select(projects.c.settings).where(projects.c.id == sa.bindparam("project"))
_LEASE = sa.insert(assignments)

_HELD = (
    sa.select(
        assignments.c.id,
        assignments.c.public_id,
        assignments.c.blind,
        tasks.c.public_id.label("task"),
        tasks.c.purpose,
        tasks.c.suggestions,
        tasks.c.why,
        items.c.name,
        items.c.content,
    )
    .join(tasks, tasks.c.id == assignments.c.task_id)
    .join(items, items.c.id == assignments.c.item_id)
    .where(
        assignments.c.user_id == sa.bindparam("user"),
        assignments.c.project_id == sa.bindparam("project"),
        sa.text("assignments.state = 'leased'"),
    )
    .order_by(assignments.c.id)
)


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


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
