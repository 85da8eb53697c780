"""`labelmill.toml`, changed by a program: what a person wrote around the values stays."""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final

import tomlkit

from labelmill.errors import ProjectError, StorageError
from labelmill.pipeline.project import PROJECT_FILE

__all__ = ["changed", "digest_of_file", "prepared", "read_project_file"]

WIDE: Final = 100
"""Characters of a list that stand on one line."""


def read_project_file(folder: Path) -> bytes:
    """What the file holds.

    Raises
    ------
    StorageError
        If it cannot be read.
    """
    try:
        return (folder / PROJECT_FILE).read_bytes()
    except OSError as error:
        raise StorageError(f"{folder / PROJECT_FILE} cannot be read: {error.strerror}") from error


def digest_of_file(content: bytes) -> str:
    """Twelve characters that change with it."""
    return hashlib.sha256(content).hexdigest()[:12]


def changed(content: bytes, changes: Mapping[str, Any]) -> bytes:
    """The file with other values; comments, order and spaces stay as they are.

    Parameters
    ----------
    changes : mapping of str to value
        `section.name` -> the value from now on.

    Raises
    ------
    ProjectError
        If a section is no table.
    """
    has_mark = content.startswith(codecs.BOM_UTF8)
    document = tomlkit.parse(content.removeprefix(codecs.BOM_UTF8).decode("utf-8"))
    for key, value in changes.items():
        section, _, name = key.partition(".")
        if section not in document:
            document[section] = tomlkit.table()
        table = document[section]
        if not isinstance(table, MutableMapping):
            raise ProjectError(f"{PROJECT_FILE}: write [{section}] on a line of its own, so that it can be changed")
        table[name] = _item(value)
    text = tomlkit.dumps(document).encode("utf-8")
    return codecs.BOM_UTF8 + text if has_mark else text


@contextlib.contextmanager
def prepared(folder: Path, content: bytes) -> Iterator[Any]:
    """A new file beside the old one, on the disk already; what is given puts it in the old one's place in one step.

    Raises
    ------
    StorageError
        If there is no room, or the folder cannot be written.
    """
    place = (folder / PROJECT_FILE).resolve()
    try:
        number, name = tempfile.mkstemp(prefix=".labelmill-", suffix=".toml", dir=place.parent)
    except OSError as error:
        raise StorageError(f"{place.parent} cannot be written: {error.strerror}") from error
    beside = Path(name)

    def publish() -> None:
        beside.replace(place)

    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(place.stat().st_mode & 0o777)
        yield publish
    except OSError as error:
        raise StorageError(f"{place} cannot be written: {error.strerror}") from error
    finally:
        beside.unlink(missing_ok=True)


def _item(value: Any) -> Any:
    if isinstance(value, str) and "\n" in value:
        return tomlkit.string(value, multiline=True)
    if isinstance(value, list):
        items = tomlkit.array()
        items.extend(value)
        return items.multiline(sum(len(str(one)) + 4 for one in value) > WIDE)
    return value
