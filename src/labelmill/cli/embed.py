"""`labelmill embed`: a vector for every item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from labelmill.cli._door import Door, counted, line, project_options
from labelmill.cli._values import BULK_ENGINE_HELP, EngineSpec

if TYPE_CHECKING:
    from rich.console import RenderableType

    from labelmill.pipeline.embed import Embedded


@click.command("embed", short_help="Make a vector of every item, for learners and selection.")
@click.option("--encoder", help="NAME or NAME:FILE of an encoder.  [default: the project's]")
@click.option("--engine", type=EngineSpec(), help=BULK_ENGINE_HELP)
@click.option("--workers", type=click.IntRange(1), help="Workers at most.  [default: one per core]")
@click.option("--retry", is_flag=True, help="Try the items at fault again, once their files are mended.")
@project_options
def command(door: Door, encoder: str | None, engine: str | None, workers: int | None, retry: bool) -> None:
    """Make a vector of every item that has none yet. Stopped or killed, the same command goes on.

    Learners and query strategies that need vectors do this by themselves; here it can run on another engine, or ahead.

    \b
    Examples:
      labelmill embed
      labelmill embed --encoder sentence:models/all-MiniLM-L6-v2 --engine ray
    """
    with door.mill() as mill:
        embedded = mill.embed(encoder=encoder, engine=engine, workers=workers, retry=retry)
    door.show(
        {
            "run": embedded.run.id,
            "encoder": embedded.encoder,
            "fingerprint": embedded.fingerprint,
            "dimensions": embedded.n_dimensions,
            "items": embedded.n_items,
            "new": embedded.n_new,
            "faults": len(embedded.faults),
            "fault_list": [{"item": fault.item, "error": fault.error} for fault in embedded.faults[:MOST_FAULTS]],
        },
        *_lines(embedded),
    )


def _lines(result: Embedded) -> list[RenderableType]:
    before = result.n_items - result.n_new
    had = f"; {before:,} had theirs already" if before else ""
    size = f"{result.n_dimensions:,} numbers each"
    lines: list[RenderableType] = [f"{result.encoder} made {counted(result.n_new, 'vector')} of {size}{had}."]
    if result.faults:
        n = counted(len(result.faults), "item")
        lines.append(line(("Faults", "yellow"), f" on {n}. See them all: labelmill runs show {result.run.id}"))
        lines += [f"  {fault.item}: {fault.error}" for fault in result.faults[:LISTED]]
    return lines


LISTED = 5
"""Faults that are listed in the terminal."""

MOST_FAULTS = 100
"""Faults that are told in JSON."""
