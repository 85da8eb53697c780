"""Prediction where votes are independent given the class: one sum of evidence an item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._posterior import keep_unanimous, posterior, softmax_by_state
from labelmill.aggregation._tally import Floats, Tally
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
        tally = Tally.of(votes)
        return tally.expand(self.classes(tally))

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
