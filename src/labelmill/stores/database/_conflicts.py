"""Inserts that meet a row which is there already; both databases say it alike, SQLAlchemy does not."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["bulk_insert", "insert_or_ignore"]

_COMPILED: dict[tuple[str, str, tuple[str, ...]], Any] = {}


def insert_or_ignore(connection: sa.Connection, table: sa.Table) -> Any:
    """An insert that leaves what is there; made once for each table and database, as making it costs more than it."""
    key = (connection.dialect.name, table.name, ())
    if key not in _COMPILED:
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        _COMPILED[key] = insert(table).on_conflict_do_nothing()
    return _COMPILED[key]


def bulk_insert(
    connection: sa.Connection, table: sa.Table, columns: tuple[str, ...], rows: list[tuple[Any, ...]]
) -> None:
    """Insert many rows as cheaply as the driver can: COPY, or one prepared statement."""
    if not rows:
        return
    cursor = connection.connection.cursor()
    names = ", ".join(columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)  # noqa: S608 -- our own names
        return
    with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
