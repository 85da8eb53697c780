"""`labelmill analyze`: coverage, overlaps, conflicts and accuracy of each annotator."""

from __future__ import annotations

import click

from labelmill.cli._door import Door, project_options
from labelmill.cli._values import ENGINE_HELP, EngineSpec


@click.command("analyze", short_help="Coverage, overlaps, conflicts and accuracy of each annotator.")
@click.option("--engine", type=EngineSpec(), help=ENGINE_HELP)
@click.option("--workers", type=click.IntRange(1), help="Workers at most.  [default: one per core]")
@project_options
def command(door: Door, engine: str | None, workers: int | None) -> None:
    """Show how far each annotator reaches and how far it can be trusted.

    \b
    Examples:
      labelmill analyze
      labelmill analyze --engine processes --workers 8
    """
    from labelmill.report.terminal import annotator_table

    with door.mill() as mill:
        result = mill.analyze(engine=engine, workers=workers)
    door.show(result.to_dict(), annotator_table(result.rows), *result.notes)
