"""Mine: the items that a trained learner gets confidently wrong, to be asked of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from labelmill.domain.consensus import Consensus
from labelmill.domain.task import Task
from labelmill.errors import FailedError, UsageError, nearest
from labelmill.pipeline._asked import remember_asked
from labelmill.pipeline._choosing import answered_items
from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.predict import predict
from labelmill.pipeline.select import ask_file, keep_answers
from labelmill.pipeline.votes import Machine, current_machines
from labelmill.pipeline.workspace import Workspace

__all__ = ["Mined", "mine"]

MINED: Final[dict[str, Any]] = {
    "item": pl.String,
    "label": pl.String,
    "confidence": pl.Float64,
    "said": pl.String,
    "sure": pl.Float64,
    "score": pl.Float64,
}
"""An item, the consensus on it and its probability, what the learner says and its probability, and their product."""


@dataclass(frozen=True, slots=True)
class Mined:
    """Where a learner and the consensus differ most surely.

    Parameters
    ----------
    learner : str
    found : DataFrame
        Columns `item`, `label` (of the consensus), `confidence`, `said` (by the learner), `sure`, `score`; the surest
        differences first.
    tasks : list of Task
        The same items in that order.
    out : Path or None
        The file to fill in, if one was asked for.
    """

    learner: str
    found: pl.DataFrame
    tasks: list[Task]
    out: Path | None = None


def mine(
    workspace: Workspace,
    *,
    learner: str | None = None,
    count: int | None = None,
    least: float = 0.8,
    out: Path | str | None = None,
    engine: str | None = None,
    workers: int | None = None,
) -> Mined:
    """Run a trained learner over the whole lake, and find the items that it gets confidently wrong.

    Wrong is what differs from the consensus of everybody else; the surer both are, the sooner an item comes. Either the
    learner has something to learn there or the consensus has an error: a person decides, and the answer weighs more in
    the next training than the guesses of rules. On items it learned from, the learner was asked by fits that did not
    see them; on those that came later it votes first. What people answered already is left out: the learner learns
    from it anyway.

    Parameters
    ----------
    learner : str, optional
        Of the trained ones; the only one without it.
    count : int, optional
        How many items at most; the project's `select.count` without it.
    least : float
        How sure the learner must be, 0 to 1.
    out : Path or str, optional
        Write the items there, with an empty column `label` to fill in; blind, neither answer is shown.
    engine, workers : str, int, optional
        Where the learner predicts and the consensus is made; as for `labelmill predict`.

    Raises
    ------
    FailedError
        If no learner is trained, or an item may have several classes.
    UsageError
        If an option is impossible.
    """
    if workspace.schema.kind != "choice":
        raise FailedError(f"mining is for questions with one class an item, this one is {workspace.schema.kind}")
    n = workspace.project["select.count"] if count is None else count
    if n < 1:
        raise UsageError(f"--count must be at least 1, found {n}")
    if not 0 <= least <= 1:
        raise UsageError(f"--least is a probability from 0 to 1, found {least:g}")
    model = _model(workspace, learner)
    path = None if out is None else Path(out)
    if path is not None:
        keep_answers(workspace, path)
    predict(workspace, engine=engine, workers=workers)
    asked_for = {"learner": model.name, "count": n, "least": least, "out": None if path is None else str(path)}
    with workspace.lake.writing(), workspace.running("mine", parameters=asked_for) as run:
        # Of everybody else: the learner's own votes may have carried the current one with them.
        target = aggregate(workspace, without_models=True, engine=engine, workers=workers).consensus
        found = _found(workspace, model, target, n, least)
        tasks = [Task(item, "label", score) for item, score in found.select("item", "score").iter_rows()]
        if path is not None:
            ask_file(workspace, tasks, path)
            remember_asked(workspace, [task.item for task in tasks])
        workspace.end(run, annotators={model.name: model.fingerprint}, counts={"items": len(tasks)})
    return Mined(model.name, found, tasks, path)


def _model(workspace: Workspace, name: str | None) -> Machine:
    models = {machine.name: machine for machine in current_machines(workspace) if machine.evaluation == "learned"}
    if not models:
        raise FailedError("no learner is trained yet: train one with `labelmill train`")
    if name is None and len(models) > 1:
        raise UsageError(f"several learners are trained: choose by --learner {' or '.join(models)}")
    wanted = name or next(iter(models))
    if wanted not in models:
        raise UsageError(f"no trained learner is called {wanted!r}: {nearest(wanted, list(models))}")
    return models[wanted]


def _is_of(annotators: Mapping[str, Mapping[str, Any]], model: Machine) -> bool:
    return annotators.get(model.name, {}).get("fingerprint") == model.fingerprint


def _found(workspace: Workspace, model: Machine, target: Consensus, n: int, least: float) -> pl.DataFrame:
    """The items, the surest differences first; see `MINED`. A partition at a time."""
    lake = workspace.lake
    votes = next(v for v in lake.vote_sets() if _is_of(v.annotators, model))
    there = {partition.id for partition in votes.partitions}
    answered = answered_items(workspace)
    best = pl.DataFrame(schema=MINED)
    at = 0
    for partition in lake.item_partitions():
        rows = slice(at, at + partition.n_rows)
        at += partition.n_rows
        if partition.id in there:
            said = lake.read_votes(votes.digest, partition.id, [model.name, f"p.{model.name}"])
            differing = _differing(target, rows, said, model.name, least).join(answered, on="item", how="anti")
            best = pl.concat([best, differing]).sort("score", descending=True, maintain_order=True).head(n)
    return best


def _differing(target: Consensus, rows: slice, said: pl.DataFrame, learner: str, least: float) -> pl.DataFrame:
    """The items of a partition on which the learner is sure of another answer than the consensus."""
    probabilities, classes = target.probabilities[rows], pl.Series(target.classes, dtype=pl.String)
    labels, theirs = probabilities.argmax(axis=1), said[learner].to_numpy()
    frame = pl.DataFrame(
        {
            "item": pl.Series(target.items[rows], dtype=pl.String),
            "label": classes.gather(labels),
            "confidence": probabilities.max(axis=1),
            "said": classes.gather(np.maximum(theirs, 0)),
            "sure": said[f"p.{learner}"].cast(pl.List(pl.Float64)).list.max(),
            "differs": target.has_votes[rows] & (theirs >= 0) & (theirs != labels),
        }
    )
    frame = frame.filter(pl.col("differs") & (pl.col("sure") >= least))
    return frame.with_columns(score=pl.col("sure") * pl.col("confidence")).select(list(MINED)).cast(MINED)  # type: ignore[arg-type]  # a mapping of names to types is what cast documents
