"""Statements that run at every label: written once with SQLAlchemy, compiled once, run by the driver itself.

What `Connection.execute` does around a statement takes several times as long as finding a row by its key, and on
PostgreSQL each statement is a way there and back. So these are compiled for a database the first time they run there,
their rows are plain named tuples, and changes that need nothing of one another are gathered and sent as one.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from labelmill.domain.strict_json import dumps

__all__ = ["Gathered", "Statement", "is_one_of"]

Given = Mapping[str, Any]


class Statement:
    """One statement of SQLAlchemy's Core, for either database.

    Parameters
    ----------
    statement : Select, Insert, Update or Delete
        All its values come by name; lists are asked for with `is_one_of`.
    columns : sequence of str, optional
        Those that an insert gives; all of the table without it.
    """

    def __init__(self, statement: Any, columns: Sequence[str] | None = None) -> None:
        self.table: str = getattr(getattr(statement, "table", None), "name", "")
        self._statement, self._columns = statement, columns
        self._texts: dict[str, _Text] = {}
        self._row: Any = None

    def all(self, connection: sa.Connection, given: Given) -> list[Any]:
        """The rows."""
        cursor = _run(connection, self.text(connection.dialect), given)
        found = cursor.fetchall()
        return list(map(self._maker(cursor), found)) if found else []

    def first(self, connection: sa.Connection, given: Given) -> Any:
        """The first row, or None."""
        cursor = _run(connection, self.text(connection.dialect), given)
        found = cursor.fetchone()
        return None if found is None else self._maker(cursor)(found)

    def value(self, connection: sa.Connection, given: Given) -> Any:
        """The first column of the first row, or None."""
        found = _run(connection, self.text(connection.dialect), given).fetchone()
        return None if found is None else found[0]

    def change(self, connection: sa.Connection, given: Given) -> int:
        """How many rows were changed."""
        return int(_run(connection, self.text(connection.dialect), given).rowcount)

    def text(self, dialect: sa.Dialect) -> _Text:
        """The statement as this database reads it."""
        found = self._texts.get(dialect.name)
        if found is None:
            made = self._statement.compile(dialect=dialect, column_keys=self._columns)
            names, has_lists = tuple(made.positiontup or ()), "json_each" in str(made)
            found = self._texts[dialect.name] = _Text(str(made), names, dict(made.params), has_lists)
        return found

    def _maker(self, cursor: Any) -> Any:
        if self._row is None:
            names = [column[0] for column in cursor.description]
            self._row = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024 -- its fields are the query's
        return self._row._make


class Gathered:
    """Changes that wait to be written together, in the order they came.

    On PostgreSQL those of different tables become one statement. Until `write` nobody sees them: whoever asks about
    what they change writes first.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._waiting: list[tuple[Statement, Given]] = []

    def add(self, statement: Statement, given: Given) -> None:
        """One change more; of its result nothing is asked."""
        self._waiting.append((statement, given))

    def write(self) -> None:
        """Send all that waits."""
        waiting, self._waiting = self._waiting, []
        if self._connection.dialect.name == "sqlite" or len(waiting) < 2:
            for statement, given in waiting:
                statement.change(self._connection, given)
        elif len({statement.table for statement, _ in waiting}) == len(waiting):
            self._write_as_one(waiting)
        else:
            self._write_in_one_go(waiting)

    def _write_as_one(self, waiting: Sequence[tuple[Statement, Given]]) -> None:
        """Each table is changed by one of them, so it does not matter that PostgreSQL runs them in any order."""
        key = tuple(statement for statement, _ in waiting)
        if key not in _JOINED:
            _JOINED[key] = _joined([statement.text(self._connection.dialect) for statement in key])
        given = {f"{name}__{i}": value for i, (_, one) in enumerate(waiting) for name, value in one.items()}
        _run(self._connection, _JOINED[key], given)

    def _write_in_one_go(self, waiting: Sequence[tuple[Statement, Given]]) -> None:
        driver, dialect = _driver(self._connection), self._connection.dialect
        try:
            with driver.pipeline():
                for statement, given in waiting:
                    text = statement.text(dialect)
                    driver.execute(text.sql, {**text.defaults, **given})
        except _errors_of(self._connection) as error:
            raise _known(self._connection, "changes in one go", error) from error


