"""`labelmill restore`: people's side of a project out of a backup."""

from __future__ import annotations

from pathlib import Path

import click

from labelmill.cli._door import Door, project_options


@click.command("restore", short_help="Make the database of people from a backup.")
@click.argument("source", type=click.Path(path_type=Path, dir_okay=False))
@project_options
def command(door: Door, source: Path) -> None:
    """Make the project's database from a backup; one that is there already is never overwritten.

    \b
    Example:
      labelmill restore people-monday.db
    """
    from labelmill.pipeline.people import database_of
    from labelmill.stores.database.backup import restore
    from labelmill.stores.database.connect import open_database
    from labelmill.stores.database.projects import list_projects

    with door.mill() as mill:
        address = database_of(mill)
        restore(source, address)
        with open_database(address) as database:
            names = [project.name for project in list_projects(database)]
    door.show({"projects": names}, f"Restored: {', '.join(names) or 'no project'}.")
