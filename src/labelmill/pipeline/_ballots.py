"""The votes on the items of one partition as vote tables: the driver and every worker make them alike."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.partition import Partition
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable
from labelmill.stores.lake import Lake

__all__ = ["ANSWERS", "SILENCE", "BallotPlan", "Ballots", "Machine", "cast", "fingerprint", "joined", "some_rows"]

ANSWERS: Final[dict[str, Any]] = {"item": pl.String, "annotator": pl.Int32, "value": pl.List(pl.Int16)}
"""People's votes, coded: position among the plan's people, class indices (one of a choice), null for an abstention."""


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


SILENCE: Final = Machine("(silence)", "rule", "")
"""Stands for all rules together where they named other classes of a multi-choice, but not the one asked about."""


@dataclass(frozen=True)
class BallotPlan:
    """Where every vote that counts lies; small, so that it travels to workers.

    Parameters
    ----------
    schema : LabelSchema
    machines : tuple of Machine
        Rules and models whose votes count.
    people : tuple of (str, str)
        Name and kind of everybody whose votes were imported, in order of the names.
    homes : mapping of str to tuple of (str or None)
        Partition -> for each machine the set that holds its votes there, None where it has not voted.
    """

    schema: LabelSchema
    machines: tuple[Machine, ...]
    people: tuple[tuple[str, AnnotatorKind], ...]
    homes: Mapping[str, tuple[str | None, ...]]

    @property
    def is_multi(self) -> bool:
        """True for one binary table per class."""
        return self.schema.kind == "multi_choice"

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the tables: "" for the one of a choice, else the classes."""
        return self.schema.classes if self.is_multi else ("",)

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes of each table."""
        return ("no", "yes") if self.is_multi else self.schema.classes

    @property
    def columns(self) -> tuple[tuple[str, AnnotatorKind], ...]:
        """Name and kind of the annotators of each table, in their order."""
        machines = [*self.machines, SILENCE] if self.is_multi else self.machines
        return (*((machine.name, machine.kind) for machine in machines), *self.people)


@dataclass(frozen=True)
class Ballots:
    """The votes on every item, or on those of a part of the lake.

    Parameters
    ----------
    items : list of str
        Item ids in lake order.
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

    @property
    def is_soft(self) -> bool:
        """True where somebody gave probabilities."""
        return any(table.soft for table in self.tables.values())


def cast(
    plan: BallotPlan, lake: Lake, partition: Partition, answers: pl.DataFrame, *, with_items: bool = True
) -> Ballots:
    """The votes on a partition's items, row for row.

    Parameters
    ----------
    answers : polars.DataFrame
        People's votes, see `ANSWERS`; those on other items are passed over.
    with_items : bool
        False leaves the ids empty where nothing else needs them, which spares reading them.
    """
    ids = lake.read_items(partition, ["id"]).frame["id"] if with_items or answers.height else None
    items = [""] * partition.n_rows if ids is None else ids.to_list()
    return _tables(plan, items, _columns(plan, lake, partition), _said(answers, ids))


