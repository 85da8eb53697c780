"""Where results go, checked before any work is done for them."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import click

from labelmill.errors import StorageError

__all__ = ["OutFile", "OutFolder"]


class OutFile(click.Path):
    """A file to write: its folder is there and writable, and it is no folder itself.

    Parameters
    ----------
    is_table : bool
        Its ending must name a format.
    """

    def __init__(self, *, is_table: bool = True) -> None:
        super().__init__(path_type=Path)
        self.is_table = is_table

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path.

        Raises
        ------
        StorageError
            If it cannot be written.
        UsageError
            If no format is known by its ending.
        """
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if path.is_dir():
            raise StorageError(f"{path}: is a folder. Choose another name, or remove it first.")
        if self.is_table:
            from labelmill.formats._endings import format_name

            format_name(path)
        if not path.parent.exists():
            raise StorageError(f"{path.parent}: no such folder. Check the path, or create it first.")
        _check_folder(path.parent, path)
        return path


class OutFolder(click.Path):
    """A folder to make: nothing is in it yet, and what it lies in can be written."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path.

        Raises
        ------
        StorageError
            If it cannot be made, or holds something.
        """
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise StorageError(f"{path}: is there already. Choose another folder, or remove it.")
        _check_folder(next(place for place in (path, *path.absolute().parents) if place.exists()), path)
        return path


def _check_folder(folder: Path, path: Path) -> None:
    if not folder.is_dir():
        raise StorageError(f"{path}: {folder} is a file where a folder is needed. Choose another path.")
    try:
        with TemporaryFile(dir=folder):  # asking for permissions would not tell of a disk that is mounted read-only
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"{path}: cannot be written: {reason}. Choose another folder, or change this one's permissions."
        ) from error
