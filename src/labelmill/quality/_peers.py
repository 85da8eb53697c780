"""What the others say of an item: the consensus without the annotator who is being judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable
from labelmill.quality._habits import Habits

__all__ = ["Peers", "peers_of", "softmax"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TEMPERATURES: Final = (1.0, 0.7, 0.5, 0.35, 0.25)
"""How far votes on one item may count as independent: the value that foretells left-out votes best is taken."""


@dataclass(frozen=True)
class Peers:
    """Votes that name a class, and what the other votes say of their items.

    Parameters
    ----------
    item, annotator, label : ndarray of int64, shape (n_votes,)
        Of each vote.
    row : ndarray of int64, shape (n_votes,)
        Its place in the table.
    posterior : ndarray of float64, shape (n_items, n_classes)
        Probability of each class by all votes; certain where the truth is known.
    is_known : ndarray of bool, shape (n_items,)
        Where the truth is known.
    balance : ndarray of float64, shape (n_classes,)
        Share of each class.
    habits : Habits
    evidence : ndarray of float64, shape (n_votes, n_classes)
        What each vote says for each class, log likelihood.
    score : ndarray of float64, shape (n_items, n_classes)
        Sum of the evidence on each item.
    temperature : float
        What evidence is multiplied by.
    """

    item: Ints
    annotator: Ints
    label: Ints
    row: Ints
    posterior: Floats
    is_known: npt.NDArray[np.bool_]
    balance: Floats
    habits: Habits
    evidence: Floats
    score: Floats
    temperature: float

    @property
    def n_annotators(self) -> int:
        """Annotators of the table, silent ones too."""
        return self.habits.n_annotators

    @property
    def n_classes(self) -> int:
        """Classes of the table."""
        return len(self.balance)

    @property
    def n_items(self) -> int:
        """Items of the table."""
        return len(self.posterior)

    @cached_property
    def opinion(self) -> Floats:
        """Shape (n_votes, n_classes): probability of each class by all votes on the item but this one."""
        return self.without(self.item, self.evidence)

    @cached_property
    def right(self) -> Floats:
        """Shape (n_votes,): probability that each vote is right, by what the others say."""
        return np.asarray(np.take_along_axis(self.opinion, self.label[:, None], axis=1)[:, 0])

    def without(self, item: Ints, evidence: Floats) -> Floats:
        """Shape (n, n_classes): probability of each class of some items once the given evidence is taken away."""
        left = self.temperature * (self.score[item] - evidence) + np.log(self.balance)
        said = softmax(left)
        known = self.is_known[item]
        said[known] = self.posterior[item[known]]
        return said

    def per_annotator(self, values: Floats | None = None) -> Floats:
        """Shape (n_annotators,): sum over each annotator's votes; how many there are without values."""
        return np.bincount(self.annotator, values, minlength=self.n_annotators).astype(np.float64)


def softmax(scores: Floats) -> Floats:
    """Probabilities along the last axis from their logarithms, up to a constant."""
    found = np.exp(scores - scores.max(axis=-1, keepdims=True, initial=-np.inf))
    return np.asarray(found / found.sum(axis=-1, keepdims=True))


def peers_of(
    votes: VoteTable,
    probabilities: Floats,
    *,
    truth: npt.NDArray[np.integer] | None = None,
    is_rule: npt.NDArray[np.bool_] | None = None,
) -> Peers:
    """The votes of a table beside what the other votes say.

    Parameters
    ----------
    votes : VoteTable
        One vote of an annotator on an item.
    probabilities : ndarray of float64, shape (n_items, n_classes)
        The consensus.
    truth : ndarray of int, shape (n_items,), optional
        Class index where it is known, else ABSTAIN (-1).
    is_rule : ndarray of bool, shape (n_annotators,), optional
        Annotators that choose their items: their votes speak through their precision.
    """
    cast = np.flatnonzero(votes.label != ABSTAIN)
    item, annotator, label = (
        np.asarray(axis[cast], dtype=np.int64) for axis in (votes.item_index, votes.annotator_index, votes.label)
    )
    posterior, is_known = _clamped(np.asarray(probabilities, dtype=np.float64), truth)
    covered = np.bincount(item, minlength=votes.n_items) > 0
    mass = posterior[covered].sum(axis=0) + 1.0
    balance = mass / mass.sum()
    chooses = np.zeros(votes.n_annotators, dtype=np.bool_) if is_rule is None else is_rule
    habits = Habits.of(annotator, label, posterior[item], chooses, balance)
    evidence = habits.evidence(annotator, label)
    score = np.zeros((votes.n_items, votes.n_classes))
    for k in range(votes.n_classes):
        score[:, k] = np.bincount(item, evidence[:, k], minlength=votes.n_items)
    found = Peers(item, annotator, label, cast, posterior, is_known, balance, habits, evidence, score, 1.0)
    return _tempered(found)


def _clamped(probabilities: Floats, truth: npt.NDArray[np.integer] | None) -> tuple[Floats, npt.NDArray[np.bool_]]:
    if truth is None:
        return probabilities, np.zeros(len(probabilities), dtype=np.bool_)
    is_known = truth != ABSTAIN
    posterior = probabilities.copy()
    posterior[is_known] = np.eye(probabilities.shape[1])[truth[is_known]]
    return posterior, is_known


def _tempered(peers: Peers) -> Peers:
    """With the temperature at which a vote is foretold best by the others; the highest where it makes no difference."""
    if not len(peers.item):
        return peers
    answers = peers.habits.without_own(peers.annotator, peers.label, peers.posterior[peers.item])
    best, best_score = peers, -np.inf
    for temperature in TEMPERATURES:
        tried = replace(peers, temperature=temperature)
        foretold = float(np.log(np.maximum(np.einsum("vk,vk->v", tried.opinion, answers), 1e-12)).mean())
        if foretold > best_score + 1e-9:
            best, best_score = tried, foretold
    return best
