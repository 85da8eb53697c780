"""All votes of a lake in counts: how many items got which votes and which gold, whatever the number of items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.partition import Partition
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable
from labelmill.pipeline import _fitting
from labelmill.pipeline._ballot_source import CODED_GOLD, BallotSource, gold_rows
from labelmill.pipeline._ballots import BallotPlan, Ballots, cast, fingerprint, joined
from labelmill.pipeline._looking import look
from labelmill.pipeline._patterns import pattern_tables, refusal, spelled
from labelmill.pipeline._reduce import Reduce
from labelmill.pipeline.aggregate import gold_answers
from labelmill.pipeline.votes import ballot_plan, coded_answers
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.lake import Lake

__all__ = ["CountStep", "CountedVotes", "count_votes"]

COUNTS: Final = {"table": pl.Int32, "pattern": pl.Binary, "gold": pl.Int16, "count": pl.Int64}
"""As the counts of patterns, by gold class too (ABSTAIN where unknown); and in `REACH` one byte of flags an item."""

REACH: Final = -1
"""Stands for a table: items by who voted on them in any of the tables."""

BY_RULE, BY_ANYBODY = 1, 2


@dataclass(frozen=True)
class CountedVotes:
    """The votes on all items, counted.

    Parameters
    ----------
    tables : mapping of str to VoteTable
        As in `Ballots`, but a row stands for as many items as its multiplicity says.
    truth : ndarray of int16, shape (n_rows,), or None
        For a choice: gold class of each row's items, ABSTAIN where unknown; None without gold.
    n_items, n_by_rules, n_voted : int
        Items; those a rule voted on; those anybody voted on.
    """

    tables: Mapping[str, VoteTable]
    truth: npt.NDArray[np.int16] | None
    n_items: int
    n_by_rules: int
    n_voted: int

    @classmethod
    def of_ballots(cls, ballots: Ballots, truth: npt.NDArray[np.int16] | None) -> CountedVotes:
        """The same of votes in memory, each row one item."""
        reach = _reach(ballots)
        n_by_rules, n_voted = (int(((reach & flag) > 0).sum()) for flag in (BY_RULE, BY_ANYBODY))
        known = None if ballots.is_multi else truth
        return cls(ballots.tables, known, len(reach), n_by_rules, n_voted)

    @classmethod
    def of_counts(cls, plan: BallotPlan, counts: pl.DataFrame, *, has_gold: bool) -> CountedVotes:
        """What `CountStep` has counted."""
        reach = counts.filter(pl.col("table") == REACH).select(flags=pl.col("pattern").bin.get(0), count="count")
        n_by_rules, n_voted = (
            int(reach.filter((pl.col("flags") & flag) > 0)["count"].sum()) for flag in (BY_RULE, BY_ANYBODY)
        )
        truth = counts.filter(pl.col("table") == 0)["gold"].to_numpy() if has_gold else None
        return cls(pattern_tables(plan, counts), truth, int(reach["count"].sum()), n_by_rules, n_voted)

    @property
    def is_multi(self) -> bool:
        """True for one binary table per class."""
        return "" not in self.tables

    @property
    def first(self) -> VoteTable:
        """The only table of a choice; for several classes, the first one's."""
        return next(iter(self.tables.values()))

    @property
    def n_machine_votes(self) -> int:
        """Votes of rules and models that name a class."""
        machines = [j for j, kind in enumerate(self.first.kinds) if kind != "person"]
        return int(sum(_n_votes(table, table.annotator_index, machines) for table in self.tables.values()))

    def n_named(self) -> npt.NDArray[np.int64]:
        """Shape (n_classes,): votes for each class of the schema."""
        if self.is_multi:
            return np.array([_n_votes(table, table.label, [1]) for table in self.tables.values()], dtype=np.int64)
        table = self.first
        return np.array([_n_votes(table, table.label, [k]) for k in range(table.n_classes)], dtype=np.int64)


def count_votes(workspace: Workspace, *, engine: str | None = None, workers: int | None = None) -> CountedVotes:
    """The votes and gold of the project, counted by partition.

    Where nearly every item has its own pattern of votes, as in a large crowd, there is nothing to count: all votes
    are read into memory.

    Parameters
    ----------
    engine : str, optional
        Where the work runs; see `engine_for`.
    workers : int, optional
        How many workers at most.
    """
    plan, answers = ballot_plan(workspace)
    gold = pl.DataFrame(schema=CODED_GOLD)
    if not plan.is_multi:
        gold = coded_answers(workspace.schema, gold_answers(workspace), []).drop("annotator")
    most, has_gold = _fitting.MOST_PATTERNS, gold.height > 0

    def step_of(reduce: Reduce | None) -> CountStep:
        held = HeldVotes(plan, answers, gold)
        source = held if reduce is None else BallotSource.published(reduce, plan, answers, gold)
        return CountStep(source, most, has_gold=has_gold)

    partitions = workspace.lake.item_partitions()
    if partitions:
        told = [fingerprint(plan, answers), gold.to_dict(as_series=False), most]
        counts = look(workspace, "count", step_of, partitions, told=told, engine=engine, workers=workers)
        if refusal(counts) is None:
            return CountedVotes.of_counts(plan, counts, has_gold=has_gold)
    everything = joined(plan, [cast(plan, workspace.lake, partition, answers) for partition in partitions])
    return CountedVotes.of_ballots(everything, _gold_of(gold, everything.items) if has_gold else None)


