"""What everybody says about gold items, as if nobody knew their answers: a gold item is asked like any other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable
from labelmill.pipeline._ballots import Ballots, cast
from labelmill.pipeline._kinds import kind_of
from labelmill.pipeline.structured import answer_table
from labelmill.pipeline.votes import ballot_plan, current_machines, people_votes
from labelmill.pipeline.workspace import Workspace

__all__ = ["Opinion", "opinions"]


class Opinion(NamedTuple):
    """What most say."""

    value: Any


def opinions(workspace: Workspace, items: Sequence[str]) -> dict[str, Opinion]:
    """What most say of each item; items that nobody voted on are left out.

    Models that were trained here have seen what gold made of the consensus, and are left out too. Every vote counts
    alike: reliabilities were learned with the help of gold.
    """
    if not items:
        return {}
    if workspace.schema.is_structured:
        return _merged(workspace, items)
    plan, answers = ballot_plan(workspace)
    learned = {machine.name for machine in current_machines(workspace) if machine.evaluation == "learned"}
    wanted = set(items)
    found: dict[str, Opinion] = {}
    for partition in workspace.lake.item_partitions():
        ids = workspace.lake.read_items(partition, ["id"]).frame["id"]
        if ids.is_in(list(wanted)).any():
            found |= _counted(workspace, cast(plan, workspace.lake, partition, answers), wanted, learned)
    return found


def _counted(workspace: Workspace, part: Ballots, wanted: set[str], learned: set[str]) -> dict[str, Opinion]:
    """Of a choice the class with most votes, of several classes those with more votes for them than against."""
    at = [i for i, item in enumerate(part.items) if item in wanted]
    counts = {key: _counts(table, learned)[at] for key, table in part.tables.items()}
    classes = workspace.schema.classes
    if not part.is_multi:
        (votes,) = counts.values()
        return {
            part.items[i]: Opinion(classes[int(row.argmax())])
            for i, row in zip(at, votes, strict=True)
            if row.sum() > 0
        }
    found = {}
    for place, i in enumerate(at):
        rows = {key: votes[place] for key, votes in counts.items() if votes[place].sum() > 0}
        if rows:
            found[part.items[i]] = Opinion([key for key, row in rows.items() if row[1] > row[0]])
    return found


def _counts(table: VoteTable, learned: set[str]) -> Any:
    """Votes for each class, (n_items, n_classes)."""
    counts = np.zeros((table.n_items, table.n_classes), dtype=np.int64)
    is_counted = np.array([name not in learned for name in table.annotators], dtype=np.bool_)
    kept = (table.label != ABSTAIN) & is_counted[table.annotator_index]
    np.add.at(counts, (table.item_index[kept], table.label[kept]), 1)
    return counts


def _merged(workspace: Workspace, items: Sequence[str]) -> dict[str, Opinion]:
    votes = people_votes(workspace).filter(pl.col("item").is_in(list(items)))
    if not votes.height:
        return {}
    table = answer_table(workspace, votes)
    said: dict[str, list[Any]] = {}
    for at, value in zip(table.item_index.tolist(), table.values, strict=True):
        if value is not None:
            said.setdefault(table.items[at], []).append(value)
    kind = kind_of(workspace.schema)
    return {item: Opinion(kind.merge(values, [1.0] * len(values))) for item, values in said.items()}
