"""What picking a batch does with a partition: offer what the batch of the whole may be picked from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
from threadpoolctl import threadpool_limits

from labelmill import registry
from labelmill.domain.partition import Partition
from labelmill.domain.ports import BatchStrategy, Pool
from labelmill.domain.schema import LabelSchema
from labelmill.pipeline._ballot_source import kept_table
from labelmill.pipeline._features import Features
from labelmill.pipeline._known_vectors import vectors_of
from labelmill.pipeline._pools import PICKED, RIGHT_OR_WRONG, doubtful_probabilities, margins, number_of, silent
from labelmill.pipeline._whys import reasons_of
from labelmill.stores.lake import Lake

__all__ = ["PickStep"]

Places = npt.NDArray[np.intp]
Vectors = npt.NDArray[np.float32]

OFFERED: Final[dict[str, Any]] = {
    "item": pl.String,
    "partition": pl.String,
    "row": pl.Int64,
    "label": pl.String,
    "confidence": pl.Float64,
    "probabilities": pl.List(pl.Float64),
    "vector": pl.List(pl.Float32),
    "stands_for": pl.Float64,
}
"""An item that a part of the pool offers, with everything that a strategy looks at."""

MOST_OFFERED: Final = 20_000
"""Items that are picked among at once; more are picked among first."""

COUNTED: Final = 16_384
"""Items of a part that are counted to see for how many each offered one stands."""


@dataclass(frozen=True)
class PickStep:
    """Offers the items of a partition that a batch may be picked from.

    Each partition offers what its own batch would be (or the strategy's shortlist), and the batch is picked among all
    that was offered: what covers its parts covers the whole. Strategies run on one thread, so that every machine and
    engine finds the same bits.

    Parameters
    ----------
    schema : LabelSchema
    consensus : str
        Digest of the consensus.
    strategy : str
        Name of a query strategy that picks.
    n : int
        How many items.
    seed : int
        Of what is drawn.
    folder : str
        Of the reduce.
    asked : str or None
        Table with the items that people answered.
    known : str or None
        Table with vectors of those.
    features : Features or None
        Where the vectors come from.
    """

    schema: LabelSchema
    consensus: str
    strategy: str
    n: int
    seed: int
    folder: str
    asked: str | None
    known: str | None
    features: Features | None

    @cached_property
    def chooser(self) -> BatchStrategy:
        """The strategy; what it would draw at random is drawn from the whole pool instead."""
        chooser: Any = registry.find("query_strategy", self.strategy)()
        if hasattr(chooser, "random_share"):
            chooser.random_share = 0.0
        found: BatchStrategy = chooser
        return found

    def table(self, lake: Lake, partition: Partition) -> pl.DataFrame:
        """What a partition offers."""
        frame = lake.read_consensus(self.consensus, partition.id).with_row_index("row")
        vectors = None if self.features is None else self.features.of(lake, partition)
        if self.asked is not None:
            frame = frame.join(kept_table(lake.uri, self.folder, self.asked), on="item", how="anti")
        if vectors is not None and frame.height < len(vectors):
            vectors = vectors[frame["row"].to_numpy()]
        probabilities = doubtful_probabilities(frame, self.schema)
        pool = self._pool(lake, frame["item"].to_list(), probabilities, vectors, None, partition.id)
        places = self._offered(pool)
        rows = frame[places].select(
            "item",
            "row",
            "label",
            "confidence",
            partition=pl.lit(partition.id),
            probabilities=pl.Series(probabilities[places], dtype=pl.List(pl.Float64)),
            vector=_column(None if vectors is None else vectors[places], len(places)),
            stands_for=self._stands_for(vectors, places),
        )
        return rows.select(list(OFFERED)).cast(OFFERED)  # type: ignore[arg-type]  # a mapping of names to types is what cast documents

    def merge(self, one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        """What both offer; where that becomes too much to pick from, what would be offered of it."""
        rows = pl.concat([one, other])
        if rows.height <= max(MOST_OFFERED, 4 * self.n):
            return rows
        return rows[self._offered(self._pool_of(rows, None, f"merged {rows['item'][0]}"))]

    def is_settled(self, table: pl.DataFrame) -> bool:  # noqa: ARG002 -- the role's signature
        """Never: a better item may come."""
        return False

    def pick(self, lake: Lake, rows: pl.DataFrame) -> pl.DataFrame:
        """The batch among all that was offered, best first; see `PICKED`."""
        if not rows.height:
            return pl.DataFrame(schema=PICKED)
        pool = self._pool_of(rows, lake, "")
        with threadpool_limits(1):
            places = self.chooser.pick(pool, self.n)
            reasons = reasons_of(self.chooser, pool, places)
        chosen = rows[places].with_columns(
            score=pl.Series(1.0 - np.arange(len(places)) / max(len(places), 1)),
            tie=0.0,
            margin=margins(pool.probabilities[places]),
            why=pl.Series(reasons, dtype=pl.String),
            at_random=False,
        )
        return chosen.select(list(PICKED)).cast(PICKED)  # type: ignore[arg-type]  # a mapping of names to types is what cast documents

    def _offered(self, pool: Pool) -> Places:
        offer: Callable[[Pool, int], Places] = getattr(self.chooser, "shortlist", self.chooser.pick)
        with threadpool_limits(1):
            return offer(pool, self.n)

    def _pool_of(self, rows: pl.DataFrame, lake: Lake | None, seed: str) -> Pool:
        """The pool of what was offered; without a lake nothing is known."""
        probabilities = np.array(rows["probabilities"].to_list(), dtype=np.float64)
        vectors = None
        if self.features is not None:
            n_dimensions = len(rows["vector"][0])
            vectors = vectors_of(rows["vector"], n_dimensions)
        return self._pool(lake, rows["item"].to_list(), probabilities, vectors, rows["stands_for"].to_numpy(), seed)

    def _pool(
        self,
        lake: Lake | None,
        items: list[str],
        probabilities: npt.NDArray[np.float64],
        vectors: Vectors | None,
        weights: npt.NDArray[np.float64] | None,
        seed: str,
    ) -> Pool:
        """The items, and behind them those that people answered."""
        n, n_classes = probabilities.shape
        number = number_of(f"{self.seed} {seed}")
        classes = self.schema.classes if len(self.schema.classes) == n_classes else RIGHT_OR_WRONG
        if vectors is None or self.known is None or lake is None:
            return Pool(probabilities, silent(items, classes), number, vectors, np.zeros(n, dtype=bool), weights)
        known = vectors_of(kept_table(lake.uri, self.folder, self.known)["vector"], vectors.shape[1])
        return Pool(
            np.concatenate([probabilities, np.full((len(known), n_classes), 1.0 / n_classes)]),
            silent([*items, *(f"known {i}" for i in range(len(known)))], classes),
            number,
            np.concatenate([vectors, known]),
            np.arange(n + len(known)) >= n,
            None if weights is None else np.concatenate([weights, np.zeros(len(known))]),
        )

    def _stands_for(self, vectors: Vectors | None, places: Places) -> pl.Series:
        """How many items of the part lie nearest to each offered one; 1 where no strategy asks."""
        ones = np.ones(len(places))
        if vectors is None or not len(places) or not getattr(self.chooser, "reads_weights", False):
            return pl.Series(ones)
        step = -(-len(vectors) // COUNTED)
        counted = vectors[::step]
        counted = counted[np.isfinite(counted).all(axis=1)]
        with threadpool_limits(1):
            homes = np.bincount(_nearest(counted, vectors[places]), minlength=len(places))
        return pl.Series(np.maximum(homes * float(step), 1.0))


def _nearest(vectors: Vectors, others: Vectors) -> Places:
    """For each vector the place of the nearest of the others; those that are not finite are nearest to nothing."""
    lengths = np.einsum("ij,ij->i", others, others)
    lengths[~np.isfinite(lengths)] = np.inf
    others = np.nan_to_num(others, posinf=0.0, neginf=0.0)
    found = np.empty(len(vectors), dtype=np.intp)
    for start in range(0, len(vectors), 2_048):
        block = slice(start, start + 2_048)
        found[block] = (lengths - 2.0 * (vectors[block] @ others.T)).argmin(axis=1)
    return found


def _column(vectors: Vectors | None, n: int) -> pl.Series:
    kind = pl.List(pl.Float32)
    return pl.Series([None] * n, dtype=kind) if vectors is None else pl.Series(vectors, dtype=kind)
