"""`labelmill mine`: what a trained learner gets confidently wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from labelmill.cli._door import Door, counted, printable, project_options, refuse_given
from labelmill.cli._outputs import OutFile
from labelmill.cli._values import ENGINE_HELP, EngineSpec

if TYPE_CHECKING:
    from rich.console import RenderableType

    from labelmill.pipeline.mine import Mined

LISTED = 10
"""Items that are listed in the terminal."""


@click.command("mine", short_help="Find the items that a trained learner gets confidently wrong.")
@click.option("--learner", help="Name of a trained learner.  [default: the only one]")
@click.option("--count", type=click.IntRange(1), help="How many items at most.  [default: select.count]")
@click.option(
    "--least", type=click.FloatRange(0, 1), default=0.8, show_default=True, help="How sure the learner must be."
)
@click.option("--out", type=OutFile(), help="File to fill in, blind: its column `label` is empty.")
@click.option("--queue", is_flag=True, help="Put them first in the queue of `labelmill serve`.")
@click.option("--engine", type=EngineSpec(), help=ENGINE_HELP)
@click.option("--workers", type=click.IntRange(1), help="Workers at most.  [default: one per core]")
@project_options
def command(
    door: Door,
    learner: str | None,
    count: int | None,
    least: float,
    out: Path | None,
    queue: bool,
    engine: str | None,
    workers: int | None,
) -> None:
    """Find the items on which a trained learner is sure of another answer than the consensus, the surest first.

    Either the learner has something to learn there, or the consensus has an error: ask a person, who is shown neither.
    Items that came after it was trained are predicted first; on those it learned from, it is asked by fits that did
    not see them. What people answered already is left out.

    \b
    Example:
      labelmill train && labelmill aggregate
      labelmill mine --count 20 --out ask.csv
      labelmill import ask.csv --votes-by reviewer-1
    """
    if queue:
        refuse_given("would ask the same twice; leave it out with --queue", out=out)
    with door.mill() as mill:
        mined = mill.mine(learner=learner, count=count, least=least, out=out, engine=engine, workers=workers)
        if queue:
            from labelmill.pipeline.mined_tasks import queue_mined

            queue_mined(mill, mined)
    columns = ("item", "label", "confidence", "said", "sure")
    door.show(
        {
            "learner": mined.learner,
            "items": mined.found.select(columns).to_dicts(),
            "out": str(out) if out else None,
            "queued": queue,
        },
        *_lines(mined, least, is_queued=queue),
    )


def _lines(mined: Mined, least: float, *, is_queued: bool) -> list[RenderableType]:
    from rich.table import Table

    n = counted(len(mined.tasks), "item")
    if not mined.tasks:
        return [f"On no item is {mined.learner} {least:.0%} sure of another answer than the consensus."]
    table = Table("item", "consensus", mined.learner, box=None, header_style="dim")
    for row in mined.found.head(LISTED).iter_rows(named=True):
        said = (f"{printable(row[name])} {row[sure]:.0%}" for name, sure in (("label", "confidence"), ("said", "sure")))
        table.add_row(printable(row["item"]), *said)
    if len(mined.tasks) > LISTED:
        table.add_row(f"... and {len(mined.tasks) - LISTED} more")
    lines: list[RenderableType] = [f"{mined.learner} is sure of another answer than the consensus on {n}:", table]
    if mined.out is not None:
        return [*lines, f"Fill in its column `label`, then: labelmill import {mined.out} --votes-by YOUR-NAME"]
    return [*lines, "People are asked them first." if is_queued else "To ask people: --out ask.csv or --queue"]
