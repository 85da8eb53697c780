"""Vote patterns: items that got the same votes, counted once, so that a lake's votes fit in one small table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.partition import Partition
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable
from labelmill.pipeline._ballot_source import BallotSource
from labelmill.pipeline._ballots import BallotPlan
from labelmill.stores.lake import Lake

__all__ = ["PatternStep", "pattern_tables", "refusal"]

PAIR: Final = np.dtype([("annotator", ">u4"), ("label", ">u2")])
"""One vote of a pattern; with the highest byte first, bytes sort as numbers do."""

COUNTS: Final = {"table": pl.Int32, "pattern": pl.Binary, "count": pl.Int64}
"""`table` is the position among the plan's tables, `pattern` the votes as sorted pairs of annotator and class."""

REFUSED: Final = {"refused": pl.String}
"""In place of counts where patterns do not serve: "soft" (there are probabilities) or "many"."""


@dataclass(frozen=True)
class PatternStep:
    """Counts the patterns of a partition.

    Parameters
    ----------
    source : BallotSource
        Where the votes are.
    most : int
        Patterns above which counting them does not pay.
    """

    source: BallotSource
    most: int

    def table(self, lake: Lake, partition: Partition) -> pl.DataFrame:
        """The partition's patterns, or why they do not serve."""
        cast = self.source.cast(lake, partition, with_items=False)
        if cast.is_soft:
            return _refused("soft")
        parts = [_counted(k, table) for k, table in enumerate(cast.tables.values())]
        return self._checked(pl.concat(parts))

    def merge(self, one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        """The counts of both, sorted."""
        for table in (one, other):
            if self.is_settled(table):
                return table
        both = pl.concat([one, other]).group_by("table", "pattern").agg(pl.col("count").sum())
        return self._checked(both.sort("table", "pattern"))

    def is_settled(self, table: pl.DataFrame) -> bool:
        """True once patterns do not serve."""
        return refusal(table) is not None

    def _checked(self, counts: pl.DataFrame) -> pl.DataFrame:
        return _refused("many") if counts.height > self.most else counts


def refusal(table: pl.DataFrame) -> str | None:
    """Why patterns do not serve; None where they do."""
    return str(table["refused"][0]) if "refused" in table.columns else None


def pattern_tables(plan: BallotPlan, counts: pl.DataFrame) -> dict[str, VoteTable]:
    """The patterns as vote tables: a row stands for as many items as have its votes."""
    return {key: _table(plan, counts.filter(pl.col("table") == k)) for k, key in enumerate(plan.keys)}


def _refused(reason: str) -> pl.DataFrame:
    return pl.DataFrame({"refused": [reason]}, schema=REFUSED)


def _counted(k: int, table: VoteTable) -> pl.DataFrame:
    rows = pl.DataFrame({"pattern": _spelled(table)}, schema={"pattern": pl.Binary})
    counts = rows.group_by("pattern").len("count").sort("pattern")
    return counts.select(table=pl.lit(k), pattern="pattern", count="count").cast(COUNTS)  # type: ignore[arg-type]  # a mapping of names to types is what cast documents


def _spelled(table: VoteTable) -> list[bytes]:
    """The votes on each item as bytes: equal exactly where they are."""
    named = table.label != ABSTAIN
    item, annotator, label = table.item_index[named], table.annotator_index[named], table.label[named]
    place = item.astype(np.int64) * table.n_annotators + annotator
    if np.any(place[1:] < place[:-1]):
        order = np.argsort(place, kind="stable")
        item, annotator, label = item[order], annotator[order], label[order]
    pairs = np.empty(len(item), dtype=PAIR)
    pairs["annotator"], pairs["label"] = annotator, label
    content = pairs.tobytes()
    stops = (np.cumsum(np.bincount(item, minlength=table.n_items)) * PAIR.itemsize).tolist()
    return [content[start:stop] for start, stop in zip([0, *stops], stops, strict=False)]


def _table(plan: BallotPlan, counts: pl.DataFrame) -> VoteTable:
    pairs = np.frombuffer(b"".join(counts["pattern"].to_list()), dtype=PAIR)
    n_votes: npt.NDArray[np.int64] = counts["pattern"].bin.size().to_numpy().astype(np.int64) // PAIR.itemsize
    return VoteTable(
        [""] * counts.height,
        [name for name, _ in plan.columns],
        plan.classes,
        np.repeat(np.arange(counts.height), n_votes),
        pairs["annotator"].astype(np.int32),
        pairs["label"].astype(np.int16),
        kinds=[kind for _, kind in plan.columns],
        multiplicity=counts["count"].to_numpy(),
    )
