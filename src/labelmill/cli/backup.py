"""`labelmill backup`: people's side of a project in one file."""

from __future__ import annotations

from pathlib import Path

import click

from labelmill.cli._door import Door, project_options


@click.command("backup", short_help="Copy the database of people to one file.")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@project_options
def command(door: Door, target: Path) -> None:
    """Copy accounts, tasks and answers to one file, while people work.

    Everything acknowledged before it began is in it. Items, rules and models lie beside it in `.labelmill/`.

    \b
    Example:
      labelmill backup people-monday.db
    """
    from labelmill.pipeline.people import database_of
    from labelmill.stores.database.backup import back_up
    from labelmill.stores.database.connect import open_database

    with door.mill() as mill:
        address = database_of(mill)
        with open_database(address) as database:
            back_up(database, target)
    size = target.stat().st_size
    door.show({"file": str(target), "bytes": size}, f"{target}: {size:,} bytes.")
