"""The lake as a worker sees it."""

from __future__ import annotations

import socket
import threading

from labelmill.errors import AnnotationError
from labelmill.stores.lake import Lake

__all__ = ["lake_here"]


def lake_here(uri: str) -> Lake:
    """The lake, on the machine where this is called.

    Raises
    ------
    AnnotationError
        If it lies in a folder that is not on this machine.
    """
    if uri not in _opened.lakes:
        _opened.lakes = {uri: _open(uri)}
    return _opened.lakes[uri]


class _Opened(threading.local):
    """What this thread has opened: a lake remembers its manifest, which a worker need not read for each partition."""

    def __init__(self) -> None:
        self.lakes: dict[str, Lake] = {}


_opened = _Opened()


def _open(uri: str) -> Lake:
    lake = Lake(uri)
    if "://" not in uri and not (lake.root / "items" / "manifest.json").is_file():
        raise AnnotationError(
            f"the host {socket.gethostname()} does not see the lake in {uri}: in labelmill.toml, set "
            '[storage] lake = "s3://bucket/prefix", or a folder that every node mounts at the same place'
        )
    return lake