def fingerprint(plan: BallotPlan, answers: pl.DataFrame) -> str:
    """Hash of all votes: equal exactly when the ballots of every partition are."""
    content = io.BytesIO()
    answers.rechunk().write_ipc(content)
    told = [
        [plan.schema.kind, plan.schema.classes, plan.schema.version],
        [[machine.name, machine.kind, machine.fingerprint] for machine in plan.machines],
        plan.people,
        list(plan.homes.items()),
        hashlib.sha256(content.getvalue()).hexdigest(),
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def joined(plan: BallotPlan, parts: Sequence[Ballots]) -> Ballots:
    """The votes on the items of all parts, one after the other."""
    if not parts:
        parts = [_tables(plan, [], [_Column(None, None)] * len(plan.machines), _said(pl.DataFrame(schema=ANSWERS)))]
    if len(parts) == 1:
        return parts[0]
    items = [item for part in parts for item in part.items]
    return Ballots(items, {key: _stacked(plan, items, [part.tables[key] for part in parts]) for key in plan.keys})


def some_rows(plan: BallotPlan, part: Ballots, rows: npt.NDArray[np.intp]) -> Ballots:
    """The votes on some of the items, given by position in ascending order."""
    items = [part.items[i] for i in rows.tolist()]
    position = np.full(len(part.items), -1, dtype=np.int32)
    position[rows] = np.arange(len(rows), dtype=np.int32)
    tables = {}
    for key, table in part.tables.items():
        kept = position[table.item_index] >= 0
        at = position[table.item_index[kept]]
        soft = {j: p[rows] for j, p in table.soft.items()}
        tables[key] = _sparse(plan, items, at, table.annotator_index[kept], table.label[kept], soft)
    return Ballots(items, tables)


@dataclass(frozen=True)
class _Column:
    """One machine's votes: class indices, or sets of them; and a model's probabilities. None: it has not voted."""

    labels: pl.Series | None
    probabilities: npt.NDArray[np.float64] | None


@dataclass(frozen=True)
class _Said:
    """People's votes on known items: rows, annotators, class indices."""

    item_index: npt.NDArray[np.int64]
    annotator_index: npt.NDArray[np.int64]
    values: pl.Series


def _columns(plan: BallotPlan, lake: Lake, partition: Partition) -> list[_Column]:
    home = plan.homes[partition.id]
    frames = {digest: lake.read_votes(digest, partition.id) for digest in dict.fromkeys(home) if digest is not None}
    columns = []
    for machine, digest in zip(plan.machines, home, strict=True):
        frame = None if digest is None else frames[digest]
        if frame is None or machine.name not in frame.columns:
            columns.append(_Column(None, None))
            continue
        soft = f"p.{machine.name}"
        given = _probabilities(frame[soft], plan.schema.n_classes) if soft in frame.columns else None
        columns.append(_Column(frame[machine.name], given))
    return columns


def _probabilities(column: pl.Series, n_classes: int) -> npt.NDArray[np.float64]:
    probabilities = np.full((len(column), n_classes), np.nan)
    given = column.is_not_null().to_numpy()
    if given.any():
        rows = column.drop_nulls().cast(pl.Array(pl.Float64, n_classes))
        probabilities[given] = rows.to_numpy()
    return probabilities


def _said(answers: pl.DataFrame, ids: pl.Series | None = None) -> _Said:
    none = np.zeros(0, dtype=np.int64)
    if ids is None or answers.is_empty():
        return _Said(none, none, pl.Series([], dtype=ANSWERS["value"]))
    position = pl.DataFrame([ids.alias("item"), pl.Series("row", np.arange(len(ids)))])
    known = answers.join(position, on="item", how="inner", maintain_order="left")
    return _Said(known["row"].to_numpy(), known["annotator"].cast(pl.Int64).to_numpy(), known["value"])


def _tables(plan: BallotPlan, items: list[str], columns: Sequence[_Column], said: _Said) -> Ballots:
    if not plan.is_multi:
        return Ballots(items, {"": _choice_table(plan, items, columns, said)})
    keys = enumerate(plan.keys)
    return Ballots(items, {key: _class_table(plan, k, items, columns, said) for k, key in keys})


def _choice_table(plan: BallotPlan, items: list[str], columns: Sequence[_Column], said: _Said) -> VoteTable:
    dense = np.full((len(items), len(columns)), ABSTAIN, dtype=np.int16)
    soft = {}
    for j, column in enumerate(columns):
        if column.labels is not None:
            dense[:, j] = column.labels.fill_null(ABSTAIN).cast(pl.Int16).to_numpy()
        if column.probabilities is not None:
            soft[j] = column.probabilities
    answers = said.values.list.first().fill_null(ABSTAIN).to_numpy()
    return _table(plan, items, dense, said, answers, soft)


def _class_table(plan: BallotPlan, k: int, items: list[str], columns: Sequence[_Column], said: _Said) -> VoteTable:
    """Votes on whether class k applies.

    A person's set of classes refuses all others. A rule mostly knows one class and says nothing of the others; but
    where rules named classes and none named this one, their common silence is one more rule's "no".
    """
    dense = np.full((len(items), len(columns) + 1), ABSTAIN, dtype=np.int16)
    soft = {}
    spoken = np.zeros(len(items), dtype=np.bool_)
    for j, (machine, column) in enumerate(zip(plan.machines, columns, strict=True)):
        if column.labels is None or column.labels.dtype == pl.Null:
            continue
        named = column.labels.list.contains(k).fill_null(value=False).to_numpy()
        refused = (column.labels.list.len() == 0).fill_null(value=False).to_numpy()
        if column.probabilities is not None:
            refused = np.isfinite(column.probabilities[:, k]) & ~named
            soft[j] = np.stack([1 - column.probabilities[:, k], column.probabilities[:, k]], axis=1)
        dense[named, j], dense[refused, j] = 1, 0
        if machine.kind == "rule":
            spoken |= (column.labels.list.len() > 0).fill_null(value=False).to_numpy()
    rules = [j for j, machine in enumerate(plan.machines) if machine.kind == "rule"]
    dense[spoken & (dense[:, rules] == ABSTAIN).all(axis=1), -1] = 0
    named_by_people = said.values.list.contains(k).cast(pl.Int16)
    answers = named_by_people.fill_null(ABSTAIN).to_numpy()
    return _table(plan, items, dense, said, answers, soft)


def _table(
    plan: BallotPlan,
    items: list[str],
    dense: npt.NDArray[np.int16],
    said: _Said,
    answers: npt.NDArray[np.int16],
    soft: Mapping[int, npt.NDArray[np.floating[Any]]],
) -> VoteTable:
    if not plan.people and not soft:
        return _dense(plan, items, dense)
    item_index, annotator_index = np.nonzero(dense != ABSTAIN)
    return _sparse(
        plan,
        items,
        np.concatenate([item_index, said.item_index]),
        np.concatenate([annotator_index, said.annotator_index + dense.shape[1]]),
        np.concatenate([dense[item_index, annotator_index], answers]),
        soft,
    )


def _dense(plan: BallotPlan, items: list[str], matrix: npt.NDArray[np.int16]) -> VoteTable:
    names, kinds = _named(plan)
    return VoteTable.from_matrix(matrix, classes=plan.classes, annotators=names, items=items, kinds=kinds)


def _sparse(
    plan: BallotPlan,
    items: list[str],
    item_index: npt.ArrayLike,
    annotator_index: npt.ArrayLike,
    label: npt.ArrayLike,
    soft: Mapping[int, npt.NDArray[np.floating[Any]]],
) -> VoteTable:
    names, kinds = _named(plan)
    return VoteTable(items, names, plan.classes, item_index, annotator_index, label, kinds=kinds, soft=soft)


def _named(plan: BallotPlan) -> tuple[list[str], list[AnnotatorKind | None]]:
    return [name for name, _ in plan.columns], [kind for _, kind in plan.columns]


def _stacked(plan: BallotPlan, items: list[str], tables: Sequence[VoteTable]) -> VoteTable:
    is_soft = any(table.soft for table in tables)
    if not plan.people and not is_soft:
        return _dense(plan, items, np.concatenate([table.matrix for table in tables]))
    starts = np.cumsum([0, *(table.n_items for table in tables)])
    given = sorted({j for table in tables for j in table.soft})
    return _sparse(
        plan,
        items,
        np.concatenate([table.item_index + start for table, start in zip(tables, starts, strict=False)]),
        np.concatenate([table.annotator_index for table in tables]),
        np.concatenate([table.label for table in tables]),
        {j: np.concatenate([table.soft.get(j, _unsaid(table)) for table in tables]) for j in given},
    )


def _unsaid(table: VoteTable) -> npt.NDArray[np.float64]:
    return np.full((table.n_items, table.n_classes), np.nan)
