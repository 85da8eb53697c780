"""What leads watch, counted from the answers that hold now."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import loads
from labelmill.stores.database.account_tables import identities, users
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import assignments, items, tasks, votes

__all__ = ["HeldAnswer", "answers_by_day", "held_answers", "suggestion_counts"]

DAY_MS = 86_400_000

MOST_ANSWERS = 200_000
"""The newest ones; more say nothing more in a picture."""


class HeldAnswer(NamedTuple):
    """One answer that holds: who, on what, with how much active time."""

    item: str
    annotator: str
    name: str
    value: Any
    purpose: str
    ms_active: int | None


def held_answers(database: Database, project: Project, *, limit: int = MOST_ANSWERS) -> list[HeldAnswer]:
    """The newest answers that hold now, training left out."""
    query = (
        sa.select(
            items.c.name.label("item"),
            users.c.public_id,
            identities.c.display_name,
            votes.c.value,
            votes.c.purpose,
            votes.c.ms_active,
        )
        .select_from(assignments)
        .join(votes, votes.c.id == assignments.c.vote_id)
        .join(items, items.c.id == votes.c.item_id)
        .join(users, users.c.id == votes.c.user_id)
        .outerjoin(identities, identities.c.user_id == users.c.id)
        .where(assignments.c.project_id == project.id, votes.c.purpose != "training")
        .order_by(assignments.c.vote_id.desc())
        .limit(limit)
    )
    with database.read() as connection:
        return [
            HeldAnswer(
                row.item,
                row.public_id,
                row.display_name or row.public_id,
                loads(row.value),
                row.purpose,
                row.ms_active,
            )
            for row in connection.execute(query)
        ]


def answers_by_day(database: Database, project: Project) -> list[tuple[int, int]]:
    """Start of each day on which somebody answered (milliseconds, UTC), and answers that hold up to its end."""
    day = (votes.c.at - votes.c.at % DAY_MS).label("day")
    query = (
        sa.select(day, sa.func.count())
        .select_from(assignments)
        .join(votes, votes.c.id == assignments.c.vote_id)
        .where(assignments.c.project_id == project.id)
        .group_by(day)
        .order_by(day)
    )
    done, found = 0, []
    with database.read() as connection:
        for number, n in connection.execute(query):
            done += int(n)
            found.append((int(number), done))
    return found


def suggestion_counts(database: Database, project: Project) -> list[dict[str, Any]]:
    """For each source of suggestions: what became of those shown, and whether those withheld agreed."""
    query = (
        sa.select(tasks.c.suggestions, votes.c.base, votes.c.shown, votes.c.outcome, votes.c.value)
        .select_from(assignments)
        .join(votes, votes.c.id == assignments.c.vote_id)
        .join(tasks, tasks.c.id == assignments.c.task_id)
        .where(assignments.c.project_id == project.id, tasks.c.suggestions.is_not(None))
        .order_by(assignments.c.vote_id.desc())
        .limit(MOST_ANSWERS)
    )
    found: dict[str, dict[str, Any]] = {}
    with database.read() as connection:
        for row in connection.execute(query):
            first = loads(row.suggestions)[0]
            entry = found.setdefault(
                first["source"],
                {
                    "source": first["source"],
                    "version": "",
                    "shown": {"accepted": 0, "edited": 0, "rejected": 0},
                    "blind": {"agreed": 0, "differed": 0},
                },
            )
            if row.shown == "blind":
                entry["blind"]["agreed" if loads(row.value) == first["value"] else "differed"] += 1
            elif row.outcome is not None:
                entry["shown"][row.outcome] += 1
    return list(found.values())
