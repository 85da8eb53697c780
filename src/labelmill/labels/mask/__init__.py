"""Mask: the pixels of an image that belong to a class, or to an object of it."""

from __future__ import annotations

from labelmill.labels.mask.kind import Mask

__all__ = ["Mask"]
