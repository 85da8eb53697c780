"""`labelmill analyze`: coverage, overlaps, conflicts and accuracy of each annotator."""

from __future__ import annotations

import click

from labelmill.cli._door import Door, project_options


@click.command("analyze", short_help="Coverage, overlaps, conflicts and accuracy of each annotator.")
@project_options
def command(door: Door) -> None:
    """Show how far each annotator reaches and how far it can be trusted.

    \b
    Example:
      labelmill analyze
    """
    from labelmill.report.terminal import annotator_table

    with door.mill() as mill:
        result = mill.analyze()
    door.show(result.to_dict(), annotator_table(result.rows), *result.notes)
