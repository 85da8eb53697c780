"""Names that stand for everything a result follows from."""

from __future__ import annotations

import hashlib
import inspect
import json
from pathlib import Path
from typing import Any

__all__ = ["digest_of", "source_hash"]


def digest_of(told: Any) -> str:
    """Hash of JSON data, 16 hexadecimal digits: short enough for a folder's name."""
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def source_hash(plugin: type) -> str:
    """Hash of the file that defines a plugin: with other code it may learn something else."""
    try:
        path = inspect.getsourcefile(plugin)
    except TypeError:
        path = None
    return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path and Path(path).is_file() else ""
