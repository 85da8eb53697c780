"""Vectors of the items that people answered: batches keep away from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from labelmill.domain.partition import Partition
from labelmill.pipeline._ballot_source import kept_table
from labelmill.pipeline._features import Features
from labelmill.pipeline._pools import number_of
from labelmill.stores.lake import Lake

__all__ = ["KNOWN", "MOST_KNOWN", "KnownVectors", "vectors_of"]

MOST_KNOWN: Final = 8_192
"""Answered items whose vectors travel to every worker; of more, as many drawn at random."""

KNOWN: Final[dict[str, Any]] = {"order": pl.UInt64, "vector": pl.List(pl.Float32)}
"""A place in a random order, and the vector."""


@dataclass(frozen=True)
class KnownVectors:
    """Gathers the vectors of answered items.

    Parameters
    ----------
    features : Features
    consensus : str
        Digest of the consensus, whose rows are those of the vectors.
    folder, asked : str
        Of the reduce, and its table with the items that people answered.
    seed : int
        Of the order.
    """

    features: Features
    consensus: str
    folder: str
    asked: str
    seed: int

    def table(self, lake: Lake, partition: Partition) -> pl.DataFrame:
        """Those of a partition."""
        items = lake.read_consensus(self.consensus, partition.id).select("item").with_row_index("row")
        rows = items.join(kept_table(lake.uri, self.folder, self.asked), on="item", how="semi")
        if not rows.height:
            return pl.DataFrame(schema=KNOWN)
        vectors = self.features.of(lake, partition)[rows["row"].to_numpy()]
        order = [number_of(f"{self.seed} {item}") for item in rows["item"]]
        return self._first(pl.DataFrame({"order": order, "vector": vectors}, schema=KNOWN))

    def merge(self, one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        """Those of both."""
        return self._first(pl.concat([one, other]))

    def is_settled(self, table: pl.DataFrame) -> bool:  # noqa: ARG002 -- the role's signature
        """Never: an earlier one may come."""
        return False

    def _first(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.sort("order").head(MOST_KNOWN)


def vectors_of(column: pl.Series, n_dimensions: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """A column of vectors as an array, shape (n_rows, n_dimensions)."""
    flat = column.explode().to_numpy() if len(column) else np.zeros(0)
    return np.asarray(flat, dtype=np.float32).reshape(len(column), n_dimensions)
