"""`labelmill select`: the items that are worth a human."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labelmill.cli._door import Door, counted, printable, project_options
from labelmill.cli._outputs import OutFile
from labelmill.cli._values import ENGINE_HELP, SEED, EngineSpec, PluginName

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from labelmill.pipeline.route import Routes


@click.command("select", short_help="Pick the items that are worth a human.")
@click.option("--count", type=click.IntRange(1), help="How many.  [default: the project's]")
@click.option(
    "--strategy",
    type=PluginName("query_strategy"),
    help="auto, margin, cluster_margin, herding, random, ...  [default: the project's]",
)
@click.option("--out", type=OutFile(), help="File to fill in: its column `label` is empty.")
@click.option("--random-share", type=click.FloatRange(0, 1), help="Share drawn at random.  [default: the project's]")
@click.option(
    "--balance/--no-balance", default=None, help="As many of each class as can be had.  [default: the project's]"
)
@click.option("--seed", type=SEED, help="For what is drawn.  [default: the project's]")
@click.option("--engine", type=EngineSpec(), help=ENGINE_HELP)
@click.option("--workers", type=click.IntRange(1), help="Workers at most.  [default: one per core]")
@click.option("--routes", is_flag=True, help="Show who should answer what, by [select] wrong_price and costs.")
@project_options
def command(
    door: Door,
    count: int | None,
    strategy: str | None,
    out: Path | None,
    random_share: float | None,
    balance: bool | None,
    seed: int | None,
    engine: str | None,
    workers: int | None,
    routes: bool,
) -> None:
    """Pick the items that matter most among those nobody has been asked about.

    Fill in the column `label` and bring the file back; rows left empty are simply not answered. Says what the next
    answers are expected to be worth, and picks nothing once [select] stop says so.

    \b
    Example:
      labelmill select --count 50 --out ask.csv
      labelmill import ask.csv --votes-by reviewer-1
    """
    with door.mill() as mill:
        result = mill.select(
            count=count,
            strategy=strategy,
            out=out,
            seed=seed,
            engine=engine,
            workers=workers,
            random_share=random_share,
            balance_classes=balance,
            routes=routes,
        )
    lines: list[RenderableType] = [
        f"{counted(len(result.tasks), 'item')} by {result.strategy}" + (f": {out}" if out else ":")
    ]
    if result.stopped:
        lines = [result.stopped]
    elif not result.tasks:
        lines = ["Nothing is left to ask: people have answered every item."]
    elif out is None:
        lines += [f"  {task.item}  {task.why}" for task in result.tasks[:20]]
        lines += ["To ask people: --out ask.csv"]
    else:
        lines += [f"Fill in its column `label`, then: labelmill import {out} --votes-by YOUR-NAME"]
    lines += [result.note] if result.note else []
    lines += [] if result.worth is None else result.worth.words()
    lines += [] if result.routes is None else [_routes(result.routes)]
    told: dict[str, Any] = {
        "strategy": result.strategy,
        "items": [task.item for task in result.tasks],
        "why": {task.item: task.why for task in result.tasks},
        "at_random": [task.item for task in result.tasks if task.at_random],
        "out": str(out) if out else None,
        "stopped": result.stopped or None,
        "worth": None if result.worth is None else result.worth.to_dict(),
    }
    if result.routes is not None:
        told["routes"] = {
            "price": result.routes.price,
            "sources": result.routes.rows(),
            "items": {route.item: route.source for route in result.routes.routes},
        }
    door.show(told, *lines)


def _routes(routes: Routes) -> Table:
    """Who should answer how many, what that avoids and what it costs."""
    from rich.table import Table

    table = Table("ask", box=None, header_style="dim")
    for column in ("cost", "right", "items", "wrong labels avoided", "spent"):
        table.add_column(column, justify="right")
    for row in routes.rows():
        right = "" if row["accuracy"] is None else f"{row['accuracy']:.1%}"
        counts = (f"{row['items']:,}", f"{row['avoided']:,.1f}", f"{row['spent']:,g}")
        table.add_row(printable(row["source"]), f"{row['cost']:g}", right, *counts)
    return table
