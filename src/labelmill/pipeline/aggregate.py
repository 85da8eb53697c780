"""Aggregate: votes become a consensus."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill import registry
from labelmill.domain.consensus import Consensus
from labelmill.domain.strict_json import loads
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import FailedError
from labelmill.pipeline.votes import Ballots, ballots, people_votes, schema_fingerprint
from labelmill.pipeline.workspace import Workspace

__all__ = ["Aggregated", "aggregate", "aggregate_votes", "gold_answers", "read_consensus"]


@dataclass(frozen=True)
class Aggregated:
    """A consensus and what was learned of each annotator.

    Parameters
    ----------
    consensus : Consensus
    annotators : polars.DataFrame
        Columns `annotator`, `kind`, `votes`, `reliability` (probability that its vote names the true class).
    version : int
        Number of the consensus in the lake.
    """

    consensus: Consensus
    annotators: pl.DataFrame
    version: int = 0


ANNOTATOR_COLUMNS = {"annotator": pl.String, "kind": pl.String, "votes": pl.Int64, "reliability": pl.Float64}
"""What is learned of each annotator, of none too."""


def aggregate_votes(
    votes: Any,
    *,
    model: str = "auto",
    classes: Sequence[str] | None = None,
    kinds: Mapping[str, AnnotatorKind] | None = None,
    seed: int = 0,
) -> Aggregated:
    """The consensus of a table of votes, without a project.

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
    seed : int
        For label models that draw.
    """
    table = VoteTable.of(votes, classes=classes, kinds=kinds)
    fitted = registry.find("label_model", model)(seed=seed).fit(table)
    consensus = Consensus(
        table.items,
        table.classes,
        fitted.predict_proba(table),
        table.has_votes,
        model,
        fitted.details_,
    )
    counts = np.bincount(table.annotator_index[table.label >= 0], minlength=table.n_annotators)
    return Aggregated(
        consensus,
        pl.DataFrame(
            {
                "annotator": list(table.annotators),
                "kind": list(table.kinds),
                "votes": counts,
                "reliability": fitted.reliability_,
            },
            schema_overrides={"annotator": pl.String, "kind": pl.String},
        ),
    )


def aggregate(workspace: Workspace, *, model: str | None = None, without_models: bool = False) -> Aggregated:
    """The project's consensus, written to its lake.

    Parameters
    ----------
    model : str, optional
        Label model; the project's without it.
    without_models : bool
        Leave the votes of models out, and do not write: this is what models are trained on.

    Raises
    ------
    FailedError
        If there are no items yet.
    """
    cast = ballots(workspace, without_models=without_models)
    if not cast.items:
        raise FailedError("there are no items yet: bring some with `labelmill import FILE`")
    name = model or workspace.project["aggregate.model"]
    seed = workspace.project["project.seed"]
    results = {key: aggregate_votes(table, model=name, seed=seed) for key, table in cast.tables.items()}
    result = _clamped(workspace, _joined(workspace, cast, results, name))
    if without_models:
        return result
    run = workspace.begin("aggregate", parameters={"model": name})
    meta = {
        "model": name,
        "details": dict(result.consensus.details),
        "annotators": result.annotators.to_dicts(),
        "run": run.id,
        "schema": schema_fingerprint(workspace.schema),
    }
    version = _write(workspace, result.consensus.to_frame(), meta)
    workspace.end(run, counts={"items": len(cast.items), "version": version})
    return Aggregated(result.consensus, result.annotators, version)


def _write(workspace: Workspace, frame: pl.DataFrame, meta: dict[str, Any]) -> int:
    lake = workspace.lake
    digest = meta["run"].rpartition("-")[2] + hashlib.sha256(meta["run"].encode()).hexdigest()[:12]
    partitions, at = lake.item_partitions(), 0
    for partition in partitions:
        lake.publish_consensus(digest, partition.id, frame.slice(at, partition.n_rows))
        at += partition.n_rows
    return lake.seal_consensus(digest, partitions, meta)


def read_consensus(workspace: Workspace) -> Aggregated:
    """The consensus in the lake.

    Raises
    ------
    FailedError
        If there is none yet, or the schema has changed since it was made.
    """
    lake = workspace.lake
    stored = lake.consensus()
    if stored is None:
        raise FailedError("there is no consensus yet: make one with `labelmill aggregate`")
    meta = stored.meta
    if meta.get("schema") != schema_fingerprint(workspace.schema):
        raise FailedError(
            "the classes in labelmill.toml have changed since the consensus was made: run `labelmill annotate`, then "
            "`labelmill aggregate`"
        )
    classes = workspace.schema.classes
    frame = pl.concat([lake.read_consensus(stored.digest, partition.id) for partition in stored.partitions])
    return Aggregated(
        Consensus(
            frame["item"].to_list(),
            classes,
            frame.select(f"p_{name}" for name in classes).to_numpy(),
            frame["label"].is_not_null().to_numpy(),
            meta["model"],
            meta["details"],
            kind=workspace.schema.kind,
        ),
        pl.DataFrame(meta["annotators"], schema=ANNOTATOR_COLUMNS),
        meta["version"],
    )


def gold_answers(workspace: Workspace) -> pl.DataFrame:
    """Gold answers in the project: columns `item`, `value`; the later where an item has several."""
    return people_votes(workspace, ("gold",)).drop_nulls("value").unique("item", keep="last", maintain_order=True)


def _joined(workspace: Workspace, cast: Ballots, results: Mapping[str, Aggregated], model: str) -> Aggregated:
    """One result of one per class: column k of the probabilities is that class's "yes"."""
    if not cast.is_multi:
        return results[""]
    each = list(results.values())
    consensus = Consensus(
        cast.items,
        workspace.schema.classes,
        np.stack([result.consensus.probabilities[:, 1] for result in each], axis=1),
        np.any([result.consensus.has_votes for result in each], axis=0),
        model,
        {name: dict(result.consensus.details) for name, result in results.items()},
        kind="multi_choice",
    )
    annotators = (
        pl.concat([result.annotators for result in each])
        .group_by("annotator", maintain_order=True)
        .agg(
            pl.col("kind").first(),
            pl.col("votes").sum(),
            ((pl.col("reliability").fill_nan(None) * pl.col("votes")).sum() / pl.col("votes").sum()).alias(
                "reliability"
            ),
        )
    )
    return Aggregated(consensus, annotators)


def _clamped(workspace: Workspace, result: Aggregated) -> Aggregated:
    """The consensus with gold answers in the place of guesses."""
    gold = gold_answers(workspace)
    if gold.is_empty():
        return result
    consensus = result.consensus
    position = {item: i for i, item in enumerate(consensus.items)}
    probabilities, has_votes = consensus.probabilities.copy(), consensus.has_votes.copy()
    for item, value in gold.select("item", "value").iter_rows():
        if item in position:
            probabilities[position[item]] = _certain(value, consensus)
            has_votes[position[item]] = True
    clamped = Consensus(
        consensus.items,
        consensus.classes,
        probabilities,
        has_votes,
        consensus.model,
        {**consensus.details, "gold_items": gold.height},
        kind=consensus.kind,
    )
    return Aggregated(clamped, result.annotators)


def _certain(value: str, consensus: Consensus) -> npt.NDArray[np.float64]:
    named = loads(value) if consensus.kind == "multi_choice" else [value]
    return np.array([float(name in named) for name in consensus.classes])
