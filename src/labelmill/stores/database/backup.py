"""A copy of the whole database while people work, and back again."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import sqlalchemy as sa

from labelmill.errors import FailedError, MissingDependencyError, StorageError, UsageError
from labelmill.stores.database._copy import copy_sqlite, part_of, publish
from labelmill.stores.database.connect import Database

__all__ = ["back_up", "restore"]


def back_up(database: Database, target: Path) -> None:
    """Write all that was committed when this began to one file; nobody waits meanwhile.

    SQLite's online copy, or `pg_dump`'s own format. The file appears whole or not at all, for its owner alone.

    Raises
    ------
    UsageError
        If the target exists.
    MissingDependencyError
        If `pg_dump` is not on the PATH.
    FailedError
        If `pg_dump` fails, with what it says.
    """
    if target.exists():
        raise UsageError(f"{target} exists: name another file, or move that one away")
    if database.path is not None:
        copy_sqlite(database.path, target)
        return
    part = part_of(target)
    words = ["--format=custom", "--no-owner", "--no-privileges", f"--file={part}"]
    _postgres_tool("pg_dump", words, database.engine.url)
    publish(part, target)


def restore(source: Path, address: str | Path) -> None:
    """Make a database from a backup; open it afterwards, which brings it up to date.

    Raises
    ------
    UsageError
        If the file to be made exists already.
    StorageError
        If the backup is damaged, or the PostgreSQL database is not empty.
    """
    if not source.is_file():
        raise UsageError(f"there is no backup {source}")
    if "://" not in str(address):
        if Path(address).exists():
            raise UsageError(f"{address} exists: restore to another place, or move that database away")
        copy_sqlite(source, Path(address))
        return
    url = sa.make_url(str(address))
    _refuse_filled(url)
    words = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", str(source)]
    _postgres_tool("pg_restore", words, url)


def _refuse_filled(url: sa.URL) -> None:
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"))
    try:
        with engine.connect() as connection:
            tables = sa.inspect(connection).get_table_names()
    except sa.exc.DBAPIError as error:
        raise StorageError(f"cannot reach the database: {str(error.orig).splitlines()[0]}") from error
    finally:
        engine.dispose()
    if tables:
        raise StorageError(f"the database {url.database!r} holds {len(tables)} tables: restore into an empty one")


def _postgres_tool(tool: str, words: list[str], url: sa.URL) -> None:
    """Run one of PostgreSQL's own programs; the password goes by its environment, never by the command line."""
    program = shutil.which(tool) or _installed(tool)
    if program is None:
        raise MissingDependencyError(
            f"this needs {tool!r} of PostgreSQL: install postgresql-client, or put it on the PATH"
        )
    shown = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    done = subprocess.run(  # noqa: S603 -- a program of the system, no shell
        [program, f"--dbname={shown}", *words], capture_output=True, text=True, check=False, env=_environment(secret)
    )
    if done.returncode != 0:
        raise FailedError(
            f"{tool} failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}"
        )


def _environment(secret: dict[str, str]) -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", **secret}


def _installed(tool: str) -> str | None:
    """Debian keeps the programs of each version apart."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{tool}"))
    return str(found[-1]) if found else None
