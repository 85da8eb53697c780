"""`labelmill run`: one whole turn of the mill."""

from __future__ import annotations

from pathlib import Path

import click

from labelmill.cli._door import Door, counted, project_options
from labelmill.cli._outputs import OutFile
from labelmill.cli._values import BULK_ENGINE_HELP, EngineSpec


@click.command("run", short_help="One whole turn: import, annotate, train, aggregate, select, report.")
@click.option("--engine", type=EngineSpec(), help=BULK_ENGINE_HELP)
@click.option("--workers", type=click.IntRange(1), help="Workers at most.  [default: one per core]")
@click.option("--count", type=click.IntRange(1), help="Items to ask people about.  [default: the project's]")
@click.option("--ask", type=OutFile(), help="File to fill in.  [default: ask.csv in the project]")
@project_options
def command(door: Door, engine: str | None, workers: int | None, count: int | None, ask: Path | None) -> None:
    """Import what is new, run the rules that changed, train, aggregate, pick what to ask next, and report.

    \b
    Example:
      labelmill run
      labelmill import ask.csv --votes-by reviewer-1 && labelmill run
    """
    from labelmill.report.terminal import summary

    with door.mill() as mill:
        turned = mill.run(engine=engine, workers=workers, count=count, ask=ask)
    out = turned.selected.out
    lines = [f"Ask      {out}: {counted(len(turned.selected.tasks), 'item')} by {turned.selected.strategy}"]
    lines.append(
        f"Next     fill in its column `label`, then: labelmill import {out} --votes-by YOUR-NAME && labelmill run"
    )
    lines.append("         good enough? labelmill certify --plan --out audit.csv")
    door.show(
        {
            "imported": [{"source": i.source, "items": i.n_items, "votes": i.n_votes} for i in turned.ingested],
            "faults": dict(turned.annotated.faults) if turned.annotated else {},
            "ask": str(out),
            "asked": len(turned.selected.tasks),
            "report": str(turned.report),
            "story": turned.story.to_dict(),
        },
        summary(turned.story),
        *lines,
        f"Report   {turned.report}",
    )
