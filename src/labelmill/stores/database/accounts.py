"""Who works here: users, their roles in projects, and the links by which they come."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from labelmill.errors import AccessError, ConflictError, UsageError
from labelmill.stores.database import _leases, audit_log, passwords
from labelmill.stores.database._checks import checked_text
from labelmill.stores.database.account_tables import identities, links, members, sessions, users
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tables import assignments

__all__ = [
    "ROLES",
    "Member",
    "Role",
    "User",
    "accept_link",
    "add_machine",
    "check_password",
    "create_link",
    "disable_user",
    "find_user",
    "forget_user",
    "give_back_of",
    "has_admin",
    "list_admins",
    "list_members",
    "remove_member",
    "role_in",
    "set_role",
]

Role = Literal["admin", "lead", "annotator", "machine"]
ROLES: tuple[Role, ...] = ("admin", "lead", "annotator", "machine")

LinkKind = Literal["setup", "invitation", "password"]

DAY_MS = 86_400_000


class User(NamedTuple):
    """Somebody, or a machine. `id` stays in the server, `public_id` is what votes and logs say."""

    id: int
    public_id: str
    name: str
    display_name: str
    is_admin: bool = False
    is_machine: bool = False
    is_disabled: bool = False


class Member(NamedTuple):
    """Somebody with a role in a project."""

    user: User
    role: Role


def digest_of(secret: str) -> str:
    """What is stored of a random secret: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def has_admin(database: Database) -> bool:
    """Whether the server has been set up."""
    query = sa.select(users.c.id).where(users.c.is_admin == 1, users.c.is_disabled == 0).limit(1)
    with database.read() as connection:
        return connection.execute(query).first() is not None


def create_link(
    database: Database,
    kind: LinkKind,
    *,
    project: Project | None = None,
    role: Role | None = None,
    user: User | None = None,
    valid_days: float = 7.0,
    actor: str = "",
) -> str:
    """A secret for a link that works once: the first admin's, an invitation with a role, or a new password.

    Shown now and never again; a new set-up link ends those before it.

    Raises
    ------
    UsageError
        If something is missing that this kind of link needs.
    ConflictError
        If a set-up link is asked for and there is an admin already.
    """
    if kind == "invitation" and (project is None or role not in {"admin", "lead", "annotator"}):
        raise UsageError("an invitation names a project and the role admin, lead or annotator")
    if kind == "password" and user is None:
        raise UsageError("a link for a new password names its user")
    if kind == "setup" and has_admin(database):
        raise ConflictError("this server has an admin already: sign in, or make a link for a new password")
    secret, now = secrets.token_urlsafe(32), database.clock()
    row = {
        "project_id": project.id if project else None,
        "digest": digest_of(secret),
        "kind": kind,
        "role": role,
        "user_id": user.id if user else None,
        "created_at": now,
        "expires_at": now + int(valid_days * DAY_MS),
    }

    def work(connection: sa.Connection) -> str:
        if kind == "setup":
            connection.execute(sa.delete(links).where(links.c.kind == "setup", links.c.used_at.is_(None)))
        connection.execute(sa.insert(links), row)
        detail = {"kind": kind, "role": role, "user": user.public_id if user else None}
        audit_log.append(connection, now, actor, "link.create", detail, project=project.id if project else None)
        return secret

    return database.write(work)


def accept_link(
    database: Database, secret: str, *, password: str, name: str | None = None, display_name: str | None = None
) -> User:
    """Use a link: make the account it promises (`name`), or set the new password; it works once.

    All sessions of somebody with a new password end.

    Raises
    ------
    AccessError
        If the link is unknown, used or over.
    ConflictError
        If the name is taken; the link can be used again.
    UsageError
        If name or password will not do.
    """
    stored = passwords.hash_password(password)

    def work(connection: sa.Connection) -> User:
        now = database.clock()
        used = (
            sa.update(links)
            .where(links.c.digest == digest_of(secret), links.c.used_at.is_(None), links.c.expires_at >= now)
            .values(used_at=now)
            .returning(links)
        )
        link = connection.execute(used).first()
        if link is None:
            raise AccessError("this link has been used, or is over: ask for a new one")
        if link.kind == "password":
            user = _by_id(connection, link.user_id)
            connection.execute(
                sa.update(users).where(users.c.id == user.id).values(password=stored, epoch=users.c.epoch + 1)
            )
            connection.execute(sa.delete(sessions).where(sessions.c.user_id == user.id))
            audit_log.append(connection, now, user.public_id, "user.password")
            return user
        if link.kind == "setup" and _some_admin(connection):
            raise AccessError("this server has an admin already")
        row = {"password": stored, "is_admin": int(link.kind == "setup")}
        user = _make(connection, database, _name(name), display_name, row)
        audit_log.append(connection, now, user.public_id, "user.create", {"by": link.kind}, project=link.project_id)
        if link.project_id is not None:
            connection.execute(
                sa.insert(members), {"project_id": link.project_id, "user_id": user.id, "role": link.role}
            )
        return user

    return database.write(work)


