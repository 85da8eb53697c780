"""How annotators tag, given the true tag and their own tag before: the crowd's table, bent to each of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from labelmill.aggregation.structured._chains import Shape

__all__ = ["Habits", "TagVotes", "habits_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

OWN = 0.5
"""Power of an annotator's own evidence that is taken out of the posterior before its errors are counted."""

STRENGTH = 200.0
"""Tokens at the crowd's rates that every annotator starts with, for each true tag."""

MISSES = 20.0
"""Misses at the crowd's rate that every annotator starts with."""

FEWEST, MOST = 0.02, 0.95
"""Bounds of the share of tokens in spans that an annotator leaves out."""

CROWD = 10.0
"""Tokens without regard to the tag before that each row of the crowd's table starts with."""

RIGHT, SMOOTH = 3.0, 0.5
"""Tokens tagged rightly, and in any way, that each row of the crowd's table starts with."""

BLOCK = 200_000
"""Votes that are worked on at a time."""


@dataclass(frozen=True)
class TagVotes:
    """One row for each token and annotator.

    Parameters
    ----------
    shape : Shape
        The chains.
    token, annotator, tag, before : ndarray of int, shape (n_votes,)
        Place in the chains; who; its tag; its tag on the token before (0 on the first).
    n_annotators, n_tags : int
    """

    shape: Shape
    token: Ints
    annotator: Ints
    tag: Ints
    before: Ints
    n_annotators: int
    n_tags: int

    def shares(self) -> Floats:
        """Votes for each tag of each token, normalised, no tag quite without; shape (n_tokens, n_tags)."""
        votes = self._counts() + 0.02
        return np.asarray(votes / votes.sum(axis=1, keepdims=True))

    def shares_without(self, block: slice) -> Floats:
        """The same for the token of each vote, less `OWN` of that vote."""
        votes = self._counts()[self.token[block]] + 0.02
        votes[np.arange(len(votes)), self.tag[block]] -= OWN
        return np.asarray(votes / votes.sum(axis=1, keepdims=True))

    def blocks(self) -> list[slice]:
        """All rows, some at a time."""
        return [slice(start, start + BLOCK) for start in range(0, len(self.token), BLOCK)]

    def _counts(self) -> Floats:
        cells = np.bincount(self.token * self.n_tags + self.tag, minlength=self.shape.n_tokens * self.n_tags)
        return np.asarray(cells.reshape(-1, self.n_tags), dtype=np.float64)


@dataclass(frozen=True)
class Habits:
    r"""P(tag of annotator j | true tag k, its tag before m), the crowd's table bent to each annotator.

    .. math:: P_{jkml} \propto C_{kml} \, o_{jkl} / c_{kl}

    Parameters
    ----------
    crowd : ndarray of float64, shape (n_tags, n_tags, n_tags)
        Log C: of all together, by true tag, tag before and tag.
    bend : ndarray of float64, shape (n_annotators + 1, n_tags, n_tags)
        Log o / c: what the annotator does more often than all, by true tag and tag; 0 in the last row, a stranger's.
    """

    crowd: Floats
    bend: Floats

    def log_likelihood(self, votes: TagVotes, block: slice) -> Floats:
        """Of each vote under each true tag, shape (n_rows, n_tags)."""
        who, tag, before = votes.annotator[block], votes.tag[block], votes.before[block]
        said = self.crowd[:, before, tag].T + self.bend[who, :, tag]
        return np.asarray(said - self._norm[who, :, before], dtype=np.float64)

    def log_evidence(self, votes: TagVotes) -> Floats:
        """Summed over the votes on each token, shape (n_tokens, n_tags)."""
        total = np.zeros((votes.shape.n_tokens, votes.n_tags))
        for block in votes.blocks():
            each = self.log_likelihood(votes, block)
            for k in range(votes.n_tags):
                total[:, k] += np.bincount(votes.token[block], weights=each[:, k], minlength=len(total))
        return total

    def without_own(self, tag: Floats, votes: TagVotes, block: slice) -> Floats:
        """Posterior of the token of each vote with `OWN` of that vote's evidence taken out."""
        log = np.log(np.maximum(tag, 1e-12))[votes.token[block]] - OWN * self.log_likelihood(votes, block)
        share = np.exp(log - log.max(axis=1, keepdims=True))
        return np.asarray(share / share.sum(axis=1, keepdims=True))

    @cached_property
    def _norm(self) -> Floats:
        """Log of the sum over tags, shape (n_annotators + 1, n_tags, n_tags): annotator, true tag, tag before."""
        total = np.einsum("kml,jkl->jkm", np.exp(self.crowd), np.exp(self.bend))
        return np.asarray(np.log(total), dtype=np.float64)


