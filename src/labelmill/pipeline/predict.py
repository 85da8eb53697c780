"""Predict: the trained learner votes on items that came after it was trained."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from labelmill.domain.partition import Resources
from labelmill.domain.run import Run
from labelmill.errors import FailedError
from labelmill.pipeline._engines import open_engine
from labelmill.pipeline._features import features_of_model
from labelmill.pipeline._media_here import media_folders
from labelmill.pipeline._plan import Job, Plan, execute
from labelmill.pipeline._stage_run import Tally
from labelmill.pipeline._value_training import require_learnable
from labelmill.pipeline.annotate import Planned, planned
from labelmill.pipeline.votes import Machine, current_machines
from labelmill.pipeline.workspace import Workspace

__all__ = ["Predicted", "finish_predict", "plan_predict", "predict"]


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the learners voted on: items that had no vote of theirs yet."""

    learners: list[str]
    n_items: int


def predict(workspace: Workspace, *, engine: str | None = None, workers: int | None = None) -> Predicted:
    """Let every trained learner vote on the items it has not seen, in bulk.

    Parameters
    ----------
    engine : str, optional
        Name or address of an engine; the project's without it.
    workers : int, optional
        How many workers at most.

    Raises
    ------
    FailedError
        If no learner is trained yet.
    AnnotationError
        If a partition could not be finished; the others are kept.
    """
    models = _models(workspace)
    name = engine or workspace.project["annotate.engine"]
    with workspace.lake.writing(), closing(open_engine(name)) as opened:
        parameters = {} if workers is None else {"workers": workers}
        with workspace.running("predict", engine=name, annotators=_fingerprints(models), parameters=parameters) as run:
            plan = _plan(workspace, models)
            most = workspace.most_workers(workers)
            tally = execute(workspace, plan, opened, workers=most)
            ended = finish_predict(workspace, run, plan, tally)
    return Predicted([model.name for model in models], ended.counts["items"])


def plan_predict(workspace: Workspace) -> Planned:
    """Put on record what `predict` would do, for `labelmill work` on any number of machines.

    Raises
    ------
    FailedError
        If no learner is trained yet.
    """
    models = _models(workspace)
    return planned(workspace, _plan(workspace, models), annotators=_fingerprints(models))


def finish_predict(workspace: Workspace, run: Run, plan: Plan, tally: Tally) -> Run:
    """The run, finished and on record; the votes count already."""
    counts = {"items": sum(partition.n_rows for job in plan.jobs for partition in job.partitions)}
    return workspace.end(run, counts=counts, timings=tally.seconds, hosts=dict(tally.hosts))


def _models(workspace: Workspace) -> list[Machine]:
    models = [machine for machine in current_machines(workspace) if machine.evaluation == "learned"]
    if not models:
        if workspace.project["train.learner"]:
            require_learnable(workspace, workspace.project["train.learner"], verb="predict")
        raise FailedError("no learner is trained yet: train one with `labelmill train`")
    return models


def _fingerprints(models: Sequence[Machine]) -> dict[str, str]:
    return {model.name: model.fingerprint for model in models}


def _plan(workspace: Workspace, models: Sequence[Machine]) -> Plan:
    jobs = [_job(workspace, model) for model in models]
    known = {name: features_of_model(workspace, name, folder) for job in jobs for name, folder in job.loaded.items()}
    features = {name: found for name, found in known.items() if found is not None}
    return Plan(
        "predict",
        workspace.schema,
        tuple(job for job in jobs if job.partitions),
        features=features,
        media=media_folders(workspace.project),
    )


def _job(workspace: Workspace, model: Machine) -> Job:
    lake = workspace.lake
    sets = [v for v in lake.vote_sets() if v.annotators.get(model.name, {}).get("fingerprint") == model.fingerprint]
    folder = lake.current_model(model.name)
    if folder is None or not sets:
        raise FailedError(f"the learner {model.name!r} is not in the lake any more: train it again")
    there = {partition.id for votes in sets for partition in votes.partitions}
    missing = tuple(partition for partition in lake.item_partitions() if partition.id not in there)
    entries = {model.name: {"fingerprint": model.fingerprint, "kind": "model"}}
    return Job(sets[0].digest, entries, {model.name: folder.name}, missing, Resources())
