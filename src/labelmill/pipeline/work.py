"""Work: a share of a planned run, done by this machine; many of them together do all of it."""

from __future__ import annotations

import difflib
import logging
import secrets
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import polars as pl

from labelmill.domain.run import Run
from labelmill.engines._versions import mismatch
from labelmill.errors import AnnotationError, StorageError, UsageError
from labelmill.pipeline._engines import open_engine
from labelmill.pipeline._plan import Plan, delete_plan, execute, read_plan
from labelmill.pipeline._stage_run import Tally
from labelmill.pipeline.annotate import finish_annotate
from labelmill.pipeline.predict import finish_predict
from labelmill.pipeline.workspace import Workspace

__all__ = ["Worked", "find_run", "n_done", "work"]

logger = logging.getLogger(__name__)

PATIENCE: Final = 120.0
"""Seconds to wait for the right to finish a run; the lease of a process that was killed runs out within."""

_TALLY: Final = {"what": pl.String, "name": pl.String, "value": pl.Float64}


@dataclass(frozen=True, slots=True)
class Worked:
    """What a share of a run did.

    Parameters
    ----------
    run : Run
        Its record, finished if all partitions are there.
    n_mine, n_before : int
        Partitions of this share, and how many of them somebody had done before.
    n_done, n_partitions : int
        Partitions of the run that are there now, and how many it has.
    """

    run: Run
    n_mine: int
    n_before: int
    n_done: int
    n_partitions: int


def work(workspace: Workspace, run_id: str, *, shard: tuple[int, int] = (0, 1), workers: int | None = None) -> Worked:
    """Do every n-th partition of a planned run, as far as nobody has; the last one to end makes the votes count.

    Any number of these run at the same time, on any machines that see the lake. Shares may overlap: of two that do the
    same partition the first to publish wins, and both have the same votes. The rules come from the lake.

    Parameters
    ----------
    run_id : str
        From `annotate --plan` or `predict --plan`.
    shard : (int, int)
        (i, n): the partitions i, i + n, i + 2 n, ... of the plan.
    workers : int, optional
        Worker processes at most; one per core without it.

    Raises
    ------
    UsageError
        If there is no such run, it was not planned, or it was cancelled.
    AnnotationError
        If a partition could not be finished; the others are kept. Also if the libraries here are others than those
        where the run was planned.
    CancelledError
        If somebody cancels the run.
    """
    number, count = shard
    if not 0 <= number < count:
        raise UsageError(f"the shard {number}/{count} does not exist: the first of {count} is 0/{count}")
    run = find_run(workspace, run_id)
    if run.state == "finished":
        n = run.counts.get("partitions", 0)
        return Worked(run, 0, 0, n, n)
    plan = _plan_of(workspace, run)
    unequal = mismatch(plan.versions)
    if unequal is not None:
        raise AnnotationError(unequal)
    mine: dict[str, set[str]] = {job.digest: set() for job in plan.jobs}
    every = [(job.digest, partition.id) for job in plan.jobs for partition in job.partitions]
    for digest, partition in every[number::count]:
        mine[digest].add(partition)
    with closing(open_engine("processes")) as engine, workspace.obeying(run.id):
        most = workspace.most_workers(workers)
        tally = execute(workspace, plan, engine, workers=most, mine=mine, seals=False)
        _keep(workspace, run, tally)
        done = n_done(workspace, plan)
        if done == plan.n_partitions:
            run = _finish(workspace, run, plan)
    return Worked(run, tally.n_partitions, tally.n_before, done, plan.n_partitions)


def find_run(workspace: Workspace, run_id: str) -> Run:
    """The run with an id.

    Raises
    ------
    UsageError
        If there is none; names the nearest.
    """
    known = {run.id: run for run in workspace.lake.runs()}
    if run_id not in known:
        close = difflib.get_close_matches(run_id, known, n=1)
        guess = f"did you mean {close[0]!r}? " if close else ""
        raise UsageError(f"no run is called {run_id!r}: {guess}See them all: labelmill runs list")
    return known[run_id]


def n_done(workspace: Workspace, plan: Plan) -> int:
    """How many partitions of a plan are there, by one listing for each job."""
    there = {job.digest: workspace.lake.done_partitions(job.digest) for job in plan.jobs}
    return sum(partition.id in there[job.digest] for job in plan.jobs for partition in job.partitions)


def _plan_of(workspace: Workspace, run: Run) -> Plan:
    if run.state == "cancelled":
        raise UsageError(f"{run.id} was cancelled: `labelmill runs resume {run.id}` takes it up again")
    plan = read_plan(workspace, run.id)
    if plan is None:
        raise UsageError(
            f"{run.id} was not planned for others to work on: plan with `labelmill annotate --plan`; to go on with a "
            f"run that was stopped: labelmill runs resume {run.id}"
        )
    return plan


def _finish(workspace: Workspace, run: Run, plan: Plan) -> Run:
    """Make the votes count, unless another worker has done so or does so just now."""
    lake = workspace.lake
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with lake.writing():
                run = lake.run(run.id)
                if run.state != "finished":
                    for job in plan.jobs:
                        lake.seal_votes(job.digest, job.entries, job.partitions)
                    finish = finish_predict if plan.verb == "predict" else finish_annotate
                    run = finish(workspace, run, plan, _kept(workspace, run, plan))
                    lake.delete_tables(_tallies(run))
                    delete_plan(workspace, run.id)
                return run
        except StorageError:
            if not lake.is_being_written() or time.monotonic() > deadline:
                raise
        logger.info("waiting_to_finish run=%s", run.id)
        time.sleep(0.5)
        run = lake.run(run.id)
        if run.state == "finished":
            return run


def _keep(workspace: Workspace, run: Run, tally: Tally) -> None:
    """What this share did, for the record of the run."""
    rows = [("seconds", name, seconds) for name, seconds in tally.seconds.items()]
    rows += [("hosts", name, float(n)) for name, n in tally.hosts.items()]
    if rows:
        frame = pl.DataFrame(rows, schema=_TALLY, orient="row")
        workspace.lake.publish_table(_tallies(run), secrets.token_hex(8), frame)


def _kept(workspace: Workspace, run: Run, plan: Plan) -> Tally:
    """What all shares did; those of workers that were killed are not on record."""
    lake = workspace.lake
    tally = Tally(0, plan.n_partitions)
    for name in lake.table_names(_tallies(run)):
        for what, key, value in lake.read_table(_tallies(run), name).iter_rows():
            if what == "seconds":
                tally.seconds[key] = tally.seconds.get(key, 0.0) + value
            else:
                tally.hosts[key] += int(value)
    return tally


def _tallies(run: Run) -> str:
    return f"work-{run.id}"
