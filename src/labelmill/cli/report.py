"""`labelmill report`: one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from labelmill.cli._door import Door, project_options
from labelmill.cli._outputs import OutFile
from labelmill.cli._values import ENGINE_HELP, EngineSpec


@click.command("report", short_help="One HTML file: annotators, conflicts, curves, certificate.")
@click.option("--out", type=OutFile(is_table=False), help="The file.  [default: report.html in the project]")
@click.option("--engine", type=EngineSpec(), help=ENGINE_HELP)
@click.option("--workers", type=click.IntRange(1), help="Workers at most.  [default: one per core]")
@project_options
def command(door: Door, out: Path | None, engine: str | None, workers: int | None) -> None:
    """Write the report: progress, annotators, conflicts, class balance, the most doubtful items, the certificate.

    \b
    Example:
      labelmill report --out report.html
    """
    with door.mill() as mill:
        path = mill.report(out, engine=engine, workers=workers)
    door.show({"report": str(path)}, f"Report   {path}")
