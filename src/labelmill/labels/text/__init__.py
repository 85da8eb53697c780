"""Text: a transcription or a caption."""

from __future__ import annotations

from labelmill.labels.text.kind import Text

__all__ = ["Text"]
