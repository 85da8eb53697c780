"""What became of suggestions: each answer that holds, beside what was suggested for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import loads
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import assignments, gold_answers, tasks, votes

__all__ = ["MOST_JUDGED", "Judged", "Outcome", "judged_suggestions"]

MOST_JUDGED: Final = 50_000
"""The newest answers; older ones say little of the suggestions of today."""

MOST_CHARACTERS: Final = 20_000_000
"""Of values that are compared with each other: pictures painted pixel by pixel are long."""

ROWS_AT_ONCE: Final = 5_000

Outcome = Literal["accepted", "edited", "rejected", "ignored", "blind"]


class Judged(NamedTuple):
    """An answer and the best suggestion for its item.

    Parameters
    ----------
    at : int
        Milliseconds since 1970.
    item : int
        Inside this room.
    source, version : str
        Of the suggestion; "" for the version where none was kept.
    score : float or None
        How sure the source was.
    suggested, said : any
        Values; None said: looked and declined.
    outcome : str
        "blind" where the suggestion was withheld; "ignored" where it was seen and the answer has nothing of it.
    known : any or None
        The known answer of a gold item. Of gold items only the suggested value is true: `score` is borrowed from
        another item, so that nobody can tell gold by it.
    """

    at: int
    item: int
    source: str
    version: str
    score: float | None
    suggested: Any
    said: Any
    outcome: Outcome
    known: Any


def judged_suggestions(database: Database, project: Project, *, limit: int = MOST_JUDGED) -> Iterator[Judged]:
    """The newest answers to items with a suggestion, newest first; training, audits and reviews left out.

    Parameters
    ----------
    limit : int
        Answers at most; fewer come where values are long.
    """
    query = _QUERY.where(assignments.c.project_id == project.id).limit(limit)
    n_characters = 0
    with database.read() as connection:
        for row in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query):
            n_characters += len(row.suggestions) + len(row.value)
            if n_characters > MOST_CHARACTERS:
                return
            yield _judged(row)


def _judged(row: Any) -> Judged:
    first = loads(row.suggestions)[0]
    is_blind = row.shown == "blind" or bool(row.blind)
    return Judged(
        row.at,
        row.item_id,
        str(first.get("source", "")),
        str(first.get("version", "")),
        first.get("score"),
        first.get("value"),
        loads(row.value),
        "blind" if is_blind else row.outcome or "ignored",
        None if row.answer is None else loads(row.answer),
    )


_QUERY = (
    sa.select(
        votes.c.at,
        votes.c.item_id,
        votes.c.value,
        votes.c.shown,
        votes.c.outcome,
        assignments.c.blind,
        tasks.c.suggestions,
        gold_answers.c.answer,
    )
    .select_from(assignments)
    .join(votes, votes.c.id == assignments.c.vote_id)
    .join(tasks, tasks.c.id == assignments.c.task_id)
    .outerjoin(gold_answers, sa.and_(gold_answers.c.item_id == votes.c.item_id, votes.c.purpose == "gold"))
    .where(tasks.c.suggestions.is_not(None), votes.c.purpose.in_(["label", "gold"]), votes.c.value.is_not(None))
    .order_by(assignments.c.vote_id.desc())
)
