"""What selecting does with a partition: score its items, and keep those most worth asking about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill import registry
from labelmill.domain.partition import Partition
from labelmill.domain.ports import Pool, QueryStrategy, Respondent
from labelmill.pipeline._ballot_source import BallotSource, kept_table
from labelmill.pipeline._ballots import Ballots
from labelmill.pipeline._features import Features
from labelmill.pipeline._pools import PICKED, doubtful_probabilities, margins, number_of, silent
from labelmill.stores.lake import Lake

__all__ = ["ASKED_ITEMS", "SelectStep"]

Vectors = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

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
        Name of a query strategy that scores.
    n : int
        How many items.
    seed, tie_seed : int
        Of strategies that draw, and of the order of equals.
    asked : str or None
        Table with the items that people answered.
    features : Features, optional
        Where the vectors come from, for a strategy that needs them.
    of_each : bool
        Keep so many of each label that the consensus has.
    respondents : tuple of Respondent
        Whom one could ask.
    """

    source: BallotSource
    consensus: str
    strategy: str
    n: int
    seed: int
    tie_seed: int
    asked: str | None
    features: Features | None = None
    of_each: bool = False
    respondents: tuple[Respondent, ...] = ()

    def table(self, lake: Lake, partition: Partition) -> pl.DataFrame:
        """The partition's best items, best first."""
        frame = lake.read_consensus(self.consensus, partition.id)
        doubtful = doubtful_probabilities(frame, self.source.plan.schema)
        chooser: QueryStrategy = registry.find("query_strategy", self.strategy)()
        rows = frame.select("item", "label", "confidence").with_columns(
            score=self._scores(chooser, doubtful, frame, lake, partition),
            tie=np.random.default_rng([self.tie_seed, number_of(partition.id)]).random(partition.n_rows),
            partition=pl.lit(partition.id),
            row=np.arange(partition.n_rows),
            margin=margins(doubtful),
            why=pl.lit(getattr(chooser, "reason", None), dtype=pl.String),
            at_random=False,
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
        rows = rows.sort(order, descending=[True, False, False, False])
        if not self.of_each:
            return rows.head(self.n)
        return rows.filter(pl.int_range(pl.len()).over("label") < self.n)

    def _scores(
        self, chooser: QueryStrategy, doubtful: Floats, frame: pl.DataFrame, lake: Lake, partition: Partition
    ) -> Floats:
        features = None if self.features is None else self.features.of(lake, partition)
        seed = number_of(f"{self.seed} {partition.id}")
        schema = self.source.plan.schema
        if schema.is_structured:
            votes = silent(frame["item"].to_list())
            return chooser.score(Pool(doubtful, votes, seed, features, respondents=self.respondents))
        part = self.source.cast(lake, partition)
        if not part.is_multi:
            return chooser.score(Pool(doubtful, part.first, seed, features, respondents=self.respondents))
        probabilities = frame.select(f"p_{name}" for name in schema.classes).to_numpy()
        return self._of_each_class(chooser, probabilities, part, seed, features)

    def _of_each_class(
        self, chooser: QueryStrategy, probabilities: Floats, part: Ballots, seed: int, features: Vectors | None
    ) -> Floats:
        """Where several classes may be chosen, each is a question: the sum of their scores."""
        each = [
            chooser.score(
                Pool(
                    np.stack([1 - probabilities[:, k], probabilities[:, k]], axis=1),
                    table,
                    seed,
                    features,
                    respondents=self.respondents,
                )
            )
            for k, table in enumerate(part.tables.values())
        ]
        return np.asarray(np.sum(each, axis=0))
