"""Who may do real work: how people stand, what a lead decides, and what somebody learns from an answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from labelmill.domain.known_answers import share_interval
from labelmill.domain.strict_json import loads
from labelmill.errors import ConflictError, UsageError
from labelmill.stores.database import _leases, _members, _qualifying
from labelmill.stores.database._conflicts import insert_or_ignore
from labelmill.stores.database._qualifying import LEAST_GOLD, State, Who
from labelmill.stores.database.account_tables import identities, members, users
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project, QueueSettings
from labelmill.stores.database.qualification_tables import judgements, qualifications
from labelmill.stores.database.queue import Queue
from labelmill.stores.database.tables import assignments, gold_answers

__all__ = [
    "LEAST_GOLD",
    "Decision",
    "Lesson",
    "Score",
    "Standing",
    "decide_standing",
    "lessons",
    "standing",
    "standings",
]

Decision = Literal["training", "qualified", "paused"]
"""What a lead may make of somebody: sent to training (again), let in, held back."""

DECISIONS: tuple[Decision, ...] = ("training", "qualified", "paused")


class Score(NamedTuple):
    """How many answers of `n` were right."""

    right: int
    n: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands in a project.

    Parameters
    ----------
    annotator, name : str
        Public id, and how they are called.
    state : {"training", "qualified", "failed", "paused"} or None
        None: not checked, as the project checks nobody or they are no annotator.
    attempt : int
        Which attempt at the training, from 1 since they were last sent to it; 0 without training.
    n_items : int
        Items of this attempt.
    training : Score
        Answers of this attempt so far.
    last : Score or None
        The attempt that ended last.
    gold : Score
        Gold answers that hold, since somebody last decided about them.
    """

    annotator: str
    name: str
    state: State | None
    attempt: int
    n_items: int
    training: Score
    last: Score | None
    gold: Score

    @property
    def is_exempt(self) -> bool:
        """Whether nothing is asked of them."""
        return self.state is None

    @property
    def gold_interval(self) -> tuple[float, float] | None:
        """Interval of 95 % for their share of right gold answers (Wilson)."""
        return share_interval(*self.gold)


class Lesson(NamedTuple):
    """The known answer of a training item, why it is that, and the score of the attempt so far."""

    answer: Any
    reason: str
    attempt: Score
    n_items: int


_STANDINGS = (
    sa.select(users.c.id, users.c.public_id, identities.c.display_name, members.c.role, qualifications)
    .select_from(
        members.join(users, users.c.id == members.c.user_id)
        .outerjoin(identities, identities.c.user_id == users.c.id)
        .outerjoin(
            qualifications,
            sa.and_(qualifications.c.user_id == members.c.user_id, qualifications.c.project_id == members.c.project_id),
        )
    )
    .where(members.c.project_id == sa.bindparam("project"))
    .order_by(users.c.id)
)

_COUNTS = (
    sa.select(
        judgements.c.user_id,
        judgements.c.round,
        judgements.c.purpose,
        sa.func.count().label("n"),
        sa.func.sum(judgements.c.is_right).label("n_right"),
    )
    .where(judgements.c.project_id == sa.bindparam("project"))
    .group_by(judgements.c.user_id, judgements.c.round, judgements.c.purpose)
)


def standings(database: Database, project: Project) -> list[Standing]:
    """How all members stand, in the order they came."""
    return _found(database, project, None)


def standing(database: Database, project: Project, user: int) -> Standing | None:
    """How one member stands; None if they are none."""
    return next(iter(_found(database, project, user)), None)


def decide_standing(queue: Queue, user: int, state: Decision, *, actor: str = "") -> None:
    """Let somebody in, send them to training (again), or hold them back; what was counted of them counts no more.

    What they hold and may not go on with returns to the queue; what they said stays.

    Raises
    ------
    UsageError
        If it is no decision.
    AccessError
        If they are no member.
    ConflictError
        If the project does not check people, or this one is not checked.
    """
    if state not in DECISIONS:
        raise UsageError(f"state must be one of {', '.join(DECISIONS)}, found {state!r}")

    def work(connection: sa.Connection) -> None:
        entry = _members.enter(connection, queue.project.id, user, alone=True)
        settings = queue.current_settings(connection, entry)
        _check(settings, entry.role, state)
        who = queue.who(connection, user)
        ended = _leases.end(connection, _unfit(who, state), "returned")
        _set(who, settings, state)
        _qualifying.tell(who, state, {}, actor=actor)
        _leases.tell_all(connection, queue.project.id, ended)

    queue.database.write(work)


