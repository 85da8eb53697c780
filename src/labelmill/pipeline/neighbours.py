"""Neighbours: texts in the order of their likeness to one of them."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["by_likeness"]


def by_likeness(seed: str, texts: Sequence[str]) -> list[int]:
    """Places of the texts, the one most like the seed first; equal ones keep their order.

    Likeness is the cosine of TF-IDF vectors over character sequences of two to four within words (Salton and Buckley
    1988, https://doi.org/10.1016/0306-4573(88)90021-0), which needs no list of words and no language: Chinese works.

    Parameters
    ----------
    seed : str
    texts : sequence of str

    Examples
    --------
    >>> by_likeness("free money now", ["see you at noon", "get money for free", "noon then"])
    [1, 2, 0]
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not any(text.strip() for text in [seed, *texts]):
        return list(range(len(texts)))
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True).fit_transform([seed, *texts])
    likeness = np.asarray((vectors[1:] @ vectors[0].T).todense()).ravel()
    return [int(place) for place in np.argsort(-likeness, kind="stable")]
