"""Box: boxes around objects on an image."""

from __future__ import annotations

from labelmill.labels.box.kind import Box

__all__ = ["Box"]
