"""`labelmill runs`: what ran, on what, with which result."""

from __future__ import annotations

import click

from labelmill.cli._door import Door, Group, project_options
from labelmill.cli._runs import run_data, run_lines, runs_table
from labelmill.cli._values import EngineSpec


@click.group("runs", cls=Group, short_help="List runs; show, resume or cancel one.")
def command() -> None:
    """What ran, on what, with which result.

    \b
    Example:
      labelmill runs list
    """


@command.command("list")
@project_options
def list_runs(door: Door) -> None:
    """Every run, the latest first.

    States: planned (waits for `labelmill work`), running, finished, failed, cancelled, and interrupted: it says that it
    runs, and nobody drives it.
    """
    from labelmill.pipeline.runs import look_at

    with door.mill() as mill:
        seen = look_at(mill)[::-1]
    door.show({"runs": [run_data(one) for one in seen]}, runs_table(seen))


@command.command("show")
@click.argument("run_id")
@click.option("--most", type=click.IntRange(0), default=20, show_default=True, help="Faults to list.")
@project_options
def show_run(door: Door, run_id: str, most: int) -> None:
    """One run: where the time went, and its faults with item, annotator, error and traceback."""
    from labelmill.pipeline.faults import faults_of_run
    from labelmill.pipeline.runs import look_at

    with door.mill() as mill:
        (seen,) = look_at(mill, run_id)
        faults = faults_of_run(mill, seen.run)
    listed = [
        {"item": f.item, "annotator": f.annotator, "error": f.error, "traceback": f.traceback} for f in faults[:most]
    ]
    door.show({**run_data(seen), "fault_list": listed}, *run_lines(seen, faults, most=most))


@command.command("resume")
@click.argument("run_id")
@click.option("--engine", type=EngineSpec(), help="Another engine.  [default: the run's]")
@click.option("--workers", type=click.IntRange(1), help="Another number of workers at most.  [default: the run's]")
@project_options
def resume_run(door: Door, run_id: str, engine: str | None, workers: int | None) -> None:
    """Go on with a run that was interrupted, cancelled or failed: its verb again, with the options it had.

    What it finished is not done again.

    \b
    Example:
      labelmill runs resume 2026-01-31T101500-annotate-0c4f
    """
    from labelmill.pipeline.runs import Seen

    with door.mill() as mill:
        run = mill.resume(run_id, engine=engine, workers=workers)
    door.show(run_data(Seen(run, run.state)), *run_lines(Seen(run, run.state), [], most=0))


@command.command("cancel")
@click.argument("run_id")
@project_options
def cancel_run(door: Door, run_id: str) -> None:
    """End a run, from any machine that sees the lake: its driver obeys within a second or two.

    What it finished is kept, and `labelmill runs resume` goes on.

    \b
    Example:
      labelmill runs cancel 2026-01-31T101500-annotate-0c4f
    """
    with door.mill() as mill:
        seen = mill.cancel(run_id)
    told = "cancelled" if seen.fate == "cancelled" else "asked to end; what it finished is kept"
    door.show({"run": run_id, "state": seen.fate}, f"{run_id}: {told}.")
