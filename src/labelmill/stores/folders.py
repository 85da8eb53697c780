"""Things that are whole folders, published by one rename: trained models and releases."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from labelmill.domain.strict_json import dumps
from labelmill.errors import UsageError
from labelmill.stores._files import Files
from labelmill.stores._names import checked_name

__all__ = ["Models", "Releases"]

MANIFEST: Final = "manifest.json"


class Models:
    """Trained models, by name and fingerprint; one of each name is current.

    Parameters
    ----------
    files : Files
        The lake's files.
    """

    def __init__(self, files: Files) -> None:
        self._files = files

    def folder(self, name: str, fingerprint: str) -> Path:
        """Where a model lies, or would."""
        return self._files.path(f"{_model_key(name)}/{checked_name('fingerprint', fingerprint)}")

    def publish(self, name: str, write: Callable[[Path], None], *, fingerprint: str | None = None) -> Path:
        """Make what `write` puts into the folder it is given the current model of that name.

        Parameters
        ----------
        name : str
        write : callable
        fingerprint : str, optional
            Name of the folder; without it, a hash of the files.

        Returns
        -------
        Path
            The model's folder.
        """

        def fill(folder: Path) -> str:
            write(folder)
            return checked_name("fingerprint", fingerprint or _digest_of(_contents(folder)))

        folder, _ = self._files.publish_folder(_model_key(name), fill)
        self._files.write_json(f"{_model_key(name)}/current.json", {"fingerprint": folder.name})
        return folder

    def current(self, name: str) -> Path | None:
        """Folder of the current model of that name; None if there is none."""
        document = self._files.read_json(f"{_model_key(name)}/current.json")
        return None if document is None else self.folder(name, document["fingerprint"])


class Releases:
    """Frozen datasets by name, each with a manifest of its files.

    Parameters
    ----------
    files : Files
        The lake's files.
    """

    def __init__(self, files: Files) -> None:
        self._files = files

    def names(self) -> list[str]:
        """Sorted names of all releases."""
        return self._files.names("releases")

    def publish(self, name: str, write: Callable[[Path], None]) -> Path:
        """Freeze what `write` puts into the folder it is given, with `manifest.json` beside it.

        Parameters
        ----------
        name : str
        write : callable

        Returns
        -------
        Path
            The release's folder.

        Raises
        ------
        UsageError
            If there is a release of that name with other content.
        """
        checked_name("release", name)
        manifests: list[str] = []

        def fill(folder: Path) -> str:
            write(folder)
            manifests.append(dumps({"files": _contents(folder)}) + "\n")
            (folder / MANIFEST).write_text(manifests[0], encoding="utf-8")
            return name

        folder, created = self._files.publish_folder("releases", fill)
        if not created and self._files.read(f"releases/{name}/{MANIFEST}") != manifests[0].encode():
            raise UsageError(
                f"{folder}: there is a release {name!r} already and its content differs; a release never changes: "
                "choose another name"
            )
        return folder


def _contents(folder: Path) -> list[dict[str, Any]]:
    """Name, bytes and sha256 of each file in a folder, by name."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        {"name": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": _sha256(path)}
        for path in paths
    ]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_of(contents: list[dict[str, Any]]) -> str:
    return hashlib.sha256(dumps(contents).encode()).hexdigest()[:16]


def _model_key(name: str) -> str:
    return f"models/{checked_name('model', name)}"
