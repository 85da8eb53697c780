"""A reduce for verbs that only look: in this process without a lock, or on an engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import polars as pl

import labelmill
from labelmill.domain.partition import Partition, Resources
from labelmill.pipeline._digests import digest_of
from labelmill.pipeline._engines import open_engine
from labelmill.pipeline._reduce import Reduce, Step, reduced_here
from labelmill.pipeline.aggregate import engine_for
from labelmill.pipeline.workspace import Workspace

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
        return reduced_here(step_of(None), workspace.lake, partitions, progress)
    digest = digest_of([labelmill.__version__, told, partitions])
    need = Resources(workers=workspace.most_workers(workers))
    with workspace.lake.writing():
        with closing(open_engine(where)) as opened:
            reduce = Reduce(workspace, opened, need, name, digest)
            reduce.begin()
            table = reduce.run(name, step_of(reduce), partitions, progress)
        reduce.end()
    return table
