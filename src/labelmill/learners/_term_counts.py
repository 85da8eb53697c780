"""Words and runs of words as columns of a sparse TF-IDF matrix, counted in columns rather than text by text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

__all__ = ["TermCounts", "Tokens", "tokens_of"]

_PIECE = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}]|[\w']+|[^\w\s]+"
"""A word, a run of signs (`!!!`, `:-)`, `£`), or one character of a script that sets no spaces between words."""

_LONGEST_PIECE = 40
"""Characters kept of a piece: longer ones are encoded data or rulers, and need not be told apart."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tokens:
    """The pieces of many texts in one column.

    Parameters
    ----------
    pieces : polars.Series of str
        All pieces in order.
    text_index : ndarray of int64
        Position of the text each piece is from; never falls.
    n_texts : int
        Number of texts, with or without pieces.
    """

    pieces: pl.Series
    text_index: Integers
    n_texts: int


def tokens_of(fields: Sequence[pl.Series]) -> Tokens:
    """The lower-cased pieces of texts, given as one series a field; missing values are empty texts."""
    text = pl.select(
        pl.concat_str([pl.lit(s).cast(pl.String).fill_null("") for s in fields], separator="\n")
    ).to_series()
    found = text.str.to_lowercase().str.extract_all(_PIECE)
    lengths = found.list.len().to_numpy().astype(np.int64)
    pieces = found.filter(found.list.len() > 0).explode().str.slice(0, _LONGEST_PIECE)
    return Tokens(pieces, np.repeat(np.arange(len(lengths)), lengths), len(lengths))


@dataclass(frozen=True)
class TermCounts:
    """A vocabulary and its inverse document frequencies.

    A term is a word or a run of up to `len(runs) + 1` words. Term i has column i: first the words, then the runs of
    two, and so on. One cell of the matrix is ``(1 + ln count) · (1 + ln((1 + n) / (1 + n_texts_with_term)))`` for n
    texts, rows scaled to length one (Salton & Buckley 1988, doi:10.1016/0306-4573(88)90021-0, with logarithmic counts
    and the smoothing that acts as one more text holding every term).

    Parameters
    ----------
    words : polars.Series of str
        The words in code point order.
    runs : list of ndarray of int64
        For runs of m words: sorted ``index of the run of m - 1 words · n_words + index of the last word``.
    idf : ndarray of float32, shape (n_terms,)
        Weight of each term.
    """

    words: pl.Series
    runs: list[Integers]
    idf: npt.NDArray[np.float32]

    @property
    def n_terms(self) -> int:
        """Number of columns."""
        return len(self.idf)

    @classmethod
    def learn(
        cls, tokens: Tokens, *, longest_run: int, min_items: int, max_terms: int
    ) -> tuple[TermCounts, sparse.csr_array]:
        """The vocabulary of some texts, and their matrix.

        Kept are the `max_terms` terms that occur in most texts, of those in at least `min_items`; ties go to shorter
        runs, then to the order of code points, so the order of the texts does not matter. A run is kept only with all
        its parts.
        """
        words, codes = _frequent_words(tokens.pieces, min_items)
        runs: list[Integers] = []
        levels = [codes]
        for _ in range(1, longest_run):
            keys, starts = _run_keys(levels[-1], codes, tokens.text_index, len(levels), len(words))
            found, counts = np.unique(keys, return_counts=True)
            runs.append(found[counts >= min_items])
            levels.append(_looked_up(keys, starts, runs[-1], len(codes)))
        sizes = [len(words), *(len(r) for r in runs)]
        counts = _count_matrix(levels, sizes, tokens)
        n_texts_with = np.bincount(counts.indices, minlength=sum(sizes))
        kept = _most_common(n_texts_with, min_items=min_items, max_terms=max_terms)
        counts = sparse.csr_array(counts[:, kept])
        idf = 1 + np.log((1 + tokens.n_texts) / (1 + n_texts_with[kept]))
        words, runs = _reduced(words, runs, kept)
        learned = cls(words, runs, idf.astype(np.float32))
        return learned, learned._weighted(counts)

    def matrix(self, tokens: Tokens) -> sparse.csr_array:
        """Rows of float32 for texts, shape (n_texts, n_terms)."""
        codes = _codes(tokens.pieces, self.words)
        levels = [codes]
        for known in self.runs:
            keys, starts = _run_keys(levels[-1], codes, tokens.text_index, len(levels), len(self.words))
            levels.append(_looked_up(keys, starts, known, len(codes)))
        return self._weighted(_count_matrix(levels, [len(self.words), *(len(r) for r in self.runs)], tokens))

    def _weighted(self, counts: sparse.csr_array) -> sparse.csr_array:
        values = (1 + np.log(counts.data)) * self.idf[counts.indices]
        row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        norms = np.sqrt(np.bincount(row, weights=values**2, minlength=counts.shape[0]))
        values = (values / norms[row]).astype(np.float32)
        return sparse.csr_array((values, counts.indices, counts.indptr), shape=counts.shape)


