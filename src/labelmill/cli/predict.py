"""`labelmill predict`: the trained learner votes on new items."""

from __future__ import annotations

import click

from labelmill.cli._door import Door, counted, project_options, refuse_given
from labelmill.cli._runs import show_planned
from labelmill.cli._values import BULK_ENGINE_HELP, EngineSpec


@click.command("predict", short_help="Let the trained learner vote on new items, in bulk.")
@click.option("--engine", type=EngineSpec(), help=BULK_ENGINE_HELP)
@click.option("--workers", type=click.IntRange(1), help="Workers at most.  [default: one per core]")
@click.option("--plan", "plans", is_flag=True, help="Only put on record what there is to do, for `labelmill work`.")
@project_options
def command(door: Door, engine: str | None, workers: int | None, plans: bool) -> None:
    """Let every trained learner vote on the items that came after it was trained.

    \b
    Example:
      labelmill import more.csv && labelmill predict && labelmill aggregate
    """
    if plans:
        refuse_given("is for `labelmill work` to choose; leave it out with --plan", engine=engine, workers=workers)
        with door.mill() as mill:
            planned = mill.plan_predict()
        show_planned(door, planned)
        return
    with door.mill() as mill:
        result = mill.predict(engine=engine, workers=workers)
    door.show(
        {"learners": result.learners, "items": result.n_items},
        f"{', '.join(result.learners)} voted on {counted(result.n_items, 'new item')}.",
    )
