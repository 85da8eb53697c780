"""The consensus: each version in its own folder, one file a partition; a manifest names the current one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from labelmill.domain.partition import Partition
from labelmill.errors import StorageError
from labelmill.stores._files import Files
from labelmill.stores._frames import to_parquet
from labelmill.stores._names import checked_name
from labelmill.stores.lock import WritingLock

__all__ = ["ConsensusVersion", "ConsensusVersions"]

CONSENSUS: Final = "consensus"
MANIFEST: Final = "consensus/manifest.json"
SUFFIX: Final = ".parquet"

KEPT: Final = 3
"""Versions kept: who reads an older one while a new one is made can finish."""


@dataclass(frozen=True, slots=True)
class ConsensusVersion:
    """A consensus that counts.

    Parameters
    ----------
    number : int
        From 1; the latest is current.
    digest : str
        Hash of everything it follows from; name of its folder.
    meta : mapping
        What the label model says of itself, and of the annotators.
    partitions : list of Partition
        In lake order.
    """

    number: int
    digest: str
    meta: Mapping[str, Any]
    partitions: list[Partition]


class ConsensusVersions:
    """The current consensus and the last few before it.

    Parameters
    ----------
    files : Files
        The lake's files.
    lock : WritingLock
        Held while a version is sealed.
    """

    def __init__(self, files: Files, lock: WritingLock) -> None:
        self._files = files
        self._lock = lock

    def publish(self, digest: str, partition_id: str, frame: pl.DataFrame) -> str:
        """Put a partition's consensus there, row for row with its items; of racing attempts the first wins."""
        key = _key(digest, partition_id)
        if not self._files.exists(key):
            self._files.publish(key, to_parquet(frame))
        return key

    def done(self, digest: str) -> set[str]:
        """Ids of the partitions whose consensus is published, by one listing."""
        names = self._files.names(_folder(digest))
        return {name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)}

    def seal(self, digest: str, partitions: Sequence[Partition], meta: Mapping[str, Any]) -> int:
        """Make a version current: its partitions are all published.

        Parameters
        ----------
        digest : str
        partitions : sequence of Partition
        meta : mapping
            JSON-able; a number that is not finite is kept as null, which is how JSON says "unknown".

        Returns
        -------
        int
            Its number; that of the current version if it is the same.

        Raises
        ------
        StorageError
            If a partition is not published.
        """
        published = self.done(digest)
        missing = [partition.id for partition in partitions if partition.id not in published]
        if missing:
            raise StorageError(
                f"{self._files.place(_folder(digest))}: the consensus of {len(missing)} partitions is not there, first "
                f"{missing[0]!r}: run the same command again"
            )
        with self._lock.held():
            known = self._versions()
            if known and known[-1]["digest"] == digest:
                return int(known[-1]["number"])
            number = max([0, *(int(entry["number"]) for entry in known)]) + 1
            rows = [[partition.id, partition.uri, partition.start, partition.stop] for partition in partitions]
            text = {"meta": _finite({**meta, "version": number}), "partitions": rows}
            self._files.write_json(f"{_folder(digest)}/meta.json", text)
            others = [entry for entry in known if entry["digest"] != digest]
            kept = [*others, {"number": number, "digest": digest}][-KEPT:]
            self._files.write_json(MANIFEST, {"versions": kept})
            alive = {entry["digest"] for entry in kept}
            for name in self._files.names(CONSENSUS):
                if name != "manifest.json" and name not in alive:
                    self._files.delete_folder(f"{CONSENSUS}/{name}")
        return number

    def current(self) -> ConsensusVersion | None:
        """The version that counts; None if there is none."""
        known = self._versions()
        if not known:
            return None
        number, digest = int(known[-1]["number"]), str(known[-1]["digest"])
        record = self._files.read_json(f"{_folder(digest)}/meta.json")
        return ConsensusVersion(number, digest, record["meta"], [Partition(*row) for row in record["partitions"]])

    def read(self, digest: str, partition_id: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """A partition's consensus, row for row with its items."""
        return self._files.read_frame(_key(digest, partition_id), columns)

    def _versions(self) -> list[dict[str, Any]]:
        manifest = self._files.read_json(MANIFEST) or {"versions": []}
        return list(manifest["versions"])


def _folder(digest: str) -> str:
    return f"{CONSENSUS}/{checked_name('consensus', digest)}"


def _key(digest: str, partition_id: str) -> str:
    return f"{_folder(digest)}/{checked_name('partition', partition_id)}{SUFFIX}"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value
