"""Rating: one of several ordered classes."""

from __future__ import annotations

from labelmill.labels.rating.kind import Rating

__all__ = ["Rating"]
