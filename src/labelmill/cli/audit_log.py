"""`labelmill audit-log`: who did what, and whether the record is whole."""

from __future__ import annotations

from typing import Any

import click

from labelmill.cli._door import Door, Group, project_options


@click.group("audit-log", cls=Group, short_help="Check the record of who did what.")
def command() -> None:
    """The record of accounts, roles, settings and links: it can only grow."""


@command.command("verify")
@project_options
def verify(door: Door) -> None:
    """Check the chain of hashes from the first entry to the last, of the server and of each project.

    Keep the last hashes somewhere else: a whole chain made anew would not have them. Exit status 1 if something was
    changed.

    \b
    Example:
      labelmill audit-log verify
    """
    from labelmill.pipeline.people import database_of
    from labelmill.stores.database import audit_log
    from labelmill.stores.database.connect import open_database
    from labelmill.stores.database.projects import list_projects

    with door.mill() as mill, open_database(database_of(mill)) as database:
        chains: list[tuple[str, int | None]] = [("server", None)]
        chains += [(project.name, project.id) for project in list_projects(database)]
        verdicts = [(name, audit_log.verify(database, project=number)) for name, number in chains]
    told: list[dict[str, Any]] = [
        {"chain": name, "entries": one.n_entries, "hash": one.hash, "fault": one.fault} for name, one in verdicts
    ]
    lines = [
        f"{name}: {one.n_entries:,} entries, {one.fault or 'whole'}, hash {one.hash[:16]}" for name, one in verdicts
    ]
    door.show({"chains": told}, *lines)
    if any(one.fault for _, one in verdicts):
        raise click.exceptions.Exit(1)
