"""The user's code as it was when it ran: one archive for each content."""

from __future__ import annotations

import hashlib
from typing import Final

from labelmill.errors import StorageError
from labelmill.stores._files import Files
from labelmill.stores._names import checked_name

__all__ = ["CodeBundles"]

FOLDER: Final = "code"


class CodeBundles:
    """Archives by the hash of their content: workers elsewhere take the user's code from here.

    Parameters
    ----------
    files : Files
        The lake's files.
    """

    def __init__(self, files: Files) -> None:
        self._files = files

    def publish(self, content: bytes) -> str:
        """Put an archive there; its digest, by which it is read."""
        digest = hashlib.sha256(content).hexdigest()[:16]
        self._files.publish(self._key(digest), content)
        return digest

    def read(self, digest: str) -> bytes:
        """An archive.

        Raises
        ------
        StorageError
            If there is none.
        """
        content = self._files.read(self._key(digest))
        if content is None:
            raise StorageError(
                f"{self._files.place(self._key(digest))}: the code that this run needs is not in the lake: "
                "run the same command again"
            )
        return content

    def _key(self, digest: str) -> str:
        return f"{FOLDER}/{checked_name('code bundle', digest)}.zip"
