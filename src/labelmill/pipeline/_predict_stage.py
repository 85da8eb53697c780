"""What a worker does with a partition that a trained learner votes on."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from labelmill import registry
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Partition, Receipt
from labelmill.domain.ports import ValueLearner
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import Fault, VoteBatch
from labelmill.pipeline._annotate_stage import batches, votes_frame
from labelmill.pipeline._features import Features
from labelmill.pipeline._heads import Heads, model_votes
from labelmill.pipeline._lake_here import lake_here
from labelmill.pipeline._media_here import MediaFolders
from labelmill.pipeline._told_values import told
from labelmill.stores.lake import Lake

__all__ = ["PredictStage"]


@dataclass(frozen=True)
class PredictStage:
    """Runs a fitted learner over one partition; workers load it from the lake.

    Parameters
    ----------
    lake : str
        URI of the lake.
    name : str
        Of the learner, which is its name as an annotator too.
    model : str
        Fingerprint under which the lake keeps it.
    digest : str
        Name of the set of votes this stage makes.
    schema : LabelSchema
    features : Features, optional
        Where the vectors come from, for a learner that reads them.
    media : MediaFolders, optional
        The way to pictures and recordings.
    """

    lake: str
    name: str
    model: str
    digest: str
    schema: LabelSchema
    features: Features | None = None
    media: MediaFolders | None = None

    def __call__(self, partition: Partition) -> Receipt:
        """Predict the partition and publish the votes."""
        started = time.monotonic()
        lake = lake_here(self.lake)
        voter = _voter(self.lake, self.name, self.model, self.schema)
        began = time.perf_counter()
        features = None if self.features is None else self.features.of(lake, partition)
        frames: list[pl.DataFrame] = []
        faults: list[Fault] = []
        for _, batch in batches(lake, partition, features=features):
            batch.media = self.media
            votes = voter(batch)
            frames.append(votes_frame({self.name: votes}, is_structured=self.schema.is_structured))
            faults += votes.faults
        timings = ((self.name, time.perf_counter() - began),)
        uri = lake.publish_votes(self.digest, partition.id, pl.concat(frames), faults)
        seconds = time.monotonic() - started
        return Receipt(
            partition.id, partition.n_rows, uri, seconds, len(faults), timings=timings, host=socket.gethostname()
        )


@lru_cache(maxsize=2)
def _voter(lake: str, name: str, model: str, schema: LabelSchema) -> Callable[[ItemBatch], VoteBatch]:
    """What makes votes of items: a fitted learner, loaded once a process."""
    plugin, folder = registry.find("learner", name), Lake(lake).model_folder(name, model)
    if schema.is_structured:
        learner: ValueLearner = plugin.load(folder)
        return lambda batch: told(learner.predict_values(batch, schema), name, batch, schema)
    heads = Heads.load(plugin, folder, schema)
    return lambda batch: model_votes(heads.predict_proba(batch), schema)
