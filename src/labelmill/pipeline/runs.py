"""Runs: what became of each, take one up again, end one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from labelmill.domain.run import Run, RunState
from labelmill.errors import UsageError
from labelmill.pipeline._cancelling import request_end, withdraw
from labelmill.pipeline._plan import read_plan
from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.annotate import annotate
from labelmill.pipeline.distill import distill
from labelmill.pipeline.embed import embed
from labelmill.pipeline.mine import mine
from labelmill.pipeline.predict import predict
from labelmill.pipeline.select import select
from labelmill.pipeline.train import train
from labelmill.pipeline.work import find_run, n_done, work
from labelmill.pipeline.workspace import Workspace

__all__ = ["Fate", "Seen", "cancel", "look_at", "resume"]

Fate = RunState | Literal["interrupted"]
"""The state of a run; `interrupted` if it says that it runs and nobody drives it."""

RESUMABLE: Final[Mapping[str, Callable[..., Any]]] = {
    "annotate": annotate,
    "embed": embed,
    "predict": predict,
    "aggregate": aggregate,
    "train": train,
    "distill": distill,
    "select": select,
    "mine": mine,
}
"""Verbs that go on where a run of theirs stopped, with the parameters on its record."""

CANCELLABLE: Final = ("annotate", "embed", "predict", "aggregate", "train", "distill", "select", "mine")
"""Verbs whose driver looks for requests to end."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A run and what became of it.

    Parameters
    ----------
    run : Run
    fate : str
        Its state, or `interrupted`.
    n_done, n_partitions : int or None
        Of a planned run: how far its workers are.
    """

    run: Run
    fate: Fate
    n_done: int | None = None
    n_partitions: int | None = None


def look_at(workspace: Workspace, run_id: str | None = None) -> list[Seen]:
    """All runs, oldest first, or the one with an id.

    Raises
    ------
    UsageError
        If there is no such run.
    """
    every = workspace.lake.runs()
    if run_id is not None:
        find_run(workspace, run_id)
    running = sorted((run.started, run.id) for run in every if run.state == "running")
    # One verb writes at a time: of several that say they run, it can only be the latest.
    alive = running[-1][1] if running and workspace.lake.is_being_written() else None
    return [_seen(workspace, run, alive) for run in every if run_id in {None, run.id}]


def _seen(workspace: Workspace, run: Run, alive: str | None) -> Seen:
    if run.state == "running" and run.id != alive:
        return Seen(run, "interrupted")
    plan = read_plan(workspace, run.id) if run.state == "planned" else None
    if plan is None:
        return Seen(run, run.state)
    return Seen(run, run.state, n_done(workspace, plan), plan.n_partitions)


def resume(workspace: Workspace, run_id: str, *, engine: str | None = None, workers: int | None = None) -> Run:
    """Go on with a run that did not finish: its verb again, with the parameters on its record.

    What it finished is not done again. A planned run is worked on by this machine alone.

    Parameters
    ----------
    run_id : str
    engine : str, optional
        Another engine than before.
    workers : int, optional
        Another number of workers than before.

    Returns
    -------
    Run
        The record of the new run, or of the planned one.

    Raises
    ------
    UsageError
        If the run is finished, under way, or of a verb that cannot be resumed.
    """
    (seen,) = look_at(workspace, run_id)
    run = seen.run
    if seen.fate == "finished":
        raise UsageError(f"{run.id} is finished: there is nothing to resume")
    if seen.fate == "running":
        raise UsageError(f"{run.id} is under way: watch it with `labelmill runs show {run.id}`")
    withdraw(workspace.lake, run.id)
    if read_plan(workspace, run.id) is not None:
        if engine is not None:
            raise UsageError(f"{run.id} was planned, and planned work is done in processes: leave --engine out")
        workspace.lake.save_run(replace(run, state="planned", finished="", error=""))
        return work(workspace, run.id, workers=workers).run
    if run.verb not in RESUMABLE:
        raise UsageError(f"{run.id}: `labelmill {run.verb}` is not resumed: run it again")
    options = dict(run.parameters)
    options |= {key: value for key, value in (("engine", engine or run.engine), ("workers", workers)) if value}
    unknown = [key for key in options if key not in inspect.signature(RESUMABLE[run.verb]).parameters]
    if unknown:
        raise UsageError(f"{run.id}: `labelmill {run.verb}` takes no --{unknown[0]}: leave it out")
    known = {old.id for old in workspace.lake.runs()}
    RESUMABLE[run.verb](workspace, **options)
    return next(new for new in workspace.lake.runs() if new.id not in known and new.verb == run.verb)


def cancel(workspace: Workspace, run_id: str) -> Seen:
    """Ask for a run's end: its driver obeys within a second or two, and what it finished is kept.

    A run that nobody drives is cancelled at once.

    Raises
    ------
    UsageError
        If it has ended already, or its verb does not look for requests.
    """
    (seen,) = look_at(workspace, run_id)
    run = seen.run
    if seen.fate in {"finished", "failed", "cancelled"}:
        raise UsageError(f"{run.id} has ended ({seen.fate}): there is nothing to cancel")
    if seen.fate == "running" and run.verb not in CANCELLABLE:
        raise UsageError(f"{run.id}: `labelmill {run.verb}` is short work and not cancelled on request: stop it itself")
    if seen.fate != "interrupted":
        request_end(workspace.lake, run.id, at=workspace.now())
    if seen.fate == "running":
        return seen
    ended = run.ended("cancelled", workspace.now())
    workspace.lake.save_run(ended)
    return Seen(ended, "cancelled", seen.n_done, seen.n_partitions)
