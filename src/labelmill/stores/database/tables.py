"""Tables of the work: projects, items, tasks, turns, votes.

Times are whole milliseconds since 1970 (UTC), JSON is text written by `domain.strict_json`, so that both databases
keep exactly the same. Public ids are random strings; integers never leave this room. The tables of people lie in
`account_tables`; `metadata` knows all.
"""

from __future__ import annotations

import sqlalchemy as sa

from labelmill.stores.database import account_tables, qualification_tables  # noqa: F401 -- tables for metadata
from labelmill.stores.database._columns import (
    Int,
    count_column,
    id_column,
    metadata,
    partial_index,
    project_column,
    public_column,
    time_column,
    user_column,
)

__all__ = [
    "assignments",
    "drafts",
    "gold_answers",
    "items",
    "metadata",
    "outbox",
    "places",
    "projects",
    "slots",
    "tasks",
    "totals",
    "votes",
    "webhooks",
]

projects = sa.Table(
    "projects",
    metadata,
    id_column(),
    public_column(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("version", Int, nullable=False, server_default="1"),
    sa.Column("seed", sa.Text, nullable=False),
    time_column("created_at"),
    count_column("n_webhooks"),
    sqlite_autoincrement=True,
)
"""One database hosts many. `version` counts changes of the settings; `seed` decides who gets gold and blind items."""

items = sa.Table(
    "items",
    metadata,
    id_column(),
    project_column(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.UniqueConstraint("project_id", "name"),
    sqlite_autoincrement=True,
)
"""What people are asked about, as far as it has been queued; `name` is the item's id in the lake."""

gold_answers = sa.Table(
    "gold_answers",
    metadata,
    sa.Column("item_id", Int, sa.ForeignKey("items.id"), primary_key=True, autoincrement=False),
    project_column(index=True),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
)
"""Apart from tasks, so that no query for an annotator passes by an answer."""

tasks = sa.Table(
    "tasks",
    metadata,
    id_column(),
    public_column(),
    project_column(),
    sa.Column("item_id", Int, sa.ForeignKey("items.id"), nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("rank", sa.Double, nullable=False),
    sa.Column("overlap", sa.SmallInteger, nullable=False),
    sa.Column("free", sa.SmallInteger, nullable=False),
    sa.Column("n_answers", sa.SmallInteger, nullable=False, server_default="0"),
    user_column("assignee_id", nullable=True),
    sa.Column("suggestions", sa.Text),
    sa.Column("why", sa.Text),
    sa.CheckConstraint("purpose IN ('label', 'review', 'gold', 'audit', 'training')", name="purpose"),
    sa.CheckConstraint("overlap > 0", name="overlap"),
    sa.CheckConstraint("free >= 0 AND free <= overlap", name="free"),
    sa.UniqueConstraint("id", "overlap"),
    sqlite_autoincrement=True,
)
"""`rank` is minus the priority, so that one index ascends through the queue; `free` counts open slots."""

sa.Index("ix_tasks_project", tasks.c.project_id, tasks.c.id)
partial_index(
    "ix_tasks_queue",
    tasks.c.project_id,
    tasks.c.purpose,
    tasks.c.rank,
    tasks.c.id,
    where=sa.text("free > 0 AND assignee_id IS NULL"),
)

partial_index(
    "ix_tasks_assignee",
    tasks.c.assignee_id,
    tasks.c.project_id,
    where=sa.text("free > 0 AND assignee_id IS NOT NULL"),
)

partial_index(
    "uq_tasks_item_purpose",
    tasks.c.item_id,
    tasks.c.purpose,
    unique=True,
    where=sa.text("assignee_id IS NULL"),
)

slots = sa.Table(
    "slots",
    metadata,
    sa.Column("task_id", Int, primary_key=True, autoincrement=False),
    sa.Column("slot", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("overlap", sa.SmallInteger, nullable=False),
    project_column(),
    user_column(),
    sa.ForeignKeyConstraint(["task_id", "overlap"], ["tasks.id", "tasks.overlap"], onupdate="CASCADE"),
    sa.CheckConstraint("slot >= 0 AND slot < overlap", name="slot"),
    sa.UniqueConstraint("task_id", "user_id"),
)
"""Who sits on a task. The key and the check together let no code put more people on it than its overlap."""

assignments = sa.Table(
    "assignments",
    metadata,
    id_column(),
    public_column(),
    project_column(),
    sa.Column("task_id", Int, sa.ForeignKey("tasks.id"), nullable=False, index=True),
    sa.Column("item_id", Int, sa.ForeignKey("items.id"), nullable=False),
    user_column(),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("live", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Column("again", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("blind", sa.SmallInteger, nullable=False, server_default="0"),
    time_column("leased_at"),
    time_column("deadline"),
    sa.Column("vote_id", Int),
    sa.CheckConstraint("state IN ('leased', 'answered', 'skipped', 'extra', 'expired', 'returned')", name="state"),
    sqlite_autoincrement=True,
)
"""One person's turn at a task, kept after it ends. `live` turns stand in the way of the same item for that person;
`again` marks a turn that a reviewer sent back; `vote_id` is the answer that holds now."""

partial_index(
    "uq_assignments_item_user",
    assignments.c.item_id,
    assignments.c.user_id,
    unique=True,
    where=sa.text("live = 1 AND again = 0"),
)

partial_index(
    "ix_assignments_leased",
    assignments.c.project_id,
    assignments.c.deadline,
    where=sa.text("state = 'leased'"),
)

partial_index(
    "ix_assignments_held",
    assignments.c.user_id,
    assignments.c.project_id,
    where=sa.text("state = 'leased'"),
)

sa.Index("ix_assignments_current", assignments.c.project_id, assignments.c.vote_id)

votes = sa.Table(
    "votes",
    metadata,
    id_column(),
    project_column(),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    user_column(),
    sa.Column("item_id", Int, sa.ForeignKey("items.id"), nullable=False, index=True),
    sa.Column("assignment_id", Int, sa.ForeignKey("assignments.id")),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("value", sa.Text),
    sa.Column("confidence", sa.Double),
    sa.Column("note", sa.Text),
    sa.Column("base", sa.Text),
    sa.Column("shown", sa.Text),
    sa.Column("outcome", sa.Text),
    sa.Column("ms_active", Int),
    sa.Column("ms_total", Int),
    sa.Column("bulk", Int),
    sa.Column("ui", sa.Text),
    time_column("answered_at", nullable=True),
    time_column("at"),
    sa.CheckConstraint("kind IN ('label', 'skip', 'flag', 'comment', 'reject', 'retract')", name="kind"),
    sa.UniqueConstraint("project_id", "key"),
    sqlite_autoincrement=True,
)
"""Everything people said, never changed. Order is that of `id`, not of clocks."""

totals = sa.Table(
    "totals",
    metadata,
    sa.Column("project_id", Int, sa.ForeignKey("projects.id"), primary_key=True, autoincrement=False),
    sa.Column("purpose", sa.Text, primary_key=True),
    count_column("n_tasks"),
    count_column("n_reopened"),
)
"""How much has been asked, and how many tasks that were done ask for more; changed only as tasks are put."""

places = sa.Table(
    "places",
    metadata,
    sa.Column("project_id", Int, sa.ForeignKey("projects.id"), primary_key=True, autoincrement=False),
    sa.Column("user_id", Int, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("rank", sa.Double),
    count_column("task_id"),
    count_column("resets"),
    count_column("given"),
    count_column("answered"),
    count_column("skipped"),
    count_column("extra"),
    count_column("finished"),
    count_column("ms_active"),
)
"""How far somebody has come in a queue, and counts kept as people work.

Every open task before (`rank`, `task_id`) is one the person has had, so the search for the next one starts there; who
frees a task before it moves it back and raises `resets`. Rows of one person each: nobody waits for a shared counter.
"""

drafts = sa.Table(
    "drafts",
    metadata,
    sa.Column("user_id", Int, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
    sa.Column("assignment_id", Int, sa.ForeignKey("assignments.id"), primary_key=True, autoincrement=False),
    project_column(),
    sa.Column("content", sa.Text, nullable=False),
    time_column("at"),
)
"""What somebody has begun and not sent, or sent too late."""

webhooks = sa.Table(
    "webhooks",
    metadata,
    id_column(),
    public_column(),
    project_column(index=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("events", sa.Text, nullable=False),
    time_column("created_at"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    id_column(),
    public_column(),
    project_column(),
    sa.Column("webhook_id", Int, sa.ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("error", sa.Text),
    time_column("at"),
    time_column("due_at"),
    sa.CheckConstraint("state IN ('waiting', 'delivered', 'dead')", name="state"),
    sqlite_autoincrement=True,
)
"""Events to be sent, written in the transaction that made them true."""

partial_index(
    "ix_outbox_due",
    outbox.c.due_at,
    where=sa.text("state = 'waiting'"),
)
