"""Writers whose files appear whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import os
import secrets
import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import zstandard

from labelmill.errors import StorageError, UsageError
from labelmill.formats._bytes import storage_error

if TYPE_CHECKING:
    import polars as pl

__all__ = ["FrameWriter", "TextWriter", "to_disk"]

_SLICE_ROWS = 50_000


class FrameWriter(ABC):
    """Takes frames under a private name beside the target, moves them there when all is on disk.

    An exception inside the `with` block, or a failure to publish, leaves nothing behind.

    Parameters
    ----------
    target : Path
        Where the file appears; it replaces one that is there.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.temporary = target.parent / f".labelmill-{secrets.token_hex(8)}.tmp"
        self.columns: list[str] | None = None
        self._is_open = False

    def write(self, frame: pl.DataFrame) -> None:
        """Append rows.

        Raises
        ------
        BadInputError
            If the format cannot hold a value exactly; names row and column.
        StorageError
            If the folder is read-only or full.
        UsageError
            If the columns differ from those written before, or the writer is not open.
        """
        if not self._is_open:
            raise UsageError(f"{self.target}: write inside `with format.writer(target) as writer:`")
        if self.columns is not None and self.columns != frame.columns:
            raise UsageError(f"{self.target}: expected the columns {self.columns}, found {frame.columns}")
        with self._storage_errors():
            self._append(frame)
        self.columns = frame.columns

    def __enter__(self) -> Self:
        if self.target.is_dir():
            raise StorageError(f"{self.target}: is a folder. Choose another name, or remove it first.")
        with self._storage_errors():
            self._begin()
        self._is_open = True
        return self

    def __exit__(self, *exception: object) -> None:
        self._is_open = False
        try:
            if exception[0] is None:
                with self._storage_errors():
                    self._finish()
                    self.temporary.replace(self.target)
                    to_disk(self.target.parent)
        finally:
            self._discard()

    @abstractmethod
    def _begin(self) -> None:
        """Make what is under the private name."""

    @abstractmethod
    def _append(self, frame: pl.DataFrame) -> None:
        """Add rows to it."""

    @abstractmethod
    def _finish(self) -> None:
        """Bring it to disk, complete."""

    def _discard(self) -> None:
        """Remove what is still there under the private name; after a success there is nothing."""
        with contextlib.suppress(OSError):
            if self.temporary.is_dir():
                shutil.rmtree(self.temporary)
            else:
                self.temporary.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _storage_errors(self) -> Any:
        try:
            yield
        except OSError as error:
            raise storage_error(error, self.target, "write") from error


class TextWriter(FrameWriter):
    """Writes UTF-8 text, packed if the target ends in `.gz` or `.zst`; the same rows give the same bytes."""

    @abstractmethod
    def _text_of(self, frame: pl.DataFrame, n_before: int) -> str:
        """The text of rows, of which `n_before` were written before; the first call may put something in front."""

    def _last_text(self) -> str:
        """What stands after the last row."""
        return ""

    def _begin(self) -> None:
        self._raw = self.temporary.open("xb")
        self._stream: IO[bytes] = _packing(self._raw, self.target.suffix.lower())
        self._n_rows = 0
        self._has_text = False

    def _append(self, frame: pl.DataFrame) -> None:
        for start in range(0, max(frame.height, 1), _SLICE_ROWS):
            part = frame.slice(start, _SLICE_ROWS)
            self._put(self._text_of(part, self._n_rows))
            self._n_rows += part.height

    def _finish(self) -> None:
        self._put(self._last_text())
        if self._stream is not self._raw:
            self._stream.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()

    def _discard(self) -> None:
        with contextlib.suppress(OSError):  # a full disk may fail the flush of a file that is thrown away
            self._stream.close()
        with contextlib.suppress(OSError):
            self._raw.close()
        super()._discard()

    def _put(self, text: str) -> None:
        if text and not self._has_text:
            self._has_text = True
            if text.startswith("\ufeff"):  # a reader takes the first one for a byte-order mark
                text = "\ufeff" + text
        self._stream.write(text.encode("utf-8"))


def to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _packing(raw: IO[bytes], ending: str) -> IO[bytes]:
    if ending == ".gz":
        return gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0)  # type: ignore[return-value]  # writes bytes
    if ending == ".zst":
        packer = zstandard.ZstdCompressor(write_checksum=True)
        stream: IO[bytes] = packer.stream_writer(raw, closefd=False)
        return stream
    return raw
