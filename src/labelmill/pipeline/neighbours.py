"""Neighbours: items in the order of their likeness to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["by_features", "by_likeness", "has_features"]

MOST_ITEMS = 1_000_000
"""Of a lake whose ids are looked through, a second's work, while somebody waits."""


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


def has_features(folder: Path) -> bool:
    """Whether `by_features` has something to go by in a project."""
    from labelmill.errors import LabelmillError
    from labelmill.pipeline._features import embedded_by
    from labelmill.pipeline.workspace import Workspace

    try:
        workspace = Workspace.open(folder)
        return embedded_by(workspace) is not None and workspace.lake.n_items <= MOST_ITEMS
    except LabelmillError:
        return False


def by_features(folder: Path, seed: str, items: Sequence[str]) -> list[int] | None:
    """Places of the items by the cosine of their vectors to the seed's, as far as the project's encoder has made them.

    Nothing is encoded: who waits for a page must not wait for a model. Items without a vector come last.

    Parameters
    ----------
    folder : Path
        Of the project.
    seed : str
        Its id.
    items : sequence of str
        Ids.

    Returns
    -------
    list of int or None
        None if the seed has no vector, the project no encoder that can be used here, or the lake too many items.
    """
    import numpy as np

    from labelmill.errors import LabelmillError
    from labelmill.pipeline._features import embedded_by, features_of_items
    from labelmill.pipeline.workspace import Workspace

    try:
        workspace = Workspace.open(folder)
        fingerprint = embedded_by(workspace)
        if fingerprint is None or workspace.lake.n_items > MOST_ITEMS:
            return None
        ids = list(dict.fromkeys([seed, *items]))
        found = features_of_items(workspace.lake, fingerprint, ids)
    except LabelmillError:
        return None
    if found is None or not np.isfinite(found[0]).all():
        return None
    lengths = np.linalg.norm(found, axis=1)
    likeness = found @ found[0] / np.maximum(lengths * lengths[0], np.finfo(np.float32).tiny)
    order = dict(zip(ids, np.where(np.isfinite(likeness), likeness, -np.inf).tolist(), strict=True))
    return sorted(range(len(items)), key=lambda place: -order[items[place]])