def habits_of(votes: TagVotes, legal: npt.NDArray[np.bool_], tag: Floats, habits: Habits | None) -> Habits:
    """Counted from the posterior that the habits so far gave; from vote shares where there is none yet."""
    n, k = votes.n_annotators, votes.n_tags
    own, crowd = np.zeros((n, k, k)), np.zeros((k, k, k))
    for block in votes.blocks():
        share = votes.shares_without(block) if habits is None else habits.without_own(tag, votes, block)
        by_annotator = votes.annotator[block] * k + votes.tag[block]
        by_tag = votes.before[block] * k + votes.tag[block]
        for true in range(k):
            weight = share[:, true]
            own[:, true] += np.bincount(by_annotator, weights=weight, minlength=n * k).reshape(n, k)
            crowd[true] += np.bincount(by_tag, weights=weight, minlength=k * k).reshape(k, k)
    pooled = crowd.sum(axis=1) + SMOOTH / k + RIGHT * np.eye(k)
    pooled /= pooled.sum(axis=1, keepdims=True)
    possible = pooled[:, None, :] * legal
    crowd += CROWD * possible / possible.sum(axis=2, keepdims=True)
    crowd /= crowd.sum(axis=2, keepdims=True)
    crowd = _missing_alike(crowd, tag)
    aim = _missing_by_annotator(own, pooled)
    mine = own + STRENGTH * aim
    bend = np.log(mine / mine.sum(axis=2, keepdims=True) / pooled)
    with np.errstate(divide="ignore"):
        return Habits(np.log(crowd), np.concatenate([bend, np.zeros((1, k, k))]))


def _missing_alike(crowd: Floats, tag: Floats) -> Floats:
    """The crowd's table with one share of missed beginnings for all classes.

    Otherwise a rare class grows to hold whatever a few mark now and then: it seems to be missed by most.
    """
    begins = np.arange(1, len(crowd), 2)
    missed, mass = crowd[begins, 0, 0], tag[:, begins].sum(axis=0)
    share = float((missed * mass).sum() / mass.sum()) if mass.sum() > 0 else 0.5
    crowd = crowd.copy()
    crowd[begins, 0, 1:] *= ((1.0 - share) / (1.0 - missed))[:, None]
    crowd[begins, 0, 0] = share
    return crowd


def _missing_by_annotator(own: Floats, pooled: Floats) -> Floats:
    """What to shrink each annotator's confusion to: the crowd's, with the annotator's own share of misses.

    That share is the crowd's for each tag times what the annotator misses over what the crowd would miss of the same.
    """
    inside = own[:, 1:].sum(axis=2)
    expected = (inside * pooled[1:, 0]).sum(axis=1)
    ratio = (own[:, 1:, 0].sum(axis=1) + MISSES) / (expected + MISSES)
    share = np.clip(pooled[1:, 0] * ratio[:, None], FEWEST, MOST)
    aim = np.repeat(pooled[None], len(own), axis=0)
    aim[:, 1:, 1:] *= ((1.0 - share) / (1.0 - pooled[1:, 0]))[:, :, None]
    aim[:, 1:, 0] = share
    return aim
