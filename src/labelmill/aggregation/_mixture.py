"""Prediction where votes are independent given the class: one sum of evidence an item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._lookup import Lookup, is_dense
from labelmill.aggregation._posterior import keep_unanimous, posterior, softmax_by_state
from labelmill.aggregation._tally import Floats, Tally
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable

__all__ = ["LeftOut", "Mixture"]


class LeftOut(NamedTuple):
    """What a fitted model believes of each item with and without one of its votes.

    `posterior` is (n_items, n_states); `without(positions)` gives, for votes at these positions of the table, the
    posterior of their items without them, (n_positions, n_states); `prior` are the votes `[j, l, s]` that the model
    credits annotators with beforehand, None for the crowd's.
    """

    posterior: Floats
    without: Callable[[npt.NDArray[np.intp]], Floats]
    prior: Floats | None = None


MANY = 50_000
"""Rows from which answers are looked up for several annotators at once."""
MOST_BITS = 12
"""Classes whose sets are numbered."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """log P(state s of item i) = log_balance[s] + sum over its votes of per_vote[annotator, label, s] + constant.

    Parameters
    ----------
    log_balance : ndarray of float64, shape (n_states,)
        Log share of each state.
    per_vote : ndarray of float64, shape (n_annotators, n_classes, n_states)
        What each vote says for each state.
    class_of : ndarray of int, shape (n_states,)
        The class a state belongs to, ascending; one state a class unless classes have parts.
    """

    log_balance: Floats
    per_vote: Floats
    class_of: npt.NDArray[np.intp]

    def __eq__(self, other: object) -> bool:
        """Whether every parameter is the same."""
        if not isinstance(other, Mixture):
            return NotImplemented
        return self is other or (
            np.array_equal(self.log_balance, other.log_balance)
            and np.array_equal(self.per_vote, other.per_vote)
            and np.array_equal(self.class_of, other.class_of)
        )

    __hash__ = None  # type: ignore[assignment]

    def states(self, tally: Tally) -> tuple[Floats, Floats]:
        """Posterior over states of each row, (n_rows, n_states), and the log normaliser, (n_rows,)."""
        return posterior(self._scores(tally))

    def expected(self, tally: Tally) -> tuple[Floats, Floats, float]:
        """Votes `[j, l, s]` and items `[s]` expected under the posterior, and the log likelihood: one sweep.

        Block by block, so that no posterior leaves the processor's cache or takes memory for all rows at once.
        """
        n_states = len(self.log_balance)
        flat = np.ascontiguousarray(self.per_vote).reshape(tally.n_annotators * tally.n_classes, n_states)
        counts, items, log_likelihood = np.zeros(flat.shape), np.zeros(n_states), 0.0
        for block in tally.blocks(n_states):
            scores, weights = block.one_hot @ flat, tally.weights[block.rows]
            by_state = np.add(scores.T, self.log_balance[:, None], order="C")
            log_likelihood += float(np.einsum("i,i->", weights, softmax_by_state(by_state)))
            if not tally.is_plain:
                by_state *= weights
            items += by_state.sum(axis=1)
            np.copyto(scores, by_state.T)
            counts += block.turned @ scores
        return counts.reshape(self.per_vote.shape), items, log_likelihood

    def classes(self, tally: Tally) -> Floats:
        """Class probabilities of each row, (n_rows, n_classes); unanimous votes are kept."""
        states, _ = self.states(tally)
        return keep_unanimous(self._by_class(states, tally.n_classes), tally.unanimous)

    def predict(self, votes: VoteTable) -> Floats:
        """Class probabilities of each item, (n_items, n_classes)."""
        large = votes.n_items >= MANY and is_dense(votes) and votes.n_classes <= MOST_BITS
        if large and not Tally.made(votes):
            return self._looked_up(votes)
        tally = Tally.of(votes)
        return tally.expand(self.classes(tally))

    def _looked_up(self, votes: VoteTable) -> Floats:
        """The same without a tally, which of a large matrix costs more than the answers."""
        n, n_classes, n_states = self.per_vote.shape
        lookup = Lookup(n, n_classes)
        silent = np.zeros((n, 1, n_states))
        words = lookup.tables(np.concatenate([silent, self.per_vote], axis=1), np.add)
        bits = np.tile(np.append(0, 1 << np.arange(n_classes)), (n, 1))
        names = lookup.tables(bits, np.bitwise_or)
        class_of_bits = _class_of_bits(n_classes)
        found = np.empty((votes.n_items, n_classes))
        for rows, numbers in lookup.blocks(votes.matrix):
            by_state = np.repeat(self.log_balance[:, None], rows.stop - rows.start, axis=1)
            named = np.zeros(rows.stop - rows.start, dtype=np.int64)
            for word, name, number in zip(words, names, numbers, strict=True):
                by_state += word.take(number, axis=0).T
                named |= name.take(number)
            softmax_by_state(by_state)
            states = np.ascontiguousarray(by_state.T)
            found[rows] = keep_unanimous(self._by_class(states, n_classes), class_of_bits[named])
        return found

    def left_out(self, votes: VoteTable, prior: Floats | None = None) -> LeftOut:
        """Beliefs with and without each vote that names a class; `prior` as in `LeftOut`."""
        scores = self._scores(Tally.by_item(votes))

        def without(positions: npt.NDArray[np.intp]) -> Floats:
            own = self.per_vote[votes.annotator_index[positions], votes.label[positions]]
            return posterior(scores[votes.item_index[positions]] - own)[0]

        return LeftOut(posterior(scores.copy())[0], without, prior)

    def _scores(self, tally: Tally) -> Floats:
        scores = tally.evidence(self.per_vote)
        scores += self.log_balance
        return scores

    def _by_class(self, states: Floats, n_classes: int) -> Floats:
        if len(self.class_of) == n_classes:
            return states
        return np.add.reduceat(states, np.searchsorted(self.class_of, np.arange(n_classes)), axis=1)


def _class_of_bits(n_classes: int) -> npt.NDArray[np.intp]:
    """The only class in each set of classes, ABSTAIN where there are none or several, (2 ** n_classes,)."""
    only = np.full(1 << n_classes, ABSTAIN, dtype=np.intp)
    only[1 << np.arange(n_classes)] = np.arange(n_classes)
    return only
