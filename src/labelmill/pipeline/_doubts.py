"""The most doubtful items, and who voted what on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.item import Item
from labelmill.domain.partition import Partition
from labelmill.domain.schema import ABSTAIN
from labelmill.pipeline._ballots import Ballots, cast
from labelmill.pipeline._looking import look
from labelmill.pipeline.aggregate import current_consensus
from labelmill.pipeline.votes import ballot_plan
from labelmill.pipeline.workspace import Workspace
from labelmill.report.story import DoubtfulItem, ItemVote
from labelmill.stores.lake import Lake

__all__ = ["DoubtStep", "doubtful_items"]

SHOWN = 20
EXCERPT = 400
"""Characters of a text in the report."""


@dataclass(frozen=True)
class DoubtStep:
    """Keeps the items of a partition whose label has the lowest probability.

    Parameters
    ----------
    consensus : str
        Digest of the consensus.
    classes : tuple of str
    n : int
        How many items.
    """

    consensus: str
    classes: tuple[str, ...]
    n: int

    def table(self, lake: Lake, partition: Partition) -> pl.DataFrame:
        """The partition's most doubtful items; columns `doubt`, `partition`, `row`, `label`, `probabilities`."""
        columns = [f"p_{name}" for name in self.classes]
        frame = lake.read_consensus(self.consensus, partition.id, ["label", "confidence", *columns])
        rows = frame.with_columns(doubt=1 - pl.col("confidence"), row=pl.int_range(pl.len(), dtype=pl.Int64))
        rows = self._worst(rows.filter(pl.col("label").is_not_null() & (pl.col("doubt") > 0)))
        where = pl.lit(partition.id, dtype=pl.String)
        return rows.select("doubt", "row", "label", partition=where, probabilities=pl.concat_list(columns))

    def merge(self, one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        """The most doubtful items of both."""
        return self._worst(pl.concat([one, other]))

    def is_settled(self, table: pl.DataFrame) -> bool:  # noqa: ARG002 -- the role's signature
        """Never: a more doubtful item may come."""
        return False

    def _worst(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.sort("doubt", descending=True, maintain_order=True).head(self.n)


def doubtful_items(
    workspace: Workspace,
    truth: npt.NDArray[np.int16] | None = None,
    *,
    engine: str | None = None,
    workers: int | None = None,
) -> list[DoubtfulItem]:
    """The items whose label has the lowest probability among those with votes, most doubtful first.

    Parameters
    ----------
    truth : ndarray of int16, shape (n_items,), optional
        True class index, ABSTAIN where unknown.
    engine : str, optional
        Where the work runs; see `engine_for`.
    workers : int, optional
        How many workers at most.
    """
    stored, classes = current_consensus(workspace), workspace.schema.classes
    if not stored.partitions:
        return []
    step = DoubtStep(stored.digest, classes, SHOWN)
    told = [stored.digest, SHOWN]
    picked = look(workspace, "doubts", lambda _: step, stored.partitions, told=told, engine=engine, workers=workers)
    golds = _golds(picked, stored.partitions, truth)
    seen = _seen(workspace, picked, stored.partitions, golds)
    items = []
    for row, gold in zip(picked.iter_rows(named=True), golds, strict=True):
        item, votes = seen[row["partition"], row["row"]]
        name = None if gold is None else classes[gold]
        items.append(DoubtfulItem(item.id, item.data[:EXCERPT], row["label"], row["probabilities"], votes, name))
    return items


def _golds(
    picked: pl.DataFrame, partitions: Sequence[Partition], truth: npt.NDArray[np.int16] | None
) -> list[int | None]:
    if truth is None:
        return [None] * picked.height
    starts = dict(zip([p.id for p in partitions], accumulate([0, *(p.n_rows for p in partitions)]), strict=False))
    found = [int(truth[starts[name] + row]) for name, row in picked.select("partition", "row").iter_rows()]
    return [None if gold == ABSTAIN else gold for gold in found]


def _seen(
    workspace: Workspace, picked: pl.DataFrame, partitions: Sequence[Partition], golds: Sequence[int | None]
) -> Mapping[tuple[str, int], tuple[Item, list[ItemVote]]]:
    """Each picked item and the votes on it; one partition's votes are in memory at a time."""
    lake, homes = workspace.lake, {partition.id: partition for partition in partitions}
    plan, answers = ballot_plan(workspace)
    seen = {}
    chosen = picked.with_columns(gold=pl.Series(golds, dtype=pl.Int16))
    for (name,), rows in chosen.group_by("partition", maintain_order=True):
        home = homes[str(name)]
        part = cast(plan, lake, home, answers, with_items=False)
        for i, gold in rows.select("row", "gold").iter_rows():
            at = Partition(home.id, home.uri, home.start + i, home.start + i + 1)
            seen[home.id, i] = lake.read_items(at).items[0], _votes_on(i, part, gold)
    return seen


def _votes_on(i: int, cast: Ballots, gold: int | None) -> list[ItemVote]:
    votes = []
    for name, table in cast.tables.items():
        for at in np.flatnonzero(table.item_index == i).tolist():
            j, k = int(table.annotator_index[at]), int(table.label[at])
            spoken = None if k == ABSTAIN else name if name and k == 1 else f"not {name}" if name else table.classes[k]
            right = None if gold is None or k == ABSTAIN or name else k == gold
            votes.append(ItemVote(table.annotators[j], table.kinds[j] or "rule", spoken, right))
    return votes
