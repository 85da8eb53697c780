"""The files that items name, for what reads pictures and recordings on a worker."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labelmill.errors import AccessError
from labelmill.pipeline.project import Project
from labelmill.stores.media.roots import open_listed

__all__ = ["MOST_BYTES", "MediaFolders", "media_folders"]

MOST_BYTES: Final = 1 << 29
"""Of one file that is read as a whole: half a gibibyte, a recording of an hour and a half."""


@dataclass(frozen=True)
class MediaFolders:
    """Reads the file that an item names, below the folders of the project that people see files of; nowhere else.

    Parameters
    ----------
    folders : tuple of str
        Absolute paths, as every worker sees them.
    """

    folders: tuple[str, ...]

    def __call__(self, name: str) -> bytes:
        """Content of the file.

        Raises
        ------
        AccessError
            If it lies below none of the folders, or is too large.
        StorageError
            If there is no such file, or it cannot be read.
        """
        with os.fdopen(open_listed([Path(folder) for folder in self.folders], name), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MOST_BYTES:
                raise AccessError(f"{name!r} has {size:,} bytes: files of more than {MOST_BYTES:,} are not read")
            return file.read()


def media_folders(project: Project) -> MediaFolders:
    """The folders in `[storage] media`."""
    return MediaFolders(tuple(str((project.folder / name).resolve()) for name in project["storage.media"]))
