"""What leads watch, counted from the answers that hold now."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import dumps, loads
from labelmill.stores.database._texts import holds
from labelmill.stores.database.account_tables import identities, members, sessions, users
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import assignments, gold_answers, tasks, votes

__all__ = [
    "AnswerColumns",
    "Compared",
    "Someone",
    "answer_columns",
    "answers_compared",
    "answers_held",
    "answers_wanted",
    "everybody",
    "gold_answers_of",
    "last_vote",
    "suggestion_counts",
]

MOST_ANSWERS: Final = 200_000
"""The newest ones; more say nothing more in a picture."""

MOST_CHARACTERS: Final = 20_000_000
"""Of values that are compared with each other: pictures painted pixel by pixel are long."""

ROWS_AT_ONCE: Final = 10_000

PURPOSES: Final = ("label", "gold", "review", "audit")
"""Training is left out: its answers are shown afterwards."""


@dataclass(frozen=True, slots=True)
class AnswerColumns:
    """Answers that hold, newest first, a few bytes each.

    Parameters
    ----------
    items, users : array of int64
        Numbers inside this room.
    values : array of int32
        Places in `texts`; -1 for all where values were not asked for.
    purposes : array of int8
        Places in `PURPOSES`.
    ms_active : array of int64
        Milliseconds; -1 where not known.
    at : array of int64
        Milliseconds since 1970.
    texts : list of str
        Each value once, as JSON.
    """

    items: array[int] = field(default_factory=lambda: array("q"))
    users: array[int] = field(default_factory=lambda: array("q"))
    values: array[int] = field(default_factory=lambda: array("i"))
    purposes: array[int] = field(default_factory=lambda: array("b"))
    ms_active: array[int] = field(default_factory=lambda: array("q"))
    at: array[int] = field(default_factory=lambda: array("q"))
    texts: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.items)


class Someone(NamedTuple):
    """A member, or somebody who was one and answered.

    Parameters
    ----------
    number : int
        Inside the server.
    annotator, name : str
    seen_at : int or None
        Last sign of life at a browser, in milliseconds since 1970.
    n_open : int
        Tasks they hold and have not answered.
    """

    number: int
    annotator: str
    name: str
    seen_at: int | None
    n_open: int


class Compared(NamedTuple):
    """One answer among those that are compared with each other."""

    item: int
    user: int
    value: Any


def last_vote(database: Database) -> int:
    """Grows with everything that anybody says, in any project: figures of the same number are the same."""
    with database.read() as connection:
        return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(votes.c.id), 0))).scalar_one())


def answer_columns(
    database: Database, project: Project, *, with_values: bool, limit: int = MOST_ANSWERS
) -> AnswerColumns:
    """The newest answers that hold now, in one pass.

    Parameters
    ----------
    with_values : bool
        For labels of few different values; spans and shapes would each be their own.
    """
    found, places = AnswerColumns(), dict[str, int]()
    code = {name: place for place, name in enumerate(PURPOSES)}
    value = votes.c.value if with_values else sa.literal(None, sa.Text)
    query = (
        sa.select(votes.c.item_id, votes.c.user_id, value, votes.c.purpose, votes.c.ms_active, votes.c.at)
        .select_from(assignments)
        .join(votes, votes.c.id == assignments.c.vote_id)
        .where(assignments.c.project_id == project.id, votes.c.purpose.in_(PURPOSES))
        .order_by(assignments.c.vote_id.desc())
        .limit(limit)
    )
    for item, user, text, purpose, ms, at in _columns(database, query):
        found.items.extend(item)
        found.users.extend(user)
        found.values.extend([-1 if one is None else places.setdefault(one, len(places)) for one in text])
        found.purposes.extend([code[one] for one in purpose])
        found.ms_active.extend([-1 if one is None else one for one in ms])
        found.at.extend(at)
    found.texts.extend(places)
    return found


def answers_compared(database: Database, project: Project, numbers: Collection[int]) -> list[Compared]:
    """What everybody says now about these items, reviews and training left out; as much as `MOST_CHARACTERS` hold."""
    found, n_characters, wanted = list[Compared](), 0, sorted(numbers, reverse=True)
    for start in range(0, len(wanted), 500):
        query = (
            sa.select(votes.c.item_id, votes.c.user_id, votes.c.value)
            .select_from(assignments)
            .join(votes, votes.c.id == assignments.c.vote_id)
            .where(
                votes.c.item_id.in_(wanted[start : start + 500]),
                assignments.c.project_id == project.id,
                votes.c.purpose.in_(["label", "gold", "audit"]),
            )
            .order_by(votes.c.id)
        )
        with database.read() as connection:
            for row in connection.execute(query):
                n_characters += len(row.value)
                if n_characters > MOST_CHARACTERS:
                    return found
                found.append(Compared(row.item_id, row.user_id, loads(row.value)))
    return found


def answers_wanted(database: Database, project: Project) -> tuple[int, int]:
    """Answers that all items to be labelled ask for, and how many of these are missing."""
    missing = sa.case((tasks.c.overlap > tasks.c.n_answers, tasks.c.overlap - tasks.c.n_answers), else_=0)
    query = sa.select(sa.func.coalesce(sa.func.sum(tasks.c.overlap), 0), sa.func.coalesce(sa.func.sum(missing), 0))
    query = query.where(tasks.c.project_id == project.id, tasks.c.purpose.in_(["label", "audit"]))
    with database.read() as connection:
        wanted, left = connection.execute(query).one()
    return int(wanted), int(left)


def answers_held(database: Database, project: Project, *, naming: str | None = None) -> int:
    """How many answers hold now, of any purpose.

    Parameters
    ----------
    naming : str, optional
        Only those in which this name stands, as a class or in any other place.
    """
    query = sa.select(sa.func.count()).select_from(assignments)
    query = query.where(assignments.c.project_id == project.id, assignments.c.vote_id.is_not(None))
    if naming is not None:
        query = query.join(votes, votes.c.id == assignments.c.vote_id)
        query = query.where(holds(database, votes.c.value, dumps(naming)))
    with database.read() as connection:
        return int(connection.execute(query).scalar_one())


def everybody(database: Database, project: Project, more: Collection[int] = ()) -> list[Someone]:
    """All members, and those of `more` (numbers) who are none any more, in the order they came."""
    seen = (
        sa.select(sessions.c.user_id, sa.func.max(sessions.c.seen_at).label("seen_at"))
        .group_by(sessions.c.user_id)
        .subquery()
    )
    held = (
        sa.select(assignments.c.user_id, sa.func.count().label("n_open"))
        .where(assignments.c.project_id == project.id, sa.text("assignments.state = 'leased'"))
        .group_by(assignments.c.user_id)
        .subquery()
    )
    mine = sa.select(members.c.user_id).where(members.c.project_id == project.id)
    query = (
        sa.select(users.c.id, users.c.public_id, identities.c.display_name, seen.c.seen_at, held.c.n_open)
        .select_from(users)
        .outerjoin(identities, identities.c.user_id == users.c.id)
        .outerjoin(seen, seen.c.user_id == users.c.id)
        .outerjoin(held, held.c.user_id == users.c.id)
        .where(sa.or_(users.c.id.in_(mine), users.c.id.in_(list(more))))
        .order_by(users.c.id)
    )
    with database.read() as connection:
        return [
            Someone(row.id, row.public_id, row.display_name or row.public_id, row.seen_at, row.n_open or 0)
            for row in connection.execute(query)
        ]


def gold_answers_of(database: Database, project: Project) -> Iterator[tuple[int, str, str]]:
    """User, answer and known answer (JSON) on gold items, as they hold; training is no gold."""
    query = (
        sa.select(votes.c.user_id, votes.c.value, gold_answers.c.answer)
        .select_from(assignments)
        .join(votes, votes.c.id == assignments.c.vote_id)
        .join(gold_answers, gold_answers.c.item_id == votes.c.item_id)
        .where(assignments.c.project_id == project.id, votes.c.purpose == "gold")
        .order_by(assignments.c.vote_id.desc())
        .limit(MOST_ANSWERS)
    )
    for columns in _columns(database, query):
        yield from zip(*columns, strict=True)


def suggestion_counts(database: Database, project: Project) -> list[dict[str, Any]]:
    """For each source of suggestions: what became of those shown, and whether those withheld agreed; gold left out."""
    found: dict[str, dict[str, Any]] = {}
    for source, outcome, n in _shown(database, project):
        _entry(found, source)["shown"][outcome] += n
    for suggestions, value in _withheld(database, project):
        first = loads(suggestions)[0]
        _entry(found, first["source"])["blind"]["agreed" if loads(value) == first["value"] else "differed"] += 1
    return sorted(found.values(), key=lambda entry: entry["source"])


def _entry(found: dict[str, dict[str, Any]], source: str) -> dict[str, Any]:
    shown = {"accepted": 0, "edited": 0, "rejected": 0}
    empty = {"source": source, "version": "", "shown": shown, "blind": {"agreed": 0, "differed": 0}}
    return found.setdefault(source, empty)


def _shown(database: Database, project: Project) -> list[tuple[str, str, int]]:
    """Source of the first suggestion, outcome, and how often; counted by the database."""
    text = tasks.c.suggestions
    first = sa.type_coerce(text, sa.JSON) if database.is_sqlite else sa.cast(text, sa.JSON)
    source = first[(0, "source")].as_string().label("source")
    query = (
        sa.select(source, votes.c.outcome, sa.func.count())
        .select_from(_ANSWERED)
        .where(
            assignments.c.project_id == project.id,
            text.is_not(None),
            votes.c.outcome.is_not(None),
            votes.c.purpose != "gold",
            sa.or_(votes.c.shown.is_(None), votes.c.shown != "blind"),
        )
        .group_by(sa.literal_column("1"), votes.c.outcome)
    )
    with database.read() as connection:
        return [(row[0], row[1], int(row[2])) for row in connection.execute(query)]


def _withheld(database: Database, project: Project) -> Iterator[tuple[str, str]]:
    query = (
        sa.select(tasks.c.suggestions, votes.c.value)
        .select_from(_ANSWERED)
        .where(
            assignments.c.project_id == project.id,
            tasks.c.suggestions.is_not(None),
            votes.c.shown == "blind",
            votes.c.purpose != "gold",
        )
        .order_by(assignments.c.vote_id.desc())
        .limit(MOST_ANSWERS // 10)
    )
    for columns in _columns(database, query):
        yield from zip(*columns, strict=True)


_ANSWERED = assignments.join(votes, votes.c.id == assignments.c.vote_id).join(
    tasks, tasks.c.id == assignments.c.task_id
)


def _columns(database: Database, query: sa.Select[Any]) -> Iterator[Sequence[tuple[Any, ...]]]:
    """The columns of a query, some rows at a time."""
    with database.read() as connection:
        result = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query)
        for rows in result.partitions():
            yield list(zip(*rows, strict=True))
