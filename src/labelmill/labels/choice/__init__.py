"""Choice: exactly one class."""

from __future__ import annotations

from labelmill.labels.choice.kind import Choice

__all__ = ["Choice"]
