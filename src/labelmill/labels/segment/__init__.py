"""Segment: stretches of time with a class."""

from __future__ import annotations

from labelmill.labels.segment.kind import Segment

__all__ = ["Segment"]
