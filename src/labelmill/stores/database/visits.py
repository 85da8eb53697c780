"""Who asks, and what they are in the project they ask about: one look for each request."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import loads
from labelmill.errors import AccessError
from labelmill.stores.database._statements import Statement
from labelmill.stores.database.account_tables import identities, members, sessions, tokens, users
from labelmill.stores.database.accounts import Role, digest_of
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project, project_of_row
from labelmill.stores.database.sessions import SCOPES, Scope, is_alive, is_valid, session_user, token_owner
from labelmill.stores.database.tables import projects

__all__ = ["Entry", "Visit", "enter", "visit"]


class Visit(NamedTuple):
    """Somebody at the door.

    Parameters
    ----------
    user : int
        Inside the server only.
    public_id, name, display_name : str
    is_admin : bool
        Of the whole server.
    scopes : tuple of str
        What the token allows; a person at a browser has all.
    bound_to : int or None
        The only project that the token opens, by its number.
    project : Project or None
        The project asked about, if they are a member of it.
    role : str or None
        What they are in it.
    """

    user: int
    public_id: str
    name: str
    display_name: str
    is_admin: bool
    scopes: tuple[Scope, ...]
    bound_to: int | None
    project: Project | None
    role: Role | None


def visit(
    database: Database, *, session: str | None = None, token: str | None = None, project: str | None = None
) -> Visit:
    """Who that is, by the secret of a session or a token.

    Parameters
    ----------
    project : str, optional
        Public id. Somebody who is no member gets the same answer as for a project that does not exist: none.

    Raises
    ------
    AccessError
        If the secret opens nothing.
    """
    scopes: tuple[Scope, ...] = SCOPES
    only: int | None = None
    if token is not None:
        owner = token_owner(database, token)
        user, scopes, only = owner.user, owner.scopes, owner.project
    elif session is not None:
        user = session_user(database, session)
    else:
        raise AccessError("sign in first")
    with database.read() as connection:
        row = connection.execute(_VISIT, {"user": user, "project": project}).first()
    if row is None:
        raise AccessError("this account is gone")
    may_enter = row.role is not None and only in {None, row.project_number}
    return Visit(
        row.user_number,
        row.who,
        row.login or row.who,
        row.display_name or row.who,
        bool(row.is_admin),
        scopes,
        only,
        project_of_row(row) if may_enter else None,
        row.role if may_enter else None,
    )


_MEMBERSHIP = members.join(
    projects,
    sa.and_(projects.c.id == members.c.project_id, projects.c.public_id == sa.bindparam("project", type_=sa.Text)),
)

_VISIT = (
    sa.select(
        users.c.id.label("user_number"),
        users.c.public_id.label("who"),
        users.c.is_admin,
        identities.c.name.label("login"),
        identities.c.display_name,
        members.c.role,
        projects.c.id.label("project_number"),
        projects.c.id,
        projects.c.public_id,
        projects.c.name,
        projects.c.settings,
        projects.c.version,
        projects.c.seed,
    )
    .select_from(
        users.outerjoin(identities, identities.c.user_id == users.c.id).outerjoin(
            _MEMBERSHIP, members.c.user_id == users.c.id
        )
    )
    .where(users.c.id == sa.bindparam("user"), users.c.is_disabled == 0)
)


class Entry(NamedTuple):
    """A member of a project, let in within the transaction that does what they ask.

    Parameters
    ----------
    user : int
    public_id : str
    role : str
        In the project.
    scopes : tuple of str
        As `Visit` has them.
    version : int
        Of the project's settings.
    n_webhooks : int
        Of the project.
    """

    user: int
    public_id: str
    role: Role
    scopes: tuple[Scope, ...]
    version: int
    n_webhooks: int


def enter(
    connection: sa.Connection,
    now: int,
    project: str,
    *,
    session: str | None = None,
    token: str | None = None,
    alone: bool = False,
) -> Entry | None:
    """What `visit` finds, for a member of the project, in one look; None wherever it would do or say something else.

    Parameters
    ----------
    now : int
        Milliseconds since 1970.
    project : str
        Public id.
    alone : bool
        Until the transaction ends, others who enter alone as the same person wait.
    """
    if token is not None:
        row = _BY_TOKEN[alone].first(connection, {"digest": digest_of(token), "project": project})
        if row is None or not is_valid(row, now) or row.bound_to not in {None, row.project_number}:
            return None
        scopes: tuple[Scope, ...] = tuple(loads(row.scopes))
    elif session is not None:
        row = _BY_SESSION[alone].first(connection, {"digest": digest_of(session), "project": project})
        if row is None or not is_alive(row, now):
            return None
        scopes = SCOPES
    else:
        return None
    return Entry(row.user_number, row.who, row.role, scopes, row.version, row.n_webhooks)


_ENTRY = (
    users.c.id.label("user_number"),
    users.c.public_id.label("who"),
    users.c.is_disabled,
    members.c.role,
    projects.c.id.label("project_number"),
    projects.c.version,
    projects.c.n_webhooks,
)


def _entering(table: sa.Table, *columns: sa.ColumnElement[Any]) -> dict[bool, Statement]:
    """The look by the secrets of a table: beside others who enter as the same person, and alone."""
    query = (
        sa.select(*_ENTRY, *columns)
        .select_from(table)
        .join(users, users.c.id == table.c.user_id)
        .join(members, members.c.user_id == users.c.id)
        .join(projects, projects.c.id == members.c.project_id)
        .where(table.c.digest == sa.bindparam("digest"), projects.c.public_id == sa.bindparam("project"))
    )
    return {False: Statement(query), True: Statement(query.with_for_update(of=members, key_share=True))}


_BY_TOKEN = _entering(
    tokens, tokens.c.scopes, tokens.c.expires_at, tokens.c.revoked_at, tokens.c.project_id.label("bound_to")
)
_BY_SESSION = _entering(
    sessions, sessions.c.epoch, users.c.epoch.label("current"), sessions.c.seen_at, sessions.c.expires_at
)
