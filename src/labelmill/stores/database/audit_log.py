"""Who did what, in a log that can only grow and shows where it was touched.

Each entry holds the hash of the one before (Schneier and Kelsey 1999, https://doi.org/10.1145/317087.317089, without
their keys), so that a change, a gap or another order shows. Whoever can write to the database's files can make a whole
new chain: keep the last hash somewhere else to see that, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from labelmill.domain.strict_json import dumps, loads
from labelmill.stores.database._conflicts import insert_or_ignore
from labelmill.stores.database.account_tables import audit_heads, audit_log
from labelmill.stores.database.connect import Database

__all__ = ["Entry", "Verdict", "append", "entries", "verify"]

SERVER = "server"
"""The chain of what belongs to no project."""

START = "0" * 64

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One act: who (`actor`, a public id), what (`action`), when (milliseconds), and the rest."""

    position: int
    actor: str
    action: str
    detail: Mapping[str, Any]
    at: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found.

    Parameters
    ----------
    n_entries : int
        Entries that are as they were written.
    hash : str
        That of the last of them; keep it elsewhere, and a chain made anew will not have it.
    fault : str or None
        The first thing that is wrong.
    """

    n_entries: int
    hash: str
    fault: str | None = None


def append(
    connection: sa.Connection,
    at: int,
    actor: str,
    action: str,
    detail: Mapping[str, Any] | None = None,
    *,
    project: int | None = None,
) -> None:
    """Add an entry in the transaction of the act itself."""
    chain = _chain(project)
    start = {"chain": chain, "length": 0, "hash": START}
    connection.execute(insert_or_ignore(connection, audit_heads), start)
    head = connection.execute(sa.select(audit_heads).where(audit_heads.c.chain == chain).with_for_update()).one()
    entry = {
        "chain": chain,
        "position": head.length + 1,
        "project_id": project,
        "actor": actor,
        "action": action,
        "detail": dumps(dict(detail or {})),
        "at": at,
        "previous": head.hash,
    }
    entry["hash"] = _hash(entry)
    connection.execute(sa.insert(audit_log), entry)
    moved = sa.update(audit_heads).where(audit_heads.c.chain == chain)
    connection.execute(moved.values(length=entry["position"], hash=entry["hash"]))


def entries(database: Database, *, project: int | None = None, after: int = 0) -> Iterator[Entry]:
    """The entries of a chain in order, from the one after a position."""
    for row in _rows(database, _chain(project), after):
        yield Entry(row.position, row.actor, row.action, loads(row.detail), row.at, row.hash)


def verify(database: Database, *, project: int | None = None) -> Verdict:
    """Check a chain from its start to its end."""
    chain = _chain(project)
    with database.read() as connection:
        head = connection.execute(sa.select(audit_heads).where(audit_heads.c.chain == chain)).first()
    n_entries, last = 0, START
    for row in _rows(database, chain, 0):
        if head is not None and n_entries == head.length:
            break  # written since
        if row.position != n_entries + 1:
            return Verdict(n_entries, last, f"entry {n_entries + 1} is missing")
        if row.previous != last:
            return Verdict(n_entries, last, f"entry {row.position} does not follow the one before it")
        if row.hash != _hash(row._asdict()):
            return Verdict(n_entries, last, f"entry {row.position} has been changed")
        n_entries, last = row.position, row.hash
    expected = (head.length, head.hash) if head is not None else (0, START)
    if (n_entries, last) != expected:
        return Verdict(n_entries, last, f"the log ends at entry {n_entries}, but {expected[0]} were written")
    return Verdict(n_entries, last)


def _rows(database: Database, chain: str, after: int) -> Iterator[sa.Row[Any]]:
    query = sa.select(audit_log).where(audit_log.c.chain == chain).order_by(audit_log.c.position).limit(PAGE)
    while True:
        with database.read() as connection:
            page = connection.execute(query.where(audit_log.c.position > after)).all()
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].position


def _chain(project: int | None) -> str:
    return SERVER if project is None else f"project {project}"


_HASHED = ("chain", "position", "project_id", "actor", "action", "detail", "at", "previous")


def _hash(entry: Mapping[str, Any]) -> str:
    return hashlib.sha256(dumps([entry[name] for name in _HASHED]).encode()).hexdigest()
