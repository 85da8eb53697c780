"""Files by key: what the lake asks of the place where it lies.

Every read and write of the lake passes here, and every path is a key relative to the root (`votes/ab12/p.parquet`).
`LocalFiles` is a folder, `ObjectFiles` a bucket or a file system of many machines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

import polars as pl

from labelmill.domain.strict_json import dumps, loads
from labelmill.errors import BadInputError, StorageError

__all__ = ["MANIFEST", "ORPHAN_AGE", "Files", "Hold", "Notes"]

ORPHAN_AGE: Final = 3600.0
"""Seconds after which a temporary file is taken to have no living writer."""

MANIFEST: Final = "manifest.json"
"""Names the files of a published folder, with their sizes and hashes; written last."""


class Notes(Protocol):
    """A file of fixed length that is written over again and again, and outlives its writer."""

    is_cheap: bool
    """True where a note costs next to nothing, because it is a write to mapped memory."""

    def write(self, content: bytes) -> None:
        """Put a note in place of the last one."""

    def close(self) -> None:
        """Take no more notes; the last one stays."""


class Hold(Protocol):
    """The right to write, as long as it is held."""

    def check(self) -> None:
        """Raise StorageError if the right has been lost."""

    def release(self) -> None:
        """Let others write."""


class Files(Protocol):
    """The files under one root. They appear whole or not at all.

    Raises
    ------
    StorageError
        From every method: what could not be read or written, why, and what to do. Nothing is left half-written.
    """

    fresh_for: ClassVar[float]
    """Seconds for which what was read need not be looked at again: 0 where looking costs nothing."""

    @property
    def uri(self) -> str:
        """Where the root lies, as any process that can reach it can open it."""

    def place(self, key: str) -> str:
        """Where a key lies, for messages."""

    def publish(self, key: str, content: bytes) -> bool:
        """Put a file there if there is none: of racing writers the first wins.

        Returns
        -------
        bool
            False if there is a file already; it stays as it is.
        """

    def publish_folder(self, parent: str, fill: Callable[[Path], str]) -> tuple[Path, bool]:
        """Put a folder into another if there is none of its name. The caller holds the right to write.

        Parameters
        ----------
        parent : str
            Key of the folder it goes into.
        fill : callable
            Fills the private folder it is given, `manifest.json` included, and returns the name it gets, which may
            depend on the content.

        Returns
        -------
        folder : Path
            As from `folder`.
        created : bool
            False if there is one of that name already; it stays as it is.
        """

    def folder(self, key: str) -> Path:
        """A folder of this machine with the files of a published folder: itself where it is local, or a copy."""

    def replace(self, key: str, data: bytes) -> None:
        """Put a file there, in place of one that is there: readers see the old one or the new one."""

    def read(self, key: str) -> bytes | None:
        """Content of a file; None if there is none."""

    def read_frame(
        self, key: str, columns: Sequence[str] | None = None, *, start: int = 0, length: int | None = None
    ) -> pl.DataFrame:
        """The frame in a Parquet file, or some columns of `length` rows from `start`."""

    def count_rows(self, key: str) -> int:
        """Number of rows of a Parquet file, from its footer."""

    def stamp(self, key: str) -> object | None:
        """What changes when the file is replaced; None if there is no file."""

    def exists(self, key: str) -> bool:
        """True if there is a file."""

    def names(self, key: str) -> list[str]:
        """Sorted names in a folder, hidden and temporary ones left out; empty if there is no folder."""

    def delete(self, key: str) -> None:
        """Remove a file; nothing happens if there is none."""

    def delete_folder(self, key: str) -> None:
        """Remove a folder with all that is in it; nothing happens if there is none."""

    def sweep(self, *, older_than: float = ORPHAN_AGE) -> int:
        """Remove what killed writers left behind, if it is older than so many seconds; how many were removed."""

    def open_notes(self, key: str, first: bytes) -> Notes | None:
        """A new file of notes with a first note; all others have its length. None if there is such a file."""

    def take(self, key: str) -> Hold:
        """Take the right to write, whose record lies under the key.

        Raises
        ------
        StorageError
            If another process or thread holds it; names who.
        """

    def is_taken(self, key: str) -> bool:
        """True if somebody, this process too, holds the right to write at the moment."""

    def write_json(self, key: str, value: Any) -> None:
        """Put a JSON value there, in place of one that is there."""
        self.replace(key, (dumps(value) + "\n").encode())

    def read_json(self, key: str) -> Any:
        """The JSON value in a file; None if there is no file."""
        data = self.read(key)
        if data is None:
            return None
        try:
            return loads(data, source=self.place(key))
        except BadInputError as error:
            raise StorageError(
                f"{error}\nThe file is damaged: restore it, or remove it and run the step again."
            ) from error
