"""The random slice of a batch: drawn from the whole pool, whatever is known of the items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from labelmill import registry
from labelmill.domain.partition import Partition
from labelmill.domain.ports import Pool, QueryStrategy
from labelmill.domain.schema import LabelSchema
from labelmill.pipeline._ballot_source import kept_table
from labelmill.pipeline._pools import PICKED, doubtful_probabilities, margins, silent
from labelmill.stores.lake import Lake

__all__ = ["AT_RANDOM", "RandomSlice", "interleaved", "slice_size"]

AT_RANDOM = "drawn at random, to measure what choosing is worth"


@dataclass(frozen=True)
class RandomSlice:
    """Draws items by numbers that follow from the seed and their ids: the same wherever they lie.

    Parameters
    ----------
    schema : LabelSchema
    consensus : str
        Digest of the consensus.
    n, seed : int
        How many, and what decides which.
    folder : str
        Of the reduce.
    asked : str or None
        Table with the items that people answered.
    """

    schema: LabelSchema
    consensus: str
    n: int
    seed: int
    folder: str
    asked: str | None

    def table(self, lake: Lake, partition: Partition) -> pl.DataFrame:
        """The partition's first items in the order drawn."""
        frame = lake.read_consensus(self.consensus, partition.id).with_row_index("row")
        if self.asked is not None:
            frame = frame.join(kept_table(lake.uri, self.folder, self.asked), on="item", how="anti")
        chooser: QueryStrategy = registry.find("query_strategy", "random")()
        score = chooser.score(Pool(np.zeros((frame.height, 0)), silent(frame["item"].to_list()), self.seed))
        rows = frame.with_columns(
            score=score,
            tie=0.0,
            partition=pl.lit(partition.id),
            margin=margins(doubtful_probabilities(frame, self.schema)),
            why=pl.lit(AT_RANDOM),
            at_random=True,
        )
        return self._best(rows.select(list(PICKED)).cast(PICKED))  # type: ignore[arg-type]  # a mapping of names to types is what cast documents

    def merge(self, one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        """The first of both."""
        return self._best(pl.concat([one, other]))

    def is_settled(self, table: pl.DataFrame) -> bool:  # noqa: ARG002 -- the role's signature
        """Never: an earlier item may come."""
        return False

    def _best(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.sort("score", "item", descending=[True, False]).head(self.n)


def slice_size(count: int, share: float, rng: np.random.Generator) -> int:
    """How many of a batch are drawn at random; what is left over of an item decides by chance."""
    return min(count, int(count * share + rng.random())) if share > 0 else 0


def interleaved(chosen: pl.DataFrame, drawn: pl.DataFrame) -> pl.DataFrame:
    """Both, those drawn at even distances, so that they are answered however far people get.

    One that was drawn takes the score of the item before it, for the queue's order is that of the scores.
    """
    if not drawn.height or not chosen.height:
        return pl.concat([chosen, drawn])
    step = chosen.height / drawn.height
    place = pl.concat(
        [
            chosen.with_columns(at=pl.int_range(pl.len()).cast(pl.Float64)),
            drawn.with_columns(at=(pl.int_range(pl.len()) + 0.5) * step, score=pl.lit(None, dtype=pl.Float64)),
        ]
    ).sort("at", "at_random", maintain_order=True)
    return place.with_columns(pl.col("score").forward_fill().backward_fill()).drop("at")
