r"""Which characters an expression for one character accepts, asked of Python's own `re`.

Nothing here knows what `\w`, `\s` or "ignore case" mean: `re` is asked about every character, so the answer is right
for the Unicode tables of the Python that runs.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import chain

import numpy as np

__all__ = [
    "Ranges",
    "accepted",
    "accepted_ignoring_case",
    "cased",
    "class_source",
    "contains",
    "escaped",
    "is_neighbour",
    "neighbour_class",
    "ranges_of",
]

Ranges = tuple[tuple[int, int], ...]
"""Code points as inclusive, ascending, disjoint ranges."""

ASCII_LIMIT = 0x80
SURROGATES = range(0xD800, 0xE000)
"""No text in a column holds them."""

UNSPACED = (
    (0x0E00, 0x109F),  # Thai, Lao, Tibetan, Myanmar
    (0x1100, 0x11FF),  # Hangul letters: particles follow the noun without a space
    (0x1780, 0x17FF),  # Khmer
    (0x19E0, 0x19FF),
    (0x2E80, 0x2FDF),  # Han radicals
    (0x3005, 0x3007),
    (0x3021, 0x3029),
    (0x3031, 0x3035),
    (0x3038, 0x303C),
    (0x3040, 0x318F),  # Hiragana, Katakana, Bopomofo, Hangul letters
    (0x31A0, 0x31BF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xA960, 0xA97F),
    (0xA9E0, 0xA9FF),
    (0xAA60, 0xAA7F),
    (0xAC00, 0xD7FF),  # Hangul syllables
    (0xF900, 0xFAFF),
    (0xFF66, 0xFFDC),
    (0x1B000, 0x1B16F),
    (0x20000, 0x3FFFD),
)
"""Scripts written without spaces between words, where a word's edge cannot be seen."""

JOINERS = (0x200C, 0x200D)
"""Zero-width, inside words of Persian, Hindi and others."""


@cache
def _universe() -> str:
    codes = np.r_[0 : SURROGATES.start, SURROGATES.stop : sys.maxunicode + 1]
    return str(codes.astype("<u4").tobytes(), "utf-32-le")


@cache
def cased() -> str:
    """Every character that ignoring case can confuse with another, as one string, ascending."""
    return "".join(c for c in _universe() if not c.lower() == c == c.upper())


@lru_cache(maxsize=4096)
def accepted(source: str, flags: int, *, ascii_only: bool) -> Ranges:
    r"""Code points that a one-character Python expression accepts.

    Parameters
    ----------
    source : str
        Python regular expression that consumes exactly one character, e.g. `[^\w-]`.
    flags : int
        Flags of `re` it is under.
    ascii_only : bool
        Ask about U+0000..U+007F only.

    >>> accepted("k", re.IGNORECASE, ascii_only=False)
    ((75, 75), (107, 107), (8490, 8490))
    """
    universe = "".join(map(chr, range(ASCII_LIMIT))) if ascii_only else _universe()
    runs = re.compile(f"(?:{source})+", flags).finditer(universe)
    return tuple((_code(run.start()), _code(run.end() - 1)) for run in runs)


@lru_cache(maxsize=4096)
def accepted_ignoring_case(character: str, flags: int) -> Ranges:
    """Code points that one literal character accepts under IGNORECASE; asks only about the cased ones."""
    pattern = re.compile(re.escape(character), flags)
    return ranges_of(ord(c) for c in pattern.findall(cased() + character))


def ranges_of(codes: Iterable[int]) -> Ranges:
    """The given code points as ranges."""
    ranges: list[tuple[int, int]] = []
    for code in sorted(set(codes)):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return tuple(ranges)


def contains(outer: Ranges, inner: Ranges) -> bool:
    """Whether every code point of `inner` is in `outer`."""
    starts = [low for low, _ in outer]
    for low, high in inner:
        at = bisect_right(starts, low) - 1
        if at < 0 or outer[at][1] < high:
            return False
    return True


def class_source(ranges: Ranges, *, negated: bool = False) -> str:
    """The ranges as a character class that Rust's regex engine reads."""
    body = "".join(escaped(low) if low == high else f"{escaped(low)}-{escaped(high)}" for low, high in ranges)
    return f"[{'^' if negated else ''}{body}]"


@lru_cache(maxsize=65536)
def is_neighbour(character: str) -> bool:
    r"""Whether it makes the word beside it a longer one.

    So do Python's `\w`, combining marks and the two joiners, less the scripts written without spaces.
    """
    code = ord(character)
    if any(low <= code <= high for low, high in UNSPACED):
        return False
    return re.match(r"\w", character) is not None or code in JOINERS or unicodedata.category(character)[0] == "M"


@cache
def neighbour_class() -> str:
    """Every character for which `is_neighbour` holds, as the body of a Python character class."""
    letters = (code for low, high in accepted(r"\w", 0, ascii_only=False) for code in _outside_unspaced(low, high))
    others = chain(range(0x300, 0x1F000), range(0xE0000, 0xE1000))  # where Unicode keeps its marks
    marks = (code for code in others if unicodedata.category(chr(code))[0] == "M" and is_neighbour(chr(code)))
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges_of(chain(letters, marks, JOINERS)))


def _outside_unspaced(low: int, high: int) -> Iterator[int]:
    """The code points of a range that are in no unspaced script, without a look at each of those that are."""
    for first, last in UNSPACED:
        if first <= high and low <= last:
            yield from range(low, first)
            low = last + 1
    yield from range(low, high + 1)


def _code(position: int) -> int:
    return position if position < SURROGATES.start else position + len(SURROGATES)


def escaped(code: int) -> str:
    """One code point as Rust's regex engine reads it."""
    return chr(code) if code < ASCII_LIMIT and chr(code).isalnum() else rf"\x{{{code:x}}}"
