"""Random: every item is as worth asking as any other."""

from __future__ import annotations

from hashlib import blake2b
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool

__all__ = ["Random"]


class Random:
    """A number drawn from the seed and the item's id: the same item keeps its place as the pool grows or shrinks.

    The yardstick for every other strategy, and the only one whose answers can audit a release: a few random items in
    each batch keep an unbiased sample and show whether the clever ones beat chance here. Many do not: see Zhan et al.
    (2022, "A Comparative Survey of Deep Active Learning", https://doi.org/10.48550/arXiv.2203.13450).

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> votes = VoteTable(["a", "b"], [], ("no", "yes"), [], [], [])
    >>> pool = Pool(np.full((2, 2), 0.5), votes, seed=1)
    >>> bool((Random().score(pool) == Random().score(pool)).all())
    True
    """

    reason: ClassVar[str] = "drawn at random"

    def score(self, pool: Pool) -> npt.NDArray[np.float64]:
        """Uniform in [0, 1), shape (n_items,), from `pool.seed` and the item ids."""
        key = str(pool.seed).encode()[:64]
        drawn = b"".join(blake2b(str(item).encode(), digest_size=8, key=key).digest() for item in pool.votes.items)
        # 53 bits are what a float64 holds exactly.
        return np.asarray((np.frombuffer(drawn, dtype="<u8") >> np.uint64(11)) / 2.0**53)
