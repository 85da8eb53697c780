"""What arrives: files in a folder once nobody writes them any more, and lines of a stream."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import queue
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from labelmill.domain.strict_json import loads
from labelmill.errors import BadInputError, BadRow, StorageError
from labelmill.stores.lake import Lake

__all__ = ["ArrivedLines", "Lines", "Stamp", "WatchedFolder", "values_of"]

UNFINISHED: Final = ("~", ".tmp", ".part", ".partial", ".crdownload", ".swp")
"""Ends of names under which programs write what they rename later."""

MOST_FILES: Final = 2_000
"""Files of one turn."""

MOST_LINE: Final = 8_000_000
"""Bytes of a line; what is longer is a bad row."""

STDIN: Final = "standard input"


class Stamp(NamedTuple):
    """What changes when a file is written."""

    size: int
    changed: int


class WatchedFolder:
    """The files below a folder, and which of them are new and still.

    A file is still when its size and time have not changed for a while and, where the system can tell, no program has
    it open for writing.

    Parameters
    ----------
    folder : Path
    lake : Lake
        Remembers which files were taken, by size and time.
    settle : float
        Seconds.
    clock : callable
        Seconds of a clock that nobody sets.
    """

    def __init__(self, folder: Path, lake: Lake, *, settle: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder
        self._lake, self._settle, self._clock = lake, settle, clock
        self._document = f"watch-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]}"
        told = lake.read_document(self._document) or {"files": {}}
        self._taken = {name: Stamp(*stamp) for name, stamp in told["files"].items()}
        self._seen: dict[str, tuple[Stamp, float]] = {}
        self.n_unsettled = 0

    def arrived(self) -> dict[str, Stamp]:
        """Paths below the folder of files that are new or changed, and still; by name, at most `MOST_FILES`.

        Raises
        ------
        StorageError
            If the folder cannot be read.
        """
        now = self._clock()
        there = {name: stamp for name, stamp in self._files() if self._taken.get(name) != stamp}
        self._seen = {
            name: (stamp, self._seen[name][1] if name in self._seen and self._seen[name][0] == stamp else now)
            for name, stamp in there.items()
        }
        still = [name for name, (_, since) in sorted(self._seen.items()) if now - since >= self._settle]
        quiet = [name for name in still if not _is_being_written(self.folder / name)]
        self.n_unsettled = len(there) - len(quiet)
        return {name: there[name] for name in quiet[:MOST_FILES]}

    def take(self, files: Mapping[str, Stamp]) -> None:
        """Remember, also after a restart, that these were read; a file that changes later is new."""
        there = {name for name, _ in self._files()}
        self._taken = {name: stamp for name, stamp in self._taken.items() if name in there} | dict(files)
        told: dict[str, Any] = {"folder": str(self.folder.resolve()), "files": self._taken}
        self._lake.write_document(self._document, told)

    def _files(self) -> Iterator[tuple[str, Stamp]]:
        def refuse(error: OSError) -> None:
            raise StorageError(f"{error.filename}: cannot be read: {error.strerror}") from error

        for place, folders, names in os.walk(self.folder, onerror=refuse):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                if name.startswith(".") or name.endswith(UNFINISHED):
                    continue
                with contextlib.suppress(FileNotFoundError):  # it went while we looked
                    told = os.stat(os.path.join(place, name))  # noqa: PTH118, PTH116 -- a Path for each file is slow
                    if stat.S_ISREG(told.st_mode):
                        below = (Path(place) / name).relative_to(self.folder).as_posix()
                        yield below, Stamp(told.st_size, told.st_mtime_ns)


def _is_being_written(path: Path) -> bool:
    """Whether some program has the file open for writing, as far as Linux tells: it grants a lease only if none has."""
    lease = getattr(fcntl, "F_SETLEASE", None)
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return True
    except OSError:
        return False  # whoever reads it will say why it cannot be read
    try:
        if lease is None:
            return False
        # Who opens the file meanwhile is announced by a signal; this one is ignored unless somebody asks for it.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, lease, fcntl.F_RDLCK)
        fcntl.fcntl(fd, lease, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    else:
        return False
    finally:
        os.close(fd)


@dataclass(frozen=True, slots=True)
class ArrivedLines:
    """Some lines of a stream.

    Parameters
    ----------
    lines : list of (int, bytes or None)
        Number of each line, from 1, and the line; None for one that is too long.
    is_end : bool
        Whether no more will come.
    """

    lines: list[tuple[int, bytes | None]] = field(default_factory=list)
    is_end: bool = False


class Lines:
    """Lines of a stream, read ahead by a thread, a bounded number of them.

    Parameters
    ----------
    stream : binary file
    ahead : int
        Lines that are read ahead at most.
    """

    def __init__(self, stream: BinaryIO, *, ahead: int = 10_000) -> None:
        self._stream = stream
        self._queue: queue.Queue[tuple[int, bytes | None] | None] = queue.Queue(ahead)
        self._is_end = False
        threading.Thread(target=self._read, name="labelmill-lines", daemon=True).start()

    def gather(self, most: int, seconds: float, stop: threading.Event) -> ArrivedLines:
        """Up to `most` lines: what comes within some seconds of the first, which is waited for unless it ends."""
        lines: list[tuple[int, bytes | None]] = []
        until = float("inf")
        while not self._is_end and len(lines) < most and time.monotonic() < until and not stop.is_set():
            try:
                line = self._queue.get(timeout=min(0.1, max(0.001, until - time.monotonic())))
            except queue.Empty:
                continue
            if line is None:
                self._is_end = True
            else:
                lines.append(line)
                until = min(until, time.monotonic() + seconds)
        return ArrivedLines(lines, self._is_end)

    def _read(self) -> None:
        number = 0
        while part := self._stream.readline(MOST_LINE + 1):
            number += 1
            is_long = len(part) > MOST_LINE
            while len(part) > MOST_LINE and not part.endswith(b"\n"):
                part = self._stream.readline(MOST_LINE + 1)
            self._queue.put((number, None if is_long else part))
        self._queue.put(None)


def values_of(lines: list[tuple[int, bytes | None]]) -> Iterator[tuple[int, int, Any]]:
    """Number, length and value of each line that is not empty; a `BadRow` in place of what is none."""
    for number, line in lines:
        if line is None:
            yield number, 0, BadRow(STDIN, number, None, f"the line is longer than {MOST_LINE} bytes")
        elif line.strip():
            try:
                yield number, len(line), loads(line, source=STDIN, line=number)
            except BadInputError as error:
                yield number, 0, error.bad_rows[0]
