"""What a worker does with a partition: read it, run the annotators, publish their votes."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.annotators._guard import guard
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Partition, Receipt
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import Fault, VoteBatch
from labelmill.pipeline._attempts import Attempt
from labelmill.pipeline._code_bundle import Code
from labelmill.pipeline._code_here import annotators_here, check_files
from labelmill.pipeline._lake_here import lake_here
from labelmill.pipeline._media_here import MediaFolders
from labelmill.pipeline._told_values import told
from labelmill.stores.lake import Lake

__all__ = ["AnnotateStage", "batches", "votes_frame"]

BATCH_ROWS = 32_768
"""Items an annotator is given at once. Fewer cost time; more take long to look through one by one after a death."""


@dataclass(frozen=True)
class AnnotateStage:
    """Runs rules over one partition; travels to workers, which load the user's code themselves.

    Parameters
    ----------
    lake : str
        URI of the lake.
    code : Code
        The files with the labeling functions.
    fingerprints : mapping of str to str
        Annotator -> fingerprint the driver saw; a worker that sees another one refuses.
    digest : str
        Name of the set of votes this stage makes.
    timeout : float
        Seconds a labeling function may take on one item.
    isolated : bool
        Whether it runs in a worker process, which may be ended for an annotator that hangs in compiled code.
    """

    lake: str
    code: Code
    fingerprints: dict[str, str]
    digest: str
    schema: LabelSchema
    timeout: float
    isolated: bool = False

    def __call__(self, partition: Partition) -> Receipt:
        """Annotate the partition and publish the votes."""
        started = time.monotonic()
        lake = lake_here(self.lake)
        annotators = annotators_here(self.lake, self.code, tuple(self.fingerprints.items()), isolated=self.isolated)
        frames: list[pl.DataFrame] = []
        faults: list[Fault] = []
        timings = dict.fromkeys(self.fingerprints, 0.0)
        patience = self.timeout if self.isolated else None
        with Attempt(lake, self.digest, partition.id, timeout=patience) as attempt, guard(self.timeout) as guarded:
            for start, batch in batches(lake, partition):
                columns = {}
                for annotator in annotators:
                    began = time.perf_counter()
                    votes = attempt.annotate(start, annotator, batch, self.schema)
                    if self.schema.is_structured:
                        votes = told(votes, annotator.name, batch, self.schema)
                    timings[annotator.name] += time.perf_counter() - began
                    columns[annotator.name] = votes
                    check_files(self.lake, self.code, votes.faults)
                    faults += votes.faults
                frames.append(votes_frame(columns, is_structured=self.schema.is_structured))
            uri = lake.publish_votes(self.digest, partition.id, pl.concat(frames), faults)
        return Receipt(
            partition.id,
            partition.n_rows,
            uri,
            time.monotonic() - started,
            len(faults),
            printed=guarded.printed,
            timings=tuple(timings.items()),
            host=socket.gethostname(),
        )


def votes_frame(columns: dict[str, VoteBatch], *, is_structured: bool = False) -> pl.DataFrame:
    """Votes of several annotators as columns of the lake: `<name>`, and `p.<name>` for probabilities.

    Class indices, sets of them, or values as JSON text where they are more than classes.
    """
    series = []
    for name, votes in columns.items():
        if isinstance(votes.labels, np.ndarray):
            series.append(pl.Series(name, votes.labels, dtype=pl.Int16))
        elif is_structured:
            series.append(pl.Series(name, votes.labels, dtype=pl.String))
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


def batches(
    lake: Lake,
    partition: Partition,
    *,
    features: npt.NDArray[np.float32] | None = None,
    media: MediaFolders | None = None,
) -> Iterator[tuple[int, ItemBatch]]:
    """The partition's items in bites: the row each starts at in its file, and the items.

    They are read at once: a lake cuts its files so that one fits into memory many times, and each reading costs.
    """
    items = ItemBatch(lake.read_items(partition).frame, features, media)
    for start in range(0, len(items), BATCH_ROWS):
        yield partition.start + start, items.slice(start, BATCH_ROWS)
