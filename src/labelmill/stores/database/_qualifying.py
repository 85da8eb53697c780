"""What known answers change, inside the transactions of the queue: who is let in, who is held back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import sqlalchemy as sa

from labelmill.domain.known_answers import is_surely_below
from labelmill.stores.database import _leases, _places, audit_log, outbox
from labelmill.stores.database._conflicts import insert_or_ignore
from labelmill.stores.database._statements import Gathered
from labelmill.stores.database.account_tables import users
from labelmill.stores.database.qualification_tables import judgements, qualifications
from labelmill.stores.database.tables import assignments, places, tasks, totals

if TYPE_CHECKING:
    from labelmill.stores.database.connect import Database
    from labelmill.stores.database.projects import QueueSettings

__all__ = [
    "LEAST_GOLD",
    "Gate",
    "Judged",
    "State",
    "Who",
    "bring_back",
    "decide",
    "gate",
    "held_turns",
    "n_of_attempt",
    "state_now",
    "tell",
]

State = Literal["training", "qualified", "failed", "paused"]

ACTOR = "labelmill"
"""Who decides where no person does."""

LEAST_GOLD = 10
"""Nobody is paused for fewer gold answers than this."""

ROUNDING = 1e-9


class Who(NamedTuple):
    """Somebody in a project, within a transaction."""

    connection: sa.Connection
    database: Database
    project: int
    user: int

    @property
    def mine(self) -> dict[str, Any]:
        """What queries about them are given."""
        return {"project": self.project, "user": self.user}


class Gate(NamedTuple):
    """What somebody may be given now; `room` is how many items of training are left of the attempt."""

    state: State
    round: int = 0
    room: int = 0


class Judged(NamedTuple):
    """One answer held against the known one; `is_right` is None for one that was taken back."""

    item: int
    purpose: str
    is_right: bool | None


_MINE = (
    qualifications.c.project_id == sa.bindparam("project"),
    qualifications.c.user_id == sa.bindparam("user"),
)

_ROW = sa.select(qualifications).where(*_MINE)
_ROW_ALONE = _ROW.with_for_update()

_N_TRAINING = sa.select(totals.c.n_tasks).where(
    totals.c.project_id == sa.bindparam("project"), totals.c.purpose == "training"
)

_SCORE = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(judgements.c.is_right), 0)).where(
    judgements.c.project_id == sa.bindparam("project"),
    judgements.c.user_id == sa.bindparam("user"),
    judgements.c.round == sa.bindparam("round"),
    judgements.c.purpose == sa.bindparam("purpose"),
)

_HELD_TURNS = (
    sa.select(assignments.c.id, assignments.c.task_id, assignments.c.user_id, tasks.c.purpose)
    .join(tasks, tasks.c.id == assignments.c.task_id)
    .where(
        assignments.c.user_id == sa.bindparam("user"),
        assignments.c.project_id == sa.bindparam("project"),
        sa.text("assignments.state = 'leased'"),
    )
    .order_by(assignments.c.task_id)
    .with_for_update(of=assignments)
)


def state_now(state: State | None, role: str, settings: QueueSettings) -> State:
    """How somebody stands by what is written of them and by the settings as they are now."""
    if role != "annotator" or not settings.checks_people:
        return "qualified"
    if state is None:
        return "training" if settings.training else "qualified"
    return "qualified" if state in {"training", "failed"} and not settings.training else state


def gate(who: Who, role: str, settings: QueueSettings) -> Gate:
    """What somebody may be given; the first time they come, their training begins."""
    if role != "annotator" or not settings.checks_people:
        return Gate("qualified")
    row = who.connection.execute(_ROW, who.mine).first()
    state = state_now(None if row is None else row.state, role, settings)
    if state != "training":
        return Gate(state)
    if row is None or row.n_items == 0:
        row = _begin(who, settings)
    done, _ = _score(who, row.round, "training")
    return Gate("training", row.round, max(0, row.n_items - done))


def decide(who: Who, role: str, settings: QueueSettings, judged: Sequence[Judged]) -> list[_leases.Freed]:
    """Write what was judged, and what follows from it; slots of somebody paused are freed, for the caller to tell."""
    row = who.connection.execute(_ROW_ALONE, who.mine).first()
    number = 0 if row is None else row.round
    for one in judged:
        _write(who, number, one)
    state = state_now(None if row is None else row.state, role, settings)
    purposes = {one.purpose for one in judged}
    if state == "training" and row is not None and "training" in purposes:
        _end_of_attempt(who, settings, row)
    elif state == "qualified" and role == "annotator" and settings.gold_floor and "gold" in purposes:
        return _pause_if_bad(who, settings, number)
    return []


def held_turns(who: Who) -> Sequence[Any]:
    """What somebody has in their hands."""
    return who.connection.execute(_HELD_TURNS, who.mine).all()


def bring_back(who: Who, number: int, n: int) -> int:
    """Let somebody meet items again whose answers they saw in earlier rounds, the longest ago first; how many.

    For a pool that is smaller than all attempts together. What they said stays, training never counts as a vote.
    """
    training = tasks.alias("training")
    judged_now = sa.exists().where(
        judgements.c.user_id == who.user,
        judgements.c.item_id == assignments.c.item_id,
        judgements.c.purpose == "training",
        judgements.c.round == number,
    )
    query = (
        sa.select(assignments.c.id, assignments.c.task_id, assignments.c.user_id, assignments.c.state, tasks.c.purpose)
        .join(tasks, tasks.c.id == assignments.c.task_id)
        .join(training, sa.and_(training.c.item_id == assignments.c.item_id, training.c.purpose == "training"))
        .where(
            assignments.c.project_id == who.project,
            assignments.c.user_id == who.user,
            assignments.c.state != "leased",
            sa.text("assignments.live = 1 AND assignments.again = 0"),
            ~judged_now,
        )
        .order_by(tasks.c.purpose != "training", assignments.c.id)
        .limit(n)
        .with_for_update(of=assignments)
    )
    found = who.connection.execute(query).all()
    seated = [turn for turn in found if turn.purpose == "training" and turn.state == "answered"]
    others = [turn.id for turn in found if turn not in seated]
    if others:
        who.connection.execute(sa.update(assignments).where(assignments.c.id.in_(others)).values(live=0))
    if seated:
        asked = sa.update(tasks).where(tasks.c.id.in_([turn.task_id for turn in seated]))
        who.connection.execute(asked.values(n_answers=tasks.c.n_answers - 1))
        changes = Gathered(who.connection)
        _places.add(changes, who.project, who.user, "training", {"answered": -len(seated)})
        changes.write()
    freed = _leases.end(who.connection, seated, "returned")
    _leases.tell_all(who.connection, who.project, freed)
    _back_to_start(who)
    return len(found)


def tell(who: Who, state: State, detail: Mapping[str, Any], *, actor: str = ACTOR) -> None:
    """What became of somebody, into the audit log and to webhooks."""
    annotator = who.connection.execute(sa.select(users.c.public_id).where(users.c.id == who.user)).scalar_one()
    said = {"annotator": annotator, **detail}
    outbox.enqueue(who.connection, who.database, who.project, f"annotator.{state}", said)
    now = who.database.clock()
    audit_log.append(who.connection, now, actor, f"qualification.{state}", said, project=who.project)


def n_of_attempt(who: Who, settings: QueueSettings) -> int:
    """Items of an attempt: as many as the settings say, or all there are."""
    return min(settings.training, int(who.connection.execute(_N_TRAINING, {"project": who.project}).scalar() or 0))


def _begin(who: Who, settings: QueueSettings) -> Any:
    row = {
        "project_id": who.project,
        "user_id": who.user,
        "state": "training",
        "round": 1,
        "attempt": 1,
        "n_items": 0,
        "at": who.database.clock(),
    }
    who.connection.execute(insert_or_ignore(who.connection, qualifications), row)
    n = n_of_attempt(who, settings)
    who.connection.execute(sa.update(qualifications).where(*_MINE).values(n_items=n), who.mine)
    return who.connection.execute(_ROW, who.mine).one()


def _write(who: Who, number: int, one: Judged) -> None:
    """In training the first answer counts; on gold the one that holds."""
    if one.purpose == "gold":
        mine = (judgements.c.user_id == who.user, judgements.c.item_id == one.item, judgements.c.purpose == "gold")
        who.connection.execute(sa.delete(judgements).where(*mine, judgements.c.round == number))
    if one.is_right is None:
        return
    row = {
        "user_id": who.user,
        "item_id": one.item,
        "purpose": one.purpose,
        "round": number,
        "project_id": who.project,
        "is_right": int(one.is_right),
        "at": who.database.clock(),
    }
    who.connection.execute(insert_or_ignore(who.connection, judgements), row)


def _end_of_attempt(who: Who, settings: QueueSettings, row: Any) -> None:
    """Passed, one more attempt, or failed; nothing yet while items are left."""
    n, right = _score(who, row.round, "training")
    if n < row.n_items or n == 0:
        return
    has_passed = right >= settings.pass_mark * n - ROUNDING
    has_another = not has_passed and row.attempt < settings.attempts
    new: dict[str, Any] = {"last_right": right, "last_n": n, "at": who.database.clock()}
    state: State = "qualified" if has_passed else "training" if has_another else "failed"
    if has_another:
        new |= {"round": row.round + 1, "attempt": row.attempt + 1}
        new["n_items"] = n_of_attempt(who, settings)
    who.connection.execute(sa.update(qualifications).where(*_MINE).values(state=state, **new), who.mine)
    if not has_another:
        tell(who, state, {"right": right, "n": n, "attempt": row.attempt})


def _pause_if_bad(who: Who, settings: QueueSettings, number: int) -> list[_leases.Freed]:
    n, right = _score(who, number, "gold")
    if n < LEAST_GOLD or not is_surely_below(right, n, settings.gold_floor):
        return []
    now = who.database.clock()
    row = {"project_id": who.project, "user_id": who.user, "state": "paused", "at": now}
    who.connection.execute(insert_or_ignore(who.connection, qualifications), row)
    who.connection.execute(sa.update(qualifications).where(*_MINE).values(state="paused", at=now), who.mine)
    freed = _leases.end(who.connection, held_turns(who), "returned")
    tell(who, "paused", {"right": right, "n": n, "floor": settings.gold_floor})
    return freed


def _score(who: Who, number: int, purpose: str) -> tuple[int, int]:
    """Judged answers of a round, and how many of them were right."""
    given = {**who.mine, "round": number, "purpose": purpose}
    n, right = who.connection.execute(_SCORE, given).one()
    return int(n), int(right)


def _back_to_start(who: Who) -> None:
    """Items that were not free for this person have become so: their search begins anew."""
    mine = (places.c.project_id == who.project, places.c.user_id == who.user, places.c.purpose == "training")
    change = sa.update(places).where(*mine)
    who.connection.execute(change.values(rank=None, task_id=0, resets=places.c.resets + 1))
