"""`labelmill report`: one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from labelmill.cli._door import Door, project_options
from labelmill.cli._outputs import OutFile


@click.command("report", short_help="One HTML file: annotators, conflicts, curves, certificate.")
@click.option("--out", type=OutFile(is_table=False), help="The file.  [default: report.html in the project]")
@project_options
def command(door: Door, out: Path | None) -> None:
    """Write the report: progress, annotators, conflicts, class balance, the most doubtful items, the certificate.

    \b
    Example:
      labelmill report --out report.html
    """
    with door.mill() as mill:
        path = mill.report(out)
    door.show({"report": str(path)}, f"Report   {path}")
