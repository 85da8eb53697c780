"""`labelmill runs`: what ran, on what, with which result."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import click

from labelmill.cli._door import Door, Group, counted, line, printable, project_options
from labelmill.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType


@click.group("runs", cls=Group, short_help="List runs; show one with its faults.")
def command() -> None:
    """What ran, on what, with which result.

    \b
    Example:
      labelmill runs list
    """


@command.command("list")
@project_options
def list_runs(door: Door) -> None:
    """Every run, the latest first."""
    from rich.table import Table

    with door.mill() as mill:
        runs = sorted(mill.lake.runs(), key=lambda run: run.id, reverse=True)
    table = Table(box=None, header_style="dim")
    table.add_column("run", no_wrap=True, overflow="ignore")
    for heading in ("state", "started", "what it did"):
        table.add_column(heading)
    for run in runs:
        did = ", ".join(f"{n:,} {what.replace('_', ' ')}" for what, n in run.counts.items())
        table.add_row(run.id, run.state, run.started[:19], printable(did or run.error[:60]))
    door.show({"runs": [run.to_dict() for run in runs]}, table)


@command.command("show")
@click.argument("run_id")
@click.option("--most", type=click.IntRange(0), default=20, show_default=True, help="Faults to list.")
@project_options
def show_run(door: Door, run_id: str, most: int) -> None:
    """One run, with its faults: item, annotator, error and traceback."""
    from labelmill.pipeline.faults import faults_of_run

    with door.mill() as mill:
        known = [run.id for run in mill.lake.runs()]
        if run_id not in known:
            close = difflib.get_close_matches(run_id, known, n=1)
            guess = f"did you mean {close[0]!r}? " if close else ""
            raise UsageError(f"no run is called {run_id!r}: {guess}See them all: labelmill runs list")
        run = mill.lake.run(run_id)
        faults = faults_of_run(mill, run)
    lines: list[RenderableType] = [
        line((run.id, "bold"), f"  {run.verb}  {run.state}  {run.started[:19]} to {run.finished[:19] or '...'}"),
        "  ".join(f"{what.replace('_', ' ')} {n:,}" for what, n in run.counts.items()),
        *(f"{name}  {fingerprint}" for name, fingerprint in run.annotators.items()),
    ]
    if run.error:
        lines.append(line(("error", "red"), f" {run.error}"))
    for fault in faults[:most]:
        lines += [
            "",
            line((fault.annotator, "yellow"), f" on item {fault.item}: {fault.error}"),
            fault.traceback.rstrip(),
        ]
    if len(faults) > most:
        lines.append(f"... and {counted(len(faults) - most, 'more fault')} (--most)")
    door.show(
        {
            **run.to_dict(),
            "fault_list": [
                {"item": f.item, "annotator": f.annotator, "error": f.error, "traceback": f.traceback}
                for f in faults[:most]
            ],
        },
        *lines,
    )
