"""A folder of pictures or recordings as rows of items: the files stay where they are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import polars as pl

from labelmill.domain.ports import Chunk
from labelmill.errors import AccessError, BadInputError, BadRow, StorageError, UsageError
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.media.decoding import picture_sizes
from labelmill.stores.media.roots import open_under
from labelmill.stores.media.types import HEAD, PICTURES, RECORDINGS, type_of

__all__ = ["media_items"]

AT_ONCE = 100

KNOWN = {"image": PICTURES, "audio": RECORDINGS}

SPOKEN = {
    "image": "no picture that browsers show: PNG, JPEG, GIF, WebP, BMP or TIFF",
    "audio": "no recording that browsers play: WAV, FLAC, Ogg, MP3 or M4A",
}


class _Found(NamedTuple):
    """A file below the folder: its number, its path there, and its size if it is a picture."""

    line: int
    name: str
    size: tuple[int, int] | None = None


def media_items(
    workspace: Workspace, folder: Path, *, with_labels: bool, names: Sequence[str] | None = None
) -> Iterator[Chunk]:
    """One row a file, in the order of the paths by code point; names that begin with a dot are passed over.

    Columns are those of a file of items: the id (the path below the folder), the data (the path below the first of the
    project's media folders that holds it), `width` and `height` of pictures as they are seen, and `label` (the name of
    the folder that a file lies in). What a file is, its first bytes say.

    Parameters
    ----------
    with_labels : bool
        Whether the names of folders are answers.
    names : sequence of str, optional
        Paths below the folder, with `/`; all without it.

    Raises
    ------
    BadInputError
        If the folder holds nothing.
    UsageError
        If it lies outside the project's media folders: nobody would see the files.
    """
    prefix = _place(workspace, folder)
    modality = workspace.schema.modality
    names = _names(folder) if names is None else names
    if not names:
        reason = f"the folder holds no files: expected {'pictures' if modality == 'image' else 'recordings'}"
        raise BadInputError([BadRow(str(folder), None, None, reason)])
    files = iter(enumerate(names, start=1))
    while piece := list(islice(files, AT_ONCE)):
        bad: list[BadRow] = []
        found = _looked_at(folder, piece, modality, bad)
        yield Chunk(_frame(workspace, prefix, found, with_labels=with_labels), [one.line for one in found], bad)


def _place(workspace: Workspace, folder: Path) -> str:
    """The folder as seen from the project's media folders."""
    home = folder.resolve()
    for name in workspace.project["storage.media"]:
        root = (workspace.project.folder / name).resolve()
        if home.is_relative_to(root):
            return home.relative_to(root).as_posix()
    raise UsageError(
        f"{folder} lies outside the folders whose files people may see: move it into the project's, or name it in "
        'labelmill.toml: [storage] media = [".", "PATH"]'
    )


def _names(folder: Path) -> list[str]:
    """Paths of all files below the folder, with `/`."""

    def refuse(error: OSError) -> None:
        raise StorageError(f"{error.filename}: cannot be read: {error.strerror}") from error

    found = []
    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(place).relative_to(folder)
        found += [(below / name).as_posix() for name in files if not name.startswith(".")]
    return sorted(found)


def _looked_at(folder: Path, names: Sequence[tuple[int, str]], modality: str, bad: list[BadRow]) -> list[_Found]:
    """The files that are what they should be; the others join the bad rows."""
    opened: dict[_Found, int] = {}
    try:
        for line, name in names:
            reason, fd = _opened(folder, name, modality)
            if fd is None:
                bad.append(BadRow(str(folder), line, None, f"{name!r} {reason}"))
            else:
                opened[_Found(line, name)] = fd
        if modality != "image":
            return list(opened)
        sizes = picture_sizes(list(opened.values()))
    finally:
        for fd in opened.values():
            os.close(fd)
    good = [one._replace(size=size) for one, size in zip(opened, sizes, strict=True) if size is not None]
    kept = {one.line for one in good}
    damaged = [one for one in opened if one.line not in kept]
    bad += [BadRow(str(folder), one.line, None, f"{one.name!r} is damaged: its size cannot be read") for one in damaged]
    return good


def _opened(folder: Path, name: str, modality: str) -> tuple[str, int | None]:
    """An open file, or why there is none."""
    try:
        name.encode("utf-8")
        if (folder / name).is_symlink():
            return "is a link: only files below the folder are read", None
        fd = open_under(folder, name)
    except UnicodeEncodeError:
        return "is no name in UTF-8: rename the file", None
    except (AccessError, StorageError) as error:
        return str(error), None
    if type_of(os.pread(fd, HEAD, 0)) in KNOWN[modality]:
        return "", fd
    os.close(fd)
    return f"is {SPOKEN[modality]}", None


def _frame(workspace: Workspace, prefix: str, found: Sequence[_Found], *, with_labels: bool) -> pl.DataFrame:
    """The files as a file of items would tell of them."""
    names = [one.name for one in found]
    data = workspace.project["source.data"] or workspace.schema.modality
    paths = names if prefix == "." else [f"{prefix}/{name}" for name in names]
    columns = [
        pl.Series(workspace.project["source.id"], names, dtype=pl.String),
        pl.Series(data, paths, dtype=pl.String),
    ]
    if workspace.schema.modality == "image":
        sizes = [one.size or (0, 0) for one in found]
        columns.append(pl.Series("width", [width for width, _ in sizes], dtype=pl.Int64))
        columns.append(pl.Series("height", [height for _, height in sizes], dtype=pl.Int64))
    if with_labels:
        columns.append(pl.Series("label", [Path(name).parent.name for name in names], dtype=pl.String))
    return pl.DataFrame(columns)
