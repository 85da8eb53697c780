"""What an answer changes: the vote, the turn it belongs to, the task's counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import sqlalchemy as sa

from labelmill.stores.database import _leases, _members, _places
from labelmill.stores.database.tables import assignments, drafts, tasks, votes

if TYPE_CHECKING:
    from labelmill.stores.database.projects import QueueSettings
    from labelmill.stores.database.queue import Queue

__all__ = ["Said", "keep"]

Status = Literal["kept", "extra", "conflict", "refused"]

Outcome = tuple[Status, str]


class Said(NamedTuple):
    """One answer, written out; `position` is its place among those sent."""

    position: int
    assignment: str
    row: dict[str, Any]


_TURNS = (
    sa.select(assignments, tasks.c.purpose)
    .join(tasks, tasks.c.id == assignments.c.task_id)
    .where(
        assignments.c.public_id.in_(sa.bindparam("ids", expanding=True)),
        assignments.c.user_id == sa.bindparam("user"),
        assignments.c.project_id == sa.bindparam("project"),
    )
    .order_by(assignments.c.id)
    .with_for_update(of=assignments, key_share=True)
)

_KNOWN = sa.select(votes.c.key, votes.c.digest, votes.c.status, votes.c.user_id).where(
    votes.c.project_id == sa.bindparam("project"), votes.c.key.in_(sa.bindparam("keys", expanding=True))
)


def keep(
    connection: sa.Connection, queue: Queue, user: int, said: Sequence[Said], *, careful: bool = False
) -> list[Outcome]:
    """What became of each answer.

    The first answer to a leased task is seldom a repetition: unless `careful`, its key is not looked up, and a key
    that was used before shows as a breach of the table's uniqueness.
    """
    project = queue.project.id
    entry = _members.enter(connection, project, user)
    found = connection.execute(
        _TURNS, {"ids": sorted({one.assignment for one in said}), "user": user, "project": project}
    )
    turns = {row.public_id: SimpleNamespace(**row._mapping) for row in found}
    # Whoever sends the same key at the same time waits for the turn above and then finds the key here.
    known: dict[str, Any] = {}
    if careful or not all(_is_first(one, turns.get(one.assignment)) for one in said):
        keys = {"project": project, "keys": sorted({one.row["key"] for one in said})}
        known = {row.key: row for row in connection.execute(_KNOWN, keys)}
    taking = _Taking(connection, queue, user, turns, queue.current_settings(connection, entry))
    outcomes = []
    for one in said:
        before = known.get(one.row["key"])
        turn = turns.get(one.assignment)
        if before is not None:
            outcomes.append(_repeated(one, before, user))
        elif turn is None:
            outcomes.append(("refused", "this task was never given to you: ask for the next one"))
        else:
            outcome = taking.take(turn, one)
            if outcome[0] in {"kept", "extra"}:
                known[one.row["key"]] = SimpleNamespace(
                    key=one.row["key"], digest=one.row["digest"], status=outcome[0], user_id=user
                )
            outcomes.append(outcome)
    taking.finish()
    return outcomes


def _is_first(one: Said, turn: Any) -> bool:
    return one.row["kind"] == "label" and turn is not None and turn.state == "leased"


def _repeated(one: Said, before: Any, user: int) -> Outcome:
    if before.digest == one.row["digest"] and before.user_id == user:
        return before.status, ""
    return "conflict", "this key was used for another answer: send this one under a new key"


_SAY = sa.insert(votes).returning(votes.c.id)

_SETTLE = (
    sa.update(assignments)
    .where(assignments.c.id == sa.bindparam("turn"))
    .values({name: sa.bindparam(f"new_{name}") for name in ("state", "live", "vote_id", "deadline")})
)

_COUNT = (
    sa.update(tasks)
    .where(tasks.c.id == sa.bindparam("task"))
    .values(n_answers=tasks.c.n_answers + sa.bindparam("n"))
    .returning(tasks.c.n_answers, tasks.c.overlap)
)

_SUPERSEDE = (
    sa.update(assignments)
    .where(
        assignments.c.item_id == sa.bindparam("item"),
        assignments.c.user_id == sa.bindparam("user"),
        assignments.c.id < sa.bindparam("turn"),
        assignments.c.vote_id.is_not(None),
    )
    .values(vote_id=None)
)

_LIVE_TURN = (
    sa.select(assignments, tasks.c.purpose)
    .join(tasks, tasks.c.id == assignments.c.task_id)
    .where(
        assignments.c.task_id == sa.bindparam("task"),
        assignments.c.user_id == sa.bindparam("user"),
        assignments.c.live == 1,
    )
    .with_for_update(of=assignments, key_share=True)
)

_HAS_ITEM = sa.select(assignments.c.id).where(
    assignments.c.item_id == sa.bindparam("item"),
    assignments.c.user_id == sa.bindparam("user"),
    sa.text("assignments.live = 1 AND assignments.again = 0"),
)

_ENDED = ("expired", "returned")
"""States of a turn in whose place the person may have got another at the same task."""

_SEATED = ("leased", "answered")
"""States of a turn that holds a slot."""


class _Taking:
    """Answers of one person within a transaction; counts of places are written at its end."""

    def __init__(
        self, connection: sa.Connection, queue: Queue, user: int, turns: dict[str, Any], settings: QueueSettings
    ) -> None:
        self._connection, self._queue, self._user = connection, queue, user
        self._project, self._turns = queue.project.id, turns
        self._now = queue.database.clock()
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._left: list[_leases.Freed] = []
        self._settings = settings

    def take(self, turn: Any, one: Said) -> Outcome:
        """Keep one answer, in the state that those before it left."""
        if turn.state in _ENDED:
            turn = self._later_turn(turn) or turn
        act = {"label": self._label, "skip": self._skip, "retract": self._retract}.get(one.row["kind"], self._remark)
        return act(turn, one)

    def finish(self) -> None:
        """Write what others may wait for, queue by queue in one order; see `_leases.tell_all`."""
        for purpose in sorted({*self._counts, *(task.purpose for task in self._left)}):
            left = [task for task in self._left if task.purpose == purpose]
            _leases.tell_all(self._connection, self._project, left)
            _places.add(self._connection, self._project, self._user, purpose, self._counts[purpose])

    def _label(self, turn: Any, one: Said) -> Outcome:
        if turn.state not in {*_SEATED, "extra"} and not self._come_back(turn):
            if self._settings.late == "refuse":
                self._keep_draft(turn, one)
                return "refused", "others have answered this task meanwhile: your answer is kept as a draft"
            turn.state = "extra"
            self._counts[turn.purpose]["extra"] += 1
        status: Status = "extra" if turn.state == "extra" else "kept"
        vote = self._say(turn, one, status)
        if turn.state == "leased":
            turn.state = "answered"
            self._counts[turn.purpose]["answered"] += 1
            self._add_answer(turn, 1)
        self._counts[turn.purpose]["ms_active"] += one.row["ms_active"] or 0
        turn.vote_id = vote
        self._settle(turn)
        if turn.again:
            earlier = {"item": turn.item_id, "user": self._user, "turn": turn.id}
            self._connection.execute(_SUPERSEDE, earlier)
        return status, ""

    def _skip(self, turn: Any, one: Said) -> Outcome:
        self._say(turn, one, "kept")
        self._take_back(turn)
        if turn.state in _SEATED:
            self._stand_up(turn)
        self._counts[turn.purpose]["extra"] -= turn.state == "extra"
        self._counts[turn.purpose]["skipped"] += turn.state != "skipped"
        turn.state, turn.live, turn.vote_id = "skipped", 1, None
        self._settle(turn)
        return "kept", ""

    def _retract(self, turn: Any, one: Said) -> Outcome:
        """The answer does not hold any more; its task stays with the person for another lease."""
        self._say(turn, one, "kept")
        self._take_back(turn)
        turn.vote_id = None
        if turn.state == "answered":
            turn.state = "leased"
        elif turn.state == "skipped":
            self._counts[turn.purpose]["skipped"] -= 1
            if not self._come_back(turn):
                turn.state, turn.live = "expired", 0
        elif turn.state == "extra":
            self._counts[turn.purpose]["extra"] -= 1
            turn.state, turn.live = "expired", 0
        turn.deadline = self._now + int(self._settings.lease_seconds * 1000)
        self._settle(turn)
        return "kept", ""

    def _remark(self, turn: Any, one: Said) -> Outcome:
        """A flag, a comment, a rejected suggestion: said beside the answer."""
        self._say(turn, one, "kept")
        return "kept", ""

    def _say(self, turn: Any, one: Said, status: Status) -> int:
        row = {
            **one.row,
            "project_id": self._project,
            "user_id": self._user,
            "item_id": turn.item_id,
            "assignment_id": turn.id,
            "purpose": turn.purpose,
            "status": status,
            "at": self._now,
        }
        number = int(self._connection.execute(_SAY, row).scalar_one())
        if self._queue.has_webhooks:
            self._queue.tell_webhooks(self._connection, f"vote.{row['kind']}", _event(turn, row))
        return number

    def _take_back(self, turn: Any) -> None:
        if turn.state == "answered":
            self._counts[turn.purpose]["answered"] -= 1
            self._add_answer(turn, -1)

    def _add_answer(self, turn: Any, n: int) -> None:
        found = self._connection.execute(_COUNT, {"task": turn.task_id, "n": n}).one()
        is_done, was_done = found.n_answers >= found.overlap, found.n_answers - n >= found.overlap
        self._counts[turn.purpose]["finished"] += int(is_done) - int(was_done)

    def _settle(self, turn: Any) -> None:
        self._connection.execute(
            _SETTLE,
            {
                "turn": turn.id,
                "new_state": turn.state,
                "new_live": turn.live,
                "new_vote_id": turn.vote_id,
                "new_deadline": turn.deadline,
            },
        )

    def _stand_up(self, turn: Any) -> None:
        self._left.extend(_leases.stand_up(self._connection, [turn]))

    def _later_turn(self, turn: Any) -> Any:
        """The turn that the person has at the same task since this one ended."""
        given = {"task": turn.task_id, "user": self._user}
        found = self._connection.execute(_LIVE_TURN, given).first()
        if found is None:
            return None
        return self._turns.setdefault(found.public_id, SimpleNamespace(**found._mapping))

    def _come_back(self, turn: Any) -> bool:
        """Take up an ended turn: in a slot if one is free, and if the item is not theirs by another task already."""
        given = {"item": turn.item_id, "user": self._user}
        if not turn.again and turn.state != "skipped" and self._connection.execute(_HAS_ITEM, given).first():
            return False
        if turn.state != "skipped":
            turn.live = 1
        if not _leases.sit_again(self._connection, self._project, turn):
            return False
        turn.state = "leased"
        return True

    def _keep_draft(self, turn: Any, one: Said) -> None:
        mine = sa.and_(drafts.c.user_id == self._user, drafts.c.assignment_id == turn.id)
        self._connection.execute(sa.delete(drafts).where(mine))
        row = {
            "user_id": self._user,
            "assignment_id": turn.id,
            "project_id": self._project,
            "content": one.row["value"] or "null",
            "at": self._now,
        }
        self._connection.execute(sa.insert(drafts), row)


def _event(turn: Any, row: dict[str, Any]) -> dict[str, Any]:
    """What receivers are told: that something was said, not what; they ask for it with their own token."""
    return {"vote": row["key"], "assignment": turn.public_id, "purpose": turn.purpose, "status": row["status"]}
