"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


Int = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

APPEND_ONLY = (("audit_log", "UPDATE"), ("audit_log", "DELETE"), ("votes", "UPDATE"))


def upgrade() -> None:
    """Make them all."""
    op.create_table(
        "audit_heads",
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("length", Int, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_heads")),
    )
    op.create_table(
        "projects",
        sa.Column("id", Int, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("version", Int, server_default="1", nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("created_at", Int, nullable=False),
        sa.Column("n_webhooks", Int, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("name", name=op.f("uq_projects_name")),
        sa.UniqueConstraint("public_id", name=op.f("uq_projects_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "users",
        sa.Column("id", Int, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("is_admin", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("is_machine", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("is_disabled", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("epoch", Int, server_default="0", nullable=False),
        sa.Column("created_at", Int, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("public_id", name=op.f("uq_users_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit_log",
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("position", Int, autoincrement=False, nullable=False),
        sa.Column("project_id", Int, nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", Int, nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_audit_log_project_id")),
        sa.PrimaryKeyConstraint("chain", "position", name=op.f("pk_audit_log")),
    )
    op.create_table(
        "identities",
        sa.Column("user_id", Int, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_identities_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_identities")),
        sa.UniqueConstraint("name", name=op.f("uq_identities_name")),
    )
    op.create_table(
        "items",
        sa.Column("id", Int, autoincrement=True, nullable=False),
        sa.Column("project_id", Int, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_items_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_items_project_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "links",
        sa.Column("id", Int, autoincrement=True, nullable=False),
        sa.Column("project_id", Int, nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("user_id", Int, nullable=True),
        sa.Column("created_at", Int, nullable=False),
        sa.Column("expires_at", Int, nullable=False),
        sa.Column("used_at", Int, nullable=True),
        sa.CheckConstraint("kind IN ('setup', 'invitation', 'password')", name=op.f("ck_links_kind")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_links_project_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_links_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("digest", name=op.f("uq_links_digest")),
    )
    op.create_table(
        "members",
        sa.Column("project_id", Int, autoincrement=False, nullable=False),
        sa.Column("user_id", Int, autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint("role IN ('admin', 'lead', 'annotator', 'machine')", name=op.f("ck_members_role")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_members_project_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_members_user_id")),
        sa.PrimaryKeyConstraint("project_id", "user_id", name=op.f("pk_members")),
    )
    op.create_index("ix_members_user_id", "members", ["user_id"], unique=False)
    op.create_table(
        "places",
        sa.Column("project_id", Int, autoincrement=False, nullable=False),
        sa.Column("user_id", Int, autoincrement=False, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("rank", sa.Double(), nullable=True),
        sa.Column("task_id", Int, server_default="0", nullable=False),
        sa.Column("resets", Int, server_default="0", nullable=False),
        sa.Column("given", Int, server_default="0", nullable=False),
        sa.Column("answered", Int, server_default="0", nullable=False),
        sa.Column("skipped", Int, server_default="0", nullable=False),
        sa.Column("extra", Int, server_default="0", nullable=False),
        sa.Column("finished", Int, server_default="0", nullable=False),
        sa.Column("ms_active", Int, server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_places_project_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_places_user_id")),
        sa.PrimaryKeyConstraint("project_id", "user_id", "purpose", name=op.f("pk_places")),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("user_id", Int, nullable=False),
        sa.Column("epoch", Int, nullable=False),
        sa.Column("created_at", Int, nullable=False),
        sa.Column("seen_at", Int, nullable=False),
        sa.Column("expires_at", Int, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("id", Int, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("project_id", Int, nullable=True),
        sa.Column("user_id", Int, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", Int, nullable=False),
        sa.Column("expires_at", Int, nullable=False),
        sa.Column("revoked_at", Int, nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_tokens_project_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tokens_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
        sa.UniqueConstraint("public_id", name=op.f("uq_tokens_public_id")),
    )
    op.create_index(op.f("ix_tokens_user_id"), "tokens", ["user_id"], unique=False)
    op.create_table(
        "totals",
        sa.Column("project_id", Int, autoincrement=False, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("n_tasks", Int, server_default="0", nullable=False),
        sa.Column("n_reopened", Int, server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_totals_project_id")),
        sa.PrimaryKeyConstraint("project_id", "purpose", name=op.f("pk_totals")),
    )
    op.create_table(
        "webhooks",
        sa.Column("id", Int, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("project_id", Int, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("created_at", Int, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_webhooks_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sa.UniqueConstraint("public_id", name=op.f("uq_webhooks_public_id")),
    )
    op.create_index(op.f("ix_webhooks_project_id"), "webhooks", ["project_id"], unique=False)
    op.create_table(
        "gold_answers",
        sa.Column("item_id", Int, autoincrement=False, nullable=False),
        sa.Column("project_id", Int, nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_gold_answers_item_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_gold_answers_project_id")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_gold_answers")),
    )
    op.create_index(op.f("ix_gold_answers_project_id"), "gold_answers", ["project_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", Int, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("project_id", Int, nullable=False),
        sa.Column("webhook_id", Int, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("at", Int, nullable=False),
        sa.Column("due_at", Int, nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'dead')", name=op.f("ck_outbox_state")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_outbox_project_id")),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"], name=op.f("fk_outbox_webhook_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("public_id", name=op.f("uq_outbox_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "tasks",
        sa.Column("id", Int, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("project_id", Int, nullable=False),
        sa.Column("item_id", Int, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("rank", sa.Double(), nullable=False),
        sa.Column("overlap", sa.SmallInteger(), nullable=False),
        sa.Column("free", sa.SmallInteger(), nullable=False),
        sa.Column("n_answers", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("assignee_id", Int, nullable=True),
        sa.Column("suggestions", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('label', 'review', 'gold', 'audit', 'training')", name=op.f("ck_tasks_purpose")
        ),
        sa.CheckConstraint("free >= 0 AND free <= overlap", name=op.f("ck_tasks_free")),
        sa.CheckConstraint("overlap > 0", name=op.f("ck_tasks_overlap")),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"], name=op.f("fk_tasks_assignee_id")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_tasks_item_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_tasks_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("id", "overlap", name=op.f("uq_tasks_id_overlap")),
        sa.UniqueConstraint("public_id", name=op.f("uq_tasks_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_tasks_assignee",
        "tasks",
        ["assignee_id", "project_id"],
        unique=False,
        sqlite_where=sa.text("free > 0 AND assignee_id IS NOT NULL"),
        postgresql_where=sa.text("free > 0 AND assignee_id IS NOT NULL"),
    )
    op.create_index("ix_tasks_project", "tasks", ["project_id", "id"], unique=False)
    op.create_index(
        "ix_tasks_queue",
        "tasks",
        ["project_id", "purpose", "rank", "id"],
        unique=False,
        sqlite_where=sa.text("free > 0 AND assignee_id IS NULL"),
        postgresql_where=sa.text("free > 0 AND assignee_id IS NULL"),
    )
    op.create_index(
        "uq_tasks_item_purpose",
        "tasks",
        ["item_id", "purpose"],
        unique=True,
        sqlite_where=sa.text("assignee_id IS NULL"),
        postgresql_where=sa.text("assignee_id IS NULL"),
    )
    op.create_table(
        "assignments",
        sa.Column("id", Int, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("project_id", Int, nullable=False),
        sa.Column("task_id", Int, nullable=False),
        sa.Column("item_id", Int, nullable=False),
        sa.Column("user_id", Int, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("live", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("again", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("blind", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("leased_at", Int, nullable=False),
        sa.Column("deadline", Int, nullable=False),
        sa.Column("vote_id", Int, nullable=True),
        sa.CheckConstraint(
            "state IN ('leased', 'answered', 'skipped', 'extra', 'expired', 'returned')",
            name=op.f("ck_assignments_state"),
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_assignments_item_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_assignments_project_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_assignments_task_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_assignments_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
        sa.UniqueConstraint("public_id", name=op.f("uq_assignments_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_assignments_current", "assignments", ["project_id", "vote_id"], unique=False)
    op.create_index(
        "ix_assignments_held",
        "assignments",
        ["user_id", "project_id"],
        unique=False,
        sqlite_where=sa.text("state = 'leased'"),
        postgresql_where=sa.text("state = 'leased'"),
    )
    op.create_index(
        "ix_assignments_leased",
        "assignments",
        ["project_id", "deadline"],
        unique=False,
        sqlite_where=sa.text("state = 'leased'"),
        postgresql_where=sa.text("state = 'leased'"),
    )
    op.create_index(op.f("ix_assignments_task_id"), "assignments", ["task_id"], unique=False)
    op.create_index(
        "uq_assignments_item_user",
        "assignments",
        ["item_id", "user_id"],
        unique=True,
        sqlite_where=sa.text("live = 1 AND again = 0"),
        postgresql_where=sa.text("live = 1 AND again = 0"),
    )
    op.create_table(
        "slots",
        sa.Column("task_id", Int, autoincrement=False, nullable=False),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("overlap", sa.SmallInteger(), nullable=False),
        sa.Column("project_id", Int, nullable=False),
        sa.Column("user_id", Int, nullable=False),
        sa.CheckConstraint("slot >= 0 AND slot < overlap", name=op.f("ck_slots_slot")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_slots_project_id")),
        sa.ForeignKeyConstraint(
            ["task_id", "overlap"],
            ["tasks.id", "tasks.overlap"],
            name=op.f("fk_slots_task_id_overlap"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_slots_user_id")),
        sa.PrimaryKeyConstraint("task_id", "slot", name=op.f("pk_slots")),
        sa.UniqueConstraint("task_id", "user_id", name=op.f("uq_slots_task_id_user_id")),
    )
    op.create_table(
        "drafts",
        sa.Column("user_id", Int, autoincrement=False, nullable=False),
        sa.Column("assignment_id", Int, autoincrement=False, nullable=False),
        sa.Column("project_id", Int, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("at", Int, nullable=False),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignments.id"], name=op.f("fk_drafts_assignment_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_drafts_project_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_drafts_user_id")),
        sa.PrimaryKeyConstraint("user_id", "assignment_id", name=op.f("pk_drafts")),
    )
    op.create_table(
        "votes",
        sa.Column("id", Int, autoincrement=True, nullable=False),
        sa.Column("project_id", Int, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("user_id", Int, nullable=False),
        sa.Column("item_id", Int, nullable=False),
        sa.Column("assignment_id", Int, nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("base", sa.Text(), nullable=True),
        sa.Column("shown", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("ms_active", Int, nullable=True),
        sa.Column("ms_total", Int, nullable=True),
        sa.Column("bulk", Int, nullable=True),
        sa.Column("ui", sa.Text(), nullable=True),
        sa.Column("answered_at", Int, nullable=True),
        sa.Column("at", Int, nullable=False),
        sa.CheckConstraint(
            "kind IN ('label', 'skip', 'flag', 'comment', 'reject', 'retract')", name=op.f("ck_votes_kind")
        ),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignments.id"], name=op.f("fk_votes_assignment_id")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_votes_item_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_votes_project_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_votes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_votes")),
        sa.UniqueConstraint("project_id", "key", name=op.f("uq_votes_project_id_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_votes_item_id"), "votes", ["item_id"], unique=False)
    for table, act in APPEND_ONLY:
        _forbid(table, act)


def _forbid(table: str, act: str) -> None:
    """What is said stays said, whatever code says."""
    name, message = f"{table}_no_{act.lower()}", f"{table} is append-only"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER {name} BEFORE {act} ON {table} BEGIN SELECT RAISE(ABORT, '{message}'); END")
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{message}'; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
