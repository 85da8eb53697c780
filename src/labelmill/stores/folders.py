"""Things that are whole folders, published all at once: trained models and releases."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from labelmill.domain.strict_json import dumps
from labelmill.errors import UsageError
from labelmill.stores._files import MANIFEST, Files
from labelmill.stores._names import checked_name

__all__ = ["Models", "Releases"]

RELEASES: Final = "releases"


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
        """A folder of this machine with a model's files: the lake's own, or a copy of what an object store holds."""
        return self._files.folder(f"{_model_key(name)}/{checked_name('fingerprint', fingerprint)}")

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
            As from `folder`; it is called by the fingerprint.
        """

        def fill(folder: Path) -> str:
            write(folder)
            contents = _contents(folder)
            _write_manifest(folder, contents)
            return checked_name("fingerprint", fingerprint or _digest_of(contents))

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
        return self._files.names(RELEASES)

    def place(self, name: str) -> str:
        """Where a release lies, or would: a path or a URI."""
        return self._files.place(f"{RELEASES}/{checked_name('release', name)}")

    def publish(self, name: str, write: Callable[[Path], None]) -> Path:
        """Freeze what `write` puts into the folder it is given, with `manifest.json` beside it.

        Parameters
        ----------
        name : str
        write : callable

        Returns
        -------
        Path
            A folder of this machine with the release: the lake's own, or a copy of what an object store holds.

        Raises
        ------
        UsageError
            If there is a release of that name with other content.
        """
        checked_name("release", name)
        manifests: list[str] = []

        def fill(folder: Path) -> str:
            write(folder)
            manifests.append(_write_manifest(folder, _contents(folder)))
            return name

        folder, created = self._files.publish_folder(RELEASES, fill)
        if not created and self._files.read(f"{RELEASES}/{name}/{MANIFEST}") != manifests[0].encode():
            raise UsageError(
                f"{self.place(name)}: there is a release {name!r} already and its content differs; a release never "
                "changes: choose another name"
            )
        return folder


def _write_manifest(folder: Path, contents: list[dict[str, Any]]) -> str:
    """Put `manifest.json` into a folder; its text."""
    text = dumps({"files": contents}) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return text


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
