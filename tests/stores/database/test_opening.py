from __future__ import annotations

import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from tests.postgres import Postgres
from tests.stores.database.people import People

from labelmill.errors import StorageError, StorageFullError, UsageError
from labelmill.stores.database import migrate
from labelmill.stores.database.backup import back_up, restore
from labelmill.stores.database.connect import open_database
from labelmill.stores.database.projects import create_project, find_project, list_projects
from labelmill.stores.database.tables import metadata, projects
from labelmill.stores.database.votes import current_votes


def test_migrations_make_what_the_tables_say(people: People) -> None:
    """The steps so far lead to the tables that the code works with."""
    with people.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)

    assert [] == differences


def test_newest_is_the_last_migration() -> None:
    """The revision the code asks for is that of the last file."""
    files = sorted((migrate.FOLDER / "versions").glob("m*.py"))

    assert f"m{migrate.NEWEST}_" in files[-1].name


def test_newer_database_is_refused(people: People, database_url: str) -> None:
    """An older labelmill leaves a newer database alone and says what to do."""
    change = sa.text("UPDATE alembic_version SET version_num = '9999'")
    people.database.write(lambda connection: connection.execute(change).rowcount)

    with pytest.raises(StorageError, match="newer labelmill"):
        open_database(database_url, allow_unsafe=True)


def test_failed_migration_leaves_nothing(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that breaks off in the middle leaves the database as it was, on both kinds."""
    address = postgres.new_database()
    upgrade = migrate.upgrade

    def broken(connection: sa.Connection, revision: str) -> None:
        upgrade(connection, revision)
        raise ZeroDivisionError

    for place in (str(tmp_path / "a.db"), address):
        with monkeypatch.context() as patch:
            patch.setattr(migrate, "upgrade", broken)
            with pytest.raises(ZeroDivisionError):
                open_database(place, allow_unsafe=True)
        with open_database(place, allow_unsafe=True) as database:
            assert [] == list_projects(database)
    postgres.drop(address)


def test_older_file_is_copied_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a migration an SQLite file is copied beside itself."""
    place = tmp_path / "a.db"
    with open_database(place) as database:
        create_project(database, "kept")
        change = sa.text("UPDATE alembic_version SET version_num = '0000'")
        database.write(lambda connection: connection.execute(change).rowcount)
    monkeypatch.setattr(migrate, "upgrade", lambda connection, revision: None)

    open_database(place).close()

    with closing(sqlite3.connect(tmp_path / f"a.db.before-{migrate.NEWEST}")) as copy:
        assert [("kept",)] == copy.execute("SELECT name FROM projects").fetchall()


def test_sqlite_is_set_to_survive(tmp_path: Path) -> None:
    """Both connections carry the settings that promises rest on, and the files are their owner's alone."""
    place = tmp_path / "new" / "a.db"
    with open_database(place) as database:

        def pragmas(connection: sa.Connection) -> list[object]:
            names = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "busy_timeout")
            return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

        assert ["wal", 2, 1, 0, 30_000] == database.write(pragmas)
        with database.read() as connection:
            assert ["wal", 2, 1, 0, 30_000] == pragmas(connection)
            with pytest.raises(sa.exc.OperationalError, match="readonly"):
                connection.execute(sa.delete(projects))
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (place.parent, *place.parent.iterdir())]
    assert [0o700, *[0o600] * (len(modes) - 1)] == modes


def test_unsafe_postgres_is_refused(postgres: Postgres) -> None:
    """A server that acknowledges what is not on its disk is refused by the names of its settings."""
    with pytest.raises(StorageError, match="fsync=off, synchronous_commit=off"):
        open_database(postgres.url("template_labelmill"))


def test_unreachable_postgres_hides_the_password() -> None:
    """The message names the server, not the secret."""
    with pytest.raises(StorageError) as refused:
        open_database("postgresql://ann:secret@127.0.0.1:1/none")

    assert "127.0.0.1" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A place that is no folder is named."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError, match="file"):
        open_database(tmp_path / "file" / "a.db")


def test_damaged_file_is_told(tmp_path: Path) -> None:
    """A file that is no database is named, not overwritten."""
    place = tmp_path / "a.db"
    place.write_bytes(b"no database " * 1000)

    with pytest.raises(StorageError, match=r"a\.db"):
        open_database(place)
    assert place.read_bytes().startswith(b"no database")


def test_full_disk_changes_nothing_and_passes(tmp_path: Path) -> None:
    """At every point where room runs out the act fails whole, what was acknowledged stays, and later acts succeed."""
    with open_database(tmp_path / "a.db") as database:
        pages = database.write(lambda connection: int(connection.exec_driver_sql("PRAGMA page_count").scalar_one()))

        def limit(n: int) -> None:
            database.write(lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count = {n}").scalar())

        made = []
        for room in range(20):
            limit(pages + room)
            name = f"{room} " + "x" * 190
            try:
                create_project(database, name, {"text": "y" * 5000})
                made.append(name)
            except StorageFullError:
                assert made == [project.name for project in list_projects(database)]
        limit(1_000_000)
        create_project(database, "after")

        assert [*made, "after"] == [project.name for project in list_projects(database)]


def test_one_bad_piece_leaves_its_group(tmp_path: Path) -> None:
    """Work that fails is undone alone; what was committed with it is kept."""
    with open_database(tmp_path / "a.db") as database:
        results: list[str] = []

        def make(i: int) -> None:
            try:
                create_project(database, f"p{i % 8}")
                results.append("made")
            except Exception as error:  # noqa: BLE001 -- what is counted
                results.append(type(error).__name__)

        threads = [threading.Thread(target=make, args=(i,)) for i in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [8, 8] == [results.count("made"), results.count("ConflictError")]
        assert 8 == len(list_projects(database))


def test_closed_database_says_so(tmp_path: Path) -> None:
    """Work after the end is refused, not lost in silence."""
    database = open_database(tmp_path / "a.db")
    database.close()

    with pytest.raises(StorageError, match="closed"):
        create_project(database, "late")


def test_backup_comes_back(people: People, tmp_path: Path, postgres: Postgres) -> None:
    """What is restored holds every vote, and goes on being worked with."""
    people.put("a", "b")
    ann = people.person()
    people.answer(ann, people.take(ann), "x")
    address = str(tmp_path / "again.db") if people.database.is_sqlite else postgres.new_database("template0")

    back_up(people.database, tmp_path / "backup")
    people.answer(ann, people.take(ann), "later")
    restore(tmp_path / "backup", address)

    with pytest.raises(UsageError, match="exists"):
        back_up(people.database, tmp_path / "backup")
    with open_database(address, allow_unsafe=True) as again:
        project = find_project(again, people.project.name)
        assert [("a", "x")] == [(vote.item, vote.label) for vote in current_votes(again, project)]
        create_project(again, "new")
    with pytest.raises((UsageError, StorageError)):
        restore(tmp_path / "backup", address)
