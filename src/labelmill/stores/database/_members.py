"""Who belongs to a project."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from labelmill.errors import AccessError
from labelmill.stores.database._statements import Statement
from labelmill.stores.database.account_tables import members
from labelmill.stores.database.tables import projects

__all__ = ["enter"]

_ENTERING = (
    sa.select(members.c.role, projects.c.version, projects.c.n_webhooks)
    .join(projects, projects.c.id == members.c.project_id)
    .where(members.c.project_id == sa.bindparam("project"), members.c.user_id == sa.bindparam("user"))
)
_ENTER = Statement(_ENTERING)
_ENTER_ALONE = Statement(_ENTERING.with_for_update(of=members, key_share=True))


def enter(connection: sa.Connection, project: int, user: int, *, alone: bool = False) -> Any:
    """Somebody's `role`, and the project's `version` and `n_webhooks`.

    Parameters
    ----------
    alone : bool
        Until the transaction ends, others who enter alone as the same person wait.

    Raises
    ------
    AccessError
        If they are no member.
    """
    found = (_ENTER_ALONE if alone else _ENTER).first(connection, {"project": project, "user": user})
    if found is None:
        raise AccessError("not a member of this project: ask one of its admins for an invitation")
    return found
