"""Where a lake's files lie, seen past the lake: names, identities and hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

__all__ = ["Bucket", "Entry", "Folder", "Shelf", "digests"]


class Entry(NamedTuple):
    """A published file: `identity` changes when it is written again."""

    identity: str
    digest: str


class Shelf(Protocol):
    """Where a lake's files lie, seen past the lake."""

    @property
    def uri(self) -> str:
        """What opens the lake."""

    @property
    def kind(self) -> str:
        """What it is, in a word or two."""

    def files(self, kind: str) -> dict[str, Entry]:
        """The Parquet files of a kind ("votes", "consensus"), by name."""


@dataclass(frozen=True)
class Folder:
    """A lake in a folder."""

    uri: str
    kind: ClassVar[str] = "folder"

    def files(self, kind: str) -> dict[str, Entry]:
        """By path; identity is the inode and when it was last written."""
        root = Path(self.uri)
        found = {}
        for path in sorted((root / kind).rglob("*.parquet")):
            if path.name.startswith("."):
                continue
            stat = path.stat()
            entry = Entry(f"{stat.st_ino} {stat.st_mtime_ns}", hashlib.sha256(path.read_bytes()).hexdigest())
            found[str(path.relative_to(root))] = entry
        return found


@dataclass(frozen=True)
class Bucket:
    """A lake in a versioned bucket of an object store."""

    uri: str
    client: Any
    kind: ClassVar[str] = "object store"

    def files(self, kind: str) -> dict[str, Entry]:
        """By key; identity is the list of all versions there ever were."""
        bucket, _, prefix = self.uri.removeprefix("s3://").partition("/")
        versions: dict[str, list[str]] = {}
        pages = self.client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=f"{prefix}/{kind}/")
        for version in (version for page in pages for version in page.get("Versions", [])):
            if version["Key"].endswith(".parquet"):
                versions.setdefault(version["Key"].removeprefix(f"{prefix}/"), []).append(version["VersionId"])
        return {
            key: Entry(
                " ".join(sorted(ids)),
                hashlib.sha256(self.client.get_object(Bucket=bucket, Key=f"{prefix}/{key}")["Body"].read()).hexdigest(),
            )
            for key, ids in versions.items()
        }


def digests(files: Mapping[str, Entry]) -> dict[str, str]:
    """Name -> hash of the bytes."""
    return {name: entry.digest for name, entry in files.items()}
