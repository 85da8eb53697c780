"""The bytes of a file, block by block, unpacked on the way where the ending says so."""

from __future__ import annotations

import errno
import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import zstandard

from labelmill.errors import BadInputError, BadRow, StorageError

__all__ = ["BLOCK", "COMPRESSED", "byte_blocks", "storage_error"]

BLOCK: Final = 1 << 20
"""Bytes asked for at a time."""

COMPRESSED: Final = (".gz", ".zst")
"""Endings of compressed files."""

_ZSTD_INPUT = 1 << 9
"""Compressed bytes fed at a time: they unfold to 22 MB at most, so that no file fills the memory."""


def byte_blocks(source: Path) -> Iterator[bytes]:
    """The unpacked content of a plain, `.gz` or `.zst` file.

    Raises
    ------
    StorageError
        If the file cannot be opened or read.
    BadInputError
        If compressed data is damaged or ends too early.
    """
    try:
        with source.open("rb") as file:
            yield from _unpacked(file, source.suffix.lower())
    except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
        reason = f"compressed data is damaged or cut off ({str(error)[:200]})"
        raise BadInputError([BadRow(str(source), None, None, reason)], "Fetch or make the file again.") from error
    except OSError as error:
        raise storage_error(error, source, "read") from error


def storage_error(error: OSError, path: Path, verb: str) -> StorageError:
    """What went wrong with a path, and what to do about it."""
    if isinstance(error, FileNotFoundError):
        missing = path if verb == "read" else path.parent
        return StorageError(f"{missing}: no such file or folder. Check the path, or create it first.")
    if isinstance(error, IsADirectoryError):
        return StorageError(f"{path}: is a folder, a file was expected. Name a file in it.")
    if isinstance(error, NotADirectoryError | FileExistsError):
        return StorageError(f"{path}: a file stands where a folder is needed. Choose another path.")
    reason = error.strerror or str(error)
    number = error.errno or _number_in(reason)
    if isinstance(error, PermissionError) or number == errno.EROFS:
        return StorageError(
            f"{path}: cannot be {_PAST[verb]}: {reason}. Choose another folder or change its permissions."
        )
    if number in _FULL:
        return StorageError(
            f"{path}: cannot be {_PAST[verb]}: {reason}. Free some space and run the same command again."
        )
    return StorageError(f"{path}: cannot be {_PAST[verb]}: {reason}.")


_PAST = {"read": "read", "write": "written"}
_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}


def _number_in(reason: str) -> int | None:
    """The number of the fault where polars tells it only in words: `No space left on device (os error 28)`."""
    found = re.search(r"\(os error (\d+)\)", reason)
    return int(found[1]) if found else None


def _unpacked(file: BinaryIO, ending: str) -> Iterator[bytes]:
    if ending == ".gz":
        with gzip.GzipFile(fileobj=file) as unpacked:
            while block := unpacked.read(BLOCK):
                yield block
    elif ending == ".zst":
        yield from _unpacked_zstd(file)
    else:
        while block := file.read(BLOCK):
            yield block


def _unpacked_zstd(file: BinaryIO) -> Iterator[bytes]:
    frame = None
    parts: list[bytes] = []
    size = 0
    while data := file.read(_ZSTD_INPUT):
        while data:
            frame = frame or zstandard.ZstdDecompressor().decompressobj()
            part = frame.decompress(data)
            parts.append(part)
            size += len(part)
            data = frame.unused_data
            if frame.eof:
                frame = None
        if size >= BLOCK:
            yield from _cut(b"".join(parts))
            parts, size = [], 0
    if frame is not None:
        raise EOFError("the last frame is not complete")
    yield from _cut(b"".join(parts))


def _cut(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), BLOCK):
        yield data[start : start + BLOCK]
