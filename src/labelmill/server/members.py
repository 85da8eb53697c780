"""The member of a project that a request names."""

from __future__ import annotations

from fastapi import Request

from labelmill.errors import UsageError
from labelmill.server.auth import project_of
from labelmill.server.desk import desk_of
from labelmill.server.problems import ProblemError
from labelmill.stores.database.accounts import User, find_user, role_in

__all__ = ["member_named"]


def member_named(request: Request, annotator: str, *, field: str | None = None) -> User:
    """The member of the request's project with that public id.

    Parameters
    ----------
    field : str, optional
        Where in the request the name stood.

    Raises
    ------
    ProblemError
        404, if there is none.
    """
    database, project = desk_of(request).database, project_of(request)
    try:
        user = find_user(database, annotator)
    except UsageError:
        user = None
    if user is None or role_in(database, project, user.id) is None:
        raise ProblemError(404, "the project has no such member", field=field)
    return user
