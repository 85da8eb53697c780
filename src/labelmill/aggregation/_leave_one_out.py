"""How well a label model foretells each vote from all the others: a yardstick that needs no gold."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._confusion import Confusion
from labelmill.aggregation._mixture import LeftOut
from labelmill.aggregation._posterior import class_balance
from labelmill.aggregation._tally import Floats, Tally
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable

__all__ = ["predictive_log_likelihood"]

CELLS_AT_ONCE = 4_000_000
TINY = 1e-12
BALANCE_VOTES = 2.0
"""How many votes at the class balance a rule's precision starts from."""


def predictive_log_likelihood(left_out: LeftOut, votes: VoteTable, is_rule: npt.NDArray[np.bool_]) -> float:
    """Mean log probability of a vote given the other votes on its item, in nats; 0 without votes to foretell.

    For people and models: of the label, given that they answered,
    log sum_k P(k | other votes) (n_jkl - q_ik + prior) / (sum over l of the same).
    A rule chooses its items, and one that names a single class is sure to name it; so for rules, on items with other
    votes: how much likelier the vote is than on any item, log sum_k P(k | other votes) P(k | the rule's vote) / P(k).
    In both, the item's own share q_ik is taken out of the counts that the probability comes from.

    Parameters
    ----------
    left_out : LeftOut
        A fitted model's beliefs with and without each vote.
    votes : VoteTable
        The votes it was fitted on.
    is_rule : ndarray of bool, shape (n_annotators,)
        Which annotators are rules.
    """
    tally = Tally(votes, compress=False)
    counts = tally.counts(left_out.posterior)
    cast = votes.label != ABSTAIN
    by_rule = cast & is_rule[votes.annotator_index]
    answers = np.flatnonzero(cast & ~by_rule)
    firings = np.flatnonzero(by_rule & (votes.counts.sum(axis=1) > 1)[votes.item_index])
    balance = class_balance(tally.state_counts(left_out.posterior))
    total = _answers(left_out, votes, counts, answers) + _firings(left_out, votes, counts, balance, firings)
    return total / max(len(answers) + len(firings), 1)


def _answers(left_out: LeftOut, votes: VoteTable, counts: Floats, positions: npt.NDArray[np.intp]) -> float:
    if not len(positions):
        return 0.0
    concentration = counts + (_pooled_prior(counts) if left_out.prior is None else left_out.prior)
    totals = concentration.sum(axis=1)
    log_likelihood = 0.0
    for part in _chunks(positions, counts.shape[2]):
        annotators, own = votes.annotator_index[part], left_out.posterior[votes.item_index[part]]
        rate = np.maximum(concentration[annotators, votes.label[part]] - own, TINY)
        rate /= np.maximum(totals[annotators] - own, TINY)
        log_likelihood += _log_sum(left_out.without(part), rate)
    return log_likelihood


def _firings(
    left_out: LeftOut, votes: VoteTable, counts: Floats, balance: Floats, positions: npt.NDArray[np.intp]
) -> float:
    log_likelihood = 0.0
    for part in _chunks(positions, counts.shape[2]):
        own = left_out.posterior[votes.item_index[part]]
        precision = np.maximum(counts[votes.annotator_index[part], votes.label[part]] - own, 0.0)
        precision += BALANCE_VOTES * balance
        precision /= np.einsum("ij->i", precision)[:, None]
        log_likelihood += _log_sum(left_out.without(part), precision / balance)
    return log_likelihood


def _pooled_prior(counts: Floats) -> Floats:
    """A few votes' worth of the crowd's confusions for each annotator."""
    return Confusion.of(counts).prior


def _chunks(positions: npt.NDArray[np.intp], width: int) -> Iterator[npt.NDArray[np.intp]]:
    step = max(CELLS_AT_ONCE // max(width, 1), 1)
    for start in range(0, len(positions), step):
        yield positions[start : start + step]


def _log_sum(weights: Floats, rates: Floats) -> float:
    return float(np.log(np.maximum(np.einsum("ij,ij->i", weights, rates), TINY)).sum())
