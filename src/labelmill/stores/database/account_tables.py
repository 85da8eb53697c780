"""Tables of who people are and what they may do."""

from __future__ import annotations

import sqlalchemy as sa

from labelmill.stores.database._columns import (
    Int,
    id_column,
    metadata,
    project_column,
    public_column,
    time_column,
    user_column,
)

__all__ = ["audit_heads", "audit_log", "identities", "links", "members", "preferences", "sessions", "tokens", "users"]

users = sa.Table(
    "users",
    metadata,
    id_column(),
    public_column(),
    sa.Column("password", sa.Text),
    sa.Column("is_admin", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("is_machine", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("is_disabled", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("epoch", Int, nullable=False, server_default="0"),
    time_column("created_at"),
    sqlite_autoincrement=True,
)
"""Who acts, under a random id. `epoch` grows when all sessions shall end."""

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("user_id", Int, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("display_name", sa.Text, nullable=False),
)
"""The only table with names: to forget a person is to delete a row here."""

preferences = sa.Table(
    "preferences",
    metadata,
    sa.Column("user_id", Int, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
    sa.Column("content", sa.Text, nullable=False),
)
"""What people set for themselves: their own keys."""

members = sa.Table(
    "members",
    metadata,
    sa.Column("project_id", Int, sa.ForeignKey("projects.id"), primary_key=True, autoincrement=False),
    sa.Column("user_id", Int, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.CheckConstraint("role IN ('admin', 'lead', 'annotator', 'machine')", name="role"),
    sa.Index("ix_members_user_id", "user_id"),
)

links = sa.Table(
    "links",
    metadata,
    id_column(),
    project_column(nullable=True),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("role", sa.Text),
    user_column(nullable=True),
    time_column("created_at"),
    time_column("expires_at"),
    time_column("used_at", nullable=True),
    sa.CheckConstraint("kind IN ('setup', 'invitation', 'password')", name="kind"),
)
"""Links that work once: the first admin's, invitations, new passwords."""

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    user_column(index=True),
    sa.Column("epoch", Int, nullable=False),
    time_column("created_at"),
    time_column("seen_at"),
    time_column("expires_at"),
)

tokens = sa.Table(
    "tokens",
    metadata,
    id_column(),
    public_column(),
    project_column(nullable=True),
    user_column(index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("scopes", sa.Text, nullable=False),
    time_column("created_at"),
    time_column("expires_at"),
    time_column("revoked_at", nullable=True),
)

audit_heads = sa.Table(
    "audit_heads",
    metadata,
    sa.Column("chain", sa.Text, primary_key=True),
    sa.Column("length", Int, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("chain", sa.Text, primary_key=True),
    sa.Column("position", Int, primary_key=True, autoincrement=False),
    project_column(nullable=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    time_column("at"),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
"""Who did what; each entry holds the hash of the one before. One chain a project, one for the whole server."""
