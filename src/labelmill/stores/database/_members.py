"""Who belongs to a project."""

from __future__ import annotations

import sqlalchemy as sa

from labelmill.errors import AccessError
from labelmill.stores.database.account_tables import members

__all__ = ["role_of"]

_ROLE = sa.select(members.c.role).where(
    members.c.project_id == sa.bindparam("project"), members.c.user_id == sa.bindparam("user")
)
_ROLE_LOCKED = _ROLE.with_for_update(key_share=True)


def role_of(connection: sa.Connection, project: int, user: int, *, lock: bool = False) -> str:
    """Somebody's role.

    Parameters
    ----------
    lock : bool
        Until the transaction ends, others who lock the same person wait.

    Raises
    ------
    AccessError
        If they are no member.
    """
    found = connection.execute(_ROLE_LOCKED if lock else _ROLE, {"project": project, "user": user}).scalar()
    if found is None:
        raise AccessError("not a member of this project: ask one of its admins for an invitation")
    return str(found)
