"""Tables of who may do real work: how somebody stands, and each answer that was held against a known one."""

from __future__ import annotations

import sqlalchemy as sa

from labelmill.stores.database._columns import Int, count_column, metadata, project_column, time_column

__all__ = ["judgements", "qualifications"]

qualifications = sa.Table(
    "qualifications",
    metadata,
    sa.Column("project_id", Int, sa.ForeignKey("projects.id"), primary_key=True, autoincrement=False),
    sa.Column("user_id", Int, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
    sa.Column("state", sa.Text, nullable=False),
    count_column("round"),
    count_column("attempt"),
    count_column("n_items"),
    sa.Column("last_right", Int),
    sa.Column("last_n", Int),
    time_column("at"),
    sa.CheckConstraint("state IN ('training', 'qualified', 'failed', 'paused')", name="state"),
)
"""How one person stands in one project. `round` grows with each attempt and each time a lead decides: answers count in
the round they were given in; `attempt` counts since they were last sent to training; `last_*` is the attempt before."""

judgements = sa.Table(
    "judgements",
    metadata,
    sa.Column("user_id", Int, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
    sa.Column("item_id", Int, sa.ForeignKey("items.id"), primary_key=True, autoincrement=False),
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("round", Int, primary_key=True, autoincrement=False),
    project_column(),
    sa.Column("is_right", sa.SmallInteger, nullable=False),
    time_column("at"),
    sa.CheckConstraint("purpose IN ('gold', 'training')", name="purpose"),
)
"""Answers held against known ones: the first of each item in training, the one that holds on gold."""

sa.Index("ix_judgements_standing", judgements.c.project_id, judgements.c.user_id, judgements.c.round)
