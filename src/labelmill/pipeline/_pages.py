"""Pages for people: they appear whole or not at all."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

from labelmill.errors import StorageError

__all__ = ["publish"]


def publish(path: Path, page: str) -> None:
    """Write the page, in place of an older one.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    private = path.with_name(f".labelmill-{secrets.token_hex(8)}.tmp")
    try:
        private.write_text(page, encoding="utf-8")
        private.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):  # the error that brought us here is the one to tell
            private.unlink(missing_ok=True)
        raise StorageError(f"{path}: cannot write the report there: {error.strerror}") from error
