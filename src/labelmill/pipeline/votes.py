"""All votes of a project as vote tables: columns of machines, rows of people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.strict_json import loads
from labelmill.domain.vote import AnnotatorKind
from labelmill.errors import FailedError, nearest
from labelmill.pipeline._ballots import ANSWERS, BallotPlan, Ballots, Machine, cast, joined
from labelmill.pipeline._database_votes import database_votes
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.imported_votes import COLUMNS

__all__ = [
    "CURRENT",
    "Ballots",
    "Machine",
    "ballot_plan",
    "ballots",
    "coded_answers",
    "commands_for",
    "current_machines",
    "machine_answers",
    "model_probabilities",
    "people_votes",
    "said_by_people",
    "schema_fingerprint",
    "stale_machines",
]

CURRENT = "annotators"
"""Document that names the machine annotators whose votes count, with their fingerprints."""

IN_CONSENSUS = ("label", "review")
"""Purposes whose answers enter the consensus; gold clamps it, an audit must not touch what it measures."""


def schema_fingerprint(schema: LabelSchema) -> str:
    """Hash of what gives class indices their meaning."""
    return hashlib.sha256(json.dumps([schema.kind, schema.classes, schema.version]).encode()).hexdigest()[:12]


def current_machines(workspace: Workspace) -> list[Machine]:
    """The rules and models whose votes count, as the last `annotate` and `train` left them.

    Those that answered another question, before the schema changed, are not among them.
    """
    asked = schema_fingerprint(workspace.schema)
    return [machine for machine in _remembered(workspace) if machine.schema == asked]


def _remembered(workspace: Workspace) -> list[Machine]:
    document = workspace.lake.read_document(CURRENT) or {"machines": []}
    return [Machine(**entry) for entry in document["machines"]]


def stale_machines(workspace: Workspace) -> list[Machine]:
    """The rules and models that have answered another question only, and do not count until they are run again."""
    asked = schema_fingerprint(workspace.schema)
    return [machine for machine in _remembered(workspace) if machine.schema != asked]


def commands_for(machines: Sequence[Machine]) -> list[str]:
    """What is to be run so that these vote again."""
    learned = [machine.evaluation == "learned" for machine in machines]
    return ["labelmill annotate"] * (not all(learned)) + ["labelmill train"] * any(learned)


def _check_question(workspace: Workspace, *, without_models: bool) -> None:
    """Refuse to count while machines have answered another question only."""
    stale = [m for m in stale_machines(workspace) if not (without_models and m.evaluation == "learned")]
    if stale:
        step = commands_for(stale)[0]
        raise FailedError(
            f"the classes in labelmill.toml have changed since {', '.join(m.name for m in stale)} voted: "
            f"run `{step}` again"
        )


def people_votes(workspace: Workspace, purposes: Sequence[str] = IN_CONSENSUS) -> pl.DataFrame:
    """People's votes with one of the purposes, from files and from the server; the later one of somebody's two.

    Columns `item`, `annotator`, `value` (class name, JSON list, or null for an abstention), `kind`.

    Raises
    ------
    FailedError
        If they name a class that the schema does not have any more.
    """
    votes = said_by_people(workspace).filter(pl.col("purpose").is_in(list(purposes)))
    _check_known(workspace, votes["value"])
    return votes.unique(["item", "annotator"], keep="last", maintain_order=True)


def said_by_people(workspace: Workspace) -> pl.DataFrame:
    """All that came from files and from the server; of somebody's two on an item, the one that holds stands last.

    What was said to the server stands before what a file says, but a repair that came after it before both.
    """
    from_files, from_server = workspace.lake.imported_votes(), database_votes(workspace)
    last = from_files.unique(["item", "annotator"], keep="last", maintain_order=True)
    said = from_server.select("item", "annotator", said_at="at")
    repairs = last.filter(pl.col("reason").is_not_null()).join(said, on=["item", "annotator"], maintain_order="left")
    later = repairs.filter(pl.col("at") > pl.col("said_at")).drop("said_at")
    return pl.concat([from_files, from_server, later])


def machine_answers(workspace: Workspace) -> pl.DataFrame:
    """What rules said where an answer is more than classes, in the columns of people's votes; abstentions left out.

    Raises
    ------
    FailedError
        If the schema has changed since the machines voted.
    """
    _check_question(workspace, without_models=False)
    machines = current_machines(workspace)
    homes = _homes(workspace, machines)
    frames = [pl.DataFrame(schema=COLUMNS)]
    for partition in workspace.lake.item_partitions():
        home = homes[partition.id]
        sets = {digest: workspace.lake.read_votes(digest, partition.id) for digest in home if digest is not None}
        ids = workspace.lake.read_items(partition, ["id"]).frame["id"] if sets else None
        for machine, digest in zip(machines, home, strict=True):
            if ids is not None and digest is not None:
                frames.append(_said(machine, ids, sets[digest][machine.name]))
    return pl.concat(frames)


def model_probabilities(workspace: Workspace, name: str) -> npt.NDArray[np.float64]:
    """What a rule or model thinks of every item, shape (n_items, n_classes): NaN where it has not voted or abstained.

    Where it told no probabilities, what it voted is certain.

    Raises
    ------
    FailedError
        If nobody of that name votes.
    """
    machines = [machine for machine in current_machines(workspace) if machine.name == name]
    if not machines:
        known = [machine.name for machine in current_machines(workspace)]
        raise FailedError(f"no rule or model called {name!r} votes here: {nearest(name, known)}")
    homes, schema = _homes(workspace, machines), workspace.schema
    parts = [np.zeros((0, schema.n_classes))]
    for partition in workspace.lake.item_partitions():
        (digest,) = homes[partition.id]
        if digest is None:
            parts.append(np.full((partition.n_rows, schema.n_classes), np.nan))
        else:
            parts.append(_probabilities(workspace.lake.read_votes(digest, partition.id), name, schema))
    return np.concatenate(parts)


def _probabilities(frame: pl.DataFrame, name: str, schema: LabelSchema) -> npt.NDArray[np.float64]:
    """One machine's votes in one partition."""
    found = np.full((frame.height, schema.n_classes), np.nan)
    for row, vote in enumerate(frame[name].to_list()):
        if vote is not None and vote != ABSTAIN:
            found[row] = 0.0
            found[row, vote] = 1.0
    if f"p.{name}" in frame.columns:
        told = frame[f"p.{name}"]
        rows = np.flatnonzero(told.is_not_null().to_numpy())
        found[rows] = np.array(told.drop_nulls().to_list(), dtype=np.float64).reshape(len(rows), schema.n_classes)
    return found


