"""Names of annotators, for those who lead them; everybody else sees random ids."""

from __future__ import annotations

from labelmill.server.desk import Desk
from labelmill.stores.database.accounts import list_members
from labelmill.stores.database.projects import Project

__all__ = ["names_of"]


def names_of(desk: Desk, project: Project) -> dict[str, str]:
    """Public id -> name, of the members of a project."""
    return {one.user.public_id: one.user.display_name for one in list_members(desk.database, project)}
