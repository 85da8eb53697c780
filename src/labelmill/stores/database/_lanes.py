"""Which tasks come next for somebody: their own first, then the best of the queue, gold mixed in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from labelmill.stores.database import _places
from labelmill.stores.database._statements import Gathered, Statement, is_one_of
from labelmill.stores.database.projects import Project, QueueSettings
from labelmill.stores.database.tables import assignments, items, tasks

__all__ = ["Candidate", "Lane", "choose", "go_on", "is_blind", "named"]

SPARE = 48
"""Candidates looked at beyond those wanted where others are just taking all of the first."""

ROUNDS = 8
"""How often to look again when others were quicker every time."""


class Candidate(NamedTuple):
    """A task with a free slot, and what is to be shown of it."""

    id: int
    task: str
    item_id: int
    purpose: str
    rank: float
    overlap: int
    free: int
    assignee_id: int | None
    suggestions: str | None
    why: str | None
    name: str
    content: str


_COLUMNS = (
    tasks.c.id,
    tasks.c.public_id.label("task"),
    tasks.c.item_id,
    tasks.c.purpose,
    tasks.c.rank,
    tasks.c.overlap,
    tasks.c.free,
    tasks.c.assignee_id,
    tasks.c.suggestions,
    tasks.c.why,
    items.c.name,
    items.c.content,
)

_HAS_HAD_ITEM = sa.exists().where(
    assignments.c.item_id == tasks.c.item_id,
    assignments.c.user_id == sa.bindparam("user"),
    sa.text("assignments.live = 1 AND assignments.again = 0"),
)

_IS_ON_TASK = sa.exists().where(
    assignments.c.task_id == tasks.c.id, assignments.c.user_id == sa.bindparam("user"), assignments.c.live == 1
)

_IN_LANE = (tasks.c.project_id == sa.bindparam("project"), tasks.c.purpose == sa.bindparam("purpose"))

_IS_OPEN_TO_ALL = (*_IN_LANE, sa.text("tasks.free > 0 AND tasks.assignee_id IS NULL"), ~_HAS_HAD_ITEM)

_IS_AHEAD = sa.tuple_(tasks.c.rank, tasks.c.id) >= sa.tuple_(
    sa.bindparam("rank", type_=sa.Double), sa.bindparam("from_task"), types=[sa.Double, sa.BigInteger]
)

_IS_OWN = (
    *_IN_LANE,
    tasks.c.assignee_id == sa.bindparam("user"),
    sa.text("tasks.free > 0 AND tasks.assignee_id IS NOT NULL"),
    ~_IS_ON_TASK,
)


def _best(*conditions: sa.ColumnElement[bool] | sa.TextClause) -> sa.Select[Any]:
    query = sa.select(*_COLUMNS).join(items, items.c.id == tasks.c.item_id)
    return query.where(*conditions).order_by(tasks.c.rank, tasks.c.id).limit(sa.bindparam("n"))


def _best_ids(*conditions: sa.ColumnElement[bool] | sa.TextClause) -> sa.Select[Any]:
    query = sa.select(tasks.c.rank, tasks.c.id).where(*conditions)
    return query.order_by(tasks.c.rank, tasks.c.id).limit(sa.bindparam("n"))


_OWN = Statement(_best(*_IS_OWN))
_FROM_START = Statement(_best(*_IS_OPEN_TO_ALL))
_FROM_PLACE = Statement(_best(*_IS_OPEN_TO_ALL, _IS_AHEAD))
_IDS_FROM_START = Statement(_best_ids(*_IS_OPEN_TO_ALL))
_IDS_FROM_PLACE = Statement(_best_ids(*_IS_OPEN_TO_ALL, _IS_AHEAD))

_THESE = _best(is_one_of(tasks.c.id, "tasks"), tasks.c.free > 0)
_LOCKED_NOW = Statement(_THESE.with_for_update(of=tasks, skip_locked=True, key_share=True))
_LOCKED_SOON = Statement(_THESE.with_for_update(of=tasks, key_share=True))


@cache
def _first_unlocked(n: int, *, is_ahead: bool) -> Statement:
    """The first `n` that nobody is taking, locked; with each, where the first of all lies, locked or not.

    The numbers stand in the text: with them PostgreSQL plans it once, without them each time.
    """
    conditions = (*_IS_OPEN_TO_ALL, _IS_AHEAD) if is_ahead else _IS_OPEN_TO_ALL
    first = _best_ids(*conditions).limit(sa.literal_column("1")).subquery("first")
    query = _best(*conditions).join(first, sa.true()).add_columns(first.c.rank, first.c.id)
    return Statement(query.limit(sa.literal_column(str(n))).with_for_update(of=tasks, skip_locked=True, key_share=True))


class Lane:
    """One person's way through one queue, within a transaction.

    SQLite has one writer, so what is found is free. On PostgreSQL others look at the same time: tasks they are just
    taking are passed over, and waited for only when there is nothing else.
    """

    def __init__(self, connection: sa.Connection, project: Project, user: int, purpose: str) -> None:
        self._connection = connection
        self._given = {"project": project.id, "purpose": purpose, "user": user}
        self.place = _places.place_of(connection, project.id, user, purpose)
        self.front: tuple[float, int] | None = None
        self.n_given = 0

    def take(self, n: int) -> list[Candidate]:
        """The first `n` free tasks that this person has not had; no one else can take their slots meanwhile."""
        own = self._own(n) if self.place.is_asked else []
        taken = own + (self._shared(n - len(own)) if n > len(own) else [])
        self.n_given += len(taken)
        return taken

    def _own(self, n: int) -> list[Candidate]:
        return [Candidate(*row) for row in _OWN.all(self._connection, {**self._given, "n": n})]

    def _shared(self, n: int) -> list[Candidate]:
        if self._connection.dialect.name == "sqlite":
            found = [Candidate(*row) for row in self._ahead(_FROM_START, _FROM_PLACE, n)]
            if found:
                self.front = (found[0].rank, found[0].id)
            return found
        return self._shared_among_writers(n)

    def _shared_among_writers(self, n: int) -> list[Candidate]:
        rows = self._ahead(_first_unlocked(n, is_ahead=False), _first_unlocked(n, is_ahead=True), n)
        if rows:
            self.front = rows[0][-2:]
        taken = [Candidate(*row[:-2]) for row in rows]
        return taken or self._after_waiting(n)

    def _after_waiting(self, n: int) -> list[Candidate]:
        """Nothing was free at that moment: wait for whoever is taking the first, unless all are taken by then."""
        for _ in range(ROUNDS):
            found = self._ahead(_IDS_FROM_START, _IDS_FROM_PLACE, n + SPARE)
            if not found:
                break
            self.front = self.front or (found[0].rank, found[0].id)
            ids = [row.id for row in found]
            taken = self._lock(_LOCKED_NOW, ids, n) or self._lock(_LOCKED_SOON, ids[:1], n)
            if taken:
                return taken
        return []

    def _ahead(self, start: Statement, onward: Statement, n: int) -> Sequence[Any]:
        given = {**self._given, "n": n}
        if self.place.rank is None:
            return start.all(self._connection, given)
        given |= {"rank": self.place.rank, "from_task": self.place.task_id}
        return onward.all(self._connection, given)

    def _lock(self, query: Statement, ids: list[int], n: int) -> list[Candidate]:
        """As they are now, not as they were when they were found."""
        return [Candidate(*row) for row in query.all(self._connection, {"tasks": ids, "n": n})]


def choose(
    connection: sa.Connection, project: Project, settings: QueueSettings, user: int, purpose: str, n: int
) -> tuple[list[Candidate], list[Lane]]:
    """What comes next for somebody, and the lanes it comes from."""
    lane = Lane(connection, project, user, purpose)
    if purpose != "label" or not settings.gold_share:
        return lane.take(n), [lane]
    first = lane.place.given
    is_gold = [_is_drawn(project, "gold", user, first + k, settings.gold_share) for k in range(n)]
    gold_lane = Lane(connection, project, user, "gold")
    gold = gold_lane.take(sum(is_gold)) if any(is_gold) else []
    asked = {task.item_id for task in gold}
    plain = [task for task in lane.take(n - len(gold)) if task.item_id not in asked]
    lane.n_given = len(gold) + len(plain)  # what is drawn next depends on all that came before
    return _mixed(is_gold, gold, plain), [gold_lane, lane]


_NAMED = Statement(
    sa.select(*_COLUMNS)
    .join(items, items.c.id == tasks.c.item_id)
    .where(*_IS_OPEN_TO_ALL, is_one_of(items.c.name, "names"))
    .order_by(tasks.c.id)
    .with_for_update(of=tasks, skip_locked=True, key_share=True)
)


def named(connection: sa.Connection, project: Project, user: int, names: Sequence[str]) -> list[Candidate]:
    """The label tasks of these items that are free for this person; no one else can take their slots meanwhile."""
    if not names:
        return []
    given = {"project": project.id, "purpose": "label", "user": user, "names": list(names)}
    return [Candidate(*row) for row in _NAMED.all(connection, given)]


def go_on(changes: Gathered, lanes: Sequence[Lane]) -> None:
    """Remember how far somebody has come; the last act of a transaction."""
    for lane in lanes:
        place = lane.place
        front = lane.front or (place.rank, place.task_id)
        if lane.n_given or front != (place.rank, place.task_id):
            _places.go_on(changes, place, front[0], front[1], lane.n_given)


def is_blind(project: Project, settings: QueueSettings, user: int, task: Candidate) -> bool:
    """Whether this person answers this item without seeing suggestions: the same each time it is asked.

    Gold is drawn like any other item: always blind, it could be told from the rest.
    """
    if task.purpose in {"audit", "training"}:
        return True
    return task.purpose in {"label", "gold"} and _is_drawn(project, "blind", user, task.item_id, settings.blind_share)


def _mixed(is_gold: Sequence[bool], gold: Sequence[Candidate], plain: Sequence[Candidate]) -> list[Candidate]:
    """Gold where it was drawn, as far as both last."""
    gold_left, plain_left = list(gold), list(plain)
    mixed = []
    for wants_gold in is_gold:
        source = (gold_left or plain_left) if wants_gold else (plain_left or gold_left)
        if source:
            mixed.append(source.pop(0))
    return mixed


def _is_drawn(project: Project, what: str, user: int, k: int, share: float) -> bool:
    """True for a share of all `k`, the same for the same project, person and `k`."""
    digest = hashlib.sha256(f"{project.seed} {what} {user} {k}".encode()).digest()
    return int.from_bytes(digest[:7]) < share * 2**56
