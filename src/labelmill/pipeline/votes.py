"""All votes of a project as vote tables: columns of machines, rows of people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.strict_json import loads
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import FailedError
from labelmill.pipeline.workspace import Workspace

__all__ = ["CURRENT", "Ballots", "Machine", "ballots", "current_machines", "people_votes", "schema_fingerprint"]

CURRENT = "annotators"
"""Document that names the machine annotators whose votes count, with their fingerprints."""

IN_CONSENSUS = ("label", "review")
"""Purposes whose answers enter the consensus; gold clamps it, an audit must not touch what it measures."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A rule or model whose votes count at present."""

    name: str
    kind: AnnotatorKind
    fingerprint: str
    evaluation: str = ""
    reason: str = ""
    schema: str = ""
    """Fingerprint of the question it answered: its votes are class indices, and mean nothing under another."""


SILENCE = Machine("(silence)", "rule", "")
"""Stands for all rules together where they named other classes of a multi-choice, but not the one asked about."""


@dataclass(frozen=True)
class Ballots:
    """The votes on every item of the project.

    Parameters
    ----------
    items : list of str
        All item ids in lake order.
    tables : mapping of str to VoteTable
        `choice`: the one table under "". `multi_choice`: for each class a table with the classes ("no", "yes").
    """

    items: list[str]
    tables: Mapping[str, VoteTable]

    @property
    def is_multi(self) -> bool:
        """True for one binary table per class."""
        return "" not in self.tables

    @property
    def first(self) -> VoteTable:
        """The only table of a choice; for several classes, the first one's."""
        return next(iter(self.tables.values()))


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


def _check_question(workspace: Workspace, *, without_models: bool) -> None:
    """Refuse to count while machines have answered another question only."""
    asked = schema_fingerprint(workspace.schema)
    stale = [m for m in _remembered(workspace) if m.schema != asked and not (without_models and m.kind == "model")]
    if stale:
        rules = [machine.name for machine in stale if machine.evaluation != "learned"]
        step = "labelmill annotate" if rules else "labelmill train"
        raise FailedError(
            f"the classes in labelmill.toml have changed since {', '.join(m.name for m in stale)} voted: "
            f"run `{step}` again"
        )


def people_votes(workspace: Workspace, purposes: Sequence[str] = IN_CONSENSUS) -> pl.DataFrame:
    """People's votes with one of the purposes, the later one where somebody answered twice.

    Columns `item`, `annotator`, `value` (class name, JSON list, or null for an abstention), `kind`.

    Raises
    ------
    FailedError
        If they name a class that the schema does not have any more.
    """
    votes = workspace.lake.imported_votes().filter(pl.col("purpose").is_in(list(purposes)))
    _check_known(workspace, votes["value"])
    return votes.unique(["item", "annotator"], keep="last", maintain_order=True)


def _check_known(workspace: Workspace, values: pl.Series) -> None:
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
        Leave models out: what they are trained on must not be their own echo.

    Raises
    ------
    FailedError
        If the schema has changed since the machines voted.
    """
    _check_question(workspace, without_models=without_models)
    items = workspace.lake.item_ids().to_list()
    machines = [m for m in current_machines(workspace) if not (without_models and m.kind == "model")]
    columns = dict(_machine_columns(workspace, machines, len(items)))
    people = _coded_people(people_votes(workspace), items)
    if workspace.schema.kind != "multi_choice":
        return Ballots(items, {"": _choice_table(workspace, items, machines, columns, people)})
    return Ballots(
        items,
        {
            name: _class_table(workspace, k, items, machines, columns, people)
            for k, name in enumerate(workspace.schema.classes)
        },
    )


@dataclass(frozen=True)
class _Column:
    """One machine's votes on all items: class indices, or sets of them; and a model's probabilities."""

    labels: pl.Series
    probabilities: npt.NDArray[np.float64] | None


def _machine_columns(workspace: Workspace, machines: Sequence[Machine], n_items: int) -> Iterator[tuple[str, _Column]]:
    lake = workspace.lake
    partitions = lake.item_partitions()
    home: dict[tuple[str, str], dict[str, str]] = {}
    for votes in lake.vote_sets():
        for name, entry in votes.annotators.items():
            where = home.setdefault((name, entry["fingerprint"]), {})
            where.update({partition.id: votes.digest for partition in votes.partitions})
    frames: dict[tuple[str, str], pl.DataFrame] = {}
    for machine in machines:
        where = home.get((machine.name, machine.fingerprint), {})
        parts = []
        for partition in partitions:
            digest = where.get(partition.id)
            if digest is None:
                parts.append(pl.DataFrame({machine.name: [None] * partition.n_rows}))
                continue
            if (digest, partition.id) not in frames:
                frames[digest, partition.id] = lake.read_votes(digest, partition.id)
            frame = frames[digest, partition.id]
            parts.append(frame.select(c for c in (machine.name, f"p.{machine.name}") if c in frame.columns))
        yield machine.name, _column(machine.name, parts, n_items, workspace.schema.n_classes)


def _column(name: str, parts: list[pl.DataFrame], n_items: int, n_classes: int) -> _Column:
    whole = pl.concat(parts, how="diagonal_relaxed") if parts else pl.DataFrame({name: []})
    soft = f"p.{name}"
    if soft not in whole.columns:
        return _Column(whole[name], None)
    probabilities = np.full((n_items, n_classes), np.nan)
    given = whole[soft].is_not_null().to_numpy()
    if given.any():
        probabilities[given] = np.stack(whole[soft].drop_nulls().to_list())
    return _Column(whole[name], probabilities)


@dataclass(frozen=True)
class _People:
    """People's votes on known items: item positions, annotator names and kinds, decoded values."""

    item_index: npt.NDArray[np.int64]
    annotator_index: npt.NDArray[np.int64]
    values: list[Any]
    names: list[str]
    kinds: list[AnnotatorKind]


