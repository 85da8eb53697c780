"""A reduce for verbs that only look: in this process without a lock, or on an engine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import polars as pl

import labelmill
from labelmill.domain.partition import Partition, Resources
from labelmill.domain.ports import Progress
from labelmill.pipeline._engines import open_engine
from labelmill.pipeline._reduce import Reduce, Step
from labelmill.pipeline.aggregate import engine_for
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.lake import Lake

__all__ = ["look"]


def look(
    workspace: Workspace,
    name: str,
    step_of: Callable[[Reduce | None], Step],
    partitions: Sequence[Partition],
    *,
    told: Any,
    engine: str | None,
    workers: int | None,
) -> pl.DataFrame:
    """The step's table of all partitions, of which there is at least one.

    In this process nothing is written, so that somebody else may write meanwhile. On an engine, tables lie in the lake
    while the reduce goes on, which takes the lake's writing lock.

    Parameters
    ----------
    name : str
        What is done: of the reduce, its folder and its progress.
    step_of : callable
        Makes the step; given the reduce on an engine, None in this process.
    told : JSON data
        Everything the table follows from, besides the partitions.
    engine : str, optional
        Where the work runs; see `engine_for`.
    workers : int, optional
        How many workers at most.
    """
    where = engine_for(workspace, engine, workers)
    progress = workspace.watch(name)
    if where == "serial":
        return _here(step_of(None), workspace.lake, partitions, progress)
    content = json.dumps([labelmill.__version__, told, partitions])
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    need = Resources(workers=workers or workspace.project["annotate.workers"] or None)
    with workspace.lake.writing():
        with closing(open_engine(where)) as opened:
            reduce = Reduce(workspace, opened, need, name, digest)
            reduce.begin()
            table = reduce.run(name, step_of(reduce), partitions, progress)
        reduce.end()
    return table


def _here(step: Step, lake: Lake, partitions: Sequence[Partition], progress: Progress) -> pl.DataFrame:
    n_rows = sum(partition.n_rows for partition in partitions)
    progress(0, n_rows)
    table, done = step.table(lake, partitions[0]), partitions[0].n_rows
    for partition in partitions[1:]:
        if step.is_settled(table):
            break
        progress(done, n_rows)
        table = step.merge(table, step.table(lake, partition))
        done += partition.n_rows
    progress(n_rows, n_rows)
    return table
