"""What is asked of an object store: whole objects by key, and conditions on writing them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

__all__ = ["Changed", "ObjectStore", "Status"]


class Status(NamedTuple):
    """An object as it is now: its bytes, and a stamp that changes when it is replaced."""

    size: int
    stamp: str


class Changed(Exception):  # noqa: N818 -- no error: the caller looks again
    """The object is not the one that was asked for any more."""


class ObjectStore(Protocol):
    """Objects under one prefix. Temporary failures are tried again, all others are StorageErrors."""

    swaps_safely: bool
    """True if `swap` is one step; False if another writer could come between its two."""

    @property
    def uri(self) -> str:
        """Where the prefix lies."""

    def place(self, key: str) -> str:
        """Where an object lies, for messages."""

    def read(self, key: str, *, start: int = 0, size: int | None = None, stamp: str | None = None) -> bytes | None:
        """An object or a part of it; None if there is none.

        Raises
        ------
        Changed
            If it has another stamp; only where the store can tell.
        """

    def stat(self, key: str) -> Status | None:
        """Size and stamp of an object; None if there is none."""

    def put(self, key: str, data: bytes) -> None:
        """Put an object there, in place of one that is there; whole or not at all."""

    def upload(self, key: str, source: Path) -> None:
        """Put a file there like `put`, without holding all of it in memory."""

    def create(self, key: str, data: bytes) -> bool:
        """Put an object there if there is none.

        Returns
        -------
        bool
            False if there is one. It may be our own: the answer to a request that was carried out can get lost, and
            then the request is sent again.
        """

    def swap(self, key: str, data: bytes, stamp: str) -> bool:
        """Put an object in place of the one with the stamp; False if that is not there any more."""

    def names(self, folder: str) -> Iterator[str]:
        """Names directly under a key, by one listing."""

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens if there is none."""

    def delete_folder(self, key: str) -> None:
        """Remove all objects under a key."""

    def sweep(self, older_than: float) -> int:
        """Remove private files of killed writers, where the store has such; how many."""