def _coded_people(votes: pl.DataFrame, items: Sequence[str]) -> _People:
    position = pl.DataFrame({"item": items, "index": range(len(items))}, schema={"item": pl.String, "index": pl.Int64})
    known = votes.join(position, on="item", how="inner", maintain_order="left")
    names = sorted(known["annotator"].unique().to_list())
    code = {name: j for j, name in enumerate(names)}
    kinds = dict(known.select("annotator", "kind").iter_rows())
    return _People(
        known["index"].to_numpy(),
        np.array([code[name] for name in known["annotator"]], dtype=np.int64),
        known["value"].to_list(),
        names,
        [kinds[name] or "person" for name in names],
    )


def _choice_table(
    workspace: Workspace,
    items: list[str],
    machines: Sequence[Machine],
    columns: Mapping[str, _Column],
    people: _People,
) -> VoteTable:
    classes = workspace.schema.classes
    dense = np.full((len(items), len(machines)), ABSTAIN, dtype=np.int16)
    for j, machine in enumerate(machines):
        dense[:, j] = columns[machine.name].labels.fill_null(ABSTAIN).cast(pl.Int16).to_numpy()
    answers = [ABSTAIN if value is None else classes.index(value) for value in people.values]
    soft = {j: c for j, m in enumerate(machines) if (c := columns[m.name].probabilities) is not None}
    return _table(items, machines, people, classes, dense, answers, soft)


def _class_table(
    workspace: Workspace,
    k: int,
    items: list[str],
    machines: Sequence[Machine],
    columns: Mapping[str, _Column],
    people: _People,
) -> VoteTable:
    """Votes on whether class k applies.

    A person's set of classes refuses all others. A rule mostly knows one class and says nothing of the others; but
    where rules named classes and none named this one, their common silence is one more rule's "no".
    """
    dense = np.full((len(items), len(machines) + 1), ABSTAIN, dtype=np.int16)
    soft = {}
    spoken = np.zeros(len(items), dtype=np.bool_)
    for j, machine in enumerate(machines):
        column = columns[machine.name]
        if column.labels.dtype == pl.Null:
            continue
        named = column.labels.list.contains(k).fill_null(value=False).to_numpy()
        refused = (column.labels.list.len() == 0).fill_null(value=False).to_numpy()
        if column.probabilities is not None:
            refused = np.isfinite(column.probabilities[:, k]) & ~named
            soft[j] = np.stack([1 - column.probabilities[:, k], column.probabilities[:, k]], axis=1)
        dense[named, j], dense[refused, j] = 1, 0
        if machine.kind == "rule":
            spoken |= (column.labels.list.len() > 0).fill_null(value=False).to_numpy()
    rules = [j for j, machine in enumerate(machines) if machine.kind == "rule"]
    dense[spoken & (dense[:, rules] == ABSTAIN).all(axis=1), -1] = 0
    name = workspace.schema.classes[k]
    answers = [ABSTAIN if value is None else int(name in loads(value)) for value in people.values]
    return _table(items, [*machines, SILENCE], people, ("no", "yes"), dense, answers, soft)


def _table(
    items: list[str],
    machines: Sequence[Machine],
    people: _People,
    classes: Sequence[str],
    dense: npt.NDArray[np.int16],
    answers: Sequence[int],
    soft: Mapping[int, npt.NDArray[np.float64]],
) -> VoteTable:
    names = [machine.name for machine in machines] + people.names
    kinds: list[AnnotatorKind | None] = [*(machine.kind for machine in machines), *people.kinds]
    if not people.names and not soft:
        return VoteTable.from_matrix(dense, classes=classes, annotators=names, items=items, kinds=kinds)
    item_index, annotator_index = np.nonzero(dense != ABSTAIN)
    return VoteTable(
        items,
        names,
        classes,
        np.concatenate([item_index, people.item_index]),
        np.concatenate([annotator_index, people.annotator_index + len(machines)]),
        np.concatenate([dense[item_index, annotator_index], np.asarray(answers, dtype=np.int16)]),
        kinds=kinds,
        soft=soft,
    )
