"""`labelmill select`: the items that are worth a human."""

from __future__ import annotations

from pathlib import Path

import click

from labelmill.cli._door import Door, counted, project_options
from labelmill.cli._outputs import OutFile
from labelmill.cli._values import ENGINE_HELP, SEED, EngineSpec, PluginName


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
) -> None:
    """Pick the items that matter most among those nobody has been asked about.

    Fill in the column `label` and bring the file back; rows left empty are simply not answered.

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
        )
    lines = [f"{counted(len(result.tasks), 'item')} by {result.strategy}" + (f": {out}" if out else ":")]
    if not result.tasks:
        lines = ["Nothing is left to ask: people have answered every item."]
    elif out is None:
        lines += [f"  {task.item}  {task.why}" for task in result.tasks[:20]]
        lines += ["To ask people: --out ask.csv"]
    else:
        lines += [f"Fill in its column `label`, then: labelmill import {out} --votes-by YOUR-NAME"]
    if result.note:
        lines.append(result.note)
    told = {
        "strategy": result.strategy,
        "items": [task.item for task in result.tasks],
        "why": {task.item: task.why for task in result.tasks},
        "at_random": [task.item for task in result.tasks if task.at_random],
        "out": str(out) if out else None,
    }
    door.show(told, *lines)
