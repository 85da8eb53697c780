"""Small JSON documents: the records of runs, and others by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from labelmill.domain.run import Run
from labelmill.errors import StorageError, UsageError, nearest
from labelmill.stores._files import Files
from labelmill.stores._names import checked_name

__all__ = ["Documents", "Runs"]

SUFFIX: Final = ".json"


class Documents:
    """JSON documents by name; the last one written counts.

    Parameters
    ----------
    files : Files
        The lake's files.
    """

    def __init__(self, files: Files) -> None:
        self._files = files

    def write(self, name: str, data: Mapping[str, Any]) -> None:
        """Put a document there, in place of one that is there."""
        self._files.write_json(self._key(name), dict(data))

    def read(self, name: str) -> dict[str, Any] | None:
        """The document; None if there is none."""
        data: dict[str, Any] | None = self._files.read_json(self._key(name))
        return data

    def delete(self, name: str) -> None:
        """Remove the document if there is one."""
        self._files.delete(self._key(name))

    def _key(self, name: str) -> str:
        return f"documents/{checked_name('document', name)}{SUFFIX}"


class Runs:
    """Records of runs by id.

    Parameters
    ----------
    files : Files
        The lake's files.
    """

    def __init__(self, files: Files) -> None:
        self._files = files

    def save(self, run: Run) -> None:
        """Put the record there, in place of the same run's older one."""
        self._files.write_json(self._key(run.id), run.to_dict())

    def all(self) -> list[Run]:
        """All runs, oldest first."""
        return [self.read(name) for name in self._ids()]

    def read(self, run_id: str) -> Run:
        """The run with an id.

        Raises
        ------
        UsageError
            If there is none; names the nearest.
        """
        known = self._ids()
        if run_id not in known:
            raise UsageError(f"no run is called {run_id!r}: {nearest(run_id, known)}")
        data = self._files.read_json(self._key(run_id))
        try:
            return Run.from_dict(data)
        except TypeError as error:
            raise StorageError(
                f"{self._files.place(self._key(run_id))}: is no record of a run this version can read: {error}"
            ) from error

    def _ids(self) -> list[str]:
        names = self._files.names("runs")
        return sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))

    def _key(self, run_id: str) -> str:
        return f"runs/{checked_name('run', run_id)}{SUFFIX}"
