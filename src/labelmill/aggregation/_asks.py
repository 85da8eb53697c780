"""What expectation maximisation asks of every shard of the votes, and gets back as sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from labelmill.aggregation._known import Known
from labelmill.aggregation._mixture import Mixture
from labelmill.aggregation._tally import Floats, Tally
from labelmill.domain.sums import Sums
from labelmill.domain.vote_table import VoteTable

__all__ = ["Answers", "Counts", "Expectation", "Shares"]


class Counts(NamedTuple):
    """Expected votes and items under a posterior, and what else a round of learning needs.

    Parameters
    ----------
    votes : ndarray of float64, shape (n_annotators, n_classes, n_states)
        `[j, l, s]`: label l by annotator j on items in state s.
    items : ndarray of float64, shape (n_states,)
        Items with votes in each state.
    extra : ndarray of float64
        Shares: number of votes, of rows and of items. Expectations: the sum of the log normalisers.
    """

    votes: Floats
    items: Floats
    extra: Floats

    @classmethod
    def of(cls, sums: Sums) -> Self:
        """The counts that an ask of this module answers with."""
        votes, items, extra = sums.arrays
        return cls(votes, items, extra)


@dataclass(frozen=True, slots=True)
class Shares:
    """Asks for the counts by vote shares, where learning starts; `n_grades` spreads them over parts of classes."""

    n_grades: int = 1

    def __call__(self, votes: VoteTable, /) -> Sums:
        """Counts of the shard; the extra numbers are its votes, the rows worked on and its items."""
        tally = Tally.of(votes)
        sizes = np.array([tally.n_votes, tally.n_rows, tally.n_items])
        return _counts(tally, graded(tally.shares, self.n_grades), sizes)

    def with_known(self, sums: Sums, known: Known) -> Sums:
        """All votes of a known item are for its class; its size is not counted among the rows worked on."""
        votes, items = known.spread(graded(np.eye(len(known.items)), self.n_grades))
        sizes = sums.arrays[2] + np.array([known.votes.sum(), 0.0, 0.0])
        return Sums((sums.arrays[0] + votes, sums.arrays[1] + items, sizes), sums.most)


@dataclass(frozen=True, slots=True)
class Expectation:
    """Asks for the counts by a mixture's posterior; the extra number is the sum of the log normalisers."""

    mixture: Mixture

    def __call__(self, votes: VoteTable, /) -> Sums:
        """Counts of the shard."""
        counts, items, log_likelihood = self.mixture.expected(Tally.of(votes))
        return Sums((counts, items, np.array([log_likelihood])))

    def with_known(self, sums: Sums, known: Known) -> Sums:
        """Known votes in the parts of their classes, and their log probability."""
        votes, items, log_likelihood = _parts(self.mixture, known)
        return Sums((sums.arrays[0] + votes, sums.arrays[1] + items, sums.arrays[2] + log_likelihood), sums.most)


@dataclass(frozen=True, slots=True)
class Answers:
    """Asks for the counts by class probabilities as they are predicted: unanimous votes kept."""

    mixture: Mixture

    def __call__(self, votes: VoteTable, /) -> Sums:
        """Counts of the shard; states are classes."""
        tally = Tally.of(votes)
        return _counts(tally, self.mixture.classes(tally), np.zeros(0))

    def with_known(self, sums: Sums, known: Known) -> Sums:
        """Known votes in their classes."""
        return known.added(sums)


def graded(shares: Floats, n_grades: int) -> Floats:
    """Vote shares spread over the parts of each class by how near the share is to the part's grade."""
    if n_grades == 1:
        return shares
    grade = (np.arange(n_grades) + 0.5) / n_grades
    nearness = np.exp(-0.5 * ((shares[:, :, None] - grade) * n_grades / 1.5) ** 2)
    nearness *= (shares / nearness.sum(axis=2))[:, :, None]
    return nearness.reshape(len(shares), shares.shape[1] * n_grades)


def _counts(tally: Tally, posterior: Floats, extra: Floats) -> Sums:
    return Sums((tally.counts(posterior), tally.state_counts(posterior), extra))


def _parts(mixture: Mixture, known: Known) -> tuple[Floats, Floats, float]:
    """Known votes `[j, l, s]` and items `[s]` by the parts of their classes, and their log probability.

    The part is what the mixture makes of each vote by itself: of earlier work only sums are known, and with one part
    a class it is exact.
    """
    own = mixture.class_of == np.arange(len(known.items))[:, None]  # [k, s]
    balance = np.where(own, mixture.log_balance, -np.inf)
    of_class = np.logaddexp.reduce(balance, axis=1)
    shares = np.exp(balance - of_class[:, None])
    if len(mixture.class_of) == len(known.items):
        log_likelihood = float((known.votes * mixture.per_vote).sum())
        return known.votes, known.items, log_likelihood + float(known.items @ of_class)
    scores = np.where(own, mixture.per_vote[:, :, None, :] + mixture.log_balance - of_class[:, None], -np.inf)
    log_vote = np.logaddexp.reduce(scores, axis=3)
    votes = np.einsum("jlk,jlks->jls", known.votes, np.exp(scores - log_vote[..., None]))
    log_likelihood = float((known.votes * log_vote).sum()) + float(known.items @ of_class)
    return votes, np.asarray(known.items @ shares), log_likelihood