def lessons(database: Database, project: Project, user: int, turns: Collection[str]) -> dict[str, Lesson]:
    """What somebody may know of training items they have answered, by the turn; others are left out."""
    if not turns:
        return {}
    query = (
        sa.select(
            assignments.c.public_id, gold_answers.c.answer, gold_answers.c.reason, sa.func.max(judgements.c.round)
        )
        .join(judgements, judgements.c.item_id == assignments.c.item_id)
        .join(gold_answers, gold_answers.c.item_id == assignments.c.item_id)
        .where(
            assignments.c.public_id.in_(list(turns)),
            assignments.c.user_id == user,
            assignments.c.project_id == project.id,
            judgements.c.user_id == user,
            judgements.c.purpose == "training",
        )
        .group_by(assignments.c.public_id, gold_answers.c.answer, gold_answers.c.reason)
    )
    with database.read() as connection:
        found = connection.execute(query).all()
        counts = {row.round: row for row in connection.execute(_of_user(user), {"project": project.id})}
        row = connection.execute(_STANDINGS.where(users.c.id == user), {"project": project.id}).first()
    taught = {}
    for turn, answer, reason, number in found:
        score = Score(int(counts[number].n_right), counts[number].n)
        n_items = row.n_items if row is not None and row.round == number else score.n
        taught[turn] = Lesson(loads(answer), reason or "", score, n_items or 0)
    return taught


def _of_user(user: int) -> sa.Select[Any]:
    return _COUNTS.where(judgements.c.user_id == user, judgements.c.purpose == "training")


def _found(database: Database, project: Project, user: int | None) -> list[Standing]:
    people, counts = _STANDINGS, _COUNTS
    if user is not None:
        people, counts = people.where(users.c.id == user), counts.where(judgements.c.user_id == user)
    scores: dict[tuple[int, int, str], Score] = defaultdict(lambda: Score(0, 0))
    with database.read() as connection:
        for row in connection.execute(counts, {"project": project.id}):
            scores[row.user_id, row.round, row.purpose] = Score(int(row.n_right), row.n)
        return [_standing(row, scores, project.queue) for row in connection.execute(people, {"project": project.id})]


def _standing(row: Any, scores: Mapping[tuple[int, int, str], Score], settings: QueueSettings) -> Standing:
    number = row.round or 0
    is_checked = settings.checks_people and row.role == "annotator"
    state = _qualifying.state_now(row.state, row.role, settings) if is_checked else None
    return Standing(
        row.public_id,
        row.display_name or row.public_id,
        state,
        row.attempt or 0,
        row.n_items or 0,
        scores[row.id, number, "training"],
        None if row.last_n is None else Score(row.last_right, row.last_n),
        scores[row.id, number, "gold"],
    )


def _check(settings: QueueSettings, role: str, state: Decision) -> None:
    if not settings.checks_people:
        raise ConflictError("this project checks nobody: set [people] training or gold_floor in labelmill.toml first")
    if role != "annotator":
        raise ConflictError(f"nothing is asked of the role {role!r}: only annotators are trained and paused")
    if state == "training" and not settings.training:
        raise ConflictError("this project has no training: set [people] training in labelmill.toml first")


def _unfit(who: Who, state: Decision) -> list[Any]:
    """What somebody holds and may not go on with: training once they are let in, everything else before."""
    held = _qualifying.held_turns(who)
    if state == "qualified":
        return [turn for turn in held if turn.purpose == "training"]
    return list(held)


def _set(who: Who, settings: QueueSettings, state: Decision) -> None:
    """A new round begins: nothing from before is held against them."""
    now = who.database.clock()
    row = {"project_id": who.project, "user_id": who.user, "state": state, "at": now}
    who.connection.execute(insert_or_ignore(who.connection, qualifications), row)
    new: dict[str, Any] = {"state": state, "at": now, "round": qualifications.c.round + 1}
    if state == "training":
        n = _qualifying.n_of_attempt(who, settings)
        new |= {"attempt": 1, "n_items": n, "last_right": None, "last_n": None}
    mine = (qualifications.c.project_id == who.project, qualifications.c.user_id == who.user)
    who.connection.execute(sa.update(qualifications).where(*mine).values(new))
