"""How much is read at a time, whatever the format."""

from __future__ import annotations

from typing import Final

from labelmill.errors import UsageError

__all__ = ["CHUNK_CHARACTERS", "check_chunk_rows"]

CHUNK_CHARACTERS: Final = 32 * 2**20
"""A chunk ends early when its rows hold more than this, so that long texts do not fill the memory."""


def check_chunk_rows(chunk_rows: int) -> None:
    """Raise UsageError unless a chunk has room for a row."""
    if chunk_rows < 1:
        raise UsageError(f"chunk_rows must be at least 1, found {chunk_rows}")
