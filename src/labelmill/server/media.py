"""Files of items on their way to the browser: previews, recordings in parts, peaks and spectrograms in tiles, kept."""

from __future__ import annotations

import hashlib
import json
import math
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from labelmill.errors import AccessError, StorageError
from labelmill.server.desk import Desk
from labelmill.server.problems import ProblemError
from labelmill.stores.database.projects import Project
from labelmill.stores.media.decoding import Decoded, decode
from labelmill.stores.media.roots import open_listed

__all__ = [
    "PEAK_LEVELS",
    "SIDES",
    "SPECTROGRAM_LEVELS",
    "MediaFile",
    "Span",
    "manifest",
    "n_tiles",
    "opened",
    "pieces",
    "span_of",
]

SIDES: Final = {"preview": 4096, "thumbnail": 256}
"""Longest side of a picture, by what it is for."""

PEAK_LEVELS: Final = ((10, 3600), (200, 60))
SPECTROGRAM_LEVELS: Final = ((10, 300), (100, 30))
"""Steps a second, seconds a tile."""

MAX_HZ: Final = 8_000.0

CHUNK: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a file from `start` up to, without, `end`."""

    start: int
    end: int


class MediaFile:
    """An item's file, open; close it."""

    def __init__(self, fd: int, name: str, cache: Path | None) -> None:
        self.fd, self.name, self._cache = fd, name, cache
        stat = os.fstat(fd)
        self.size = stat.st_size
        self._key = f"{stat.st_dev} {stat.st_ino} {stat.st_size} {stat.st_mtime_ns}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)

    @property
    def head(self) -> bytes:
        """The first bytes."""
        return os.pread(self.fd, 64, 0)

    def made(self, job: str, **options: Any) -> Decoded:
        """What a job makes of the file; made once, and kept as long as the file stays as it is."""
        told = hashlib.sha256(f"{self._key} {job} {sorted(options.items())}".encode()).hexdigest()
        kept = self._cache / told[:2] / told if self._cache else None
        if kept is not None and kept.is_file():
            return _read(kept)
        found = decode(self.fd, self.name, job, **options)
        if kept is not None:
            _keep(kept, found)
        return found


def opened(desk: Desk, project: Project, content: Mapping[str, Any]) -> MediaFile:
    """The file that an item names, below the folders that the project lists.

    Raises
    ------
    ProblemError
        404 if this server has no folder of the project, or the file is not there or may not be shown.
    """
    folder = desk.settings.folders.get(project.public_id)
    if folder is None:
        raise ProblemError(404, "this server has no folder with the files of this project")
    listed = project.settings.get("media") or ["."]
    name = str(content.get("data", ""))
    try:
        fd = open_listed([folder / one for one in listed], name)
    except (AccessError, StorageError):  # which of the two, and where it looked, is not for everybody
        raise ProblemError(404, "the file is not there, or lies outside the folders in [storage] media") from None
    return MediaFile(fd, Path(name).name, desk.settings.cache)


def manifest(address: str, what: str, duration: float) -> dict[str, Any]:
    """Which tiles there are, at which zoom."""
    levels = PEAK_LEVELS if what == "peaks" else SPECTROGRAM_LEVELS
    told: dict[str, Any] = {
        "duration": duration,
        "levels": [
            {"per_second": rate, "tile_seconds": seconds, "tiles": f"{address}/{rate}/{{tile}}"}
            for rate, seconds in levels
        ],
    }
    return told if what == "peaks" else told | {"max_hz": MAX_HZ}


def span_of(header: str, size: int) -> Span | None:
    """The one part that a Range header asks for; None for the whole.

    Raises
    ------
    ProblemError
        416 if it lies outside the file.
    """
    unit, _, told = header.partition("=")
    first, dash, last = told.strip().partition("-")
    if unit.strip() != "bytes" or not dash or "," in told:
        return None
    if not (first + last).isascii() or not (first + last).isdecimal() or len(first + last) > 30:
        return None
    start, end = (int(first), int(last) + 1 if last else size) if first else (max(0, size - int(last)), size)
    end = min(end, size)
    if start >= end:
        raise ProblemError(416, f"the file has {size} bytes", headers={"Content-Range": f"bytes */{size}"})
    return Span(start, end)


def pieces(fd: int, span: Span) -> Iterator[bytes]:
    """The bytes of a part, and the file closed after them."""
    try:
        at = span.start
        while at < span.end and (data := os.pread(fd, min(CHUNK, span.end - at), at)):
            at += len(data)
            yield data
    finally:
        os.close(fd)


def n_tiles(duration: float, seconds: int) -> int:
    """How many tiles cover a recording."""
    return max(1, math.ceil(duration / seconds))


def _read(path: Path) -> Decoded:
    head, _, data = path.read_bytes().partition(b"\n")
    return Decoded(json.loads(head), data)


def _keep(path: Path, found: Decoded) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    part.write_bytes(json.dumps(found.facts).encode() + b"\n" + found.data)
    part.replace(path)
