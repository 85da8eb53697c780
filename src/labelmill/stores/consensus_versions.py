"""The consensus: each version in a folder of its own, and a manifest that names the current one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from labelmill.domain.strict_json import dumps
from labelmill.stores._files import Files
from labelmill.stores._frames import read_frame, writer_of
from labelmill.stores.lock import WritingLock

__all__ = ["ConsensusVersions"]

CONSENSUS: Final = "consensus"
MANIFEST: Final = "consensus/manifest.json"

KEPT: Final = 3
"""Versions kept: who reads an older one while a new one is made can finish."""


class ConsensusVersions:
    """The current consensus and the last few before it.

    Parameters
    ----------
    files : Files
        The lake's files.
    lock : WritingLock
        Held while a version is written.
    """

    def __init__(self, files: Files, lock: WritingLock) -> None:
        self._files = files
        self._lock = lock

    def write(self, frame: pl.DataFrame, meta: Mapping[str, Any]) -> int:
        """Make a new version current.

        Parameters
        ----------
        frame : polars.DataFrame
            One row an item.
        meta : mapping
            JSON-able; a number that is not finite is kept as null, which is how JSON says "unknown".

        Returns
        -------
        int
            Its number, from 1.
        """
        with self._lock.held():
            known = self._versions()
            # Past a folder whose writer was killed before it wrote the manifest.
            version = max([0, *(int(name) for name in self._files.names(CONSENSUS) if name.isdecimal())]) + 1
            text = dumps(_finite({**meta, "version": version}))

            def fill(folder: Path) -> str:
                writer_of(frame)(folder / "consensus.parquet")
                (folder / "meta.json").write_text(text + "\n", encoding="utf-8")
                return str(version)

            self._files.publish_folder(CONSENSUS, fill)
            kept = [*known, version][-KEPT:]
            self._files.write_json(MANIFEST, {"current": version, "versions": kept})
            for name in self._files.names(CONSENSUS):
                if name.isdecimal() and int(name) not in kept:
                    self._files.delete(f"{CONSENSUS}/{name}")
        return version

    def read(self) -> tuple[pl.DataFrame, dict[str, Any]] | None:
        """The current version's frame, and its meta with `version`; None if there is none."""
        manifest = self._files.read_json(MANIFEST)
        if manifest is None:
            return None
        folder = f"{CONSENSUS}/{manifest['current']}"
        meta = self._files.read_json(f"{folder}/meta.json")
        return read_frame(self._files.path(f"{folder}/consensus.parquet")), dict(meta or {})

    def _versions(self) -> list[int]:
        manifest = self._files.read_json(MANIFEST) or {"versions": []}
        return list(manifest["versions"])


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value
