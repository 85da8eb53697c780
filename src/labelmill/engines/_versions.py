"""Versions that driver and worker must share: equal code on unequal libraries may vote differently."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from importlib import metadata
from typing import Final

__all__ = ["mismatch", "versions"]

_PYTHON: Final = "Python"


def versions(*libraries: str) -> dict[str, str]:
    """Name -> version, in this process, of Python (3.11, not 3.11.7), labelmill, polars, numpy and `libraries`."""
    return {name: _version(name) for name in (_PYTHON, "labelmill", "polars", "numpy", *libraries)}


def mismatch(expected: Mapping[str, str]) -> str | None:
    """What a worker has to say of its driver's `versions`: None when it has the same.

    >>> mismatch(versions())
    """
    found = {name: _version(name) for name in expected}
    unequal = [name for name in expected if expected[name] != found[name]]
    if not unequal:
        return None
    theirs = ", ".join(f"{name} {found[name]}" for name in unequal)
    ours = ", ".join(f"{name} {expected[name]}" for name in unequal)
    return (
        f"the worker on {socket.gethostname()} has {theirs} and the driver has {ours}: install the same versions on "
        "both, then run the same command again"
    )


def _version(name: str) -> str:
    if name == _PYTHON:
        return f"{sys.version_info.major}.{sys.version_info.minor}"
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "(not installed)"
