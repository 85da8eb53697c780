"""`labelmill run`: one whole turn of the mill."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from labelmill.cli._door import Door, counted, project_options
from labelmill.cli._outputs import OutFile
from labelmill.cli._values import BULK_ENGINE_HELP, EngineSpec

if TYPE_CHECKING:
    from rich.console import RenderableType

    from labelmill.pipeline.run import Turned


@click.command("run", short_help="One whole turn: import, annotate, train, aggregate, select, report.")
@click.option("--engine", type=EngineSpec(), help=BULK_ENGINE_HELP)
@click.option("--workers", type=click.IntRange(1), help="Workers at most.  [default: one per core]")
@click.option("--count", type=click.IntRange(1), help="Items to ask people about.  [default: the project's]")
@click.option("--ask", type=OutFile(), help="File to fill in.  [default: ask.csv in the project]")
@project_options
def command(door: Door, engine: str | None, workers: int | None, count: int | None, ask: Path | None) -> None:
    """Import what is new, run the rules that changed, train, aggregate, pick what to ask next, and report.

    Boxes, spans and other answers that are more than classes are neither trained on nor reported yet.

    \b
    Example:
      labelmill run
      labelmill import ask.csv --votes-by reviewer-1 && labelmill run
    """
    with door.mill() as mill:
        turned = mill.run(engine=engine, workers=workers, count=count, ask=ask)
    told = {
        "imported": [{"source": i.source, "items": i.n_items, "votes": i.n_votes} for i in turned.ingested],
        "faults": dict(turned.annotated.faults) if turned.annotated else {},
        "ask": None if turned.selected.out is None else str(turned.selected.out),
        "asked": len(turned.selected.tasks),
        "stopped": turned.selected.stopped or None,
        "worth": None if turned.selected.worth is None else turned.selected.worth.to_dict(),
    }
    if turned.story is None:
        door.show({**told, "summary": turned.aggregated.summary.to_dict()}, *_of_answers(turned))
        return
    from labelmill.report.terminal import summary

    door.show(
        {**told, "report": str(turned.report), "story": turned.story.to_dict()},
        summary(turned.story),
        *_ask(turned),
        *_next(turned),
        f"Report   {turned.report}",
    )


def _next(turned: Turned) -> list[str]:
    """What to do now."""
    out = turned.selected.out
    certify = "labelmill certify --plan --out audit.csv"
    if turned.selected.stopped:
        return [f"Next     {certify}, or labelmill export release"]
    return [
        f"Next     fill in its column `label`, then: labelmill import {out} --votes-by YOUR-NAME && labelmill run",
        f"         good enough? {certify}",
    ]


def _of_answers(turned: Turned) -> list[RenderableType]:
    """What there is to say where answers are more than classes."""
    from labelmill.cli._learned import reliabilities

    known = turned.aggregated.summary
    faults = turned.annotated.faults if turned.annotated else {}
    lines: list[RenderableType] = [
        f"{counted(known.n_items, 'item')}, {known.n_voted:,} with answers; model {known.model}.",
        reliabilities(turned.aggregated.annotators),
    ]
    if faults:
        listed = ", ".join(f"{name} on {counted(n, 'item')}" for name, n in faults.items())
        lines.append(f"Faults   {listed}: labelmill runs list")
    return [
        *lines,
        *_ask(turned),
        "Next     labelmill serve, and answer in the browser; then labelmill run",
        "         good enough? labelmill export release",
    ]


def _ask(turned: Turned) -> list[str]:
    """What is to be asked and what that is worth, or why nothing is asked any more."""
    chosen = turned.selected
    if chosen.stopped:
        return [f"Ask      {chosen.stopped}"]
    worth = [] if chosen.worth is None else chosen.worth.words()
    asked = f"Ask      {chosen.out}: {counted(len(chosen.tasks), 'item')} by {chosen.strategy}"
    return [asked, *(f"{'Worth' if n == 0 else '':9}{line}" for n, line in enumerate(worth))]
