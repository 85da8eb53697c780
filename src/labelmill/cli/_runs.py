"""Runs as they are shown: in a table, or one with all there is to say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from labelmill.cli._door import Door, counted, line, printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from labelmill.domain.run import Run
    from labelmill.domain.vote import Fault
    from labelmill.pipeline.annotate import Planned
    from labelmill.pipeline.runs import Seen

__all__ = ["run_data", "run_lines", "runs_table", "show_planned"]

STYLES = {"failed": "red", "interrupted": "yellow", "cancelled": "yellow", "running": "green"}


def show_planned(door: Door, planned: Planned) -> None:
    """What is planned, and the command that does it."""
    run = planned.run.id
    where = "" if str(door.folder) == "." else f" --project {door.folder}"
    door.show(
        {"run": run, "items": planned.n_items, "partitions": planned.n_partitions},
        f"{counted(planned.n_items, 'item')} in {counted(planned.n_partitions, 'partition')}: {run}",
        f"Next: labelmill work {run}{where}; or a share of it on each of four machines: --shard 0/4 to --shard 3/4",
    )


def runs_table(seen: Sequence[Seen]) -> Table:
    """A line for each run."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim")
    table.add_column("run", no_wrap=True, overflow="ignore")
    for heading in ("state", "took", "what it did"):
        table.add_column(heading)
    for one in seen:
        run = one.run
        did = ", ".join(f"{n:,} {what.replace('_', ' ')}" for what, n in run.counts.items() if n)
        if one.n_partitions is not None:
            did = f"{one.n_done:,} of {one.n_partitions:,} partitions"
        state = Text(one.fate, style=STYLES.get(one.fate, ""))
        took = "" if run.seconds is None else f"{run.seconds:,.1f} s"
        table.add_row(run.id, state, took, printable(did or run.error[:60]))
    return table


def run_data(seen: Seen) -> dict[str, Any]:
    """A run as JSON."""
    data = {**seen.run.to_dict(), "state": seen.fate}
    if seen.n_partitions is not None:
        data["counts"] = {**data["counts"], "partitions": seen.n_partitions, "partitions_done": seen.n_done}
    return data


def run_lines(seen: Seen, faults: Sequence[Fault], *, most: int) -> list[RenderableType]:
    """Everything about a run, with at most so many of its faults."""
    run = seen.run
    lines: list[RenderableType] = [
        line(
            (run.id, "bold"),
            f"  {run.verb}  ",
            (seen.fate, STYLES.get(seen.fate, "")),
            f"  {run.started[:19]} to {run.finished[:19] or '...'}",
        ),
        "  ".join(f"{what.replace('_', ' ')} {n:,}" for what, n in run.counts.items()),
        *(f"{name}  {fingerprint}" for name, fingerprint in run.annotators.items()),
    ]
    if seen.n_partitions is not None:
        lines.append(f"{seen.n_done:,} of {seen.n_partitions:,} partitions are there. Next: labelmill work {run.id}")
    if seen.fate == "interrupted":
        lines.append(f"Its driver is gone. To go on: labelmill runs resume {run.id}")
    if run.hosts:
        lines.append("hosts  " + ", ".join(f"{name} ({counted(n, 'partition')})" for name, n in run.hosts.items()))
    if run.timings:
        lines.append(_timings(run))
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
    return lines


def _timings(run: Run) -> Table:
    """What takes the time, the most first."""
    from rich.table import Table

    whole = sum(run.timings.values())
    table = Table("annotator", box=None, header_style="dim")
    table.add_column("seconds", justify="right")
    table.add_column("share", justify="right")
    for name, seconds in sorted(run.timings.items(), key=lambda pair: (-pair[1], pair[0])):
        table.add_row(printable(name), f"{seconds:,.2f}", f"{seconds / whole:.1%}" if whole else "-")
    return table
