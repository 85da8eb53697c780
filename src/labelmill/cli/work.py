"""`labelmill work`: do a share of a planned run."""

from __future__ import annotations

import click

from labelmill.cli._door import Door, counted, project_options
from labelmill.cli._values import Shard


@click.command("work", short_help="Do a share of a planned run, on any machine that sees the lake.")
@click.argument("run_id")
@click.option(
    "--shard", type=Shard(), default="0/1", help="I/N: every N-th partition from the I-th on.  [default: 0/1]"
)
@click.option("--workers", type=click.IntRange(1), help="Worker processes at most.  [default: one per core]")
@project_options
def command(door: Door, run_id: str, shard: tuple[int, int], workers: int | None) -> None:
    """Do a share of what `annotate --plan` or `predict --plan` put on record.

    Start one for each I from 0 to N-1, on any machines, with any batch scheduler. Each needs labelmill.toml with the
    lake in [storage]; the rules come from the lake. Shares may overlap, be killed and started again: nothing is lost
    or done twice. The last one to end makes the votes count.

    \b
    Examples:
      labelmill work 2026-01-31T101500-annotate-0c4f
      labelmill work 2026-01-31T101500-annotate-0c4f --shard 3/8 --workers 4
    """
    with door.mill() as mill:
        worked = mill.work(run_id, shard=shard, workers=workers)
    is_finished = worked.run.state == "finished"
    lines = [
        f"{counted(worked.n_mine, 'partition')} in this share, {worked.n_before:,} of them done before; "
        f"{worked.n_done:,} of {worked.n_partitions:,} are there."
    ]
    if is_finished:
        lines.append("The run is finished and its votes count. Next: labelmill aggregate")
    else:
        lines.append(f"The others: labelmill work {run_id} --shard I/{shard[1]}")
    door.show(
        {
            "run": run_id,
            "state": worked.run.state,
            "partitions": worked.n_partitions,
            "partitions_done": worked.n_done,
            "share": worked.n_mine,
            "share_done_before": worked.n_before,
        },
        *lines,
    )
