from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.postgres import Postgres
from tests.stores.database.people import people_in

from labelmill.errors import StorageError
from labelmill.stores import database as room
from labelmill.stores.database._sqlite import connect
from labelmill.stores.database._statements import Gathered, Statement, is_one_of
from labelmill.stores.database.connect import open_database
from labelmill.stores.database.tables import totals

SCANNED = ("json_each", "sqlite_sequence")
"""What has no index, and a row or two."""


def _statements() -> Iterator[tuple[str, Statement]]:
    for module in pkgutil.iter_modules(room.__path__):
        for name, found in vars(importlib.import_module(f"{room.__name__}.{module.name}")).items():
            each = found if isinstance(found, dict) else {"": found}
            yield from ((f"{module.name}.{name}", one) for one in each.values() if isinstance(one, Statement))


def test_no_statement_reads_a_whole_table(migrated_file: Path) -> None:
    """What runs at every label finds its rows by an index, or it would take longer with every item."""
    connection, scans = connect(migrated_file, writes=False), []
    for name, statement in _statements():
        text = statement.text(sa.create_engine("sqlite://").dialect)
        plan = connection.execute(f"EXPLAIN QUERY PLAN {text.sql}", ["[]"] * len(text.names)).fetchall()
        scans += [(name, row[3]) for row in plan if row[3].startswith("SCAN") and row[3].split()[1] not in SCANNED]
    connection.close()

    assert scans == []
    assert len(list(_statements())) > 20


def test_gathered_changes_of_one_table_keep_their_order(database_url: str) -> None:
    """Two changes of one row are written one after the other, on PostgreSQL too, where one statement would lose one."""
    where = (totals.c.project_id == sa.bindparam("project"), totals.c.purpose == sa.bindparam("purpose"))
    put = Statement(sa.insert(totals).inline(), columns=("project_id", "purpose", "n_tasks"))
    double = Statement(sa.update(totals).where(*where).values(n_tasks=totals.c.n_tasks * 2))
    add = Statement(sa.update(totals).where(*where).values(n_tasks=totals.c.n_tasks + 3))
    look = Statement(sa.select(totals.c.n_tasks).where(totals.c.project_id == sa.bindparam("project")))
    people = people_in(database_url)
    mine = {"project": people.project.id, "purpose": "label"}

    def work(connection: sa.Connection) -> int:
        changes = Gathered(connection)
        changes.add(put, {"project_id": people.project.id, "purpose": "label", "n_tasks": 1})
        changes.add(add, mine)
        changes.add(double, mine)
        changes.write()
        return int(look.value(connection, mine))

    with people.database:
        assert people.database.write(work) == 8


def test_lists_of_any_text(database_url: str) -> None:
    """A list of names is asked for as it is, quotes and characters of any kind included."""
    from labelmill.stores.database.tables import items

    names = ['"', "'", "a,b", "{x}", "é\u4e2d\U0001f600", "%s", "[1]"]
    find = Statement(sa.select(items.c.name).where(is_one_of(items.c.name, "names")))
    people = people_in(database_url)
    people.put(*names, "other")

    with people.database, people.database.read() as connection:
        assert sorted(row.name for row in find.all(connection, {"names": names})) == sorted(names)
        assert find.all(connection, {"names": []}) == []


def test_errors_are_those_of_sqlalchemy(database_url: str) -> None:
    """A breach of a table's rules is SQLAlchemy's error, whichever driver found it."""
    put = Statement(sa.insert(totals).inline(), columns=("project_id", "purpose"))
    with open_database(database_url, allow_unsafe=True) as database, pytest.raises(sa.exc.IntegrityError):
        database.write(lambda connection: put.change(connection, {"project_id": -1, "purpose": "label"}))


def test_a_server_that_came_back_is_used_again(postgres: Postgres) -> None:
    """After PostgreSQL has ended all connections one call fails, and those after it find new ones."""
    url = postgres.new_database("template_labelmill")
    people = people_in(url)
    people.put("a", "b")
    ann = people.person()
    people.take(ann)
    with people.database.read() as connection:
        pids = connection.execute(sa.text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()"))
        others = list(pids.scalars())
    for pid in others:
        postgres.run(f"SELECT pg_terminate_backend({pid})")

    with people.database:
        with pytest.raises(StorageError):
            people.database.write(lambda connection: people.queue.hand_out(connection, ann, 1))
        assert people.next(ann) != []
    postgres.drop(url)


def test_a_promise_that_nobody_waits_for_is_let_go(database_url: str) -> None:
    """Work that was called off before its turn is not done, and what comes after it is."""
    with open_database(database_url, allow_unsafe=True) as database:
        began, may_end = threading.Event(), threading.Event()

        def slow(connection: sa.Connection) -> str:
            began.set()
            may_end.wait(10)
            return str(connection.dialect.name)

        under_way = [database.write_later(slow) for _ in range(1 if database.is_sqlite else 16)]
        began.wait(10)
        called_off = database.write_later(lambda connection: 1)

        assert called_off.cancel()
        may_end.set()
        assert {one.result(10) for one in under_way} == {database.engine.dialect.name}
        assert database.write(lambda connection: 2) == 2
