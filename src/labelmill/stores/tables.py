"""Small tables that a reduce leaves on its way: statistics of partitions, and merges of them."""

from __future__ import annotations

from typing import Final

import polars as pl

from labelmill.stores._files import Files
from labelmill.stores._frames import to_parquet
from labelmill.stores._names import checked_name

__all__ = ["Tables"]

FOLDER: Final = "reduce"
SUFFIX: Final = ".parquet"


class Tables:
    """Tables by reduce and name; of racing writers the first wins, as both did the same work.

    Parameters
    ----------
    files : Files
        The lake's files.
    """

    def __init__(self, files: Files) -> None:
        self._files = files

    def publish(self, reduce: str, name: str, frame: pl.DataFrame) -> str:
        """Put a table there if there is none of that name; its key."""
        key = self._key(reduce, name)
        self._files.publish(key, to_parquet(frame))
        return key

    def read(self, reduce: str, name: str) -> pl.DataFrame:
        """A table.

        Raises
        ------
        StorageError
            If there is none.
        """
        return self._files.read_frame(self._key(reduce, name))

    def names(self, reduce: str) -> set[str]:
        """Names of all tables of a reduce, by one listing."""
        found = self._files.names(self._folder(reduce))
        return {name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX)}

    def delete(self, reduce: str) -> None:
        """Remove all tables of a reduce."""
        self._files.delete_folder(self._folder(reduce))

    def _folder(self, reduce: str) -> str:
        return f"{FOLDER}/{checked_name('reduce', reduce)}"

    def _key(self, reduce: str, name: str) -> str:
        return f"{self._folder(reduce)}/{checked_name('table', name)}{SUFFIX}"
