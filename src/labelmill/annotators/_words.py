r"""Whole words: the pattern for "one of these words occurs", and which of them do.

A word occurs whole when the characters beside it do not make it a longer word: letters, digits, underscores
(Python's `\w`), combining marks and the zero-width joiners do, except those of scripts written without spaces (Han,
Kana, Hangul, Thai, ...). Beside an edge of the word that is no such character (`c++`, `$`, `免费`) nothing is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.annotators._characters import is_neighbour, neighbour_class
from labelmill.annotators._matcher import Evaluation, Matcher
from labelmill.annotators._reading import Reading, folded, occurs_whole, reading_of
from labelmill.annotators._texts import Mask, Texts

__all__ = ["Words"]

PATTERN_CHARACTERS = 20_000
"""Longer lists are cut: the compiled engine bounds the size of one pattern."""

LONG_LIST = 300
"""Texts beyond ASCII are cut into runs of letters and looked up in lists longer than this."""


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
        is_long = len(self.words) > LONG_LIST
        found = self._matchers[0].matches(texts, ascii_only=is_long)
        for matcher in self._matchers[1:]:
            found |= matcher.matches(texts, ascii_only=is_long)
        if is_long and len(texts.other_rows):
            found[texts.other_rows] = self.counts_in(reading_of(texts, ignore_case=self.ignore_case)) > 0
        return found

    def counts_in(self, reading: Reading) -> npt.NDArray[np.intp]:
        """Shape (n_texts,): how many different words occur whole."""
        runs, others = self._sorts
        counts = [len(runs.intersection(found)) for found in reading.runs]
        if others:
            candidates = pl.Series(reading.folded, dtype=pl.String).str.extract_many(others, overlapping=True)
            for i, found in enumerate(candidates.to_list()):
                counts[i] += sum(occurs_whole(word, reading.folded[i]) for word in set(found))
        return np.array(counts, dtype=np.intp)

    @cached_property
    def _sorts(self) -> tuple[frozenset[str], list[str]]:
        """The words that are one run of letters, which are whole where the run is no longer; and the others."""
        words = set(folded(self.words, ignore_case=self.ignore_case))
        runs = frozenset(word for word in words if all(map(is_neighbour, word)))
        return runs, sorted(words - runs)

    def _matcher(self, words: Sequence[str]) -> Matcher:
        def beyond_ascii() -> str:
            beside = neighbour_class()
            return _whole_word_pattern(words, f"(?<![{beside}])", f"(?![{beside}])", ignore_case=self.ignore_case)

        return Matcher(
            _whole_word_pattern(words, r"\b", r"\b", ignore_case=self.ignore_case), beyond_ascii=beyond_ascii
        )


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