def add_machine(database: Database, project: Project, name: str, *, actor: str = "") -> User:
    """An account without a password that works through tokens, with the role machine."""

    def work(connection: sa.Connection) -> User:
        user = _make(connection, database, _name(name), name, {"is_machine": 1})
        connection.execute(sa.insert(members), {"project_id": project.id, "user_id": user.id, "role": "machine"})
        detail = {"user": user.public_id}
        audit_log.append(connection, database.clock(), actor, "machine.create", detail, project=project.id)
        return user

    return database.write(work)


def check_password(database: Database, name: str, password: str) -> User:
    """Who that is.

    Raises
    ------
    AccessError
        The same, after the same time, for a wrong name, a wrong password and a disabled account.
    """
    query = _USERS.add_columns(users.c.password).where(identities.c.name == _folded(name))
    with database.read() as connection:
        row = connection.execute(query).first()
    is_right = passwords.is_right(row.password if row else None, password)
    if row is None or not is_right or row.is_disabled:
        raise AccessError("wrong name or password")
    if passwords.needs_new_hash(row.password):
        stored = passwords.hash_password(password)
        change = sa.update(users).where(users.c.id == row.id, users.c.password == row.password)
        database.write(lambda connection: connection.execute(change.values(password=stored)).rowcount)
    return _user(row)


def find_user(database: Database, who: str) -> User:
    """The user of that public id or name.

    Raises
    ------
    UsageError
        If there is none.
    """
    query = _USERS.where(sa.or_(users.c.public_id == who, identities.c.name == _folded(who)))
    with database.read() as connection:
        row = connection.execute(query).first()
    if row is None:
        raise UsageError(f"there is no user {who!r}")
    return _user(row)


def role_in(database: Database, project: Project, user: int) -> Role | None:
    """Somebody's role; None if they are no member or disabled."""
    query = (
        sa.select(members.c.role)
        .join(users, users.c.id == members.c.user_id)
        .where(members.c.project_id == project.id, members.c.user_id == user, users.c.is_disabled == 0)
    )
    with database.read() as connection:
        return connection.execute(query).scalar()


def list_admins(database: Database) -> list[User]:
    """Who may do everything on this server, in the order they came."""
    query = _USERS.where(users.c.is_admin == 1, users.c.is_disabled == 0).order_by(users.c.id)
    with database.read() as connection:
        return [_user(row) for row in connection.execute(query)]


def list_members(database: Database, project: Project) -> list[Member]:
    """Everybody in a project, in the order they came."""
    query = _USERS.add_columns(members.c.role).join(members, members.c.user_id == users.c.id)
    query = query.where(members.c.project_id == project.id).order_by(users.c.id)
    with database.read() as connection:
        return [Member(_user(row), row.role) for row in connection.execute(query)]


def set_role(database: Database, project: Project, user: User, role: Role, *, actor: str = "") -> None:
    """Give somebody a role in a project; they sign in anew.

    Raises
    ------
    UsageError
        If there is no such role, or it is not for them.
    """
    if role not in ROLES or (role == "machine") != user.is_machine:
        raise UsageError(f"the role of a {'machine' if user.is_machine else 'person'} cannot be {role!r}")

    def work(connection: sa.Connection) -> None:
        mine = sa.and_(members.c.project_id == project.id, members.c.user_id == user.id)
        if not connection.execute(sa.update(members).where(mine).values(role=role)).rowcount:
            connection.execute(sa.insert(members), {"project_id": project.id, "user_id": user.id, "role": role})
        _end_sessions(connection, user.id)
        detail = {"user": user.public_id, "role": role}
        audit_log.append(connection, database.clock(), actor, "member.role", detail, project=project.id)

    database.write(work)


