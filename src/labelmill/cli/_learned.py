"""What was learned of the annotators, as a table for the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from labelmill.cli._door import printable

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

__all__ = ["reliabilities"]


def reliabilities(annotators: pl.DataFrame) -> Table:
    """The most reliable annotators, best first; columns `annotator`, `kind`, `votes`, `reliability` are read."""
    from rich.table import Table

    table = Table("annotator", "kind", box=None, header_style="dim")
    table.add_column("votes", justify="right")
    table.add_column("reliability", justify="right")
    rows = annotators.sort("reliability", descending=True, nulls_last=True)
    for row in rows.head(20).iter_rows(named=True):
        learned = row["reliability"]
        shown = "-" if learned is None or math.isnan(learned) else f"{learned:.1%}"
        table.add_row(printable(row["annotator"]), row["kind"] or "", f"{row['votes']:,}", shown)
    if rows.height > 20:
        table.add_row(f"... and {rows.height - 20} more", "", "", "")
    return table
