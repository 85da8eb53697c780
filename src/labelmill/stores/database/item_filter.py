"""Which items a list shows: those behind one mark of the dashboard."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from labelmill.domain.strict_json import dumps
from labelmill.stores.database._texts import holds
from labelmill.stores.database.account_tables import users
from labelmill.stores.database.connect import Database
from labelmill.stores.database.tables import assignments, tasks, votes

__all__ = ["ItemFilter", "conditions_of"]


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """What is asked of an item; empty for whatever does not matter.

    Parameters
    ----------
    state : {"", "open", "done"}
    purpose : str
        Of the task.
    source : str
        Who suggested something.
    annotator, said, outcome : str
        One answer that holds is by this person (public id), names this class, and made this of the suggestion:
        accepted, edited, rejected, or blind where it was withheld.
    confused : str
        Another class, that any answer names.
    """

    state: str = ""
    purpose: str = ""
    source: str = ""
    annotator: str = ""
    said: str = ""
    outcome: str = ""
    confused: str = ""


def conditions_of(database: Database, wanted: ItemFilter) -> list[sa.ColumnElement[bool]]:
    """Conditions on tasks, all of which must hold."""
    found: list[sa.ColumnElement[bool]] = []
    is_done = tasks.c.n_answers >= tasks.c.overlap
    if wanted.state:
        found.append(is_done if wanted.state == "done" else ~is_done)
    if wanted.purpose:
        found.append(tasks.c.purpose == wanted.purpose)
    if wanted.source:
        found.append(holds(database, tasks.c.suggestions, f'"source":{dumps(wanted.source)}'))
    if wanted.annotator or wanted.said or wanted.outcome:
        found.append(_is_answered(database, wanted.annotator, wanted.said, wanted.outcome))
    if wanted.confused:
        found.append(_is_answered(database, "", wanted.confused, ""))
    return found


def _is_answered(database: Database, annotator: str, said: str, outcome: str) -> sa.ColumnElement[bool]:
    """Whether somebody's present answer on the task is such a one."""
    query = (
        sa.select(sa.literal(1))
        .select_from(assignments.join(votes, votes.c.id == assignments.c.vote_id))
        .where(assignments.c.task_id == tasks.c.id)
    )
    if annotator:
        who = sa.select(users.c.id).where(users.c.public_id == annotator).scalar_subquery()
        query = query.where(votes.c.user_id == who)
    if said:
        query = query.where(holds(database, votes.c.value, dumps(said)))
    if outcome == "blind":
        query = query.where(votes.c.shown == "blind")
    elif outcome:
        query = query.where(votes.c.outcome == outcome)
    return query.correlate(tasks).exists()
