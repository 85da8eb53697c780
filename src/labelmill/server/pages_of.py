"""Cursors of pages: where the next one starts, as a text that callers pass on."""

from __future__ import annotations

from labelmill.server.problems import ProblemError

__all__ = ["checked_limit", "cursor"]


def cursor(text: str, field: str) -> int | None:
    """The number that a cursor stands for; None for the beginning.

    Raises
    ------
    ProblemError
        If it is none of ours.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise ProblemError(422, "this is no cursor of ours: begin without one", field=field)
    return int(text)


def checked_limit(limit: int, most: int) -> int:
    """The number of rows, if it is one that may be asked for."""
    if not 1 <= limit <= most:
        raise ProblemError(422, f"limit must lie between 1 and {most}", field="limit")
    return limit
