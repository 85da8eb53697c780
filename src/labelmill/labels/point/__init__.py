"""Point: points on an image."""

from __future__ import annotations

from labelmill.labels.point.kind import Point

__all__ = ["Point"]
