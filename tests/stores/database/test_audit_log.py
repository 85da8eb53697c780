from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.stores.database.people import People

from labelmill.stores.database import audit_log
from labelmill.stores.database.account_tables import audit_log as table
from labelmill.stores.database.projects import update_settings


@pytest.fixture
def logged(people: People) -> People:
    """A project whose log has five entries."""
    for version in range(1, 5):
        update_settings(people.database, people.project, {"n": version}, version=version, actor="p-ann")
    return people


def tamper(people: People, statement: str) -> None:
    """Change the log as somebody with the database's files can, past its triggers."""
    is_sqlite = people.database.is_sqlite

    def work(connection: sa.Connection) -> None:
        for act in ("update", "delete"):
            name = f"audit_log_no_{act}"
            connection.exec_driver_sql(f"DROP TRIGGER {name}" + ("" if is_sqlite else " ON audit_log"))
        connection.exec_driver_sql(statement)

    people.database.write(work)


def test_says_who_did_what(logged: People) -> None:
    """Entries come in order, with their actor and what was done, and the chain holds."""
    found = list(audit_log.entries(logged.database, project=logged.project.id))

    assert ["project.create"] + ["project.settings"] * 4 == [entry.action for entry in found]
    assert ("p-ann", {"version": 2}) == (found[1].actor, found[1].detail)
    assert audit_log.Verdict(5, found[-1].hash) == audit_log.verify(logged.database, project=logged.project.id)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE audit_log SET actor = 'p-bob' WHERE position = 3", "entry 3 has been changed"),
        ("UPDATE audit_log SET at = at + 1 WHERE position = 1", "entry 1 has been changed"),
        ("DELETE FROM audit_log WHERE position = 2", "entry 2 is missing"),
        ("DELETE FROM audit_log WHERE position = 5", "ends at entry 4, but 5 were written"),
        ("UPDATE audit_log SET previous = hash WHERE position = 4", "entry 4 does not follow"),
    ],
)
def test_tampering_shows(logged: People, statement: str, fault: str) -> None:
    """A change, a gap and a cut are found, with their place."""
    tamper(logged, statement)

    verdict = audit_log.verify(logged.database, project=logged.project.id)

    assert verdict.fault is not None
    assert fault in verdict.fault


@pytest.mark.parametrize("act", [sa.update(table).values(actor="x"), sa.delete(table)])
def test_database_refuses_changes(logged: People, act: sa.Update | sa.Delete) -> None:
    """The table takes neither updates nor deletions."""
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        logged.database.write(lambda connection: connection.execute(act).rowcount)


def test_act_and_entry_stand_or_fall_together(logged: People) -> None:
    """An act that fails leaves no entry."""
    from labelmill.errors import ConflictError

    with pytest.raises(ConflictError, match="version 1"):
        update_settings(logged.database, logged.project, {}, version=1)

    assert 5 == audit_log.verify(logged.database, project=logged.project.id).n_entries