def _said(machine: Machine, ids: pl.Series, values: pl.Series) -> pl.DataFrame:
    """The values of one machine as rows."""
    told = {"annotator": machine.name, "purpose": "label", "kind": machine.kind}
    rows = pl.DataFrame([ids.alias("item"), values.alias("value")]).filter(pl.col("value").is_not_null())
    return rows.select(
        (pl.lit(told[name]) if name in told else pl.col(name) if name in rows.columns else pl.lit(None))
        .cast(kind)
        .alias(name)
        for name, kind in COLUMNS.items()
    )


def _check_known(workspace: Workspace, values: pl.Series) -> None:
    if workspace.schema.is_structured:  # checked whole, with their items
        return
    is_multi = workspace.schema.kind == "multi_choice"
    for value in values.drop_nulls().unique(maintain_order=True):
        named = (loads(value) if value.startswith("[") else [value]) if is_multi else [value]
        for name in named:
            if name not in workspace.schema.classes:
                raise FailedError(
                    f"{int((values == value).sum())} answers of people name {name!r}, which is no class in "
                    "labelmill.toml any more: add it to [schema] classes again, or make a new project"
                )


def ballots(workspace: Workspace, *, without_models: bool = False) -> Ballots:
    """Every vote that counts, on every item.

    Parameters
    ----------
    without_models : bool
        Leave models out that were trained on the consensus: what they learn from must not be their own echo. Models
        that came from elsewhere stay.

    Raises
    ------
    FailedError
        If the schema has changed since the machines voted.
    """
    plan, answers = ballot_plan(workspace, without_models=without_models)
    lake = workspace.lake
    return joined(plan, [cast(plan, lake, partition, answers) for partition in lake.item_partitions()])


def ballot_plan(workspace: Workspace, *, without_models: bool = False) -> tuple[BallotPlan, pl.DataFrame]:
    """Where the votes that count lie, and people's votes as `coded_answers`; see `ballots`."""
    _check_question(workspace, without_models=without_models)
    machines = tuple(m for m in current_machines(workspace) if not (without_models and m.evaluation == "learned"))
    votes = people_votes(workspace)
    kinds: dict[str, AnnotatorKind | None] = dict(votes.select("annotator", "kind").iter_rows())
    people = tuple((name, kinds[name] or "person") for name in sorted(kinds))
    plan = BallotPlan(workspace.schema, machines, people, _homes(workspace, machines))
    return plan, coded_answers(workspace.schema, votes, [name for name, _ in people])


def coded_answers(schema: LabelSchema, votes: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Votes of people with their annotators and classes as positions; see `ANSWERS`."""
    codes: dict[str, list[int]] = {}
    for value in votes["value"].drop_nulls().unique(maintain_order=True):
        named = loads(value) if schema.kind == "multi_choice" else [value]
        codes[value] = sorted(schema.classes.index(name) for name in named)
    meaning = pl.DataFrame({"value": list(codes), "classes": list(codes.values())}, schema=_MEANING)
    places = pl.DataFrame({"annotator": names, "place": range(len(names))}, schema=_PLACES)
    coded = votes.join(meaning, on="value", how="left", maintain_order="left")
    coded = coded.join(places, on="annotator", how="left", maintain_order="left")
    return coded.select("item", annotator="place", value="classes").cast(ANSWERS)  # type: ignore[arg-type]  # a mapping of names to types is what cast documents


_MEANING = {"value": pl.String, "classes": ANSWERS["value"]}
_PLACES = {"annotator": pl.String, "place": pl.Int32}


def _homes(workspace: Workspace, machines: Sequence[Machine]) -> dict[str, tuple[str | None, ...]]:
    """Partition -> for each machine the set with its votes there."""
    sets: dict[tuple[str, str], dict[str, str]] = {}
    for votes in workspace.lake.vote_sets():
        for name, entry in votes.annotators.items():
            where = sets.setdefault((name, entry["fingerprint"]), {})
            where.update({partition.id: votes.digest for partition in votes.partitions})
    found = [sets.get((machine.name, machine.fingerprint), {}) for machine in machines]
    same: dict[tuple[str | None, ...], tuple[str | None, ...]] = {}  # one object for each, so that pickles stay small
    homes = {}
    for partition in workspace.lake.item_partitions():
        home = tuple(where.get(partition.id) for where in found)
        homes[partition.id] = same.setdefault(home, home)
    return homes
