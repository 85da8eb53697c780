"""A consistent copy of an SQLite file that is in use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from labelmill.errors import StorageError

__all__ = ["copy_sqlite", "part_of", "publish"]

PAGES_AT_ONCE = 2_000
"""Pages copied before writers get their turn."""


def copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy of an SQLite file that others may be writing to; checked before it appears.

    Raises
    ------
    StorageError
        If the copy is damaged, which means that the source is.
    """
    part = part_of(target)
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as here,
            closing(sqlite3.connect(part)) as copy,
        ):
            here.execute("BEGIN")
            here.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on one state is seen
            here.backup(copy, pages=PAGES_AT_ONCE)
            copy.execute("PRAGMA journal_mode = DELETE")
            found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        part.unlink(missing_ok=True)
        raise StorageError(f"cannot copy the database {source}: {error}") from error
    if found != "ok":
        part.unlink(missing_ok=True)
        raise StorageError(f"the database {source} is damaged ({found}): restore an older backup")
    publish(part, target)


def part_of(target: Path) -> Path:
    """Where a file is written before it appears under its name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.with_name(f".{target.name}.part-{os.getpid()}")


def publish(part: Path, target: Path) -> None:
    """Let a file appear, whole and on the disk, for its owner alone."""
    part.chmod(0o600)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
