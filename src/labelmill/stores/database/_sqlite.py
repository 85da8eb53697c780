"""SQLite, set so that what is acknowledged survives a power cut."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from labelmill.errors import StorageError

__all__ = ["connect", "engine"]

BUSY_SECONDS = 30
"""How long to wait for another process that writes to the same file."""

_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cache_size = -65536",
    "PRAGMA temp_store = MEMORY",
)


def engine(path: Path, *, writes: bool) -> sa.Engine:
    """Connections to a file: one that writes, or some that only read.

    Raises
    ------
    StorageError
        If the folder cannot be made or the file cannot be written.
    """
    if writes:
        _make_private(path)
    made = sa.create_engine(
        "sqlite://",
        creator=lambda: connect(path, writes=writes),
        poolclass=sa.QueuePool,
        pool_size=1 if writes else 8,
        max_overflow=0 if writes else 24,
        query_cache_size=1000,
    )
    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"

    @sa.event.listens_for(made, "begin")
    def _begin(connection: sa.Connection) -> None:
        driver: Any = connection.connection.driver_connection
        try:
            driver.execute(begin)
        except sqlite3.Error as error:
            raise sa.exc.DBAPIError.instance(begin, None, error, sqlite3.Error, dialect=made.dialect) from error

    return made


def connect(path: Path, *, writes: bool) -> sqlite3.Connection:
    """A connection with our settings; its transactions begin only where we say so."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    if not writes:
        connection.execute("PRAGMA query_only = ON")
    return connection


def _make_private(path: Path) -> None:
    """The file and its folder, for their owner alone."""
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StorageError(
            f"cannot write the database {path}: {error.strerror}; give the folder to this user, or set another place"
        ) from error
    if not os.access(path.parent, os.W_OK):
        raise StorageError(f"cannot write beside the database {path}: give its folder to this user, too")
