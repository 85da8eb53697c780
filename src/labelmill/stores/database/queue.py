"""Hand out tasks: who gets what next, for how long, and how it comes back."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

import sqlalchemy as sa

from labelmill.domain.strict_json import loads
from labelmill.errors import AccessError, UsageError
from labelmill.stores.database import _leases, _members, _qualifying, outbox
from labelmill.stores.database._hand_out import Assignment, Handed, Hands
from labelmill.stores.database._statements import Statement
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project, QueueSettings, queue_settings
from labelmill.stores.database.tables import assignments, projects
from labelmill.stores.database.tasks import TaskPurpose

__all__ = ["Assignment", "Handed", "Queue"]

SWEEP_MS = 1_000
"""Leases that are over are looked for this often at most."""

LEADS = frozenset({"admin", "lead"})


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
            The queue. Gold items are mixed into "label" by the setting `gold_share`; "review" is for leads. Who must
            be trained first gets training items whatever is asked for; who failed or is paused gets nothing.

        Raises
        ------
        AccessError
            If they are no member, or may not review.
        """
        self.sweep()
        handed = self.database.write(lambda connection: self.hand_out(connection, user, n, have=have, purpose=purpose))
        return handed.given

    def take(self, user: int, names: Collection[str]) -> dict[str, str]:
        """Lease these items to somebody, who sees them already; item -> assignment.

        What others hold, or what this person has had, is left out.
        """

        def work(connection: sa.Connection) -> dict[str, str]:
            entry = _members.enter(connection, self.project.id, user, alone=True)
            return self._hands(connection, self.current_settings(connection, entry), user).take(names)

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

    @property
    def is_swept(self) -> bool:
        """Whether leases that are over were looked for just now."""
        return self._swept_at is not None and 0 <= self.database.clock() - self._swept_at < SWEEP_MS

    def sweep(self, *, now: int | None = None) -> int:
        """Take back the leases that are over; how many. `next` does it on its own, once a second at most."""
        now = self.database.clock() if now is None else now
        with self._lock:
            if self._swept_at is not None and 0 <= now - self._swept_at < SWEEP_MS:
                return 0
            self._swept_at = now
        with self.database.read() as connection:
            entry = _VERSION.first(connection, {"project": self.project.id})
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
            text = _SETTINGS.value(connection, {"project": self.project.id})
            self._settings = (entry.version, queue_settings(loads(str(text))))
        return self._settings[1]

    def who(self, connection: sa.Connection, user: int) -> _qualifying.Who:
        """Somebody, for what must know how they stand."""
        return _qualifying.Who(connection, self.database, self.project.id, user)

    def tell_webhooks(self, connection: sa.Connection, event: str, body: Mapping[str, Any]) -> None:
        """Write an event into the outbox, in the transaction that makes it true."""
        outbox.enqueue(connection, self.database, self.project.id, event, body)

    def hand_out(
        self,
        connection: sa.Connection,
        user: int,
        n: int,
        *,
        have: Collection[str] = (),
        purpose: TaskPurpose = "label",
        entry: Any = None,
    ) -> Handed:
        """What `next` does, within a transaction of the caller's that has looked for leases that are over.

        Parameters
        ----------
        entry : row, optional
            What `_members.enter` found as they entered alone; it is asked for without it.
        """
        if not 1 <= n <= 1_000:
            raise UsageError(f"n must lie between 1 and 1000, found {n}")
        entry = entry or _members.enter(connection, self.project.id, user, alone=True)
        settings = self.current_settings(connection, entry)
        if purpose == "review" and entry.role not in LEADS:
            raise AccessError(f"reviewing is for leads, not for the role {entry.role!r}: ask an admin of the project")
        gate = _qualifying.gate(who := self.who(connection, user), entry.role, settings)
        hands = self._hands(connection, settings, user)
        if gate.state == "training":
            more = partial(_qualifying.bring_back, who, gate.round)
            return hands.fill(n, have, "training", room=gate.room, more=more)
        if gate.state != "qualified" or (purpose == "training" and _is_past_training(entry.role, settings)):
            return Handed([], 0, frozenset())
        return hands.fill(n, have, purpose)

    def _hands(self, connection: sa.Connection, settings: QueueSettings, user: int) -> Hands:
        return Hands(connection, self.database, self.project, settings, user)


_VERSION = Statement(
    sa.select(projects.c.version, projects.c.n_webhooks).where(projects.c.id == sa.bindparam("project"))
)
_SETTINGS = Statement(sa.select(projects.c.settings).where(projects.c.id == sa.bindparam("project")))


def _is_past_training(role: str, settings: QueueSettings) -> bool:
    """Whether somebody would learn the answers of gold items that shall check them."""
    return role == "annotator" and settings.training > 0


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
