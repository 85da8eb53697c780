"""What `labelmill check` tells of repairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labelmill.cli._door import counted, line, printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from labelmill.pipeline.repair import Repaired

__all__ = ["repair_lines", "repairs_told"]

SHOWN = 10
"""Rows of a table that are printed."""


def repairs_told(done: Repaired) -> dict[str, Any]:
    """Plain data for JSON."""
    return {
        "settled": [made._asdict() for made in done.settled],
        "taken": [made._asdict() for made in done.taken],
        "confirmed": done.confirmed,
        "suspects": done.suspects.to_dicts(),
        "asked": [task.item for task in done.tasks],
        "file": None if done.out is None else str(done.out),
    }


def repair_lines(done: Repaired, bar: float | None) -> list[RenderableType]:
    """What was repaired, what is asked, and what to do next."""
    lines: list[RenderableType] = [""]
    if done.settled or done.confirmed:
        lines.append(
            f"Asked again: {counted(len(done.settled), 'vote')} superseded by the answer, {done.confirmed:,} confirmed."
        )
    if bar is not None:
        lines.append(f"Superseded by a consensus of {bar:g} or more: {counted(len(done.taken), 'vote')}.")
    made = [*done.settled, *done.taken]
    if made:
        lines += ["", _table(["item", "annotator", "old", "new"], [(m.item, m.annotator, m.old, m.new) for m in made])]
    left = done.suspects.height
    lines += ["", line((counted(left, "suspect"), "bold"), " left: votes of people that the consensus contradicts.")]
    if left:
        columns = ["item", "annotator", "label", "consensus", "quality", "posterior"]
        rows = [
            (*row[:4], f"{row[4]:.2f}", f"{row[5]:.2f}")
            for row in done.suspects.head(SHOWN).select(columns).iter_rows()
        ]
        lines += [_table(columns, rows)]
    if done.tasks:
        lines.append(
            f"{counted(len(done.tasks), 'item')} to label anew, without the old labels: {done.out}. Fill in the column "
            f"label, then  labelmill import {done.out} --votes-by NAME --purpose review  and check again."
        )
    elif left:
        lines.append(
            "Ask people about the worst with --queue ask.csv, or take the consensus where it is sure: --bar 0.95"
        )
    return lines


def _table(columns: list[str], rows: list[tuple[str, ...]]) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="dim")
    for name in columns:
        table.add_column(name, justify="right" if name in {"quality", "posterior"} else "left")
    for row in rows[:SHOWN]:
        table.add_row(*map(printable, row))
    if len(rows) > SHOWN:
        table.add_row(f"... and {len(rows) - SHOWN:,} more")
    return table
