"""Multi choice: any number of classes, none included."""

from __future__ import annotations

from labelmill.labels.multi_choice.kind import MultiChoice

__all__ = ["MultiChoice"]
