"""`labelmill predict`: the trained learner votes on new items."""

from __future__ import annotations

import click

from labelmill.cli._door import Door, counted, project_options
from labelmill.cli._values import PluginName


@click.command("predict", short_help="Let the trained learner vote on new items, in bulk.")
@click.option("--engine", type=PluginName("engine"), help="serial or processes.  [default: the project's]")
@click.option("--workers", type=click.IntRange(1), help="Workers at most.  [default: one per core]")
@project_options
def command(door: Door, engine: str | None, workers: int | None) -> None:
    """Let every trained learner vote on the items that came after it was trained.

    \b
    Example:
      labelmill import more.csv && labelmill predict && labelmill aggregate
    """
    with door.mill() as mill:
        result = mill.predict(engine=engine, workers=workers)
    door.show(
        {"learners": result.learners, "items": result.n_items},
        f"{', '.join(result.learners)} voted on {counted(result.n_items, 'new item')}.",
    )
