"""Annotators whose answers have nothing to do with the items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import special

from labelmill.quality._peers import Peers
from labelmill.quality.multiplicity import adjusted

__all__ = ["MANNERS", "Manner", "Spammers", "spammers"]

Floats = npt.NDArray[np.float64]

Manner = Literal["one_class", "pattern", "contrary", "random"]
"""How somebody answers without looking: always the same, in turns, against the others, or by chance."""
MANNERS: tuple[Manner, ...] = get_args(Manner)

USEFUL: Final = 1 / 3
"""Who follows the items less than this part of what is usual here is of no use ..."""

LEAST_USEFUL: Final = 0.1
"""... and who follows them less than this is never."""

FEW: Final = 10
"""Votes below which nobody is told to be usual."""

ROUNDS: Final = 200
CLOSE: Final = 1e-4
"""Rounds of the fit at most, and the largest change after which it is done."""

ALWAYS: Final = 0.95
"""From this share of one class on somebody always answers the same; of repeats, in a pattern."""

LONGEST: Final = 12
"""Answers in the longest pattern that is looked for."""

CONTRARY: Final = -3.0
"""Standard deviations that agreement must lie below chance."""


@dataclass(frozen=True)
class Spammers:
    """How closely each annotator's answers follow the items.

    Parameters
    ----------
    skill : ndarray of float64, shape (n_annotators,)
        Share of its answers that come from looking, 0 to 1; NaN without votes.
    least : ndarray of float64, shape (n_annotators,)
        The skill below which an annotator of its kind is a spammer.
    p : ndarray of float64, shape (n_annotators,)
        Chance to look so careless with at least that skill.
    level : ndarray of float64, shape (n_annotators,)
        p beside the other annotators; see `labelmill.quality.multiplicity.adjusted`.
    manner : tuple of str
        How each answers if it is a spammer.
    """

    skill: Floats
    least: Floats
    p: Floats
    level: Floats
    manner: tuple[Manner, ...]


def spammers(peers: Peers, *, order: npt.NDArray[np.int64] | None = None) -> Spammers:
    r"""Tests each annotator's answers for having to do with the items.

    .. math:: P(l \mid i) = s \, q_{il} + (1 - s) \, b_l

    where q is what the other votes say of the item, s the share of answers that come from looking and b what the
    annotator guesses otherwise: the answers of MACE (Hovy et al. 2013, https://aclanthology.org/N13-1132/), whose
    spammers are those of Raykar and Yu (2012, https://jmlr.org/papers/v13/raykar12a.html): the rows of their confusions
    are alike. Rules choose their items: their b is the class balance, and only known answers test them. The p-value is
    that of the likelihood ratio of the best s against the best from `least` up, one-sided,
    :math:`\frac12 P(\chi^2_1 > 2 \Delta)`. `least` is a third of the median skill of votes, of people and of
    rules each, but not below 0.1: the yardstick errs for all alike.

    Parameters
    ----------
    peers : Peers
    order : ndarray of int64, shape (n_votes,), optional
        Votes in the order they were given, to find patterns; as they stand without it.
    """
    likelihoods = _Likelihoods.of(peers)
    n_votes = np.bincount(likelihoods.annotator, minlength=peers.n_annotators).astype(np.float64)
    skill, best = likelihoods.highest(np.full(peers.n_annotators, 0.5), is_free=True)
    least = _least(skill, n_votes, peers.habits.is_rule)
    _, bound = likelihoods.highest(least, is_free=False)
    gain = np.where(skill < least, np.maximum(best - bound, 0.0), 0.0)
    p = np.where(gain > 0, 0.5 * special.chdtrc(1, 2 * gain), 1.0)
    level = np.ones(len(p))
    tested = n_votes > 0
    level[tested] = adjusted(p[tested])
    sequence = np.arange(len(peers.label)) if order is None else order
    manner = tuple(_manners(peers, sequence, level <= 0.5))
    return Spammers(np.where(tested, skill, np.nan), least, p, level, manner)


@dataclass(frozen=True)
class _Likelihoods:
    """The mixture of looking and guessing, of all annotators at once."""

    peers: Peers
    annotator: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]
    follows: Floats

    @classmethod
    def of(cls, peers: Peers) -> _Likelihoods:
        """Of votes that have a witness: the truth, or for a vote that is no rule's, another vote.

        Rules that each know one class contradict each other wherever they meet, and rules that look at the same words
        agree: they are no witnesses.
        """
        has_others = np.bincount(peers.item, minlength=peers.n_items)[peers.item] > 1
        told = (has_others & ~peers.habits.is_rule[peers.annotator]) | peers.is_known[peers.item]
        return cls(peers, peers.annotator[told], peers.label[told], peers.right[told])

    def highest(self, skill: Floats, *, is_free: bool) -> tuple[Floats, Floats]:
        """The likeliest skill of each annotator, or the one given, and the log likelihood with the best guesses."""
        peers, annotator, follows = self.peers, self.annotator, self.follows
        n, k = peers.n_annotators, peers.n_classes
        cell = annotator * k + self.label
        n_votes = np.maximum(np.bincount(annotator, minlength=n), 1).astype(np.float64)
        guess = (np.bincount(cell, minlength=n * k).reshape(n, k) + 0.5) / (n_votes + 0.5 * k)[:, None]
        known = peers.posterior[peers.is_known].sum(axis=0) + 0.5
        guess[peers.habits.is_rule] = known / known.sum()
        is_person = ~peers.habits.is_rule
        for _ in range(ROUNDS):
            before = np.column_stack([skill, guess])
            looks = skill[annotator] * follows
            guesses = (1 - skill[annotator]) * guess.reshape(-1)[cell]
            guessed = guesses / np.maximum(looks + guesses, 1e-300)
            table = np.bincount(cell, guessed, minlength=n * k).reshape(n, k)
            total = table.sum(axis=1)
            sums = (total > 1e-9) & is_person
            guess[sums] = table[sums] / total[sums, None]
            if is_free:
                skill = 1 - np.clip(total / n_votes, 0.0, 1.0)
            if np.abs(np.column_stack([skill, guess]) - before).max(initial=0.0) < CLOSE:
                break
        mixed = skill[annotator] * follows + (1 - skill[annotator]) * guess.reshape(-1)[cell]
        return skill, np.bincount(annotator, np.log(np.maximum(mixed, 1e-12)), minlength=n).astype(np.float64)


def _least(skill: Floats, n_votes: Floats, is_rule: npt.NDArray[np.bool_]) -> Floats:
    least = np.full(len(skill), LEAST_USEFUL)
    for kind in (is_rule, ~is_rule):
        of_kind = kind & (n_votes >= FEW)
        if of_kind.any():
            least[kind] = max(LEAST_USEFUL, USEFUL * _median(skill[of_kind], n_votes[of_kind]))
    return least


def _median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, 0.5 * reached[-1])])


def _manners(peers: Peers, order: npt.NDArray[np.int64], is_suspect: npt.NDArray[np.bool_]) -> Iterator[Manner]:
    by_annotator = order[np.argsort(peers.annotator[order], kind="stable")]
    ends = np.cumsum(np.bincount(peers.annotator, minlength=peers.n_annotators))
    for j, end in enumerate(ends.tolist()):
        own = by_annotator[(ends[j - 1] if j else 0) : end]
        if not is_suspect[j] or not len(own):
            yield "random"
            continue
        labels = peers.label[own]
        counts = np.bincount(labels, minlength=peers.n_classes)
        if counts.max() >= ALWAYS * len(own):
            yield "one_class"
        elif _repeats(labels):
            yield "pattern"
        elif _deviations(peers.right[own], peers.opinion[own], counts) < CONTRARY:
            yield "contrary"
        else:
            yield "random"


def _repeats(labels: npt.NDArray[np.int64]) -> bool:
    """Whether each answer is the one some places before it, all along."""
    longest = min(LONGEST, len(labels) // 3)
    return any(bool((labels[lag:] == labels[:-lag]).mean() >= ALWAYS) for lag in range(1, longest + 1))


def _deviations(follows: Floats, opinion: Floats, counts: npt.NDArray[np.int64]) -> float:
    """How far agreement lies above that of the same answers in any order, in standard deviations."""
    n = len(follows)
    if n < 2:
        return 0.0
    share = counts / n
    around = opinion - opinion.mean(axis=0)
    around -= (around @ share)[:, None]
    variance = n / (n - 1) * float((around**2 @ share).sum())
    gap = float(follows.sum() - n * (opinion.mean(axis=0) @ share))
    return gap / float(np.sqrt(variance)) if variance > 1e-12 else 0.0
