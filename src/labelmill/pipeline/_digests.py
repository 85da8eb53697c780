"""Names that stand for everything a result follows from."""

from __future__ import annotations

import hashlib
import json
from typing import Any

__all__ = ["digest_of"]


def digest_of(told: Any) -> str:
    """Hash of JSON data, 16 hexadecimal digits: short enough for a folder's name."""
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
