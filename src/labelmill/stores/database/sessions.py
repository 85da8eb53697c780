"""Who is signed in: sessions that the server can end, and tokens for programs."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from labelmill.domain.strict_json import dumps, loads
from labelmill.errors import AccessError, UsageError
from labelmill.stores.database import audit_log
from labelmill.stores.database._checks import checked_text
from labelmill.stores.database.account_tables import sessions, tokens, users
from labelmill.stores.database.accounts import User, digest_of
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project

__all__ = [
    "SCOPES",
    "Scope",
    "Token",
    "TokenOwner",
    "close_session",
    "create_token",
    "is_alive",
    "is_valid",
    "list_tokens",
    "open_session",
    "revoke_token",
    "session_user",
    "token_owner",
]

Scope = Literal["read", "annotate", "work", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "annotate", "work", "admin")

SESSION_MS = 30 * 86_400_000
IDLE_MS = 7 * 86_400_000
"""A session ends this long after the last sign of life."""

TOUCH_MS = 60_000
"""Signs of life are written down this often at most."""

PREFIX = "lm_"
"""What tokens begin with, so that scanners find leaked ones."""

_GONE = "the session is over: sign in again"


class Token(NamedTuple):
    """A program's key; `secret` is there once, when it is made."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    expires_at: int
    is_revoked: bool = False
    secret: str = ""


class TokenOwner(NamedTuple):
    """Whom a token stands for, and what it may do; `project` is the only one it opens, if there is one."""

    user: int
    public_id: str
    project: int | None
    scopes: tuple[Scope, ...]


def open_session(database: Database, user: User) -> str:
    """Sign somebody in; a new secret for the cookie each time.

    Raises
    ------
    AccessError
        If the account is disabled.
    """
    secret, now = secrets.token_urlsafe(32), database.clock()

    def work(connection: sa.Connection) -> str:
        epoch = connection.execute(
            sa.select(users.c.epoch).where(users.c.id == user.id, users.c.is_disabled == 0)
        ).scalar()
        if epoch is None:
            raise AccessError("this account is disabled")
        connection.execute(sa.delete(sessions).where(sessions.c.user_id == user.id, sessions.c.expires_at < now))
        row = {"digest": digest_of(secret), "user_id": user.id, "epoch": epoch, "created_at": now, "seen_at": now}
        connection.execute(sa.insert(sessions), {**row, "expires_at": now + SESSION_MS})
        return secret

    return database.write(work)


def session_user(database: Database, secret: str) -> int:
    """Who is signed in with this cookie.

    Raises
    ------
    AccessError
        If nobody is, or no more.
    """
    now, digest = database.clock(), digest_of(secret)
    with database.read() as connection:
        row = connection.execute(_SESSION, {"digest": digest}).first()
    if row is None or not _is_open(row, now):
        raise AccessError(_GONE)
    if now - row.seen_at > TOUCH_MS:
        change = sa.update(sessions).where(sessions.c.digest == digest).values(seen_at=now)
        database.write(lambda connection: connection.execute(change).rowcount)
    return int(row.user_id)


def is_alive(row: Any, now: int) -> bool:
    """Whether a session is open, and its last sign of life need not be written down yet."""
    return _is_open(row, now) and now - row.seen_at <= TOUCH_MS


def _is_open(row: Any, now: int) -> bool:
    is_theirs = row.epoch == row.current and not row.is_disabled
    return is_theirs and now <= row.expires_at and now - row.seen_at <= IDLE_MS


def close_session(database: Database, secret: str) -> None:
    """Sign out."""
    gone = sa.delete(sessions).where(sessions.c.digest == digest_of(secret))
    database.write(lambda connection: connection.execute(gone).rowcount)


_SESSION = (
    sa.select(sessions, users.c.epoch.label("current"), users.c.is_disabled)
    .join(users, users.c.id == sessions.c.user_id)
    .where(sessions.c.digest == sa.bindparam("digest"))
)


def create_token(
    database: Database,
    user: User,
    name: str,
    scopes: Collection[Scope],
    *,
    project: Project | None = None,
    valid_days: float = 90.0,
    actor: str = "",
) -> Token:
    """A key for a program; its secret is shown now and never again.

    Raises
    ------
    UsageError
        If a scope is unknown, there is none, or the days are not between 0 and 366.
    """
    checked_text("name", name, longest=200)
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise UsageError(f"scopes are some of {', '.join(SCOPES)}; found {unknown[0] if unknown else 'none'!r}")
    if not 0 < valid_days <= 366:
        raise UsageError(f"a token is valid for up to 366 days, found {valid_days}")
    now, secret = database.clock(), PREFIX + secrets.token_urlsafe(32)
    ordered = tuple(scope for scope in SCOPES if scope in scopes)
    made = Token(database.ids(), name, ordered, now + int(valid_days * 86_400_000), secret=secret)
    row = {
        "public_id": made.id,
        "project_id": project.id if project else None,
        "user_id": user.id,
        "name": name,
        "digest": digest_of(secret),
        "scopes": dumps(list(ordered)),
        "created_at": now,
        "expires_at": made.expires_at,
    }

    def work(connection: sa.Connection) -> Token:
        connection.execute(sa.insert(tokens), row)
        detail = {"token": made.id, "user": user.public_id, "scopes": list(ordered)}
        audit_log.append(connection, now, actor, "token.create", detail, project=project.id if project else None)
        return made

    return database.write(work)


def token_owner(database: Database, secret: str) -> TokenOwner:
    """Whom a token stands for.

    Raises
    ------
    AccessError
        If it is none, revoked or over, or its owner is disabled.
    """
    with database.read() as connection:
        row = connection.execute(_TOKEN, {"digest": digest_of(secret)}).first()
    if row is None or not is_valid(row, database.clock()):
        raise AccessError("this token is unknown, revoked or over: make a new one")
    return TokenOwner(row.user_id, row.who, row.project_id, tuple(loads(row.scopes)))


def is_valid(row: Any, now: int) -> bool:
    """Whether a token opens anything."""
    return row.revoked_at is None and not row.is_disabled and now <= row.expires_at


_TOKEN = (
    sa.select(tokens, users.c.public_id.label("who"), users.c.is_disabled)
    .join(users, users.c.id == tokens.c.user_id)
    .where(tokens.c.digest == sa.bindparam("digest"))
)


def list_tokens(database: Database, user: User) -> list[Token]:
    """Somebody's tokens, without their secrets, oldest first."""
    query = sa.select(tokens).where(tokens.c.user_id == user.id).order_by(tokens.c.id)
    with database.read() as connection:
        return [
            Token(row.public_id, row.name, tuple(loads(row.scopes)), row.expires_at, row.revoked_at is not None)
            for row in connection.execute(query)
        ]


def revoke_token(database: Database, user: User, token: str, *, actor: str = "") -> None:
    """End a token of somebody.

    Raises
    ------
    UsageError
        If they have none of that id.
    """

    def work(connection: sa.Connection) -> None:
        now = database.clock()
        change = sa.update(tokens).where(tokens.c.public_id == token, tokens.c.user_id == user.id)
        if not connection.execute(change.values(revoked_at=now)).rowcount:
            raise UsageError(f"there is no token {token!r}")
        audit_log.append(connection, now, actor, "token.revoke", {"token": token, "user": user.public_id})

    database.write(work)
