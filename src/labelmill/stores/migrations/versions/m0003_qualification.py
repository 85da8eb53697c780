"""Who may do real work: training, and gold that keeps checking."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Int = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "qualifications",
        sa.Column("project_id", Int, autoincrement=False, nullable=False),
        sa.Column("user_id", Int, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("round", Int, server_default="0", nullable=False),
        sa.Column("attempt", Int, server_default="0", nullable=False),
        sa.Column("n_items", Int, server_default="0", nullable=False),
        sa.Column("last_right", Int, nullable=True),
        sa.Column("last_n", Int, nullable=True),
        sa.Column("at", Int, nullable=False),
        sa.CheckConstraint(
            "state IN ('training', 'qualified', 'failed', 'paused')", name=op.f("ck_qualifications_state")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_qualifications_project_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_qualifications_user_id")),
        sa.PrimaryKeyConstraint("project_id", "user_id", name=op.f("pk_qualifications")),
    )
    op.create_table(
        "judgements",
        sa.Column("user_id", Int, autoincrement=False, nullable=False),
        sa.Column("item_id", Int, autoincrement=False, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("round", Int, autoincrement=False, nullable=False),
        sa.Column("project_id", Int, nullable=False),
        sa.Column("is_right", sa.SmallInteger(), nullable=False),
        sa.Column("at", Int, nullable=False),
        sa.CheckConstraint("purpose IN ('gold', 'training')", name=op.f("ck_judgements_purpose")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_judgements_item_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_judgements_project_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_judgements_user_id")),
        sa.PrimaryKeyConstraint("user_id", "item_id", "purpose", "round", name=op.f("pk_judgements")),
    )
    op.create_index("ix_judgements_standing", "judgements", ["project_id", "user_id", "round"], unique=False)
