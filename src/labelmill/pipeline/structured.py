"""The consensus of a project whose labels are spans, boxes, segments, numbers or texts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import polars as pl

import labelmill
from labelmill import registry
from labelmill.domain.answers import AnswerTable, Merged
from labelmill.domain.consensus import StructuredConsensus
from labelmill.domain.ports import StructuredModel
from labelmill.errors import FailedError, SchemaError
from labelmill.pipeline._asked import asked_items
from labelmill.pipeline._digests import digest_of, source_hash
from labelmill.pipeline._kinds import kind_of
from labelmill.pipeline._merging import known_facts, label_text, model_for, structured_annotators
from labelmill.pipeline.aggregated import ANNOTATOR_COLUMNS, N_BINS, Aggregated, Summary
from labelmill.pipeline.votes import machine_answers, people_votes, schema_fingerprint
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.consensus_versions import ConsensusVersion

__all__ = ["aggregate_structured", "answer_table", "read_structured", "values_without_models"]

AUTO = "auto"
"""The project's setting for "whatever suits": here the structured model of the kind."""


def aggregate_structured(workspace: Workspace, model: str) -> Aggregated:
    """One value of all answers on each item, written to the lake; nothing is done where nothing has changed.

    The answers of rules, people and models are read into memory, all at once. The model learns from all of them. Where
    people were asked about an item and answered, their answers alone make its value: rules that share a mistake would
    outvote the person who mended it.

    Parameters
    ----------
    model : str
        Name of a structured model; `auto` for that of the kind.

    Raises
    ------
    FailedError
        If there are no items yet, or an answer is none under the present schema.
    """
    lake, kind = workspace.lake, workspace.schema.kind
    name = model_for(kind, None if model == AUTO else model)
    plugin = registry.find("structured_model", name)
    partitions = lake.item_partitions()
    if not partitions:
        raise FailedError("there are no items yet: bring some with `labelmill import FILE`")
    seed = int(workspace.project["project.seed"])
    votes = pl.concat([machine_answers(workspace), people_votes(workspace)])
    gold = people_votes(workspace, ("gold",))
    decided = _decided(workspace, votes)
    told = [labelmill.__version__, name, seed, source_hash(plugin), schema_fingerprint(workspace.schema), partitions]
    told += [asdict(attribute) for attribute in workspace.schema.attributes]
    told.append(sorted(decided))
    digest = digest_of([*told, votes.to_dict(as_series=False), gold.to_dict(as_series=False)])
    with lake.writing(), workspace.running("aggregate", engine="serial", parameters={"model": name}) as run:
        stored = lake.consensus()
        if stored is None or stored.digest != digest:
            table, fitted, merged = _merged(workspace, plugin(seed=seed), votes, decided, gold)
            seen = workspace.watch("aggregate")
            for done, partition in enumerate(partitions, 1):
                ids = lake.read_items(partition).ids
                lake.publish_consensus(digest, partition.id, _frame(ids, merged))
                seen(done, len(partitions))
            lake.seal_consensus(digest, partitions, _meta(workspace, table, fitted, merged, lake.n_items))
        result = read_structured(workspace, lake.consensus())
        workspace.end(run, counts={"items": result.summary.n_items, "version": result.version})
    return result


def values_without_models(workspace: Workspace) -> dict[str, Merged]:
    """What people and rules together answer, by item, for models to learn from; nothing is written.

    Raises
    ------
    FailedError
        If an answer is none under the present schema.
    """
    plugin = registry.find("structured_model", model_for(workspace.schema.kind, None))
    machines = machine_answers(workspace).filter(pl.col("kind") != "model")
    votes = pl.concat([machines, people_votes(workspace)])
    gold = people_votes(workspace, ("gold",))
    if not votes.height:
        return _gold(workspace, gold)
    model = plugin(seed=int(workspace.project["project.seed"]))
    return _merged(workspace, model, votes, _decided(workspace, votes), gold)[2]


def _merged(
    workspace: Workspace, model: StructuredModel, votes: pl.DataFrame, decided: set[str], gold: pl.DataFrame
) -> tuple[AnswerTable, StructuredModel, dict[str, Merged]]:
    """The answers as a table, the model fitted to them, and one value for each item."""
    table = answer_table(workspace, votes)
    fitted = model.fit(table)
    counted = answer_table(workspace, votes.filter(_by_people() | ~pl.col("item").is_in(list(decided))))
    merged = dict(zip(counted.items, fitted.predict(counted), strict=True))
    return table, fitted, merged | _gold(workspace, gold)