class is_one_of(FunctionElement[Any]):  # noqa: N801 -- reads as what it stands for
    """Whether a column is among those of the list given under a name; one text however long the list."""

    inherit_cache = True
    type = sa.types.NULLTYPE
    """Of a boolean SQLAlchemy would ask SQLite whether it is 1, and no index answers that."""

    def __init__(self, column: sa.ColumnElement[Any], name: str) -> None:
        super().__init__(column, sa.bindparam(name, type_=column.type))


@compiles(is_one_of, "sqlite")
def _among_json(element: Any, compiler: Any, **rest: Any) -> str:
    column, bound = (compiler.process(part, **rest) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({bound}))"  # noqa: S608 -- the compiler's own words


@compiles(is_one_of, "postgresql")
def _among_array(element: Any, compiler: Any, **rest: Any) -> str:
    column, bound = element.clauses
    array = sa.bindparam(bound.key, type_=postgresql.ARRAY(column.type))
    return f"{compiler.process(column, **rest)} = ANY ({compiler.process(array, **rest)})"


class _Text(NamedTuple):
    """A statement for one database; `names` are its parameters in order, where the driver counts them."""

    sql: str
    names: tuple[str, ...]
    defaults: dict[str, Any]
    has_lists: bool = False


_JOINED: dict[tuple[Statement, ...], _Text] = {}


def _joined(parts: Sequence[_Text]) -> _Text:
    """`WITH c0 AS (first), c1 AS (second) last`, each with parameters of its own."""
    own = [{name: f"%({name}__{i})s" for name in part.defaults} for i, part in enumerate(parts)]
    *ahead, last = [part.sql % names for part, names in zip(parts, own, strict=True)]
    with_them = ", ".join(f"c{i} AS ({sql})" for i, sql in enumerate(ahead))
    defaults = {f"{name}__{i}": value for i, part in enumerate(parts) for name, value in part.defaults.items()}
    return _Text(f"WITH {with_them} {last}", (), defaults)


def _run(connection: sa.Connection, text: _Text, given: Given) -> Any:
    named: Any = {**text.defaults, **given}
    if connection.dialect.name == "sqlite":
        named = [named[name] for name in text.names]
        if text.has_lists:
            named = [dumps(value) if type(value) is list else value for value in named]
    try:
        return _cursor(_driver(connection), text.sql).execute(text.sql, named)
    except _errors_of(connection) as error:
        raise _known(connection, text.sql, error) from error


_CURSORS: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()
"""PostgreSQL's connection -> a cursor for each statement, which remembers how its values are written and read."""


def _cursor(driver: Any, sql: str) -> Any:
    """Where to run it; SQLite's connection remembers statements by itself."""
    if isinstance(driver, sqlite3.Connection):
        return driver
    known = _CURSORS.get(driver)
    if known is None:
        known = _CURSORS[driver] = {}
    found = known.get(sql)
    if found is None:
        found = known[sql] = driver.cursor()
    return found


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.driver_connection


def _errors_of(connection: sa.Connection) -> type[Exception]:
    found: type[Exception] = connection.dialect.loaded_dbapi.Error
    return found


def _known(connection: sa.Connection, sql: str, error: Exception) -> BaseException:
    """The error as SQLAlchemy calls it; where the server has gone, all connections to it are let go of."""
    is_lost = connection.dialect.is_disconnect(error, connection.connection, None)  # type: ignore[arg-type]  # any connection of the driver
    if is_lost:
        connection.engine.dispose(close=False)
        connection.invalidate(error)
    return sa.exc.DBAPIError.instance(
        sql,
        None,
        error,
        _errors_of(connection),
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=connection.dialect,
    )
