"""Aggregate: votes become a consensus."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
import polars as pl

import labelmill
from labelmill import registry
from labelmill.domain.consensus import Consensus
from labelmill.domain.history import History
from labelmill.domain.partition import Partition, Resources
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.sums import Sums
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_columns import Repeats
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import FailedError, UsageError
from labelmill.pipeline import _fitting
from labelmill.pipeline._ballot_source import BallotSource
from labelmill.pipeline._ballots import BallotPlan, fingerprint
from labelmill.pipeline._consensus_step import ConsensusStep, Place, consensus_of_frame
from labelmill.pipeline._digests import digest_of, source_hash
from labelmill.pipeline._engines import open_engine
from labelmill.pipeline._gold import calibrated, clamped, gold_index
from labelmill.pipeline._reduce import Reduce, sums_of
from labelmill.pipeline._shards import forget_shards
from labelmill.pipeline.aggregated import ANNOTATOR_COLUMNS, Aggregated, Summary, consensus_sums, summary_of
from labelmill.pipeline.structured import aggregate_structured, read_structured
from labelmill.pipeline.votes import ballot_plan, coded_answers, people_votes, schema_fingerprint
from labelmill.pipeline.workspace import Workspace
from labelmill.quality.calibration import tempered
from labelmill.stores.consensus_versions import ConsensusVersion

__all__ = [
    "Aggregated",
    "aggregate",
    "aggregate_votes",
    "current_consensus",
    "engine_for",
    "gold_answers",
    "read_consensus",
]

IN_PROCESS: Final = 1_000_000
"""Items up to which the work is done in this process unless an engine is named: starting workers costs more."""


def aggregate_votes(
    votes: Any,
    *,
    model: str = "auto",
    classes: Sequence[str] | None = None,
    kinds: Mapping[str, AnnotatorKind] | None = None,
    gold: Mapping[str, str] | None = None,
    history: Mapping[str, Any] | None = None,
    repeats: Repeats = "last",
    seed: int = 0,
) -> Aggregated:
    """The consensus of a table of votes, without a project.

    Gold answers teach the label model who is right, stand as they are in the result and, from 50 on items with votes,
    calibrate the probabilities of the others, which changes no label.

    Parameters
    ----------
    votes : VoteTable or table
        Columns `item`, `annotator`, `label`; any dataframe, see `VoteTable.of`.
    model : str
        Name of a label model.
    classes : sequence of str, optional
        Class order.
    kinds : mapping of str to str, optional
        Annotator -> person, rule or model.
    gold : mapping of str to str, optional
        Item -> true class.
    history : mapping, optional
        What is known of annotators from before: `history` of an earlier result.
    repeats : {"last", "first", "all", "refuse"}
        What counts where an annotator voted on an item twice, see `VoteTable.of`.
    seed : int
        For label models that draw.

    Raises
    ------
    UsageError
        If a gold answer is no class, or the label model cannot take gold or history.
    """
    table = VoteTable.of(votes, classes=classes, kinds=kinds, repeats=repeats)
    make = partial(_fit, registry.find("label_model", model), seed, table, history)
    fitted, truth = make(gold or {}), gold_index(table, gold or {})
    found = calibrated(make, table, gold or {})
    details = dict(fitted.details_)
    probabilities = fitted.predict_proba(table)
    if found is not None:
        details["calibration"] = found.details
        probabilities = np.where(table.has_votes[:, None], tempered(probabilities, found.temperature), probabilities)
    if gold:
        details["gold_items"] = int((truth != ABSTAIN).sum())
    consensus = Consensus(
        table.items,
        table.classes,
        clamped(probabilities, truth),
        table.has_votes | (truth != ABSTAIN),
        model,
        details,
    )
    counts = np.bincount(table.annotator_index[table.label != ABSTAIN], minlength=table.n_annotators)
    annotators = pl.DataFrame(
        {
            "annotator": list(table.annotators),
            "kind": list(table.kinds),
            "votes": counts,
            "reliability": fitted.reliability_,
        },
        schema_overrides={"annotator": pl.String, "kind": pl.String},
    )
    summary = summary_of(consensus_sums(consensus), table.classes, model, details)
    remember = getattr(fitted, "history", None)
    past = None if remember is None else partial(_remembered, remember, table)
    return Aggregated(annotators, summary, lambda: consensus, remember=past)


def _fit(
    plugin: Callable[..., Any],
    seed: int,
    table: VoteTable,
    history: Mapping[str, Any] | None,
    gold: Mapping[str, str],
) -> Any:
    """A fresh label model fitted on the table; one that takes nothing else is asked for nothing else."""
    given: dict[str, Any] = {name: value for name, value in (("gold", gold), ("history", history)) if value}
    try:
        return plugin(seed=seed).fit(table, **given)
    except TypeError:
        if not given or set(given) <= set(inspect.signature(plugin(seed=seed).fit).parameters):
            raise
    raise UsageError(f"this label model takes no {' and no '.join(given)}: leave it out, or take another, such as auto")


def _remembered(history: Callable[[VoteTable], History], table: VoteTable) -> dict[str, Any]:
    return history(table).to_dict()


def aggregate(
    workspace: Workspace,
    *,
    model: str | None = None,
    without_models: bool = False,
    engine: str | None = None,
    workers: int | None = None,
) -> Aggregated:
    """The project's consensus, written to its lake; what an earlier call finished is not done again.

    Parameters
    ----------
    model : str, optional
        Label model; the project's without it.
    without_models : bool
        Leave the votes of trained models out, and do not make the result current: this is what they are trained on.
    engine : str, optional
        Where the work runs. Without it and without `workers`: in this process up to a million items, beyond that on
        the project's engine.
    workers : int, optional
        How many workers at most.

    Raises
    ------
    FailedError
        If there are no items yet.
    AnnotationError
        If a part of the work could not be finished; the others are kept.
    """
    chosen = model or workspace.project["aggregate.model"]
    if workspace.schema.is_structured:
        return aggregate_structured(workspace, chosen)
    work = _Work.of(workspace, chosen, without_models=without_models)
    if not work.partitions:
        raise FailedError("there are no items yet: bring some with `labelmill import FILE`")
    name = engine_for(workspace, engine, workers)
    need = Resources(workers=workspace.most_workers(workers))
    with workspace.lake.writing():
        if without_models:
            return _made(work, name, need)
        with workspace.running("aggregate", engine=name, parameters={"model": work.model}) as run:
            result = _current(work) or _made(work, name, need)
            workspace.end(run, counts={"items": result.summary.n_items, "version": result.version})
    return result


def engine_for(workspace: Workspace, engine: str | None, workers: int | None) -> str:
    """The engine of a verb that is quick on few items: the one named, or by the size of the lake."""
    if engine is None and workers is None and workspace.lake.n_items <= IN_PROCESS:
        return "serial"
    return engine or str(workspace.project["annotate.engine"])


def read_consensus(workspace: Workspace) -> Aggregated:
    """The consensus in the lake.

    Raises
    ------
    FailedError
        If there is none yet, or the schema has changed since it was made.
    """
    stored = current_consensus(workspace)
    if workspace.schema.is_structured:
        return read_structured(workspace, stored)
    summary = Summary(**stored.meta["summary"])
    annotators = pl.DataFrame(stored.meta["annotators"], schema=ANNOTATOR_COLUMNS)
    load = _loader(workspace, Place(stored.digest), stored.partitions, summary)
    return Aggregated(annotators, summary, load, stored.number)


def current_consensus(workspace: Workspace) -> ConsensusVersion:
    """What the lake says of its current consensus; see `read_consensus`."""
    stored = workspace.lake.consensus()
    if stored is None:
        raise FailedError("there is no consensus yet: make one with `labelmill aggregate`")
    if stored.meta.get("schema") != schema_fingerprint(workspace.schema):
        raise FailedError(
            "the classes in labelmill.toml have changed since the consensus was made: run `labelmill annotate`, then "
            "`labelmill aggregate`"
        )
    return stored


def gold_answers(workspace: Workspace) -> pl.DataFrame:
    """Gold answers in the project: columns `item`, `value`; the later where an item has several."""
    return people_votes(workspace, ("gold",)).drop_nulls("value").unique("item", keep="last", maintain_order=True)


@dataclass(frozen=True)
class _Work:
    """Everything a consensus follows from."""

    workspace: Workspace
    model: str
    is_target: bool
    plan: BallotPlan
    answers: pl.DataFrame
    gold: pl.DataFrame
    partitions: list[Partition]

    @classmethod
    def of(cls, workspace: Workspace, model: str, *, without_models: bool) -> _Work:
        """What the lake holds now."""
        plan, answers = ballot_plan(workspace, without_models=without_models)
        gold = coded_answers(workspace.schema, gold_answers(workspace), []).drop("annotator")
        return cls(workspace, model, without_models, plan, answers, gold, workspace.lake.item_partitions())

    @property
    def seed(self) -> int:
        """Of label models that draw."""
        return int(self.workspace.project["project.seed"])

    @cached_property
    def digest(self) -> str:
        """Hash of it all: the same consensus exactly where it is equal."""
        told = [
            labelmill.__version__,
            [self.model, self.seed, source_hash(registry.find("label_model", self.model))],
            [_fitting.MOST_PATTERNS, _fitting.GATHERED, _fitting.SAMPLE],
            self.is_target,
            fingerprint(self.plan, self.answers),
            self.gold.to_dict(as_series=False),
            self.partitions,
        ]
        return digest_of(told)


def _current(work: _Work) -> Aggregated | None:
    """The current consensus if it follows from the same."""
    stored = work.workspace.lake.consensus()
    return read_consensus(work.workspace) if stored is not None and stored.digest == work.digest else None


def _made(work: _Work, engine_name: str, need: Resources) -> Aggregated:
    workspace = work.workspace
    plugin = registry.find("label_model", work.model)
    with closing(open_engine(engine_name)) as engine:
        folder = "consensus-of-others" if work.is_target else "consensus"
        reduce = Reduce(workspace, engine, need, folder, work.digest)
        reduce.begin()
        source = BallotSource.published(reduce, work.plan, work.answers, work.gold)
        fitted = _fitting.fit(lambda: plugin(seed=work.seed), source, reduce, work.partitions, workspace.watch)
        place = Place(work.digest, folder if work.is_target else None)
        step = ConsensusStep(source, place, work.model, fitted.models, place.done(workspace.lake))
        sums = sums_of(reduce.run("consensus", step, work.partitions, workspace.watch("aggregate")))
    result = _result(work, fitted, sums, place)
    if work.is_target:
        consensus = result.consensus  # now: its tables go
        result = replace(result, load=lambda: consensus)
    else:
        meta = {
            "model": work.model,
            "details": dict(result.summary.details),
            "annotators": result.annotators.to_dicts(),
            "summary": result.summary.to_dict(),
            "schema": schema_fingerprint(workspace.schema),
        }
        result = replace(result, version=workspace.lake.seal_consensus(work.digest, work.partitions, meta))
    reduce.end()
    forget_shards()
    return result


def _result(work: _Work, fitted: _fitting.Fitted, sums: Sums, place: Place) -> Aggregated:
    plan = work.plan
    n_votes, *rest = sums.arrays
    details: dict[str, Any] = {key: {**m.details_, **fitted.notes} for key, m in fitted.models.items()}
    details = details if plan.is_multi else details[""]
    if work.gold.height:
        details["gold_items"] = work.gold.height
    summary = summary_of(Sums(tuple(rest)), plan.schema.classes, work.model, details)
    reliability = np.stack([model.reliability_ for model in fitted.models.values()])
    known = np.where(n_votes > 0, np.nan_to_num(reliability), 0.0) * n_votes
    total = n_votes.sum(axis=0)
    with np.errstate(invalid="ignore"):
        learned = known.sum(axis=0) / total if plan.is_multi else reliability[0]
    annotators = pl.DataFrame(
        {
            "annotator": [name for name, _ in plan.columns],
            "kind": [kind for _, kind in plan.columns],
            "votes": total.astype(np.int64),
            "reliability": learned,
        },
        schema=ANNOTATOR_COLUMNS,
    )
    return Aggregated(annotators, summary, _loader(work.workspace, place, work.partitions, summary))


def _loader(
    workspace: Workspace, place: Place, partitions: Sequence[Partition], summary: Summary
) -> Callable[[], Consensus]:
    def load() -> Consensus:
        frames = [place.read(workspace.lake, partition.id) for partition in partitions]
        consensus = consensus_of_frame(pl.concat(frames), workspace.schema, summary.model)
        return replace(consensus, details=summary.details)

    return load