def _frequent_words(pieces: pl.Series, min_items: int) -> tuple[pl.Series, Integers]:
    counted = pieces.rename("word").value_counts(name="n")
    words = counted.filter(pl.col("n") >= min_items)["word"].sort()
    return words, _codes(pieces, words)


def _codes(pieces: pl.Series, words: pl.Series) -> Integers:
    """Index of each piece in `words`, -1 for unknown ones."""
    if not len(words):
        return np.full(len(pieces), -1, dtype=np.int64)
    codes = pieces.cast(pl.Enum(words), strict=False).to_physical().cast(pl.Int64).fill_null(-1)
    return codes.to_numpy()


def _run_keys(
    prefixes: Integers, codes: Integers, text_index: Integers, length: int, n_words: int
) -> tuple[Integers, Integers]:
    """Keys of the runs of `length` + 1 words, and where each starts; `prefixes` are codes of runs one shorter."""
    stop = max(len(codes) - length, 0)
    last = codes[length:]
    whole = (prefixes[:stop] >= 0) & (last >= 0) & (text_index[:stop] == text_index[length:])
    starts = np.flatnonzero(whole)
    return prefixes[starts] * n_words + last[starts], starts


def _looked_up(keys: Integers, starts: Integers, known: Integers, n_pieces: int) -> Integers:
    """For each piece the index in `known` of the run that starts there, or -1."""
    level = np.full(n_pieces, -1, dtype=np.int64)
    if len(known):
        place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        hit = known[place] == keys
        level[starts[hit]] = place[hit]
    return level


def _count_matrix(levels: Sequence[Integers], sizes: Sequence[int], tokens: Tokens) -> sparse.csr_array:
    offsets = np.cumsum([0, *sizes])
    hits = [level >= 0 for level in levels]
    placed = zip(levels, hits, offsets[:-1], strict=True)
    columns = np.concatenate([level[hit] + offset for level, hit, offset in placed])
    rows = np.concatenate([tokens.text_index[hit] for hit in hits])
    shape = (tokens.n_texts, int(offsets[-1]))
    counts = sparse.coo_array((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape).tocsr()
    counts.sum_duplicates()
    counts.indices, counts.indptr = counts.indices.astype(np.int32), counts.indptr.astype(np.int32)
    return counts


def _most_common(n_texts_with: Integers, *, min_items: int, max_terms: int) -> Integers:
    frequent = np.flatnonzero(n_texts_with >= min_items)
    if len(frequent) <= max_terms:
        return frequent
    order = np.lexsort((frequent, -n_texts_with[frequent]))
    return np.sort(frequent[order[:max_terms]])


def _reduced(words: pl.Series, runs: list[Integers], kept: Integers) -> tuple[pl.Series, list[Integers]]:
    """The vocabulary that holds the kept columns only, its runs numbered anew."""
    n_words = len(words)
    inside = kept[kept < n_words]
    new_word = np.full(n_words, -1, dtype=np.int64)
    new_word[inside] = np.arange(len(inside))
    reduced: list[Integers] = []
    new_prefix, offset = new_word, n_words
    for keys in runs:
        chosen = kept[(kept >= offset) & (kept < offset + len(keys))] - offset
        prefix, last = np.divmod(keys[chosen], n_words)
        reduced.append(new_prefix[prefix] * len(inside) + new_word[last])
        new_prefix = np.full(len(keys), -1, dtype=np.int64)
        new_prefix[chosen] = np.arange(len(chosen))
        offset += len(keys)
    return words.gather(inside), reduced
