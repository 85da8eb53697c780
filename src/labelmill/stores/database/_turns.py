"""What an answer changes: the vote, the turn it belongs to, the task's counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import sqlalchemy as sa

from labelmill.stores.database import _leases, _members, _places, _qualifying
from labelmill.stores.database._ids import next_id, reserve
from labelmill.stores.database._statements import Gathered, Statement, is_one_of
from labelmill.stores.database.tables import assignments, drafts, items, places, tasks, votes

if TYPE_CHECKING:
    from labelmill.stores.database.projects import QueueSettings
    from labelmill.stores.database.queue import Queue

__all__ = ["Said", "keep", "turns_of"]

Status = Literal["kept", "extra", "conflict", "refused"]

Outcome = tuple[Status, str]


class Said(NamedTuple):
    """One answer, written out; `position` is its place among those sent."""

    position: int
    assignment: str
    row: dict[str, Any]
    is_right: bool | None = None


_HAS_PLACE = sa.exists().where(
    places.c.project_id == assignments.c.project_id,
    places.c.user_id == assignments.c.user_id,
    places.c.purpose == tasks.c.purpose,
)

_TURN_ROWS = (
    sa.select(
        assignments,
        tasks.c.purpose,
        tasks.c.overlap,
        tasks.c.n_answers,
        _HAS_PLACE.label("has_place"),
        next_id(votes).label("vote_number"),
    )
    .join(tasks, tasks.c.id == assignments.c.task_id)
    .where(
        is_one_of(assignments.c.public_id, "ids"),
        assignments.c.user_id == sa.bindparam("user"),
    )
    .order_by(assignments.c.id)
    .with_for_update(of=[assignments, tasks], key_share=True)
)

_TURNS = Statement(_TURN_ROWS)
_TURNS_AND_ITEMS = Statement(
    _TURN_ROWS.add_columns(items.c.name, items.c.content).join(items, items.c.id == assignments.c.item_id)
)

_KNOWN = Statement(
    sa.select(votes.c.key, votes.c.digest, votes.c.status, votes.c.user_id).where(
        votes.c.project_id == sa.bindparam("project"), is_one_of(votes.c.key, "keys")
    )
)


def turns_of(
    connection: sa.Connection, project: int, user: int, ids: Collection[str], *, with_items: bool = False
) -> dict[str, Any]:
    """Somebody's turns by their public ids, locked with their tasks; if asked for, with their item's name and content.

    Whoever sends the same answer at the same time waits here, and then finds its key.
    """
    found = (_TURNS_AND_ITEMS if with_items else _TURNS).all(connection, {"ids": sorted(ids), "user": user})
    # asked for in the query, SQLite would go through the whole project
    return {row.public_id: SimpleNamespace(**row._asdict()) for row in found if row.project_id == project}


def keep(
    connection: sa.Connection,
    queue: Queue,
    user: int,
    said: Sequence[Said],
    *,
    careful: bool = False,
    entry: Any = None,
    turns: dict[str, Any] | None = None,
) -> list[Outcome]:
    """What became of each answer.

    The first answer to a leased task is seldom a repetition: unless `careful`, its key is not looked up, and a key
    that was used before shows as a breach of the table's uniqueness. Who has entered already, and found the turns,
    gives what they found.
    """
    project = queue.project.id
    entry = entry or _members.enter(connection, project, user)
    if turns is None:
        turns = turns_of(connection, project, user, {one.assignment for one in said})
    known: dict[str, Any] = {}
    if careful or not all(_is_first(one, turns.get(one.assignment)) for one in said):
        keys = {"project": project, "keys": sorted({one.row["key"] for one in said})}
        known = {row.key: row for row in _KNOWN.all(connection, keys)}
    numbers = _vote_numbers(connection, turns, len(said))
    taking = _Taking(connection, queue, user, turns, queue.current_settings(connection, entry), entry.role, numbers)
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


def _vote_numbers(connection: sa.Connection, turns: dict[str, Any], n: int) -> Iterator[int]:
    """Numbers for so many votes; PostgreSQL has given one with each turn."""
    given = [turn.vote_number for turn in turns.values() if turn.vote_number is not None]
    return iter([*given, *reserve(connection, votes, n - len(given))])


def _is_first(one: Said, turn: Any) -> bool:
    return one.row["kind"] == "label" and turn is not None and turn.state == "leased"


def _repeated(one: Said, before: Any, user: int) -> Outcome:
    if before.digest == one.row["digest"] and before.user_id == user:
        return before.status, ""
    return "conflict", "this key was used for another answer: send this one under a new key"


_SAY = Statement(sa.insert(votes).inline())

_SETTLE = Statement(
    sa.update(assignments)
    .where(assignments.c.id == sa.bindparam("turn"))
    .values({name: sa.bindparam(f"new_{name}") for name in ("state", "live", "vote_id", "deadline")})
)

_COUNT = Statement(
    sa.update(tasks).where(tasks.c.id == sa.bindparam("task")).values(n_answers=tasks.c.n_answers + sa.bindparam("n"))
)

_SUPERSEDE = Statement(
    sa.update(assignments)
    .where(
        assignments.c.item_id == sa.bindparam("item"),
        assignments.c.user_id == sa.bindparam("user"),
        assignments.c.id < sa.bindparam("turn"),
        assignments.c.vote_id.is_not(None),
    )
    .values(vote_id=sa.null())
)

_LIVE_TURN = Statement(
    sa.select(assignments, tasks.c.purpose)
    .join(tasks, tasks.c.id == assignments.c.task_id)
    .where(
        assignments.c.task_id == sa.bindparam("task"),
        assignments.c.user_id == sa.bindparam("user"),
        assignments.c.live == 1,
    )
    .with_for_update(of=assignments, key_share=True)
)

_HAS_ITEM = Statement(
    sa.select(assignments.c.id).where(
        assignments.c.item_id == sa.bindparam("item"),
        assignments.c.user_id == sa.bindparam("user"),
        sa.text("assignments.live = 1 AND assignments.again = 0"),
    )
)

_ENDED = ("expired", "returned")
"""States of a turn in whose place the person may have got another at the same task."""

_SEATED = ("leased", "answered")
"""States of a turn that holds a slot."""


class _Taking:
    """Answers of one person within a transaction.

    What they change is gathered, and written before anything is asked about it; counts of places come last.
    """

    def __init__(
        self,
        connection: sa.Connection,
        queue: Queue,
        user: int,
        turns: dict[str, Any],
        settings: QueueSettings,
        role: str,
        numbers: Iterator[int],
    ) -> None:
        self._connection, self._queue, self._user = connection, queue, user
        self._project, self._turns, self._numbers = queue.project.id, turns, numbers
        self._tasks = {turn.task_id: turn for turn in turns.values()}
        self._placed = {turn.purpose for turn in turns.values() if turn.has_place}
        self._changes = Gathered(connection)
        self._now = queue.database.clock()
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._left: list[_leases.Freed] = []
        self._settings, self._role = settings, role
        self._judged: list[_qualifying.Judged] = []

    def take(self, turn: Any, one: Said) -> Outcome:
        """Keep one answer, in the state that those before it left."""
        if turn.state in _ENDED:
            turn = self._later_turn(turn) or turn
        act = {"label": self._label, "skip": self._skip, "retract": self._retract}.get(one.row["kind"], self._remark)
        return act(turn, one)

    def finish(self) -> None:
        """Write all, and last what others may wait for, queue by queue in one order; see `_leases.tell_all`."""
        if self._judged:
            self._changes.write()
            who = self._queue.who(self._connection, self._user)
            self._left += _qualifying.decide(who, self._role, self._settings, self._judged)
        purposes = sorted({*self._counts, *(task.purpose for task in self._left)})
        if self._left or not self._placed.issuperset(purposes):
            self._changes.write()
        for purpose in purposes:
            _leases.tell_all(self._connection, self._project, [task for task in self._left if task.purpose == purpose])
            if purpose not in self._placed:
                _places.place_of(self._connection, self._project, self._user, purpose)
            _places.add(self._changes, self._project, self._user, purpose, self._counts[purpose])
        self._changes.write()

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
        self._judge(turn, is_right=one.is_right)
        if turn.again:
            earlier = {"item": turn.item_id, "user": self._user, "turn": turn.id}
            self._changes.add(_SUPERSEDE, earlier)
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
        self._judge(turn, is_right=False if turn.purpose == "training" else None)
        return "kept", ""

    def _retract(self, turn: Any, one: Said) -> Outcome:
        """The answer does not hold any more; its task stays with the person for another lease."""
        if turn.purpose == "training":
            return "refused", "in training the first answer counts: go on to the next item"
        self._say(turn, one, "kept")
        self._judge(turn, is_right=None)
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

    def _judge(self, turn: Any, *, is_right: bool | None) -> None:
        """Held against the known answer, where there is one; in training nothing takes the place of an answer."""
        if turn.purpose == "gold" or (turn.purpose == "training" and is_right is not None):
            self._judged.append(_qualifying.Judged(turn.item_id, turn.purpose, is_right))

    def _say(self, turn: Any, one: Said, status: Status) -> int:
        row = {
            **one.row,
            "id": next(self._numbers),
            "project_id": self._project,
            "user_id": self._user,
            "item_id": turn.item_id,
            "assignment_id": turn.id,
            "purpose": turn.purpose,
            "status": status,
            "at": self._now,
        }
        self._changes.add(_SAY, row)
        if self._queue.has_webhooks:
            self._queue.tell_webhooks(self._connection, f"vote.{row['kind']}", _event(turn, row))
        return int(row["id"])

    def _take_back(self, turn: Any) -> None:
        if turn.state == "answered":
            self._counts[turn.purpose]["answered"] -= 1
            self._add_answer(turn, -1)

    def _add_answer(self, turn: Any, n: int) -> None:
        task = self._tasks[turn.task_id]
        was_done = task.n_answers >= task.overlap
        task.n_answers += n
        self._changes.add(_COUNT, {"task": turn.task_id, "n": n})
        self._counts[turn.purpose]["finished"] += int(task.n_answers >= task.overlap) - int(was_done)

    def _settle(self, turn: Any) -> None:
        self._changes.add(
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
        self._changes.write()
        self._left.extend(_leases.stand_up(self._connection, [turn]))

    def _later_turn(self, turn: Any) -> Any:
        """The turn that the person has at the same task since this one ended."""
        self._changes.write()
        found = _LIVE_TURN.first(self._connection, {"task": turn.task_id, "user": self._user})
        if found is None:
            return None
        return self._turns.setdefault(found.public_id, SimpleNamespace(**found._asdict()))

    def _come_back(self, turn: Any) -> bool:
        """Take up an ended turn: in a slot if one is free, and if the item is not theirs by another task already."""
        self._changes.write()
        given = {"item": turn.item_id, "user": self._user}
        if not turn.again and turn.state != "skipped" and _HAS_ITEM.first(self._connection, given):
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
