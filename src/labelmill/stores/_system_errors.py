"""What goes wrong with files of the local system, told with what to do."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from labelmill.errors import StorageError

__all__ = ["storage_errors"]


@contextlib.contextmanager
def storage_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn an OSError inside the block into a StorageError that says what to do."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: cannot {doing}: {_advice(error, path)}") from error


_ADVICE: Final = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "your disk quota is used up; free some space and run the same command again",
    errno.EFBIG: "the file is larger than this process may write; raise the limit (ulimit -f)",
    errno.EACCES: "no permission; make the folder yours and writable (chown, chmod u+rwX)",
    errno.EPERM: "no permission; make the folder yours and writable (chown, chmod u+rwX)",
    errno.EROFS: "the disk is mounted read-only; move the project to one that can be written",
    errno.ENOENT: "no such file or folder; has it been moved or deleted?",
    errno.EMFILE: "too many open files; raise the limit (ulimit -n)",
}


def _advice(error: OSError, path: Path) -> str:
    blocker = next((p for p in path.parents if p.exists() and not p.is_dir()), None)
    if blocker is not None:
        return f"{blocker} is a file where a folder should be; move it away"
    return _ADVICE.get(error.errno or 0, error.strerror or str(error))
