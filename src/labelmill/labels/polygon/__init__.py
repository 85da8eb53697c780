"""Polygon: polygons around objects on an image."""

from __future__ import annotations

from labelmill.labels.polygon.kind import Polygon

__all__ = ["Polygon"]
