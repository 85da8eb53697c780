"""How well a label model foretells each vote from all the others: a yardstick that needs no gold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._confusion import Confusion
from labelmill.aggregation._mixture import LeftOut
from labelmill.aggregation._posterior import class_balance
from labelmill.aggregation._tally import Floats, Tally, shortest
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.sums import Rounds, Sums
from labelmill.domain.vote_table import VoteTable

__all__ = ["Beliefs", "CanLeaveOut", "Told", "foretelling", "told"]

CELLS_AT_ONCE = 4_000_000
TINY = 1e-12
BALANCE_VOTES = 2.0
"""How many votes at the class balance a rule's precision starts from."""


class CanLeaveOut(Protocol):
    """A fitted model that says what it believes without each vote."""

    def left_out(self, votes: VoteTable) -> LeftOut:
        """Beliefs with and without each vote of the table."""


def foretelling(model: CanLeaveOut, is_rule: npt.NDArray[np.bool_]) -> Rounds[float]:
    """Mean log probability of a vote given the other votes on its item, in nats; 0 without votes to foretell.

    For people and models: of the label, given that they answered,
    log sum_k P(k | other votes) (n_jkl - q_ik + prior) / (sum over l of the same).
    A rule chooses its items, and one that names a single class is sure to name it; so for rules, on items with other
    votes: how much likelier the vote is than on any item, log sum_k P(k | other votes) P(k | the rule's vote) / P(k).
    In both, the item's own share q_ik is taken out of the counts that the probability comes from.

    Parameters
    ----------
    model : label model
        Fitted on the votes.
    is_rule : ndarray of bool, shape (n_annotators,)
        Which annotators are rules.
    """
    counts, items = (yield Beliefs(model)).arrays
    (told,) = (yield Foretold(model, is_rule, counts, class_balance(items))).arrays
    return float(told[0] / max(told[1], 1.0))


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Asks for the counts of votes and of items by a model's posterior."""

    model: CanLeaveOut

    def __call__(self, votes: VoteTable, /) -> Sums:
        """Counts of the shard."""
        table = shortest(votes)
        tally, posterior = Tally.by_item(table), self.model.left_out(table).posterior
        return Sums((tally.counts(posterior), tally.state_counts(posterior)))


@dataclass(frozen=True, slots=True)
class Foretold:
    """Asks how well votes are foretold: the sum of their log probabilities, and how many they are."""

    model: CanLeaveOut
    is_rule: npt.NDArray[np.bool_]
    counts: Floats
    balance: Floats

    def __call__(self, votes: VoteTable, /) -> Sums:
        """Both sums over the shard."""
        table = shortest(votes)
        found = told(self.model, table, self.is_rule, self.counts, self.balance, own=True)
        times = found.times(table)
        return Sums((np.array([np.einsum("i,i->", found.logs, times), times.sum()]),))


class Told(NamedTuple):
    """Votes that can be foretold, by position in the table, and the log probability of each, both (n_told,)."""

    positions: npt.NDArray[np.intp]
    logs: Floats

    def times(self, votes: VoteTable) -> Floats:
        """How many votes each stands for, (n_told,)."""
        if votes.multiplicity is None:
            return np.ones(len(self.positions))
        return votes.multiplicity[votes.item_index[self.positions]].astype(np.float64)


def told(
    model: CanLeaveOut,
    votes: VoteTable,
    is_rule: npt.NDArray[np.bool_],
    counts: Floats,
    balance: Floats,
    *,
    own: bool,
) -> Told:
    """The log probability of each vote given the others on its item; see `foretelling`.

    Parameters
    ----------
    counts : ndarray of float64, shape (n_annotators, n_classes, n_states)
        Votes by the model's posterior, of all that it has seen.
    balance : ndarray of float64, shape (n_states,)
        Share of each state.
    own : bool
        The items are among those counted: their own share is taken out.
    """
    left_out = model.left_out(votes)
    if not own:
        left_out = left_out._replace(posterior=np.zeros_like(left_out.posterior))
    cast = votes.label != ABSTAIN
    by_rule = cast & is_rule[votes.annotator_index]
    answers = np.flatnonzero(cast & ~by_rule)
    firings = np.flatnonzero(by_rule & (votes.counts.sum(axis=1) > 1)[votes.item_index])
    logs = [*_answers(left_out, votes, answers, counts), *_firings(left_out, votes, firings, counts, balance)]
    return Told(np.concatenate([answers, firings]), np.concatenate([np.zeros(0), *logs]))


def _answers(left_out: LeftOut, votes: VoteTable, positions: npt.NDArray[np.intp], counts: Floats) -> Iterator[Floats]:
    concentration = counts + (_pooled_prior(counts) if left_out.prior is None else left_out.prior)
    totals = concentration.sum(axis=1)
    for part in _chunks(positions, counts.shape[2]):
        annotators, own = votes.annotator_index[part], left_out.posterior[votes.item_index[part]]
        rate = np.maximum(concentration[annotators, votes.label[part]] - own, TINY)
        rate /= np.maximum(totals[annotators] - own, TINY)
        yield _log_sum(left_out.without(part), rate)


def _firings(
    left_out: LeftOut, votes: VoteTable, positions: npt.NDArray[np.intp], counts: Floats, balance: Floats
) -> Iterator[Floats]:
    for part in _chunks(positions, counts.shape[2]):
        own = left_out.posterior[votes.item_index[part]]
        precision = np.maximum(counts[votes.annotator_index[part], votes.label[part]] - own, 0.0)
        precision += BALANCE_VOTES * balance
        precision /= np.einsum("ij->i", precision)[:, None]
        yield _log_sum(left_out.without(part), precision / balance)


def _pooled_prior(counts: Floats) -> Floats:
    """A few votes' worth of the crowd's confusions for each annotator."""
    return Confusion.of(counts).prior


def _chunks(positions: npt.NDArray[np.intp], width: int) -> Iterator[npt.NDArray[np.intp]]:
    step = max(CELLS_AT_ONCE // max(width, 1), 1)
    for start in range(0, len(positions), step):
        yield positions[start : start + step]


def _log_sum(weights: Floats, rates: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(np.einsum("ij,ij->i", weights, rates), TINY)))
