"""The words of a text: what spans are drawn over, and what transcriptions are compared by."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["apart", "word_offsets", "words_with_gaps"]

UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, kana, Han: scripts that put no spaces between words; each character stands for itself."""

_PIECES = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])\w)+|[^\w\s]")
_WORDS = re.compile(rf"(\s*)([{UNSPACED}]|(?:(?![{UNSPACED}])\S)+)")


def word_offsets(text: str) -> list[tuple[int, int]]:
    """Start and end of each word and each punctuation mark, in code points, half-open.

    Examples
    --------
    >>> word_offsets("New York, 纽约")
    [(0, 3), (4, 8), (8, 9), (10, 11), (11, 12)]
    """
    return [match.span() for match in _PIECES.finditer(text)]


def words_with_gaps(text: str) -> list[tuple[str, str]]:
    """Each word, punctuation included, with the white space before it.

    Examples
    --------
    >>> words_with_gaps("so it is")
    [('so', ''), ('it', ' '), ('is', ' ')]
    """
    return [(match[2], match[1]) for match in _WORDS.finditer(text)]


def apart(a: Sequence[str], b: Sequence[str]) -> int:
    """Fewest insertions, deletions and exchanges that make one sequence the other.

    Levenshtein, V. (1966). Binary codes capable of correcting deletions, insertions and reversals.

    Examples
    --------
    >>> apart("kitten", "sitting")
    3
    """
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    if len(a) < len(b):
        a, b = b, a
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(before + (x != y), row[j] + 1, row[j - 1] + 1)
    return row[-1]
