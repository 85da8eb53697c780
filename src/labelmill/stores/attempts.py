"""Attempts on partitions, on record from begin to end: what is left over tells where a worker died."""

from __future__ import annotations

import secrets
from typing import Final

from labelmill.stores._files import Files, Notes

__all__ = ["Attempts", "Token"]

FOLDER: Final = "_try"

FIRST: Final = "first"
"""What tells an attempt from others, unless there is one of that name: so it is known without a listing."""


class Token:
    """An attempt that is under way, and takes notes of how far it is.

    Parameters
    ----------
    notes : Notes
    key : str
        Where they lie.

    Attributes
    ----------
    is_first : bool
        True if no other attempt at the partition is on record.
    is_cheap : bool
        True where a note costs next to nothing (mapped memory), False where each is a request to an object store.
    """

    def __init__(self, notes: Notes, key: str) -> None:
        self.key = key
        self.is_first = key.endswith(f"~{FIRST}")
        self.is_cheap = notes.is_cheap
        self._notes = notes

    def note(self, content: bytes) -> None:
        """Put on record how far the attempt is; outlives the process, however it ends."""
        self._notes.write(content)

    def close(self) -> None:
        """Take no more notes."""
        self._notes.close()


class Attempts:
    """All attempts that began and did not end.

    Parameters
    ----------
    files : Files
        The lake's files.
    """

    def __init__(self, files: Files) -> None:
        self._files = files

    def begin(self, digest: str, partition_id: str, note: bytes) -> Token:
        """Put on record that work on a partition begins."""
        key = f"{_folder(digest)}/{partition_id}~{FIRST}"
        while (notes := self._files.open_notes(key, note)) is None:
            key = f"{_folder(digest)}/{partition_id}~{secrets.token_hex(8)}"
        return Token(notes, key)

    def end(self, token: Token) -> None:
        """Put on record that an attempt ended, well or badly: its worker lives."""
        token.close()
        self._files.delete(token.key)

    def left_over(self, digest: str, partition_id: str) -> list[bytes]:
        """Last notes of the attempts that did not end."""
        notes = [self._files.read(key) for key in self._keys(digest, partition_id)]
        return [note for note in notes if note is not None]

    def clear(self, digest: str, partition_id: str) -> None:
        """Forget all attempts on a partition."""
        for key in self._keys(digest, partition_id):
            self._files.delete(key)

    def _keys(self, digest: str, partition_id: str) -> list[str]:
        names = self._files.names(_folder(digest))
        return [f"{_folder(digest)}/{name}" for name in names if name.partition("~")[0] == partition_id]


def _folder(digest: str) -> str:
    return f"votes/{digest}/{FOLDER}"
