"""What people set for themselves, and what they are in each project."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from labelmill.domain.strict_json import dumps, loads
from labelmill.stores.database.account_tables import members, preferences
from labelmill.stores.database.connect import Database
from labelmill.stores.database.tables import projects

__all__ = ["put_keys", "roles_and_keys"]


def roles_and_keys(database: Database, user: int, *, only: int | None = None) -> tuple[dict[str, str], dict[str, str]]:
    """Somebody's role by the public id of the project (all, or `only` one by its number), and their keys by the act."""
    roles = (
        sa.select(projects.c.public_id, members.c.role)
        .join(projects, projects.c.id == members.c.project_id)
        .where(members.c.user_id == user)
        .order_by(projects.c.id)
    )
    if only is not None:
        roles = roles.where(projects.c.id == only)
    own = sa.select(preferences.c.content).where(preferences.c.user_id == user)
    with database.read() as connection:
        found = {row.public_id: row.role for row in connection.execute(roles)}
        text = connection.execute(own).scalar()
    return found, dict(loads(text).get("keys", {})) if text else {}


def put_keys(database: Database, user: int, keys: Mapping[str, str]) -> None:
    """Replace somebody's own keys."""
    row = {"user_id": user, "content": dumps({"keys": dict(keys)})}

    def work(connection: sa.Connection) -> None:
        connection.execute(sa.delete(preferences).where(preferences.c.user_id == user))
        connection.execute(sa.insert(preferences), row)

    database.write(work)
