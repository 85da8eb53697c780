"""What selecting does with a partition: score its items, and keep those most worth asking about."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill import registry
from labelmill.domain.partition import Partition
from labelmill.domain.ports import Pool, QueryStrategy
from labelmill.domain.vote_table import VoteTable
from labelmill.pipeline._ballot_source import BallotSource, kept_table
from labelmill.pipeline._ballots import Ballots
from labelmill.pipeline._features import Features
from labelmill.stores.lake import Lake

Vectors = npt.NDArray[np.float32]

__all__ = ["ASKED_ITEMS", "PICKED", "SelectStep"]

PICKED: Final[dict[str, Any]] = {
    "score": pl.Float64,
    "tie": pl.Float64,
    "item": pl.String,
    "partition": pl.String,
    "row": pl.Int64,
    "label": pl.String,
    "confidence": pl.Float64,
}
"""An item worth asking about: its score, its place among equals, where it lies, and the consensus on it."""

ASKED_ITEMS: Final = {"item": pl.String}
"""Items that people answered."""


@dataclass(frozen=True)
class SelectStep:
    """Keeps the best items of a partition that people have not answered.

    Strategies see a partition at a time, with a seed of its own; equals are ordered by a number drawn for each row.

    Parameters
    ----------
    source : BallotSource
        Where the votes are.
    consensus : str
        Digest of the consensus.
    strategy : str
        Name of a query strategy.
    n : int
        How many items.
    seed, tie_seed : int
        Of strategies that draw, and of the order of equals.
    asked : str or None
        Table with the items that people answered.
    features : Features, optional
        Where the vectors come from, for a strategy that needs them.
    """

    source: BallotSource
    consensus: str
    strategy: str
    n: int
    seed: int
    tie_seed: int
    asked: str | None
    features: Features | None = None

    def table(self, lake: Lake, partition: Partition) -> pl.DataFrame:
        """The partition's best items, best first."""
        frame = lake.read_consensus(self.consensus, partition.id)
        rows = frame.select("item", "label", "confidence").with_columns(
            score=self._scores(frame, lake, partition),
            tie=np.random.default_rng([self.tie_seed, _number(partition.id)]).random(partition.n_rows),
            partition=pl.lit(partition.id),
            row=np.arange(partition.n_rows),
        )
        if self.asked is not None:
            rows = rows.join(kept_table(lake.uri, self.source.folder, self.asked), on="item", how="anti")
        return self._best(rows.select(list(PICKED)).cast(PICKED))  # type: ignore[arg-type]  # a mapping of names to types is what cast documents

    def merge(self, one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        """The best items of both."""
        return self._best(pl.concat([one, other]))

    def is_settled(self, table: pl.DataFrame) -> bool:  # noqa: ARG002 -- the role's signature
        """Never: a better item may come."""
        return False

    def _best(self, rows: pl.DataFrame) -> pl.DataFrame:
        order = ["score", "tie", "partition", "row"]
        return rows.sort(order, descending=[True, False, False, False]).head(self.n)

    def _scores(self, frame: pl.DataFrame, lake: Lake, partition: Partition) -> npt.NDArray[np.float64]:
        schema = self.source.plan.schema
        features = None if self.features is None else self.features.of(lake, partition)
        if schema.is_structured:
            return self._by_confidence(frame, partition, features)
        probabilities = frame.select(f"p_{name}" for name in schema.classes).to_numpy()
        return self._score(probabilities, self.source.cast(lake, partition), partition, features)

    def _by_confidence(
        self, frame: pl.DataFrame, partition: Partition, features: Vectors | None
    ) -> npt.NDArray[np.float64]:
        """A value is right or it is not: a question of two classes, of which the first is never the less likely."""
        sure = (1.0 + frame["confidence"].to_numpy()) / 2
        votes = VoteTable(frame["item"].to_list(), (), ("right", "wrong"), [], [], [])
        pool = Pool(np.stack([sure, 1.0 - sure], axis=1), votes, _number(f"{self.seed} {partition.id}"), features)
        chooser: QueryStrategy = registry.find("query_strategy", self.strategy)()
        return chooser.score(pool)

    def _score(
        self, probabilities: npt.NDArray[np.float64], part: Ballots, partition: Partition, features: Vectors | None
    ) -> npt.NDArray[np.float64]:
        chooser: QueryStrategy = registry.find("query_strategy", self.strategy)()
        seed = _number(f"{self.seed} {partition.id}")
        if not part.is_multi:
            return chooser.score(Pool(probabilities, part.first, seed, features))
        each = [
            chooser.score(Pool(np.stack([1 - probabilities[:, k], probabilities[:, k]], axis=1), table, seed, features))
            for k, table in enumerate(part.tables.values())
        ]
        return np.asarray(np.sum(each, axis=0))


def _number(text: str) -> int:
    """A number that stands for a text, below 2^63."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1