class Source(Protocol):
    """Where the votes and gold of a partition come from."""

    @property
    def plan(self) -> BallotPlan:
        """Whose votes count."""

    def cast(self, lake: Lake, partition: Partition, *, with_items: bool = True) -> Ballots:
        """The votes on a partition's items."""

    def gold_on(self, lake: Lake, ids: pl.Series) -> pl.DataFrame:
        """Gold answers on some items: columns `row` (position among the ids), `value`."""


@dataclass(frozen=True)
class HeldVotes:
    """People's votes and gold in memory, for work in this process."""

    plan: BallotPlan
    answers: pl.DataFrame
    gold: pl.DataFrame

    def cast(self, lake: Lake, partition: Partition, *, with_items: bool = True) -> Ballots:
        """The votes on a partition's items."""
        return cast(self.plan, lake, partition, self.answers, with_items=with_items)

    def gold_on(self, lake: Lake, ids: pl.Series) -> pl.DataFrame:  # noqa: ARG002 -- the role's signature
        """Gold answers on some items."""
        return gold_rows(self.gold, ids)


@dataclass(frozen=True)
class CountStep:
    """Counts the items of a partition by their votes and gold.

    Probabilities are passed over, but for whether there are any.

    Parameters
    ----------
    source : Source
    most : int
        Rows above which counting does not pay.
    has_gold : bool
        Count by gold too.
    """

    source: Source
    most: int
    has_gold: bool

    def table(self, lake: Lake, partition: Partition) -> pl.DataFrame:
        """The partition's counts, or that they do not serve."""
        part = self.source.cast(lake, partition, with_items=self.has_gold)
        gold = np.full(partition.n_rows, ABSTAIN, dtype=np.int16)
        if self.has_gold:
            found = self.source.gold_on(lake, pl.Series(part.items, dtype=pl.String))
            gold[found["row"].to_numpy()] = found["value"].list.first().to_numpy()
        flags = [bytes([each]) for each in _reach(part).tolist()]
        counts = [_counted(k, spelled(table), gold) for k, table in enumerate(part.tables.values())]
        return self._checked(pl.concat([*counts, _counted(REACH, flags, np.full_like(gold, ABSTAIN))]))

    def merge(self, one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        """The counts of both, sorted."""
        for table in (one, other):
            if self.is_settled(table):
                return table
        keys = ["table", "pattern", "gold"]
        return self._checked(pl.concat([one, other]).group_by(keys).agg(pl.col("count").sum()).sort(keys))

    def is_settled(self, table: pl.DataFrame) -> bool:
        """True once counts do not serve."""
        return refusal(table) is not None

    def _checked(self, counts: pl.DataFrame) -> pl.DataFrame:
        return pl.DataFrame({"refused": ["many"]}) if counts.height > self.most else counts


def _counted(table: int, patterns: list[bytes], gold: npt.NDArray[np.int16]) -> pl.DataFrame:
    rows = pl.DataFrame([pl.Series("pattern", patterns, dtype=pl.Binary), pl.Series("gold", gold)])
    counts = rows.group_by("pattern", "gold").len("count").sort("pattern", "gold")
    return counts.select(pl.lit(table).alias("table"), "pattern", "gold", "count").cast(COUNTS)  # type: ignore[arg-type]  # a mapping of names to types is what cast documents


def _reach(part: Ballots) -> npt.NDArray[np.uint8]:
    """Shape (n_items,): flags of who voted on each item in any table; an abstention is no vote."""
    rules = [j for j, kind in enumerate(part.first.kinds) if kind == "rule"]
    reach = np.zeros(part.first.n_items, dtype=np.uint8)
    for table in part.tables.values():
        named = np.isin(table.annotator_index, rules) & (table.label != ABSTAIN)
        reach[table.item_index[named]] |= BY_RULE
        reach[table.has_votes] |= BY_ANYBODY
    return reach


def _n_votes(table: VoteTable, column: npt.NDArray[np.integer], wanted: list[int]) -> int:
    """Items that the votes with one of the wanted values stand for; votes that name no class do not count."""
    rows = table.item_index[np.isin(column, wanted) & (table.label != ABSTAIN)]
    return len(rows) if table.multiplicity is None else int(table.multiplicity[rows].sum())


def _gold_of(gold: pl.DataFrame, items: list[str]) -> npt.NDArray[np.int16]:
    truth = np.full(len(items), ABSTAIN, dtype=np.int16)
    found = gold_rows(gold, pl.Series(items, dtype=pl.String))
    truth[found["row"].to_numpy()] = found["value"].list.first().to_numpy()
    return truth
