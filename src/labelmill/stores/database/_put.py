"""Rows of tasks into the tables, without a query for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from labelmill.domain.strict_json import dumps
from labelmill.stores.database import _places
from labelmill.stores.database._conflicts import bulk_insert, insert_or_ignore
from labelmill.stores.database._ids import reserve
from labelmill.stores.database.new_task import NewTask
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import gold_answers, items, projects, tasks, totals

__all__ = ["Row", "put", "reprioritise"]


class Row(NamedTuple):
    """A task, written out."""

    item: str
    content: str
    public_id: str
    purpose: str
    rank: float
    overlap: int
    assignee: int | None
    suggestions: str | None
    why: str | None
    answer: str | None
    reason: str | None

    @classmethod
    def of(cls, task: NewTask, public_id: str) -> Row:
        """The row of a task."""
        return cls(
            task.item,
            dumps(dict(task.content)),
            public_id,
            task.purpose,
            0.0 - task.priority,
            task.overlap,
            task.assignee,
            dumps(list(task.suggestions)) if task.suggestions else None,
            task.why,
            dumps(task.answer) if task.answer is not None else None,
            task.reason,
        )


def put(connection: sa.Connection, project: Project, rows: Sequence[Row]) -> tuple[int, int]:
    """How many tasks were added, and how many updated."""
    _lock(connection, project)
    known, old_items = _put_items(connection, project, {row.item: row.content for row in rows})
    wanted = {(known[row.item], row.purpose, row.assignee): row for row in rows}
    there = _tasks_of(connection, old_items)
    new = [(item, row) for (item, purpose, assignee), row in wanted.items() if (item, purpose, assignee) not in there]
    old = [(there[key], row) for key, row in wanted.items() if key in there]
    _insert(connection, project, new)
    _update(connection, project, old)
    _put_answers(connection, project, [(known[row.item], row) for row in rows if row.answer is not None])
    for purpose in sorted({row.purpose for row in rows}):
        _places.go_back(connection, project.id, purpose, min(row.rank for row in rows if row.purpose == purpose), 0)
    return len(new), len(old)


def reprioritise(
    connection: sa.Connection, project: Project, purpose: str, priorities: Sequence[tuple[str, float]]
) -> int:
    """How many tasks have a new place."""
    _lock(connection, project)
    known = _items_of(connection, project, [item for item, _ in priorities])
    change = (
        sa.update(tasks)
        .where(tasks.c.item_id == sa.bindparam("item"), tasks.c.purpose == purpose, tasks.c.assignee_id.is_(None))
        .values(rank=sa.bindparam("new_rank"))
    )
    given = [{"item": known[item][0], "new_rank": 0.0 - priority} for item, priority in priorities if item in known]
    if not given:
        return 0
    connection.execute(change, given)
    _places.go_back(connection, project.id, purpose, min(row["new_rank"] for row in given), 0)
    return len(given)


def _lock(connection: sa.Connection, project: Project) -> None:
    """Two who put tasks into one project take turns; nobody else waits for them."""
    connection.execute(sa.select(projects.c.id).where(projects.c.id == project.id).with_for_update(key_share=True))


def _items_of(connection: sa.Connection, project: Project, names: Sequence[str]) -> dict[str, tuple[int, str]]:
    query = sa.select(items.c.name, items.c.id, items.c.content).where(items.c.project_id == project.id)
    if connection.dialect.name == "sqlite":
        query = query.where(items.c.name.in_(names))
    else:  # a long list of names makes PostgreSQL read the whole table, a join with it does not
        wanted = sa.func.unnest(sa.cast(list(names), ARRAY(sa.Text))).table_valued("name")
        query = query.join(wanted, wanted.c.name == items.c.name)
    return {name: (number, content) for name, number, content in connection.execute(query)}


def _put_items(
    connection: sa.Connection, project: Project, contents: Mapping[str, str]
) -> tuple[dict[str, int], list[int]]:
    """Numbers of the items, and of those that were there; what is new or looks different is written."""
    there = _items_of(connection, project, list(contents))
    new = [name for name in contents if name not in there]
    numbers = reserve(connection, items, len(new))
    rows = [(number, project.id, name, contents[name]) for number, name in zip(numbers, new, strict=True)]
    bulk_insert(connection, items, ("id", "project_id", "name", "content"), rows)
    changed = [(there[name][0], text) for name, text in contents.items() if name in there and there[name][1] != text]
    if changed:
        change = sa.update(items).where(items.c.id == sa.bindparam("item")).values(content=sa.bindparam("text"))
        connection.execute(change, [{"item": number, "text": text} for number, text in changed])
    old = {name: number for name, (number, _) in there.items()}
    return old | dict(zip(new, numbers, strict=True)), list(old.values())


_Key = tuple[int, str, int | None]


def _tasks_of(connection: sa.Connection, item_ids: Sequence[int]) -> dict[_Key, Any]:
    """Tasks of the items; of those sent back only the ones that still wait."""
    if not item_ids:
        return {}
    query = sa.select(
        tasks.c.id,
        tasks.c.item_id,
        tasks.c.purpose,
        tasks.c.assignee_id,
        tasks.c.overlap,
        tasks.c.free,
        tasks.c.n_answers,
    ).where(
        tasks.c.item_id.in_(item_ids),
        sa.or_(tasks.c.assignee_id.is_(None), tasks.c.n_answers == 0),
    )
    found = connection.execute(query.with_for_update()).all()
    return {(row.item_id, row.purpose, row.assignee_id): row for row in found}


_COLUMNS = (
    "id",
    "public_id",
    "project_id",
    "item_id",
    "purpose",
    "rank",
    "overlap",
    "free",
    "assignee_id",
    "suggestions",
    "why",
)


def _insert(connection: sa.Connection, project: Project, new: Sequence[tuple[int, Row]]) -> None:
    numbers = reserve(connection, tasks, len(new))
    rows = [
        (
            number,
            row.public_id,
            project.id,
            item,
            row.purpose,
            row.rank,
            row.overlap,
            row.overlap,
            row.assignee,
            row.suggestions,
            row.why,
        )
        for number, (item, row) in zip(numbers, new, strict=True)
    ]
    bulk_insert(connection, tasks, _COLUMNS, rows)
    for purpose, n in Counter(row.purpose for _, row in new).items():
        connection.execute(insert_or_ignore(connection, totals), {"project_id": project.id, "purpose": purpose})
        change = sa.update(totals).where(totals.c.project_id == project.id, totals.c.purpose == purpose)
        connection.execute(change.values(n_tasks=totals.c.n_tasks + n))


def _update(connection: sa.Connection, project: Project, old: Sequence[tuple[Any, Row]]) -> None:
    if not old:
        return
    change = (
        sa.update(tasks)
        .where(tasks.c.id == sa.bindparam("task"))
        .values({name: sa.bindparam(f"new_{name}") for name in ("rank", "overlap", "free", "why")})
        .values(suggestions=sa.case((_IS_SHOWN, tasks.c.suggestions), else_=sa.bindparam("new_suggestions")))
    )
    changes = [_changes(there, row) for there, row in old]
    connection.execute(change, changes)
    for (there, row), new in zip(old, changes, strict=True):
        if there.overlap <= there.n_answers < new["new_overlap"]:
            reopened = sa.update(totals).where(totals.c.project_id == project.id, totals.c.purpose == row.purpose)
            connection.execute(reopened.values(n_reopened=totals.c.n_reopened + 1))


_IS_SHOWN = sa.and_(tasks.c.purpose == "label", tasks.c.free < tasks.c.overlap)
"""Somebody has seen its suggestion: what becomes of it is told of that one, and whoever comes next sees the same."""


def _changes(there: Any, row: Row) -> dict[str, Any]:
    overlap = max(row.overlap, there.overlap if there.free < there.overlap else 1)
    return {
        "task": there.id,
        "new_rank": row.rank,
        "new_overlap": overlap,
        "new_free": there.free + overlap - there.overlap,
        "new_suggestions": row.suggestions,
        "new_why": row.why,
    }


def _put_answers(connection: sa.Connection, project: Project, known: Sequence[tuple[int, Row]]) -> None:
    if not known:
        return
    connection.execute(sa.delete(gold_answers).where(gold_answers.c.item_id.in_([item for item, _ in known])))
    rows = {item: (item, project.id, row.answer, row.reason) for item, row in known}
    bulk_insert(connection, gold_answers, ("item_id", "project_id", "answer", "reason"), list(rows.values()))
