"""Text files in one folder for each class."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import ClassVar

import polars as pl

from labelmill.domain.ports import Chunk, Writer
from labelmill.errors import BadInputError, BadRow, StorageError
from labelmill.formats._atomic import FrameWriter
from labelmill.formats._bytes import COMPRESSED, storage_error
from labelmill.formats._chunks import CHUNK_CHARACTERS, check_chunk_rows
from labelmill.formats._text import RECORD_LIMIT, text_blocks

__all__ = ["Folders"]

_COLUMNS = ("id", "text", "label")
_UNSAFE = re.compile(r"[/\\%\x00-\x1f\x7f]|^\.")
_ENDINGS = (".txt", *(f".txt{packed}" for packed in COMPRESSED))


class Folders:
    """A folder with a folder of `.txt` files for each class: `root/spam/0001.txt`.

    Columns: `id` (path below the root, with `/`), `text` (the whole file, exactly), `label` (the folder's name), in
    the order of the paths by code point. Names that begin with a dot are passed over. Whatever else is no text file in
    a class folder is a bad row, links included: they could lead out of the root.

    Parameters
    ----------
    record_limit : int
        Characters in one file; a longer one is a bad row.
    """

    suffixes: ClassVar[tuple[str, ...]] = ()
    compressible: ClassVar[bool] = False

    def __init__(self, *, record_limit: int = RECORD_LIMIT) -> None:
        self.record_limit = record_limit

    def read(self, source: Path, *, encoding: str | None = None, chunk_rows: int = 50_000) -> Iterator[Chunk]:
        """One row a file; `lines` number the files from 1, a bad row names its file.

        Raises
        ------
        BadInputError
            If the root holds nothing.
        StorageError
            If the root cannot be read.
        UsageError
            If the encoding is unknown.
        """
        check_chunk_rows(chunk_rows)
        rows: list[tuple[str, str, str]] = []
        lines: list[int] = []
        bad: list[BadRow] = []
        n_characters, n_files = 0, 0
        for path, reason in _files(source):
            n_files += 1
            found = BadRow(str(path), None, None, reason) if reason else self._text(path, encoding)
            if isinstance(found, BadRow):
                bad.append(found)
            else:
                rows.append((path.relative_to(source).as_posix(), found, path.parent.name))
                lines.append(n_files)
                n_characters += len(found)
            if len(rows) + len(bad) >= chunk_rows or n_characters > CHUNK_CHARACTERS:
                yield Chunk(_frame(rows), lines, bad)
                rows, lines, bad, n_characters = [], [], [], 0
        if not n_files:
            reason = "the folder holds no text files: expected one folder for each class, such as spam/0001.txt"
            raise BadInputError([BadRow(str(source), None, None, reason)])
        if rows or bad:
            yield Chunk(_frame(rows), lines, bad)

    def writer(self, target: Path) -> Writer:
        """Makes the root, which must not exist yet, from the columns `id`, `text`, `label`.

        An id that names a file of its class (`spam/0001.txt`) keeps its name; another becomes one, with characters
        that a path cannot hold written as `%2F`. A class that cannot be a folder's name is refused.
        """
        return _FoldersWriter(target)

    def _text(self, path: Path, encoding: str | None) -> str | BadRow:
        parts: list[str] = []
        size = 0
        try:
            for block in text_blocks(path, encoding):
                parts.append(block)
                size += len(block)
                if size > self.record_limit:
                    return BadRow(str(path), None, None, f"the file is longer than {self.record_limit} characters")
        except BadInputError as error:
            return error.bad_rows[0]
        except StorageError as error:
            return BadRow(str(path), None, None, str(error))
        text = "".join(parts)
        if "\0" in text:
            return BadRow(str(path), None, "text", "a NUL character (U+0000) is not allowed in a text")
        return text


def _files(root: Path) -> Iterator[tuple[Path, str]]:
    """Every file, with the reason why it is not taken, or ""."""
    for entry in _listed(root):
        if fault := _name_fault(entry):
            yield root / _safe(entry.name), fault
        elif not entry.is_dir(follow_symlinks=False):
            yield root / entry.name, "lies outside the class folders: move it into one"
        else:
            for inner in _listed(root / entry.name):
                yield root / entry.name / _safe(inner.name), _file_fault(inner)


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((e for e in entries if not e.name.startswith(".")), key=lambda entry: entry.name)
    except OSError as error:
        raise storage_error(error, folder, "read") from error


def _name_fault(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "is a link: only files below the root are read"
    return "" if _safe(entry.name) == entry.name else "the name is not valid UTF-8"


def _file_fault(entry: os.DirEntry[str]) -> str:
    if fault := _name_fault(entry):
        return fault
    if entry.is_dir(follow_symlinks=False):
        return "is a folder inside a class folder: expected only text files"
    if not entry.is_file(follow_symlinks=False):
        return "is no ordinary file"
    return "" if entry.name.lower().endswith(_ENDINGS) else f"expected a text file ({', '.join(_ENDINGS)})"


def _safe(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _frame(rows: list[tuple[str, str, str]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(_COLUMNS, pl.String), orient="row")


class _FoldersWriter(FrameWriter):
    def _begin(self) -> None:
        self.temporary.mkdir()
        self._n_rows = 0

    def _append(self, frame: pl.DataFrame) -> None:
        missing = [name for name in _COLUMNS if name not in frame.columns]
        if missing:
            reason = f"no such column; class folders are made of {', '.join(_COLUMNS)}"
            raise BadInputError([BadRow(str(self.target), None, name, reason) for name in missing])
        for name, text, label in frame.select(_COLUMNS).iter_rows():
            self._n_rows += 1
            self._put(name, text, label)

    def _put(self, name: object, text: object, label: object) -> None:
        for field, value in zip(_COLUMNS, (name, text, label), strict=True):
            if not isinstance(value, str) or (field == "text" and "\0" in value):
                self._refuse(field, f"expected a text without NUL, found {value!r:.60}")
        name, text, label = str(name), str(text), str(label)
        if not label or _UNSAFE.search(label):
            self._refuse("label", f"the class {label!r} cannot be the name of a folder")
        path = self.temporary / label / _file_name(name, label)
        path.parent.mkdir(exist_ok=True)
        try:
            with path.open("xb") as file:
                mark = "\ufeff" if text.startswith("\ufeff") else ""  # a reader takes the first for a byte-order mark
                file.write(f"{mark}{text}".encode())
        except FileExistsError:
            self._refuse("id", f"{name!r} is there already in class {label!r}")

    def _refuse(self, field: str, reason: str) -> None:
        raise BadInputError([BadRow(str(self.target), self._n_rows, field, reason)])

    def _finish(self) -> None:
        os.sync()  # one call for all files: one fsync each would take minutes for a large set


def _file_name(name: str, label: str) -> str:
    path = PurePosixPath(name)
    own = path.name if name == f"{label}/{path.name}" else name
    stem = own.removesuffix(".txt")
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", stem) + ".txt"
