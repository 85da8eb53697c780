"""All votes of a lake in sums: who votes on how many items, with whom and how rightly, whatever the number of items."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.partition import Partition
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.sums import Sums
from labelmill.pipeline._ballot_source import CODED_GOLD, BallotSource, gold_rows
from labelmill.pipeline._ballots import BallotPlan, Ballots, cast, fingerprint, joined
from labelmill.pipeline._looking import look
from labelmill.pipeline._reduce import Reduce, merged_sums, sums_frame, sums_of
from labelmill.pipeline.aggregate import gold_answers
from labelmill.pipeline.votes import ballot_plan, coded_answers
from labelmill.pipeline.workspace import Workspace
from labelmill.quality.analysis import Voters
from labelmill.quality.vote_sums import VoteSums, vote_sums
from labelmill.stores.lake import Lake

__all__ = ["CountStep", "CountedVotes", "count_votes"]

BY_RULE, BY_ANYBODY = 1, 2


@dataclass(frozen=True)
class CountedVotes:
    """The votes on all items, summed; for several classes, over pairs of item and class.

    Parameters
    ----------
    sums : VoteSums
        What an analysis needs.
    voters : Voters
        Whose votes.
    per_class : ndarray of int64, shape (n_classes,)
        Votes for each class of the schema.
    n_items, n_by_rules, n_voted : int
        Items; those a rule voted on; those anybody voted on.
    is_measured : bool
        Whether votes were compared with a truth.
    is_multi : bool
        True for several classes an item.
    """

    sums: VoteSums
    voters: Voters
    per_class: npt.NDArray[np.int64]
    n_items: int
    n_by_rules: int
    n_voted: int
    is_measured: bool
    is_multi: bool

    @classmethod
    def of_ballots(cls, ballots: Ballots, truth: npt.NDArray[np.int16] | None) -> CountedVotes:
        """Of votes in memory; the truth is of no use where an item has several classes."""
        known = None if ballots.is_multi else truth
        return cls.of_sums(_sums(ballots, known), ballots, is_measured=known is not None)

    @classmethod
    def of_sums(cls, sums: Sums, like: Ballots, *, is_measured: bool) -> CountedVotes:
        """Of what `CountStep` has summed, of ballots like these."""
        *parts, per_class, reach = sums.arrays
        table = like.first
        voters = Voters(tuple(table.annotators), tuple(table.kinds), tuple(table.classes))
        n_items, n_by_rules, n_voted = reach.astype(np.int64).tolist()
        counts = per_class.astype(np.int64)
        return cls(VoteSums(*parts), voters, counts, n_items, n_by_rules, n_voted, is_measured, like.is_multi)

    @property
    def n_machine_votes(self) -> int:
        """Votes of rules and models that name a class."""
        machines = [j for j, kind in enumerate(self.voters.kinds) if kind != "person"]
        return int(self.sums.named[machines].sum())


def count_votes(workspace: Workspace, *, engine: str | None = None, workers: int | None = None) -> CountedVotes:
    """The votes and gold of the project, summed by partition.

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
    has_gold = gold.height > 0

    def step_of(reduce: Reduce | None) -> CountStep:
        held = HeldVotes(plan, answers, gold)
        source = held if reduce is None else BallotSource.published(reduce, plan, answers, gold)
        return CountStep(source, has_gold=has_gold)

    nobody = joined(plan, [])
    partitions = workspace.lake.item_partitions()
    if not partitions:
        return CountedVotes.of_ballots(nobody, None)
    told = [fingerprint(plan, answers), gold.to_dict(as_series=False)]
    table = look(workspace, "count", step_of, partitions, told=told, engine=engine, workers=workers)
    return CountedVotes.of_sums(sums_of(table), nobody, is_measured=has_gold)


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
    """Sums the votes of a partition; probabilities are passed over.

    Parameters
    ----------
    source : Source
    has_gold : bool
        Compare with gold.
    """

    source: Source
    has_gold: bool

    def table(self, lake: Lake, partition: Partition) -> pl.DataFrame:
        """The partition's sums."""
        part = self.source.cast(lake, partition, with_items=self.has_gold)
        if not self.has_gold:
            return sums_frame(_sums(part, None))
        truth = np.full(partition.n_rows, ABSTAIN, dtype=np.int16)
        found = self.source.gold_on(lake, pl.Series(part.items, dtype=pl.String))
        truth[found["row"].to_numpy()] = found["value"].list.first().to_numpy()
        return sums_frame(_sums(part, truth))

    def merge(self, one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        """The sums of both."""
        return merged_sums(one, other)

    def is_settled(self, table: pl.DataFrame) -> bool:  # noqa: ARG002 -- the role's signature
        """Every partition adds something."""
        return False


def _sums(part: Ballots, truth: npt.NDArray[np.int16] | None) -> Sums:
    """The analysis' sums over all tables, then votes for each class, then items, by rules and by anybody."""
    tables = [vote_sums(table, truth) for table in part.tables.values()]
    whole = functools.reduce(Sums.merged, tables)
    named = [VoteSums(*sums.arrays).per_class for sums in tables]
    per_class = np.array([counts[1] for counts in named]) if part.is_multi else named[0]
    reach = _reach(part)
    items = [len(reach), *(((reach & flag) > 0).sum() for flag in (BY_RULE, BY_ANYBODY))]
    return Sums((*whole.arrays, per_class, np.array(items, dtype=np.float64)))


def _reach(part: Ballots) -> npt.NDArray[np.uint8]:
    """Shape (n_items,): flags of who voted on each item in any table; an abstention is no vote."""
    rules = [j for j, kind in enumerate(part.first.kinds) if kind == "rule"]
    reach = np.zeros(part.first.n_items, dtype=np.uint8)
    for table in part.tables.values():
        named = np.isin(table.annotator_index, rules) & (table.label != ABSTAIN)
        reach[table.item_index[named]] |= BY_RULE
        reach[table.has_votes] |= BY_ANYBODY
    return reach
