"""Votes that come from files: rows, one file for each import, read in the order they came."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import polars as pl

from labelmill.errors import UsageError
from labelmill.stores._files import Files
from labelmill.stores._frames import to_parquet
from labelmill.stores.lock import WritingLock

__all__ = ["COLUMNS", "IMPORTED", "ImportedVotes"]

IMPORTED: Final = "imported"
"""Folder beside the sets of machine votes; no digest has this name."""

FOLDER: Final = f"votes/{IMPORTED}"
MANIFEST: Final = f"{FOLDER}/manifest.json"

COLUMNS: Final = {
    "item": pl.String,
    "annotator": pl.String,
    "value": pl.String,
    "confidence": pl.Float64,
    "at": pl.String,
    "purpose": pl.String,
    "kind": pl.String,
    "reason": pl.String,
}
"""`value` is a class name or JSON, null for an abstention; `at` is ISO 8601; `reason` says why a vote supersedes."""

OPTIONAL: Final = ("reason",)
"""Columns that votes may lack; files of earlier versions do."""


class ImportedVotes:
    """All votes that came from files.

    Parameters
    ----------
    files : Files
        The lake's files.
    lock : WritingLock
        Held while votes are appended.
    """

    def __init__(self, files: Files, lock: WritingLock) -> None:
        self._files = files
        self._lock = lock

    def append(self, frame: pl.DataFrame, *, source: str) -> None:
        """Add votes; a later vote by the same annotator on the same item supersedes, which is for readers to apply.

        Raises
        ------
        UsageError
            If a column is missing.
        """
        missing = [name for name in COLUMNS if name not in frame.columns and name not in OPTIONAL]
        if missing:
            raise UsageError(f"votes lack {', '.join(missing)}: expected the columns {', '.join(COLUMNS)}")
        rows = _with_all_columns(frame)
        with self._lock.held():
            files = self._manifest()
            data = to_parquet(rows)
            name = f"{len(files):06d}-{hashlib.sha256(data).hexdigest()[:12]}.parquet"
            self._files.publish(f"{FOLDER}/{name}", data)
            entry = {"name": name, "rows": rows.height, "source": source}
            self._files.write_json(MANIFEST, {"files": [*files, entry]})

    def frame(self) -> pl.DataFrame:
        """All votes in order of import."""
        parts = [_with_all_columns(self._files.read_frame(f"{FOLDER}/{f['name']}")) for f in self._manifest()]
        return pl.concat(parts) if parts else pl.DataFrame(schema=COLUMNS)

    def _manifest(self) -> list[dict[str, Any]]:
        manifest = self._files.read_json(MANIFEST) or {"files": []}
        return list(manifest["files"])


def _with_all_columns(frame: pl.DataFrame) -> pl.DataFrame:
    blank = pl.lit(None)
    found = {name: pl.col(name) if name in frame.columns else blank for name in COLUMNS}
    return frame.select(column.cast(COLUMNS[name]).alias(name) for name, column in found.items())
