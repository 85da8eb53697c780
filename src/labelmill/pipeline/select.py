"""Select: the items that are worth a human, as tasks or as a file to fill in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from labelmill import registry
from labelmill.domain.partition import Partition, Resources
from labelmill.domain.task import Task
from labelmill.errors import LabelmillError, StorageError, UsageError
from labelmill.pipeline._asked import remember_asked
from labelmill.pipeline._ballot_source import BallotSource
from labelmill.pipeline._ballots import ANSWERS, BallotPlan, fingerprint
from labelmill.pipeline._data_files import format_of
from labelmill.pipeline._digests import digest_of
from labelmill.pipeline._engines import open_engine
from labelmill.pipeline._features import Features
from labelmill.pipeline._reduce import Reduce
from labelmill.pipeline._select_step import ASKED_ITEMS, PICKED, SelectStep
from labelmill.pipeline.aggregate import current_consensus, engine_for
from labelmill.pipeline.embed import ready_features
from labelmill.pipeline.votes import ballot_plan, people_votes
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.consensus_versions import ConsensusVersion

__all__ = ["Selected", "answered_items", "ask_file", "keep_answers", "select"]


@dataclass(frozen=True, slots=True)
class Selected:
    """What people should be asked next.

    Parameters
    ----------
    tasks : list of Task
        Most wanted first.
    strategy : str
    out : Path or None
        The file to fill in, if one was asked for.
    answers : mapping of str to (str or None, float)
        Item -> the consensus on it and how sure that is.
    """

    tasks: list[Task]
    strategy: str
    out: Path | None = None
    answers: Mapping[str, tuple[str | None, float]] = field(default_factory=dict)


def select(
    workspace: Workspace,
    *,
    count: int | None = None,
    strategy: str | None = None,
    out: Path | str | None = None,
    seed: int | None = None,
    engine: str | None = None,
    workers: int | None = None,
) -> Selected:
    """The items that matter most among those nobody has been asked about.

    Parameters
    ----------
    count : int, optional
        How many; the project's setting without it.
    strategy : str, optional
        Name of a query strategy; the project's without it.
    out : Path or str, optional
        Write them there, with an empty column `label` to fill in.
    seed : int, optional
        For strategies that draw, and for the order of equals.
    engine : str, optional
        Where the work runs. Without it and without `workers`: in this process up to a million items, beyond that on
        the project's engine.
    workers : int, optional
        How many workers at most.
    """
    n = workspace.project["select.count"] if count is None else count
    if n < 1:
        raise UsageError(f"--count must be at least 1, found {n}")
    name = strategy or workspace.project["select.strategy"]
    needs_features = getattr(registry.find("query_strategy", name), "needs_features", False)
    stored = current_consensus(workspace)
    path = None if out is None else Path(out)
    if path is not None:
        keep_answers(workspace, path)
    draw = workspace.project["project.seed"] if seed is None else seed
    need = Resources(workers=workspace.most_workers(workers))
    where = engine_for(workspace, engine, workers)
    asked_for = {"count": n, "strategy": name, "seed": draw, "out": None if path is None else str(path)}
    with ExitStack() as stack:
        stack.enter_context(workspace.lake.writing())
        features = ready_features(workspace, f"the strategy {name!r}") if needs_features else None
        run = stack.enter_context(workspace.running("select", engine=where, parameters=asked_for))
        picked = _picked(workspace, stored, name, n, draw, where, need, features)
        tasks = [Task(item, "label", score) for item, score in picked.select("item", "score").iter_rows()]
        if path is not None:
            _write_questions(workspace, path, _items_at(workspace, stored.partitions, picked), picked)
        remember_asked(
            workspace, [task.item for task in tasks]
        )  # once the file is there: what nobody was given has not been asked
        workspace.end(run, counts={"items": len(tasks)})
    rows = picked.select("item", "label", "confidence").iter_rows()
    return Selected(tasks, name, path, {item: (label, confidence) for item, label, confidence in rows})


def _picked(
    workspace: Workspace,
    stored: ConsensusVersion,
    strategy: str,
    n: int,
    seed: int,
    engine_name: str,
    need: Resources,
    features: Features | None,
) -> pl.DataFrame:
    """The best items, best first; see `PICKED`."""
    if not stored.partitions:
        return pl.DataFrame(schema=PICKED)
    plan, answers = _no_ballots(workspace) if workspace.schema.is_structured else ballot_plan(workspace)
    answered = answered_items(workspace)
    told = [stored.digest, strategy, n, seed, answered["item"].to_list(), fingerprint(plan, answers)]
    if features is not None:
        told.append(features.encoder.fingerprint)
    digest = digest_of(told)
    with closing(open_engine(engine_name)) as engine:
        reduce = Reduce(workspace, engine, need, "select", digest)
        reduce.begin()
        source = BallotSource.published(reduce, plan, answers)
        asked = reduce.publish("asked", answered.cast(ASKED_ITEMS)) if answered.height else None  # type: ignore[arg-type]  # a mapping of names to types is what cast documents
        step = SelectStep(source, stored.digest, strategy, n, seed, seed + answered.height, asked, features)
        picked = reduce.run("best", step, stored.partitions, workspace.watch("select"))
    reduce.end()
    return picked


def answered_items(workspace: Workspace) -> pl.DataFrame:
    """Items whose answer is known, or that some person was asked about; what machines said in files is not asking."""
    votes = people_votes(workspace, ("label", "review", "gold"))
    is_answer = (pl.col("purpose") == "gold") | (pl.col("kind").fill_null("person") == "person")
    return votes.filter(is_answer).select(pl.col("item").unique().sort())


def _no_ballots(workspace: Workspace) -> tuple[BallotPlan, pl.DataFrame]:
    """Structured answers are no ballots: the confidence of what was made of them is all that strategies need."""
    return BallotPlan(workspace.schema, (), (), {}), pl.DataFrame(schema=ANSWERS)


def ask_file(workspace: Workspace, tasks: list[Task], out: Path) -> None:
    """Write tasks as a file that people fill in: the item's fields and an empty `label`, without a suggestion.

    An audit shows no suggestion: it must not lead the person whose answer measures it.

    Raises
    ------
    StorageError
        If the file is there and holds answers that were not imported.
    """
    keep_answers(workspace, out)
    _write_questions(workspace, out, workspace.lake.items([task.item for task in tasks]).frame, None)


def _write_questions(workspace: Workspace, out: Path, items: pl.DataFrame, picked: pl.DataFrame | None) -> None:
    frame = items.rename({"id": "item", "data": workspace.schema.modality})
    frame = frame.rename({c: c.partition(".")[2] for c in frame.columns if c.startswith(("meta.", "facts."))})
    frame = frame.rename({c: f"{c}_given" for c in ("label", "suggestion", "confidence") if c in frame.columns})
    if picked is not None:
        best = picked.select("item", suggestion="label", confidence=pl.col("confidence").round(4))
        frame = frame.join(best, on="item", how="left", maintain_order="left")
    frame = frame.with_columns(label=pl.lit("")).select("item", "label", pl.exclude("item", "label"))
    with format_of(out).writer(out) as writer:
        writer.write(frame)


def _items_at(workspace: Workspace, partitions: Sequence[Partition], picked: pl.DataFrame) -> pl.DataFrame:
    """The chosen items, in their order; only the rows between the first and last chosen of a partition are read."""
    lake = workspace.lake
    by_id = {partition.id: partition for partition in partitions}
    found = []
    for (name,), chosen in picked.group_by("partition", maintain_order=True):
        home, rows = by_id[str(name)], chosen["row"]
        first, last = int(rows.min()), int(rows.max())  # type: ignore[arg-type]  # a column of integers that is not empty
        span = Partition(home.id, home.uri, home.start + first, home.start + last + 1)
        found.append(lake.read_items(span).frame[(rows - first).to_list()])
    if not found:
        return lake.items([]).frame
    items = pl.concat(found, how="diagonal_relaxed")
    return picked.select(id="item").join(items, on="id", how="left", maintain_order="left")


def keep_answers(workspace: Workspace, out: Path) -> None:
    """Refuse to write over what somebody has filled in and not brought back.

    Raises
    ------
    StorageError
        If the file holds such answers.
    """
    if not out.is_file():
        return
    try:
        chunks = list(format_of(out).read(out))
    except LabelmillError:
        return
    imported = set(workspace.lake.imported_votes()["item"].to_list())
    n_new = 0
    for chunk in chunks:
        if {"item", "label"} <= set(chunk.frame.columns):
            filled = chunk.frame.filter(pl.col("label").cast(pl.String).fill_null("") != "")
            n_new += sum(item not in imported for item in filled["item"].cast(pl.String))
    if n_new:
        raise StorageError(
            f"{out} holds {n_new} answers that are not imported yet: labelmill import {out} --votes-by NAME, "
            "or name another file with --out"
        )
