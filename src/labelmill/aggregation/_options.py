"""Options of label models, checked where they are first used."""

from __future__ import annotations

from labelmill.errors import UsageError

__all__ = ["above_zero", "at_least_one", "open_share"]


def above_zero(**options: float) -> None:
    """Raise UsageError unless every option is a finite number above 0; each is given by its name."""
    for name, value in options.items():
        if not 0.0 < value < float("inf"):
            raise UsageError(f"{name} must be a finite number above 0, found {value!r}")


def at_least_one(**options: int) -> None:
    """Raise UsageError unless every option is 1 or more; each is given by its name."""
    for name, value in options.items():
        if value < 1:
            raise UsageError(f"{name} must be at least 1, found {value!r}")


def open_share(**options: float) -> None:
    """Raise UsageError unless every option lies between 0 and 1, both excluded; each is given by its name."""
    for name, value in options.items():
        if not 0.0 < value < 1.0:
            raise UsageError(f"{name} must lie between 0 and 1, found {value!r}: 0.9 says 'nine times in ten'")
