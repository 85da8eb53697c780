"""Bring a database's tables up to date: forward only, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from labelmill.errors import StorageError
from labelmill.stores.database._copy import copy_sqlite

__all__ = ["NEWEST", "bring_up_to_date", "upgrade"]

NEWEST = "0003"
"""The revision that this labelmill works with: the newest file in `stores/migrations/versions`."""

FOLDER = Path(__file__).parents[1] / "migrations"

_LOCK = 0x6C6D  # any number that only we use


def bring_up_to_date(
    write: Callable[[Callable[[sa.Connection], Any]], Any], engine: sa.Engine, *, path: Path | None = None
) -> None:
    """Run the migrations that the database has not had.

    An SQLite file is copied beside itself first (`<name>.before-<revision>`).

    Raises
    ------
    StorageError
        If the database was made by a newer labelmill.
    """
    with engine.connect() as connection:
        found = _revision(connection)
    if found == NEWEST:
        return
    if found is not None:
        _refuse_newer(found)
        if path is not None:
            copy_sqlite(path, path.with_name(f"{path.name}.before-{NEWEST}"))
    write(_migrate)


def _migrate(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    found = _revision(connection)  # another process may have been quicker
    if found is not None:
        _refuse_newer(found)
    if found != NEWEST:
        upgrade(connection, NEWEST)


def upgrade(connection: sa.Connection, revision: str) -> None:
    """Run the migrations up to a revision inside the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _refuse_newer(found: str) -> None:
    if found > NEWEST:
        raise StorageError(
            f"the database is at revision {found}, this labelmill knows {NEWEST} and older: a newer labelmill made "
            "it. Install that one (pip install --upgrade labelmill), or restore a backup from before"
        )


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