def remove_member(database: Database, project: Project, user: User, *, actor: str = "") -> None:
    """Take somebody out of a project; what they said stays, what they hold goes back to the queue."""

    def work(connection: sa.Connection) -> None:
        _give_back_all(connection, project, user)
        gone = sa.delete(members).where(members.c.project_id == project.id, members.c.user_id == user.id)
        if not connection.execute(gone).rowcount:
            raise UsageError(f"{user.public_id} is no member of {project.name!r}")
        _end_sessions(connection, user.id)
        detail = {"user": user.public_id}
        audit_log.append(connection, database.clock(), actor, "member.remove", detail, project=project.id)

    database.write(work)


def give_back_of(database: Database, project: Project, user: User, *, actor: str = "") -> int:
    """Return all that somebody holds unanswered to the queue, where they may meet it again; how many tasks."""

    def work(connection: sa.Connection) -> int:
        n = _give_back_all(connection, project, user)
        detail = {"user": user.public_id, "n": n}
        audit_log.append(connection, database.clock(), actor, "member.give-back", detail, project=project.id)
        return n

    return database.write(work)


def disable_user(database: Database, user: User, *, actor: str = "") -> None:
    """Let somebody in no more: their sessions end, their tokens fail."""

    def work(connection: sa.Connection) -> None:
        connection.execute(sa.update(users).where(users.c.id == user.id).values(is_disabled=1))
        _end_sessions(connection, user.id)
        audit_log.append(connection, database.clock(), actor, "user.disable", {"user": user.public_id})

    database.write(work)


def forget_user(database: Database, user: User, *, actor: str = "") -> None:
    """Drop somebody's name and password; their votes stay under the random id."""

    def work(connection: sa.Connection) -> None:
        connection.execute(sa.delete(identities).where(identities.c.user_id == user.id))
        connection.execute(sa.update(users).where(users.c.id == user.id).values(is_disabled=1, password=None))
        _end_sessions(connection, user.id)
        audit_log.append(connection, database.clock(), actor, "user.forget", {"user": user.public_id})

    database.write(work)


_USERS = sa.select(
    users.c.id,
    users.c.public_id,
    users.c.is_admin,
    users.c.is_machine,
    users.c.is_disabled,
    identities.c.name,
    identities.c.display_name,
).select_from(users.outerjoin(identities, identities.c.user_id == users.c.id))


def _user(row: Any) -> User:
    shown = row.display_name or row.public_id
    flags = (bool(row.is_admin), bool(row.is_machine), bool(row.is_disabled))
    return User(row.id, row.public_id, row.name or row.public_id, shown, *flags)


def _by_id(connection: sa.Connection, user: int) -> User:
    return _user(connection.execute(_USERS.where(users.c.id == user)).one())


def _some_admin(connection: sa.Connection) -> bool:
    return connection.execute(sa.select(users.c.id).where(users.c.is_admin == 1)).first() is not None


def _make(
    connection: sa.Connection, database: Database, name: str, display_name: str | None, row: dict[str, Any]
) -> User:
    if connection.execute(sa.select(identities.c.user_id).where(identities.c.name == name)).first():
        raise ConflictError(f"the name {name!r} is taken: choose another")
    made = {"public_id": f"p-{database.ids()}", "created_at": database.clock(), **row}
    number = connection.execute(sa.insert(users).values(made).returning(users.c.id)).scalar_one()
    shown = checked_text("display_name", display_name, longest=200) or name
    connection.execute(sa.insert(identities), {"user_id": number, "name": name, "display_name": shown})
    return _by_id(connection, number)


def _give_back_all(connection: sa.Connection, project: Project, user: User) -> int:
    query = sa.select(assignments).where(
        assignments.c.user_id == user.id,
        assignments.c.project_id == project.id,
        sa.text("assignments.state = 'leased'"),
    )
    turns = connection.execute(query.order_by(assignments.c.task_id).with_for_update()).all()
    _leases.leave(connection, project.id, turns, "returned")
    return len(turns)


def _end_sessions(connection: sa.Connection, user: int) -> None:
    connection.execute(sa.update(users).where(users.c.id == user).values(epoch=users.c.epoch + 1))
    connection.execute(sa.delete(sessions).where(sessions.c.user_id == user))


def _name(name: str | None) -> str:
    if not name:
        raise UsageError("a new account needs a name")
    checked_text("name", name, longest=200)
    return _folded(name)


def _folded(name: str) -> str:
    """Names differ by more than case."""
    return name.strip().casefold()
