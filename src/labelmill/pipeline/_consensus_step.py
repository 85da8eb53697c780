"""The last map of an aggregate: each partition's consensus is published, and its figures come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.consensus import Consensus
from labelmill.domain.partition import Partition
from labelmill.domain.ports import LabelModel
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.sums import Sums
from labelmill.pipeline._ballot_source import BallotSource
from labelmill.pipeline._ballots import Ballots
from labelmill.pipeline._reduce import merged_sums, sums_frame
from labelmill.pipeline._shards import kept_shard
from labelmill.pipeline.aggregated import consensus_sums
from labelmill.stores.lake import Lake

__all__ = ["ConsensusStep", "Place", "consensus_of_frame"]


@dataclass(frozen=True)
class Place:
    """Where the frames of a consensus lie: among the lake's versions, or in tables that go when they have been read.

    Parameters
    ----------
    digest : str
        Of the consensus.
    folder : str or None
        Folder of the tables; None for the lake's versions.
    """

    digest: str
    folder: str | None = None

    def done(self, lake: Lake) -> frozenset[str]:
        """Partitions whose frames are there, by one listing."""
        if self.folder is None:
            return frozenset(lake.done_consensus(self.digest))
        prefix = self._table("")
        return frozenset(n.removeprefix(prefix) for n in lake.table_names(self.folder) if n.startswith(prefix))

    def publish(self, lake: Lake, partition: str, frame: pl.DataFrame) -> None:
        """Put a partition's frame there."""
        if self.folder is None:
            lake.publish_consensus(self.digest, partition, frame)
        else:
            lake.publish_table(self.folder, self._table(partition), frame)

    def read(self, lake: Lake, partition: str) -> pl.DataFrame:
        """A partition's frame."""
        if self.folder is None:
            return lake.read_consensus(self.digest, partition)
        return lake.read_table(self.folder, self._table(partition))

    def _table(self, partition: str) -> str:
        return f"{self.digest}-part-{partition}"


@dataclass(frozen=True)
class ConsensusStep:
    """Makes the consensus of a partition with fitted label models.

    Parameters
    ----------
    source : BallotSource
    place : Place
        Where the consensus goes.
    model : str
        Name of the label model.
    models : mapping of str to LabelModel
        One fitted for each table of the ballots.
    done : frozenset of str
        Partitions that an earlier driver had finished.
    """

    source: BallotSource
    place: Place
    model: str
    models: Mapping[str, LabelModel]
    done: frozenset[str] = frozenset()

    def table(self, lake: Lake, partition: Partition) -> pl.DataFrame:
        """Publish the partition's consensus, unless it is there; its sums, and the number of each annotator's votes."""
        part = kept_shard(self.source, self.place.digest, lake, partition, keep=False)
        schema = self.source.plan.schema
        if partition.id in self.done:
            consensus = consensus_of_frame(self.place.read(lake, partition.id), schema, self.model)
        else:
            consensus = self._consensus(lake, part)
            self.place.publish(lake, partition.id, consensus.to_frame())
        return sums_frame(Sums((_n_votes(part), *consensus_sums(consensus).arrays)))

    def merge(self, one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        """The sums of both."""
        return merged_sums(one, other)

    def is_settled(self, table: pl.DataFrame) -> bool:  # noqa: ARG002 -- the role's signature
        """Never: every partition needs its consensus."""
        return False

    def _consensus(self, lake: Lake, part: Ballots) -> Consensus:
        schema = self.source.plan.schema
        probabilities = self._probabilities(part)
        has_votes = np.any([table.has_votes for table in part.tables.values()], axis=0)
        gold = self.source.gold_on(lake, pl.Series(part.items, dtype=pl.String))
        if gold.height:
            rows = gold["row"].to_numpy()
            probabilities = probabilities.copy()
            probabilities[rows] = [[float(k in named) for k in range(schema.n_classes)] for named in gold["value"]]
            has_votes[rows] = True
        return Consensus(part.items, schema.classes, probabilities, has_votes, self.model, kind=schema.kind)

    def _probabilities(self, part: Ballots) -> npt.NDArray[np.float64]:
        each = [self.models[key].predict_proba(table) for key, table in part.tables.items()]
        return np.stack([p[:, 1] for p in each], axis=1) if self.source.plan.is_multi else each[0]


def consensus_of_frame(frame: pl.DataFrame, schema: LabelSchema, model: str) -> Consensus:
    """The consensus that `Consensus.to_frame` made a frame of."""
    return Consensus(
        frame["item"].to_list(),
        schema.classes,
        frame.select(f"p_{name}" for name in schema.classes).to_numpy(),
        frame["label"].is_not_null().to_numpy(),
        model,
        kind=schema.kind,
    )


def _n_votes(part: Ballots) -> npt.NDArray[np.float64]:
    """Votes that name a class, shape (n_tables, n_annotators)."""
    counts = [
        np.bincount(table.annotator_index[table.label != ABSTAIN], minlength=table.n_annotators)
        for table in part.tables.values()
    ]
    return np.asarray(counts, dtype=np.float64)
