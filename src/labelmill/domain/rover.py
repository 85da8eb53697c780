"""One text of several versions by a vote on each word."""

from __future__ import annotations

import math
from collections.abc import Sequence

from labelmill.domain.lattice import Slot, best, lattice, vote
from labelmill.domain.words import apart, words_with_gaps

__all__ = ["Aligned", "medoid_order", "text_distance", "voted_text"]

MOST_APART = 0.75
"""If the others are further than this from the first, in the mean, they are no versions of one text: a vote on words
would mix sentences."""


def text_distance(a: str, b: str) -> float:
    """Word edits over the number of words of the longer text: 0 for equal texts, at most 1.

    Where only white space differs the texts are apart by half a word.
    """
    if a == b:
        return 0.0
    words, others = _words(a), _words(b)
    longest = max(len(words), len(others), 1)
    return (apart(words, others) or 0.5) / longest


def medoid_order(texts: Sequence[str], weights: Sequence[float]) -> list[int]:
    """Positions from the text nearest to all others, by weight, to the furthest; ties by weight, then code point."""
    table = [[0.0] * len(texts) for _ in texts]
    for i, text in enumerate(texts):
        for k, other in enumerate(texts[:i]):
            table[i][k] = table[k][i] = text_distance(text, other)
    far = [round(math.fsum(w * d for w, d in zip(weights, row, strict=True)), 9) for row in table]
    return sorted(range(len(texts)), key=lambda i: (far[i], -weights[i], texts[i]))


def voted_text(texts: Sequence[str], weights: Sequence[float]) -> str:
    """A vote on each word of the aligned texts (ROVER); the text nearest to all where they are too far apart.

    Parameters
    ----------
    texts : sequence of str
        At least one.
    weights : sequence of float
        One for each, not all 0.
    """
    order = medoid_order(texts, weights)
    sorted_texts, trust = [texts[i] for i in order], [weights[i] for i in order]
    aligned = Aligned(sorted_texts)
    if len(set(sorted_texts)) == 1 or not aligned.is_one:
        return sorted_texts[0]
    return aligned.text(aligned.chosen(trust), trust)


class Aligned:
    """Versions of a text, word by word.

    Parameters
    ----------
    texts : sequence of str
        At least one; the first is what the others are aligned with first.

    Attributes
    ----------
    slots : list of Slot
        For each place what each text has there.
    is_one : bool
        Whether the texts are near enough to be versions of one; if not, take one of them as it is.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self._pieces = [words_with_gaps(text) for text in texts]
        self.slots: list[Slot] = lattice([[word for word, _ in pieces] for pieces in self._pieces])
        mean = math.fsum(text_distance(texts[0], text) for text in texts) / max(len(texts) - 1, 1)
        self.is_one = mean <= MOST_APART

    def chosen(self, weights: Sequence[float]) -> list[str | None]:
        """For each slot the word with most weight, or None for nothing."""
        return [best(vote(slot, weights)) for slot in self.slots]

    def text(self, words: Sequence[str | None], weights: Sequence[float]) -> str:
        """The words, one a slot, joined by the white space that most of those who have the word put before it."""
        place = [0] * len(self.texts)
        joined = ""
        for slot, chosen in zip(self.slots, words, strict=True):
            gaps: Slot = []
            heard = []
            for v, word in enumerate(slot):
                if word is None:
                    continue
                if word == chosen:
                    gaps.append(self._pieces[v][place[v]][1] or ("" if place[v] else None))
                    heard.append(weights[v])
                place[v] += 1
            if chosen is not None:
                joined += (self._gap(gaps, heard) if joined else "") + chosen
        return joined

    def _gap(self, gaps: Slot, weights: Sequence[float]) -> str:
        """A text that begins with the word does not say what goes before it; a space, if nobody says."""
        known = [(gap, w) for gap, w in zip(gaps, weights, strict=True) if gap is not None]
        found = best(vote([gap for gap, _ in known], [w for _, w in known])) if known else " "
        return found or ""


def _words(text: str) -> list[str]:
    return [word for word, _ in words_with_gaps(text)]
