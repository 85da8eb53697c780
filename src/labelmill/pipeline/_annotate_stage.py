"""What a worker does with a partition: read it, run the annotators, publish their votes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from labelmill.annotators._guard import guard
from labelmill.annotators._rules_file import load_rules
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Partition, Receipt
from labelmill.domain.ports import Annotator
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import Fault, VoteBatch
from labelmill.errors import AnnotationError
from labelmill.pipeline._attempts import Attempt
from labelmill.stores.lake import Lake

__all__ = ["AnnotateStage", "batches", "votes_frame"]

BATCH_ROWS = 8_192
"""Items in memory at once: some 16 MB of ordinary texts."""


@dataclass(frozen=True)
class AnnotateStage:
    """Runs rules over one partition; travels to workers, which load the user's code themselves.

    Parameters
    ----------
    lake : str
        URI of the lake.
    code : Path
        The file with the labeling functions.
    fingerprints : mapping of str to str
        Annotator -> fingerprint the driver saw; a worker that sees another one refuses.
    digest : str
        Name of the set of votes this stage makes.
    timeout : float
        Seconds a labeling function may take on one item.
    """

    lake: str
    code: Path
    fingerprints: dict[str, str]
    digest: str
    schema: LabelSchema
    timeout: float

    def __call__(self, partition: Partition) -> Receipt:
        """Annotate the partition and publish the votes."""
        started = time.monotonic()
        lake = Lake(self.lake)
        annotators = _annotators(self.code, tuple(self.fingerprints.items()))
        frames: list[pl.DataFrame] = []
        faults: list[Fault] = []
        with Attempt(lake, self.digest, partition.id) as attempt, guard(self.timeout) as guarded:
            for start, batch in batches(lake, partition):
                columns = {}
                for j, annotator in enumerate(annotators):
                    votes = attempt.annotate(j, start, annotator, batch, self.schema)
                    columns[annotator.name] = votes
                    faults += votes.faults
                frames.append(votes_frame(columns))
            uri = lake.publish_votes(self.digest, partition.id, pl.concat(frames), faults)
        seconds = time.monotonic() - started
        return Receipt(partition.id, partition.n_rows, uri, seconds, len(faults), printed=guarded.printed)


def votes_frame(columns: dict[str, VoteBatch]) -> pl.DataFrame:
    """Votes of several annotators as columns of the lake: `<name>`, and `p.<name>` for probabilities."""
    series = []
    for name, votes in columns.items():
        if isinstance(votes.labels, np.ndarray):
            series.append(pl.Series(name, votes.labels, dtype=pl.Int16))
        else:
            sets = [None if classes is None else list(classes) for classes in votes.labels]
            series.append(pl.Series(name, sets, dtype=pl.List(pl.Int16)))
        if votes.probabilities is not None:
            series.append(_soft(name, votes.probabilities))
    return pl.DataFrame(series)


def _soft(name: str, probabilities: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> pl.Series:
    given = np.isfinite(probabilities).all(axis=1)
    rows = pl.Series(f"p.{name}", probabilities.astype(np.float32), dtype=pl.Array(pl.Float32, probabilities.shape[1]))
    return pl.DataFrame([rows]).select(pl.when(pl.Series(given)).then(rows.name).cast(pl.List(pl.Float32))).to_series()


def batches(lake: Lake, partition: Partition) -> Iterator[tuple[int, ItemBatch]]:
    """The partition's items in bites: the row each starts at in its file, and the items."""
    for start in range(partition.start, partition.stop, BATCH_ROWS):
        stop = min(start + BATCH_ROWS, partition.stop)
        yield start, lake.read_items(Partition(partition.id, partition.uri, start, stop))


@lru_cache(maxsize=4)
def _annotators(code: Path, fingerprints: tuple[tuple[str, str], ...]) -> list[Annotator]:
    """The annotators of the stage, loaded once per worker."""
    known = {annotator.name: annotator for annotator in load_rules(code)}
    for name, fingerprint in fingerprints:
        if name not in known or known[name].fingerprint != fingerprint:
            raise AnnotationError(f"{code}: {name!r} changed while it was running; run the same command again")
    return [known[name] for name, _ in fingerprints]