def read_structured(workspace: Workspace, stored: ConsensusVersion | None) -> Aggregated:
    """The consensus of this version; see `labelmill.pipeline.aggregate.read_consensus`.

    Raises
    ------
    FailedError
        If there is none.
    """
    if stored is None:
        raise FailedError("there is no consensus yet: make one with `labelmill aggregate`")
    summary = Summary(**stored.meta["summary"])
    annotators = pl.DataFrame(stored.meta["annotators"], schema=ANNOTATOR_COLUMNS)

    def load() -> StructuredConsensus:
        frames = [workspace.lake.read_consensus(stored.digest, partition.id) for partition in stored.partitions]
        return StructuredConsensus.of_frame(pl.concat(frames), workspace.schema, summary.model, summary.details)

    return Aggregated(annotators, summary, load, stored.number)


def answer_table(workspace: Workspace, votes: pl.DataFrame) -> AnswerTable:
    """Votes as the table that structured models take; items without answers are left out.

    Raises
    ------
    FailedError
        If an answer is none under the present schema.
    """
    schema = workspace.schema.without_demands()
    kind = kind_of(schema)
    ids = votes["item"].unique(maintain_order=True).to_list()
    items = {item.id: known_facts(item) for item in workspace.lake.items(ids)}
    people = sorted(votes["annotator"].unique().to_list())
    place, seat = ({name: i for i, name in enumerate(names)} for names in (ids, people))
    kinds = dict(votes.select("annotator", "kind").iter_rows())
    values = [
        _value(partial(kind.validate, schema=schema, item=items[item]), item, annotator, text)
        for item, annotator, text in votes.select("item", "annotator", "value").iter_rows()
    ]
    is_text = schema.modality == "text"
    return AnswerTable(
        kind,
        ids,
        people,
        [place[item] for item in votes["item"]],
        [seat[name] for name in votes["annotator"]],
        values,
        classes=schema.classes,
        confidence=votes["confidence"].cast(pl.Float64).fill_null(float("nan")).to_numpy(),
        facts=[{**items[i].facts, **({"text": items[i].data} if is_text else {})} for i in ids],
        kinds=[kinds[name] for name in people],
    )


def _decided(workspace: Workspace, votes: pl.DataFrame) -> set[str]:
    """Items that people were asked about and answered."""
    said = votes.filter(_by_people() & pl.col("value").is_not_null())
    return asked_items(workspace) & set(said["item"])


def _by_people() -> pl.Expr:
    return pl.col("kind").fill_null("person") == "person"


def _value(check: Any, item: str, annotator: str, text: str | None) -> Any:
    if text is None:
        return None
    try:
        return check(text)
    except SchemaError as error:
        raise FailedError(
            f"the answer of {annotator!r} on item {item!r} is none under the present schema: {error}. Change "
            "labelmill.toml back, import the answer anew, or run the rules again with `labelmill annotate`"
        ) from error


def _gold(workspace: Workspace, gold: pl.DataFrame) -> dict[str, Merged]:
    """Gold answers stand above all others."""
    known = gold.drop_nulls("value").unique("item", keep="last", maintain_order=True)
    if not known.height:
        return {}
    table = answer_table(workspace, known)
    parts = {i: len(v) if isinstance(v, list) else 0 for i, v in enumerate(table.values)}
    return {
        table.items[int(table.item_index[i])]: Merged(value, 1.0, (1.0,) * parts[i])
        for i, value in enumerate(table.values)
    }


def _frame(ids: list[str], merged: Mapping[str, Merged]) -> pl.DataFrame:
    nothing = Merged(None, 0.0)
    found = [merged.get(id_, nothing) for id_ in ids]
    return pl.DataFrame(
        {
            "item": ids,
            "label": [label_text(one.value) for one in found],
            "confidence": [one.confidence for one in found],
            "parts": [list(one.parts) for one in found],
        },
        schema={"item": pl.String, "label": pl.String, "confidence": pl.Float64, "parts": pl.List(pl.Float64)},
    )


def _meta(
    workspace: Workspace, table: AnswerTable, model: StructuredModel, merged: Mapping[str, Merged], n_items: int
) -> dict[str, Any]:
    given = [one for one in merged.values() if one.value is not None]
    sure = np.array([one.confidence for one in given])
    counts: Counter[str] = Counter()
    for one in given:
        parts = one.value if isinstance(one.value, list) else [one.value]
        counts.update(part["label"] for part in parts if isinstance(part, Mapping) and "label" in part)
        counts.update(part for part in parts if isinstance(part, str) and part in workspace.schema.classes)
    bins = np.bincount(np.minimum((sure * N_BINS).astype(np.int64), N_BINS - 1), minlength=N_BINS)
    summary = Summary(
        n_items=n_items,
        n_voted=len(given),
        n_tied=0,
        labels={name: counts[name] for name in workspace.schema.classes},
        balance={},
        mean_confidence=float(sure.mean()) if len(sure) else None,
        confidence=bins.tolist(),
        model=model.details_["model"],
        details=json.loads(json.dumps(model.details_)),
    )
    return {
        "model": summary.model,
        "details": dict(summary.details),
        "annotators": structured_annotators(table, model).to_dicts(),
        "summary": summary.to_dict(),
        "schema": schema_fingerprint(workspace.schema),
    }
