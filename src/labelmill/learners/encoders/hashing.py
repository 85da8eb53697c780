"""Hashed runs of characters and words: vectors of texts without a model, in any language."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from labelmill.domain.item import ItemBatch, Modality
from labelmill.domain.partition import Resources
from labelmill.domain.ports import Encoded
from labelmill.errors import UsageError
from labelmill.learners.encoders._items import EMPTY, checked_fields, placed, texts_of

__all__ = ["Hashing"]

Codes = npt.NDArray[np.uint64]

CHARACTERS: Final = (3, 4, 5)
"""Lengths of the runs of characters that count; a word's own edges are characters too."""

LONGEST_WORD: Final = 128
"""Characters of a word after which only its beginning and the sum of the rest count."""

MOST_CHARACTERS: Final = 500_000
MOST_TEXTS: Final = 1_000
"""Of the texts that are hashed at once, some 100 MB."""

_BLANK, _LETTER, _SIGN, _ALONE = 0, 1, 2, 3

_SPACELESS: Final = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3040, 0x30FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0x20000, 0x3FFFF),
)
"""Scripts that set no spaces between words (Thai, Lao, Burmese, Khmer, kana, Han): each character is a word."""

_EDGE: Final = 32
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
_POWERS: Final = np.power(_FACTOR, np.arange(LONGEST_WORD, dtype=np.uint64), dtype=np.uint64)


class Hashing:
    """Vectors of texts by hashing: needs no model, learns nothing, and knows no language.

    Each run of three to five characters within a word, each word and each pair of words is hashed to one of the
    vector's places and to a sign, with which it is added there (Weinberger et al. 2009, "Feature hashing for large
    scale multitask learning", https://doi.org/10.1145/1553374.1553516): the product of two vectors is that of the
    counts, without bias. Of the sums the signed root is taken, so that the tenth occurrence adds less than the first
    (Perronnin, Sanchez and Mensink 2010, https://doi.org/10.1007/978-3-642-15561-1_11), and the vector is made as long
    as 1. Case does not count. A text without a character to hash is a fault.

    Parameters
    ----------
    fields : sequence of str
        The fields read as one text: `text` and any of the user's columns.
    dimensions : int
        Length of a vector: fewer places are shared by more runs.

    Examples
    --------
    >>> texts = ItemBatch.from_texts(["win free money", "free money to win", "see you at noon"])
    >>> vectors = Hashing().encode(texts).features
    >>> bool(vectors[0] @ vectors[1] > 0.5 > vectors[0] @ vectors[2])
    True
    """

    modality: ClassVar[Modality] = "text"
    resources = Resources()

    def __init__(self, *, fields: Sequence[str] = ("text",), dimensions: int = 1024) -> None:
        self.fields = checked_fields(fields)
        if dimensions != int(dimensions) or not 16 <= dimensions <= 1 << 16:
            raise UsageError(f"dimensions must be a whole number from 16 to {1 << 16:,}, found {dimensions!r}")
        self.dimensions = dimensions

    @property
    def n_dimensions(self) -> int:
        """Length of a vector."""
        return self.dimensions

    @property
    def fingerprint(self) -> str:
        """Hash of the settings and of the way texts are hashed."""
        told = ["hashing", 1, list(self.fields), self.dimensions, list(CHARACTERS), unicodedata.unidata_version]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]

    def encode(self, batch: ItemBatch) -> Encoded:
        """One vector of length 1 for each text, in order."""
        texts = [text.lower() for text in texts_of(batch, self.fields)]
        parts = [self._hashed(texts[start:stop]) for start, stop in _bites(texts)]
        sums = np.concatenate([np.zeros((0, self.dimensions), dtype=np.float32), *parts])
        lengths = np.sqrt((sums * sums).sum(axis=1))
        empty = {int(row): EMPTY for row in np.flatnonzero(lengths == 0)}
        rows = np.flatnonzero(lengths)
        return placed(batch, self.dimensions, rows, sums[rows] / lengths[rows, None], empty, "hashing")

    def _hashed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Signed roots of the sums of some texts, shape (n_texts, dimensions)."""
        characters, owner = _joined(texts)
        kinds = _kinds(characters)
        counts = np.zeros(len(texts) * self.dimensions)
        runs = [*_character_runs(characters, kinds, owner), *_words(characters, kinds, owner)]
        for hashes, texts_of_runs in runs:
            mixed = _mixed(hashes)
            places = texts_of_runs * self.dimensions + (mixed >> np.uint64(1)).astype(np.int64) % self.dimensions
            signs = 1.0 - 2.0 * (mixed & np.uint64(1))
            counts += np.bincount(places, signs, minlength=len(counts))
        sums = counts.reshape(len(texts), self.dimensions)
        roots: npt.NDArray[np.float32] = (np.sign(sums) * np.sqrt(np.abs(sums))).astype(np.float32)
        return roots


def _bites(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Runs of texts that are hashed at once."""
    start, n_characters = 0, 0
    for i, text in enumerate(texts):
        if i > start and (i - start >= MOST_TEXTS or n_characters + len(text) > MOST_CHARACTERS):
            yield start, i
            start, n_characters = i, 0
        n_characters += len(text)
    if start < len(texts):
        yield start, len(texts)


