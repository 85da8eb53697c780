r"""Whole words: the pattern for "one of these words occurs", and which of them do.

A word occurs whole when the characters beside it do not make it a longer word: letters, digits, underscores
(Python's `\w`), combining marks and the zero-width joiners do, except those of scripts written without spaces (Han,
Kana, Hangul, Thai, ...). Beside an edge of the word that is no such character (`c++`, `$`, `免费`) nothing is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

import polars as pl

from labelmill.annotators._characters import accepted_ignoring_case, cased, is_neighbour, neighbour_class
from labelmill.annotators._matcher import Evaluation, Matcher
from labelmill.annotators._texts import Mask, Texts

__all__ = ["Words"]

PATTERN_CHARACTERS = 20_000
"""Longer lists are cut: the compiled engine bounds the size of one pattern."""


class Words:
    """A set of words to look for.

    Parameters
    ----------
    words : sequence of str
        A word may hold spaces and punctuation.
    ignore_case : bool
        As `re.IGNORECASE` does.
    """

    def __init__(self, words: Sequence[str], *, ignore_case: bool) -> None:
        self.words = tuple(words)
        self.ignore_case = ignore_case
        self._matchers = [self._matcher(part) for part in _parts(self.words)]

    @property
    def evaluation(self) -> Evaluation:
        """How texts are read."""
        return self._matchers[0].evaluation

    @property
    def reason(self) -> str:
        """Why `re` has a part in it; empty if it has none."""
        return self._matchers[0].reason

    def occur_in(self, texts: Texts) -> Mask:
        """Shape (n_texts,): whether any of the words occurs whole."""
        found = self._matchers[0].matches(texts)
        for matcher in self._matchers[1:]:
            found |= matcher.matches(texts)
        return found

    def counts_in(self, texts: Sequence[str]) -> list[int]:
        """How many different words occur whole in each text."""
        words = list({self._folded(word) for word in self.words})
        folded = [self._folded(text) for text in texts]
        candidates = pl.Series(folded, dtype=pl.String).str.extract_many(words, overlapping=True).to_list()
        return [
            sum(_occurs_whole(word, text) for word in set(found))
            for text, found in zip(folded, candidates, strict=True)
        ]

    def _matcher(self, words: Sequence[str]) -> Matcher:
        def beyond_ascii() -> str:
            beside = neighbour_class()
            return _whole_word_pattern(words, f"(?<![{beside}])", f"(?![{beside}])", ignore_case=self.ignore_case)

        return Matcher(
            _whole_word_pattern(words, r"\b", r"\b", ignore_case=self.ignore_case), beyond_ascii=beyond_ascii
        )

    def _folded(self, text: str) -> str:
        return text.translate(_folds()) if self.ignore_case else text


def _whole_word_pattern(words: Iterable[str], before: str, after: str, *, ignore_case: bool) -> str:
    """The Python pattern for "one of the words", with `before` and `after` at those edges that need it.

    Only the words ignore case: a large class of neighbours under IGNORECASE takes `re` a second to read.
    """
    groups: dict[tuple[bool, bool], list[str]] = {}
    for word in words:
        groups.setdefault((is_neighbour(word[0]), is_neighbour(word[-1])), []).append(re.escape(word))
    opening = "(?i:" if ignore_case else "(?:"
    return "|".join(
        f"{before if asks_before else ''}{opening}{'|'.join(group)}){after if asks_after else ''}"
        for (asks_before, asks_after), group in groups.items()
    )


def _occurs_whole(word: str, text: str) -> bool:
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


def _parts(words: Sequence[str]) -> list[list[str]]:
    parts: list[list[str]] = []
    room = 0
    for word in words:
        if room < len(word) or not parts:
            parts.append([])
            room = PATTERN_CHARACTERS
        parts[-1].append(word)
        room -= len(word)
    return parts


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
