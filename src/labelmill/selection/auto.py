"""Auto: herding to begin with, then cluster margin, and a few at random in every batch."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import Pool
from labelmill.selection._candidates import candidates, without
from labelmill.selection._doubts import doubts, highest, smallest_margins
from labelmill.selection.cluster_margin import ClusterMargin
from labelmill.selection.herding import Herding
from labelmill.selection.margin import Margin
from labelmill.selection.random import Random

__all__ = ["Auto"]

Places = npt.NDArray[np.intp]

FIRST_ANSWERS = 10
"""Answers, or as many as there are classes, before margins say anything."""

ALIKE = 1e-6
"""Margins that differ less were learned from nothing."""

AT_RANDOM = "drawn at random, to measure what choosing is worth"

CLOSE = Margin.reason


class Auto:
    """What to take without knowing better.

    While fewer than ten items (or one for each class) are known, or the probabilities say nothing, the items that
    stand best for all (`Herding`); from then on the smallest margins of different kinds (`ClusterMargin`); and in
    every batch a share at random, which alone shows honestly whether choosing is worth anything here. Without features
    it takes the smallest margins.

    Parameters
    ----------
    random_share : float
        Share of each batch that is drawn at random, 0 to 1; what is left over of an item decides by chance.

    Examples
    --------
    >>> from labelmill.domain.vote_table import VoteTable
    >>> points = np.array([[0, 0], [0, 1], [1, 0], [9, 9]], dtype=np.float32)
    >>> pool = Pool(np.full((4, 2), 0.5), VoteTable("abcd", [], ("no", "yes"), [], [], []), features=points)
    >>> Auto(random_share=0).pick(pool, 2).tolist()
    [0, 3]
    """

    needs_features: ClassVar[bool] = False
    reads_features: ClassVar[bool] = True
    reads_weights: ClassVar[bool] = True

    def __init__(self, *, random_share: float = 0.1) -> None:
        self.random_share = random_share

    def pick(self, pool: Pool, count: int) -> Places:
        """Places of the items to ask about: those at random come last."""
        at_random = self._at_random(pool, count)
        rest = without(pool, at_random)
        return np.concatenate([self._chosen(rest, count - len(at_random)), at_random])

    def shortlist(self, pool: Pool, count: int) -> Places:
        """What the parts of a large pool offer: what herding or cluster margin would; nothing is drawn at random."""
        if pool.features is None:
            return _smallest_margins(pool, count)
        if not _says_something(pool):
            return Herding().pick(pool, count)
        first = Herding().pick(pool, self._n_first(pool, count))
        return np.concatenate([first, ClusterMargin().shortlist(without(pool, first), count)])

    def reasons(self, pool: Pool, places: Places) -> list[str]:
        """Why each was chosen, for places that `pick` gave, in its order."""
        drawn = self._at_random(pool, len(places))
        at_random = set(drawn.tolist())
        n_first = self._n_first(without(pool, drawn), len(places) - len(drawn))
        later = CLOSE if pool.features is None else ClusterMargin.reason
        found = [Herding.reason if i < n_first else later for i in range(len(places))]
        return [AT_RANDOM if place in at_random else why for place, why in zip(places.tolist(), found, strict=True)]

    def _chosen(self, pool: Pool, count: int) -> Places:
        if pool.features is None:
            return _smallest_margins(pool, count)
        first = Herding().pick(pool, self._n_first(pool, count))
        rest = without(pool, first)
        return np.concatenate([first, ClusterMargin().pick(rest, count - len(first))])

    def _n_first(self, pool: Pool, count: int) -> int:
        """How many of the batch herding chooses."""
        if pool.features is None:
            return 0
        if not _says_something(pool):
            return count
        n_known = 0 if pool.known is None else int(pool.known.sum())
        missing = max(FIRST_ANSWERS, pool.probabilities.shape[1]) - n_known
        return int(np.clip(missing, 0, count))

    def _at_random(self, pool: Pool, count: int) -> Places:
        """Places drawn by the seed and the items' ids, as many as the share says."""
        found = candidates(pool)
        everywhere = np.concatenate(found)
        wanted = min(count, len(everywhere)) * self.random_share
        n = int(wanted + np.random.default_rng([pool.seed, 4]).random())
        scores = Random().score(pool)[everywhere] if n else np.zeros(0)
        return np.asarray(everywhere[highest(lambda part: scores[part], len(scores), n)], dtype=np.intp)


def _smallest_margins(pool: Pool, count: int) -> Places:
    return smallest_margins(pool, np.concatenate(candidates(pool)), count)


def _says_something(pool: Pool) -> bool:
    """Whether some item is less doubtful than another."""
    found = doubts(pool.probabilities)
    return bool(len(found) and np.ptp(found) > ALIKE)
