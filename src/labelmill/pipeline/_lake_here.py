"""The lake as a worker sees it."""

from __future__ import annotations

import socket

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
    lake = Lake(uri)
    if "://" not in uri and not (lake.root / "items" / "manifest.json").is_file():
        raise AnnotationError(
            f"the host {socket.gethostname()} does not see the lake in {uri}: in labelmill.toml, set "
            '[storage] lake = "s3://bucket/prefix", or a folder that every node mounts at the same place'
        )
    return lake
