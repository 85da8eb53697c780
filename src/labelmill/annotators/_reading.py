"""Texts cut into runs of letters, for lists of words too long to search for one by one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, cached_property

from labelmill.annotators._characters import accepted_ignoring_case, cased, is_neighbour, neighbour_class
from labelmill.annotators._texts import Texts

__all__ = ["Reading", "folded", "occurs_whole", "reading_of"]


class Reading:
    """Texts with one letter for all that `re.IGNORECASE` takes for the same, if case is ignored.

    Parameters
    ----------
    texts : sequence of str
    ignore_case : bool
    """

    def __init__(self, texts: Sequence[str], *, ignore_case: bool) -> None:
        self.folded = folded(texts, ignore_case=ignore_case)

    @cached_property
    def runs(self) -> list[list[str]]:
        """The longest runs of characters that make each other's words longer, text by text."""
        return [(ASCII_RUN if text.isascii() else _run()).findall(text) for text in self.folded]


def reading_of(texts: Texts, *, ignore_case: bool) -> Reading:
    """The texts beyond ASCII, read once for all lists of words."""
    if ignore_case not in texts.readings:
        texts.readings[ignore_case] = Reading(texts.other.to_list(), ignore_case=ignore_case)
    reading: Reading = texts.readings[ignore_case]
    return reading


def folded(texts: Iterable[str], *, ignore_case: bool) -> list[str]:
    """The texts, comparable letter by letter."""
    if not ignore_case:
        return list(texts)
    folds = _folds()
    return [text.translate(folds) for text in texts]


def occurs_whole(word: str, text: str) -> bool:
    """Whether some occurrence of the word has no neighbour that makes it longer."""
    asks_before, asks_after = is_neighbour(word[0]), is_neighbour(word[-1])
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        joined_before = asks_before and start > 0 and is_neighbour(text[start - 1])
        joined_after = asks_after and end < len(text) and is_neighbour(text[end])
        if not joined_before and not joined_after:
            return True
        start = text.find(word, start + 1)
    return False


ASCII_RUN = re.compile(r"\w+", re.ASCII)


@cache
def _run() -> re.Pattern[str]:
    return re.compile(f"[{neighbour_class()}]+")


@cache
def _folds() -> dict[int, int]:
    """Code point -> the least one that `re.IGNORECASE` takes for the same."""
    least: dict[int, int] = {}
    for character in cased():
        if ord(character) not in least:
            ranges = accepted_ignoring_case(character, re.IGNORECASE)
            for low, high in ranges:
                least.update(dict.fromkeys(range(low, high + 1), ranges[0][0]))
    return least
