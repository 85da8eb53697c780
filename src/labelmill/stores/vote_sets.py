"""Votes of machines: one folder for each set of annotators, one file for each partition, row for row with its items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from labelmill.domain.partition import Partition
from labelmill.domain.vote import Fault
from labelmill.errors import StorageError
from labelmill.stores._files import Files
from labelmill.stores._frames import to_parquet
from labelmill.stores.imported_votes import IMPORTED
from labelmill.stores.lock import WritingLock

__all__ = ["VoteSet", "VoteSets"]

VOTES: Final = "votes"
SUFFIX: Final = ".parquet"
FAULTS: Final = ".faults.parquet"

_FAULT_COLUMNS: Final = {"item": pl.String, "annotator": pl.String, "error": pl.String, "traceback": pl.String}


@dataclass(frozen=True, slots=True)
class VoteSet:
    """What some annotators, at some fingerprints, said about some partitions.

    Parameters
    ----------
    digest : str
        Hash of the annotators' names and fingerprints; name of the folder.
    annotators : mapping of str to mapping
        Name -> {"fingerprint", "kind"}.
    partitions : list of Partition
        Those that are finished, in lake order.
    """

    digest: str
    annotators: Mapping[str, Mapping[str, str]]
    partitions: list[Partition]


class VoteSets:
    """All sets of machine votes.

    Parameters
    ----------
    files : Files
        The lake's files.
    lock : WritingLock
        Held while a manifest is written.
    """

    def __init__(self, files: Files, lock: WritingLock) -> None:
        self._files = files
        self._lock = lock

    def has(self, digest: str, partition_id: str) -> bool:
        """True if the partition's votes are published."""
        return self._files.exists(_votes_key(digest, partition_id))

    def done(self, digest: str) -> set[str]:
        """Ids of all partitions whose votes are published, by one listing."""
        names = self._files.names(f"{VOTES}/{digest}")
        return {name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX) and not name.endswith(FAULTS)}

    def publish(self, digest: str, partition_id: str, votes: pl.DataFrame, faults: Sequence[Fault]) -> str:
        """Put a partition's votes there; of racing attempts the first wins.

        Faults go first, so that votes are never there without them.

        Returns
        -------
        str
            Key of the file.
        """
        key = _votes_key(digest, partition_id)
        if self._files.exists(key):
            return key
        self._files.delete(_faults_key(digest, partition_id))  # of an attempt that died before its votes
        if faults:
            rows = [(fault.item, fault.annotator, fault.error, fault.traceback) for fault in faults]
            frame = pl.DataFrame(rows, schema=_FAULT_COLUMNS, orient="row")
            self._files.publish(_faults_key(digest, partition_id), to_parquet(frame))
        self._files.publish(key, to_parquet(votes))
        return key

    def seal(self, digest: str, annotators: Mapping[str, Mapping[str, str]], partitions: Sequence[Partition]) -> None:
        """Make the votes on these partitions count, beside those sealed before.

        Raises
        ------
        StorageError
            If a partition's votes are not published.
        """
        published = set(self._files.names(f"{VOTES}/{digest}"))
        missing = [partition.id for partition in partitions if f"{partition.id}{SUFFIX}" not in published]
        if missing:
            raise StorageError(
                f"{self._files.place(f'{VOTES}/{digest}')}: the votes on {len(missing)} partitions are not there, "
                f"first {missing[0]!r}: run the same command again"
            )
        with self._lock.held():
            old = self._files.read_json(_manifest_key(digest)) or {"annotators": {}, "partitions": {}}
            entries = {
                partition.id: {
                    "uri": partition.uri,
                    "start": partition.start,
                    "stop": partition.stop,
                    "rows": partition.n_rows,
                    "faults": self._count_faults(digest, partition.id, published),
                }
                for partition in partitions
            }
            known = {name: dict(entry) for name, entry in annotators.items()}
            manifest = {"annotators": old["annotators"] | known, "partitions": old["partitions"] | entries}
            self._files.write_json(_manifest_key(digest), manifest)

    def sealed(self) -> list[VoteSet]:
        """All sets that have a manifest, by digest."""
        manifests = {
            digest: self._files.read_json(_manifest_key(digest))
            for digest in self._files.names(VOTES)
            if digest != IMPORTED
        }
        return [
            VoteSet(digest, manifest["annotators"], _partitions(manifest))
            for digest, manifest in manifests.items()
            if manifest is not None
        ]

    def read(self, digest: str, partition_id: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """A partition's votes, row for row with its items."""
        return self._files.read_frame(_votes_key(digest, partition_id), columns)

    def faults(self, digest: str) -> pl.DataFrame:
        """Faults of a sealed set: columns `item`, `annotator`, `error`, `traceback`."""
        manifest = self._files.read_json(_manifest_key(digest)) or {"partitions": {}}
        parts = [
            self._files.read_frame(_faults_key(digest, partition_id))
            for partition_id, entry in manifest["partitions"].items()
            if entry["faults"]
        ]
        return pl.concat(parts) if parts else pl.DataFrame(schema=_FAULT_COLUMNS)

    def _count_faults(self, digest: str, partition_id: str, published: set[str]) -> int:
        if f"{partition_id}{FAULTS}" not in published:
            return 0
        return self._files.count_rows(_faults_key(digest, partition_id))


def _partitions(manifest: Mapping[str, Any]) -> list[Partition]:
    entries = manifest["partitions"].items()
    partitions = [Partition(name, entry["uri"], entry["start"], entry["stop"]) for name, entry in entries]
    return sorted(partitions, key=lambda partition: (partition.uri, partition.start))


def _votes_key(digest: str, partition_id: str) -> str:
    return f"{VOTES}/{digest}/{partition_id}{SUFFIX}"


def _faults_key(digest: str, partition_id: str) -> str:
    return f"{VOTES}/{digest}/{partition_id}{FAULTS}"


def _manifest_key(digest: str) -> str:
    return f"{VOTES}/{digest}/manifest.json"
