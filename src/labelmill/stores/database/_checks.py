"""What both databases would take differently is refused at the door."""

from __future__ import annotations

from labelmill.errors import UsageError

__all__ = ["MAX_INTEGER", "checked_count", "checked_text"]

MAX_INTEGER = 2**63 - 1


def checked_text(name: str, text: str | None, *, longest: int = 10_000, may_be_empty: bool = False) -> str | None:
    """The text, if every database keeps it as it is.

    Raises
    ------
    UsageError
        If it is empty, too long, or holds NUL or half a character.
    """
    if text is None:
        return None
    if type(text) is not str:
        raise UsageError(f"{name} must be text, found {type(text).__name__}")
    if not text and not may_be_empty:
        raise UsageError(f"{name} must not be empty")
    if len(text) > longest:
        raise UsageError(f"{name} must have at most {longest} characters, found {len(text)}")
    if "\0" in text:
        raise UsageError(f"{name} holds NUL, which databases do not keep: leave it out")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{name} holds half a character (a lone surrogate): send whole ones") from None
    return text


def checked_count(name: str, number: int | None) -> int | None:
    """The number, if it is whole, not negative and fits 64 bits.

    Raises
    ------
    UsageError
        If it is not.
    """
    if number is None:
        return None
    if type(number) is not int or not 0 <= number <= MAX_INTEGER:
        raise UsageError(f"{name} must be a whole number from 0 to 2^63-1, found {number!r}")
    return number
