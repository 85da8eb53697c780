"""Predict: the trained learner votes on items that came after it was trained."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from labelmill import registry
from labelmill.domain.partition import Partition, Receipt, Resources
from labelmill.domain.schema import LabelSchema
from labelmill.errors import FailedError
from labelmill.pipeline._annotate_stage import batches, votes_frame
from labelmill.pipeline._heads import Heads, model_votes
from labelmill.pipeline.annotate import run_stage
from labelmill.pipeline.votes import Machine, current_machines
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.lake import Lake

__all__ = ["Predicted", "predict"]


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the learners voted on: items that had no vote of theirs yet."""

    learners: list[str]
    n_items: int


def predict(workspace: Workspace, *, engine: str | None = None, workers: int | None = None) -> Predicted:
    """Let every trained learner vote on the items it has not seen, in bulk.

    Raises
    ------
    FailedError
        If no learner is trained yet.
    """
    models = [machine for machine in current_machines(workspace) if machine.evaluation == "learned"]
    if not models:
        raise FailedError("no learner is trained yet: train one with `labelmill train`")
    name = engine or workspace.project["annotate.engine"]
    need = Resources(workers=workers or workspace.project["annotate.workers"] or None)
    n_items = 0
    with workspace.lake.writing():
        run = workspace.begin("predict", engine=name, annotators={m.name: m.fingerprint for m in models})
        try:
            for model in models:
                n_items += _predict(workspace, model, name, need)
        except BaseException as error:
            workspace.fail(run, error)
            raise
        workspace.end(run, counts={"items": n_items})
    return Predicted([model.name for model in models], n_items)


def _predict(workspace: Workspace, model: Machine, engine_name: str, need: Resources) -> int:
    lake = workspace.lake
    sets = [v for v in lake.vote_sets() if v.annotators.get(model.name, {}).get("fingerprint") == model.fingerprint]
    there = {partition.id for votes in sets for partition in votes.partitions}
    missing = [partition for partition in lake.item_partitions() if partition.id not in there]
    folder = lake.current_model(model.name)
    if folder is None or not sets:
        raise FailedError(f"the learner {model.name!r} is not in the lake any more: train it again")
    if not missing:
        return 0
    digest = sets[0].digest
    todo = [partition for partition in missing if partition.id not in lake.done_partitions(digest)]
    total = sum(partition.n_rows for partition in missing)
    watch = workspace.watch("predict")
    engine = registry.find("engine", engine_name)()
    try:
        run_stage(
            workspace,
            PredictStage(lake.uri, folder.resolve(), model.name, digest, workspace.schema),
            todo,
            engine,
            need,
            digest=digest,
            progress=lambda done, _: watch(done, total),
        )
    finally:
        engine.close()
    lake.seal_votes(digest, {model.name: {"fingerprint": model.fingerprint, "kind": "model"}}, missing)
    return total


@dataclass(frozen=True)
class PredictStage:
    """Runs a fitted learner over one partition; workers load it from the lake."""

    lake: str
    folder: Path
    name: str
    digest: str
    schema: LabelSchema

    def __call__(self, partition: Partition) -> Receipt:
        """Predict the partition and publish the votes."""
        started = time.monotonic()
        lake = Lake(self.lake)
        heads = _heads(self.name, self.folder, self.schema)
        frames = [
            votes_frame({self.name: model_votes(heads.predict_proba(batch), self.schema)})
            for _, batch in batches(lake, partition)
        ]
        uri = lake.publish_votes(self.digest, partition.id, pl.concat(frames), [])
        return Receipt(partition.id, partition.n_rows, uri, time.monotonic() - started)


@lru_cache(maxsize=2)
def _heads(name: str, folder: Path, schema: LabelSchema) -> Heads:
    return Heads.load(registry.find("learner", name), folder, schema)
