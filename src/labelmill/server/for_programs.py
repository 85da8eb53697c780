"""Addresses that programs ask, which know neither our header nor our cookie: there a token counts, and nothing else."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_for_programs", "is_stream"]

_ADDRESSES: Final = re.compile(r"(/api/projects/[^/]+)?/v2(/|$)|/api/projects/[^/]+/label-studio(/|$)")


def is_for_programs(path: str) -> bool:
    """Whether an address belongs to a protocol of other programs."""
    return _ADDRESSES.match(path) is not None


def is_stream(path: str) -> bool:
    """Whether an address takes a body without end."""
    return is_for_programs(path) and path.endswith("/stream")
