"""A database, opened: where work is written, and where reading goes on beside it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import sqlalchemy as sa

from labelmill.errors import StorageError, StorageFullError
from labelmill.stores.database import _postgres, _sqlite
from labelmill.stores.database._writer import Writer
from labelmill.stores.database.clock import Clock, Ids, SteadyClock, random_id
from labelmill.stores.database.migrate import bring_up_to_date

__all__ = ["Database", "open_database"]

T = TypeVar("T")

ATTEMPTS = 10
"""How often PostgreSQL may undo one piece of work because of what others did, before that is an error."""


class Database:
    """An open database; the same on SQLite and PostgreSQL.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        For reading; on PostgreSQL for writing too.
    writing : sqlalchemy.Engine, optional
        SQLite's one connection that writes.
    clock : callable
        Milliseconds since 1970.
    ids : callable
        A new public id at each call.
    path : pathlib.Path, optional
        SQLite's file.
    """

    def __init__(
        self,
        engine: sa.Engine,
        writing: sa.Engine | None = None,
        *,
        clock: Clock,
        ids: Ids,
        path: Path | None = None,
    ) -> None:
        self.engine, self.clock, self.ids, self.path = engine, clock, ids, path
        self._writing = writing
        self._writer = Writer(writing) if writing is not None else None
        self._threads = ThreadPoolExecutor(_postgres.POOL_SIZE, thread_name_prefix="labelmill-database")

    @property
    def place(self) -> str:
        """Where it is, without its password."""
        return str(self.path) if self.path else self.engine.url.render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of this machine."""
        return self.engine.dialect.name == "sqlite"

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run the work in one transaction; it is on the disk when this returns.

        The work may be run more than once, and must do nothing but talk to its connection.

        Raises
        ------
        StorageFullError
            If the disk is full; nothing was changed.
        StorageError
            If the database cannot be written; nothing was changed.
        """
        with _told(self.place):
            return self._writer(work) if self._writer is not None else self._write_again(work)

    def write_later(self, work: Callable[[sa.Connection], T]) -> Future[T]:
        """What `write` does, promised to whoever must not wait; its errors are those of SQLAlchemy."""
        if self._writer is not None:
            return self._writer.later(work)
        return self._threads.submit(self._write_again, work)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of the database from its first query to the end of the block."""
        with _told(self.place), self.engine.connect() as connection:
            if self.is_sqlite:
                with connection.begin():
                    yield connection
                return
            steady = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with steady.begin():
                yield steady

    def close(self) -> None:
        """Finish what is being written and let go of the database."""
        self._threads.shutdown()
        if self._writer is not None:
            self._writer.close()
        if self._writing is not None:
            self._writing.dispose()
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write_again(self, work: Callable[[sa.Connection], T]) -> T:
        for attempt in range(ATTEMPTS):
            try:
                with self.engine.begin() as connection:
                    return work(connection)
            except sa.exc.DBAPIError as error:
                if attempt + 1 == ATTEMPTS or not _postgres.can_try_again(error):
                    raise
            time.sleep(random.uniform(0, 0.01 * 2**attempt))
        raise AssertionError


def open_database(
    address: str | Path, *, clock: Clock | None = None, ids: Ids = random_id, allow_unsafe: bool = False
) -> Database:
    """Open a database, make it if it is new, bring it up to date if it is older than this labelmill.

    Parameters
    ----------
    address : str or pathlib.Path
        A file (SQLite), or `postgresql://user@host/name`.
    clock, ids : callable, optional
        Where times and public ids come from.
    allow_unsafe : bool
        Take a PostgreSQL that acknowledges what is not on its disk; for tests.

    Raises
    ------
    StorageError
        If it cannot be reached or written, is not safe, or was made by a newer labelmill.
    """
    clock = clock or SteadyClock()
    path = None if "://" in str(address) else Path(address)
    if path is None:
        database = Database(_postgres.engine(str(address), allow_unsafe=allow_unsafe), clock=clock, ids=ids)
    else:
        writing, reading = _sqlite.engine(path, writes=True), _sqlite.engine(path, writes=False)
        with _told(str(path)):
            database = Database(reading, writing, clock=clock, ids=ids, path=path)
    try:
        with _told(database.place):
            bring_up_to_date(database.write, database.engine, path=database.path)
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def _told(place: str) -> Iterator[None]:
    """Errors of the driver as ours; constraints and wrong statements are ours to know and pass as they are."""
    try:
        yield
    except (sa.exc.InterfaceError, sa.exc.TimeoutError, sa.exc.DatabaseError) as error:
        if isinstance(error, sa.exc.IntegrityError | sa.exc.ProgrammingError | sa.exc.DataError):
            raise
        raise _explained(error, place) from error


def _explained(error: sa.exc.SQLAlchemyError, place: str) -> StorageError:
    cause = getattr(error, "orig", None) or error
    said = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    if "disk is full" in said or getattr(cause, "sqlstate", None) == "53100":
        return StorageFullError(f"no room left for the database {place}: nothing was changed; make room and try again")
    if "locked" in said:
        return StorageError(f"another process has been writing to {place} for long ({said}): try again")
    if "readonly" in said or "read-only" in said:
        return StorageError(f"the database {place} has become read-only: reading goes on, writing does not")
    return StorageError(f"the database {place} failed: {said}")