def _joined(texts: Sequence[str]) -> tuple[Codes, npt.NDArray[np.int64]]:
    """All characters with an edge before, between and after the texts, and the text that each belongs to."""
    joined = " " + " ".join(texts) + " "
    characters = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    owner = np.repeat(np.arange(len(texts)), [len(text) + 1 for text in texts])
    return characters, np.concatenate([[0], owner])


def _kinds(characters: Codes) -> npt.NDArray[np.int8]:
    """Blank, letter, sign or a word by itself, for each character; blanks become edges."""
    known, where = np.unique(characters, return_inverse=True)
    kinds = np.array([_kind(int(code)) for code in known], dtype=np.int8)[where]
    characters[kinds == _BLANK] = _EDGE
    return kinds


def _kind(code: int) -> int:
    character = chr(code)
    if character.isspace():
        return _BLANK
    if any(first <= code <= last for first, last in _SPACELESS):
        return _ALONE
    is_inside_a_word = character.isalnum() or character in "_'" or unicodedata.category(character) in {"Mn", "Mc", "Cf"}
    return _LETTER if is_inside_a_word else _SIGN


def _character_runs(
    characters: Codes, kinds: npt.NDArray[np.int8], owner: npt.NDArray[np.int64]
) -> Iterator[tuple[Codes, npt.NDArray[np.int64]]]:
    """Hashes of all runs of characters that no edge lies inside of, and their texts."""
    blank = kinds == _BLANK
    for length in CHARACTERS:
        n_runs = len(characters) - length + 1
        if n_runs <= 0:
            return
        hashes = np.full(n_runs, length, dtype=np.uint64)
        is_cut = np.zeros(n_runs, dtype=np.bool_)
        for i in range(length):
            hashes = hashes * _FACTOR + characters[i : i + n_runs]
            if 0 < i < length - 1:
                is_cut |= blank[i : i + n_runs]
        # A run that ends with a text's last edge belongs to the text of its middle.
        yield hashes[~is_cut], owner[1 : 1 + n_runs][~is_cut]


def _words(
    characters: Codes, kinds: npt.NDArray[np.int8], owner: npt.NDArray[np.int64]
) -> Iterator[tuple[Codes, npt.NDArray[np.int64]]]:
    """Hashes of all words, and of all pairs of words that follow each other in a text."""
    begins = np.flatnonzero((kinds != _BLANK) & ((np.diff(kinds, prepend=_BLANK) != 0) | (kinds == _ALONE)))
    if not len(begins):
        return
    starts = np.zeros(len(kinds), dtype=np.int64)
    starts[begins] = begins
    within = np.minimum(np.arange(len(kinds)) - np.maximum.accumulate(starts), LONGEST_WORD - 1)
    terms = np.where(kinds == _BLANK, np.uint64(0), characters * _POWERS[within])
    words, texts = np.add.reduceat(terms, begins), owner[begins]
    yield words + np.uint64(1), texts
    follows = texts[1:] == texts[:-1]
    yield (_mixed(words[:-1]) + words[1:] * _FACTOR)[follows], texts[1:][follows]


def _mixed(hashes: Codes) -> Codes:
    """Hashes whose every bit depends on every bit (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    mixed = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: Codes = mixed ^ (mixed >> np.uint64(31))
    return found
