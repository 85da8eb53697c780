"""Projects of a database and their settings, which two people cannot overwrite for each other."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import sqlalchemy as sa

from labelmill.domain.strict_json import dumps, loads
from labelmill.errors import ConflictError, UsageError
from labelmill.stores.database import audit_log
from labelmill.stores.database._checks import checked_text
from labelmill.stores.database.account_tables import members
from labelmill.stores.database.connect import Database
from labelmill.stores.database.tables import projects

__all__ = [
    "Project",
    "QueueSettings",
    "create_project",
    "find_project",
    "list_projects",
    "project_of_row",
    "projects_of",
    "update_settings",
]


MOST_TRAINING = 1_000
MOST_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """How tasks are handed out.

    Parameters
    ----------
    lease_seconds : float
        How long a task stays with somebody who shows no sign of life.
    max_held : int
        How many tasks one person may hold at once.
    gold_share : float
        Share of gold items among what annotators are given, 0 to 1.
    blind_share : float
        Share of items given without their suggestions, 0 to 1; audits always are.
    late : {"extra", "refuse"}
        An answer that comes when the task is full: kept as an extra vote, or refused with a draft kept.
    training : int
        Items with known answers that annotators are trained with before real work; 0 for none.
    pass_mark : float
        Share of them to be answered rightly, above 0 to 1.
    attempts : int
        How often somebody may try before a lead must decide.
    gold_floor : float
        Who is surely right on a smaller share of gold items than this is paused; 0 for nobody.
    """

    lease_seconds: float = 600.0
    max_held: int = 50
    gold_share: float = 0.0
    blind_share: float = 0.0
    late: Literal["extra", "refuse"] = "extra"
    training: int = 0
    pass_mark: float = 0.8
    attempts: int = 2
    gold_floor: float = 0.0

    @property
    def checks_people(self) -> bool:
        """Whether annotators must be trained, or may be paused."""
        return self.training > 0 or self.gold_floor > 0

    def __post_init__(self) -> None:
        if not 1 <= self.lease_seconds <= 7 * 86_400:
            raise UsageError(f"lease_seconds must lie between 1 and 604800, found {self.lease_seconds}")
        if not 1 <= self.max_held <= 1_000:
            raise UsageError(f"max_held must lie between 1 and 1000, found {self.max_held}")
        for name in ("gold_share", "blind_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} must lie between 0 and 1, found {getattr(self, name)}")
        if self.late not in {"extra", "refuse"}:
            raise UsageError(f"late must be 'extra' or 'refuse', found {self.late!r}")
        if not 0 <= self.training <= MOST_TRAINING:
            raise UsageError(f"training must lie between 0 and {MOST_TRAINING}, found {self.training}")
        if not 0 < self.pass_mark <= 1:
            raise UsageError(f"pass_mark must lie above 0 and not above 1, found {self.pass_mark}")
        if not 1 <= self.attempts <= MOST_ATTEMPTS:
            raise UsageError(f"attempts must lie between 1 and {MOST_ATTEMPTS}, found {self.attempts}")
        if not 0 <= self.gold_floor < 1:
            raise UsageError(f"gold_floor must lie between 0 and below 1, found {self.gold_floor}")


@dataclass(frozen=True, slots=True)
class Project:
    """A project as it stands in the database.

    Parameters
    ----------
    id : int
        Inside this room only.
    public_id : str
        What the world calls it.
    name : str
        What its people call it.
    settings : mapping
        All settings; those of the queue under `"queue"`.
    version : int
        Grows with each change of the settings.
    seed : str
        Decides who gets gold and blind items.
    """

    id: int
    public_id: str
    name: str
    settings: Mapping[str, Any]
    version: int
    seed: str

    @property
    def queue(self) -> QueueSettings:
        """How tasks are handed out."""
        return queue_settings(self.settings)


def queue_settings(settings: Mapping[str, Any]) -> QueueSettings:
    """The queue's part of all settings.

    Raises
    ------
    UsageError
        If a name is unknown or a value out of range.
    """
    given = settings.get("queue", {})
    known = {field.name for field in fields(QueueSettings)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise UsageError(f"unknown setting of the queue: {unknown[0]!r}; known are {', '.join(sorted(known))}")
    return QueueSettings(**given)


def create_project(
    database: Database,
    name: str,
    settings: Mapping[str, Any] | None = None,
    *,
    queue: QueueSettings | None = None,
    actor: str = "",
) -> Project:
    """Make a project.

    Raises
    ------
    UsageError
        If the settings are none.
    ConflictError
        If there is one of that name.
    """
    checked_text("name", name, longest=200)
    all_settings = {**(settings or {}), **({"queue": asdict(queue)} if queue else {})}
    queue_settings(all_settings)
    row = {
        "public_id": database.ids(),
        "name": name,
        "settings": dumps(all_settings),
        "seed": secrets.token_hex(16),
        "created_at": database.clock(),
    }

    def work(connection: sa.Connection) -> Project:
        if connection.execute(sa.select(projects.c.id).where(projects.c.name == name)).first():
            raise ConflictError(f"there is a project {name!r} already: choose another name")
        found = connection.execute(sa.insert(projects).values(row).returning(projects)).one()
        audit_log.append(connection, database.clock(), actor, "project.create", {"name": name}, project=found.id)
        return project_of_row(found)

    return database.write(work)


def find_project(database: Database, name: str) -> Project:
    """The project of that name or public id.

    Raises
    ------
    UsageError
        If there is none.
    """
    query = sa.select(projects).where(sa.or_(projects.c.name == name, projects.c.public_id == name))
    with database.read() as connection:
        found = connection.execute(query).first()
    if found is None:
        raise UsageError(f"the database holds no project {name!r}")
    return project_of_row(found)


def list_projects(database: Database) -> list[Project]:
    """All projects, oldest first."""
    with database.read() as connection:
        return [project_of_row(row) for row in connection.execute(sa.select(projects).order_by(projects.c.id))]


def projects_of(database: Database, user: int) -> list[tuple[Project, str]]:
    """The projects of which somebody is a member, with their role, oldest first."""
    query = (
        sa.select(projects, members.c.role)
        .join(members, members.c.project_id == projects.c.id)
        .where(members.c.user_id == user)
        .order_by(projects.c.id)
    )
    with database.read() as connection:
        return [(project_of_row(row), row.role) for row in connection.execute(query)]


def update_settings(
    database: Database, project: Project, settings: Mapping[str, Any], *, version: int, actor: str = ""
) -> Project:
    """Replace all settings, if they are still those of the version that was read.

    Raises
    ------
    ConflictError
        If somebody changed them meanwhile.
    UsageError
        If the settings are none.
    """
    queue_settings(settings)
    text = dumps(dict(settings))

    def work(connection: sa.Connection) -> Project:
        change = (
            sa.update(projects)
            .where(projects.c.id == project.id, projects.c.version == version)
            .values(settings=text, version=version + 1)
            .returning(projects)
        )
        found = connection.execute(change).first()
        if found is None:
            raise ConflictError(
                f"the settings of {project.name!r} have changed since version {version} was read: "
                "read them again, and make the change to those"
            )
        detail = {"version": version + 1}
        audit_log.append(connection, database.clock(), actor, "project.settings", detail, project=project.id)
        return project_of_row(found)

    return database.write(work)


def project_of_row(row: Any) -> Project:
    """The project that a row of its table says."""
    return Project(row.id, row.public_id, row.name, loads(row.settings), row.version, row.seed)
