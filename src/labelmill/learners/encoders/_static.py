"""Vectors of texts as means of their tokens' vectors, for models that are nothing but a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["means_of_tokens"]

Floats = npt.NDArray[np.float32]

MOST_TOKENS: Final = 50_000
"""Whose vectors are gathered at once."""


def means_of_tokens(table: Floats, tokens: Sequence[Sequence[int]]) -> Floats:
    """The mean of the tokens' vectors for each text, made as long as 1, shape (n_texts, n_dimensions).

    A mean of length 0, and that of no tokens, is a row of NaN.

    Parameters
    ----------
    table : ndarray of float32, shape (n_tokens, n_dimensions)
    tokens : sequence of sequences of int
        Rows of the table for each text.
    """
    counts = np.array([len(ids) for ids in tokens], dtype=np.int64)
    sums = np.zeros((len(tokens), table.shape[1]), dtype=np.float32)
    start = 0
    while start < len(tokens):
        stop = start + max(1, int(np.searchsorted(counts[start:].cumsum(), MOST_TOKENS, side="right")))
        given = start + np.flatnonzero(counts[start:stop])
        if len(given):
            flat = np.concatenate([np.asarray(tokens[int(place)], dtype=np.int64) for place in given])
            begins = np.concatenate([[0], counts[given].cumsum()[:-1]])
            sums[given] = np.add.reduceat(table[np.clip(flat, 0, len(table) - 1)], begins, axis=0)
        start = stop
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(np.divide(sums, lengths, out=np.full_like(sums, np.nan), where=lengths > 0))
