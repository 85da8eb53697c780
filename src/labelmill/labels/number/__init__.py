"""Number: a finite number."""

from __future__ import annotations

from labelmill.labels.number.kind import Number

__all__ = ["Number"]
