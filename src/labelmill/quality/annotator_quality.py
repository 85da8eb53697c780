"""How good each annotator is: measured against the truth, learned from the others, with intervals."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import special

from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable
from labelmill.quality._peers import Peers
from labelmill.quality.bounds import clopper_pearson_interval

__all__ = ["AnnotatorQuality", "Confused", "annotator_quality", "credible_interval"]

Floats = npt.NDArray[np.float64]

PRIOR_VOTES: Final = 2.0
"""Votes that the accuracy of all counts for in one annotator's."""


@dataclass(frozen=True, slots=True)
class Confused:
    """The mix-up an annotator makes most: of its answers on items of class `true`, a share says `said`."""

    true: str
    said: str
    share: float
    n_items: float


@dataclass(frozen=True, slots=True)
class AnnotatorQuality:
    """One annotator.

    Parameters
    ----------
    annotator : str
    kind : {"person", "rule", "model"} or None
    n_votes : int
        Items it names a class for.
    n_checked : int
        Those whose truth is known.
    accuracy, accuracy_low, accuracy_high : float or None
        Share of them that are right, with the Clopper-Pearson interval; None where nothing could be checked.
    learned, learned_low, learned_high : float or None
        Share of right votes by the consensus, with a credible interval; None without votes.
    skill : float or None
        Share of its answers that come from looking at the item; see `labelmill.quality.spammers`.
    bias_class : str or None
        The class it names too often by most.
    bias : float or None
        How much more of its votes name that class than its items deserve.
    confused : Confused or None
    seconds : float or None
        Median time of an answer.
    """

    annotator: str
    kind: AnnotatorKind | None
    n_votes: int
    n_checked: int
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None
    learned: float | None
    learned_low: float | None
    learned_high: float | None
    skill: float | None
    bias_class: str | None
    bias: float | None
    confused: Confused | None
    seconds: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def annotator_quality(
    votes: VoteTable,
    peers: Peers,
    learned: tuple[Floats, Floats, Floats],
    *,
    skill: Floats,
    seconds: Floats | None = None,
    truth: npt.NDArray[np.integer] | None = None,
    confidence: float = 0.95,
) -> tuple[AnnotatorQuality, ...]:
    """Every annotator of a table, in its order.

    Parameters
    ----------
    votes : VoteTable
    peers : Peers
        Of these votes.
    learned : tuple of three ndarrays of float64, shape (n_annotators,)
        As `credible_interval` gives them.
    skill, seconds : ndarray of float64, shape (n_annotators,)
        NaN where unknown.
    truth : ndarray of int, shape (n_items,), optional
        Class index where it is known, else ABSTAIN (-1).
    confidence : float
        Of the intervals.
    """
    n_votes = peers.per_annotator()
    right = np.zeros(peers.n_annotators)
    checked = np.zeros(peers.n_annotators)
    if truth is not None:
        known = truth[peers.item] != ABSTAIN
        checked = peers.per_annotator(known)
        right = peers.per_annotator(known & (truth[peers.item] == peers.label))
    low, high = clopper_pearson_interval(right, checked, confidence=confidence)
    over = _named_too_often(peers)
    rows = []
    for j, name in enumerate(votes.annotators):
        has, most = n_votes[j] > 0, int(over[j].argmax()) if over.shape[1] else 0
        mean, least, top = (float(end[j]) if has else None for end in learned)
        rows.append(
            AnnotatorQuality(
                name,
                votes.kinds[j],
                int(n_votes[j]),
                int(checked[j]),
                float(right[j] / checked[j]) if checked[j] else None,
                _known(low[j]),
                _known(high[j]),
                mean,
                least,
                top,
                _known(skill[j]),
                votes.classes[most] if has else None,
                float(over[j, most]) if has else None,
                _confused(peers, j, votes.classes),
                None if seconds is None else _known(seconds[j]),
            )
        )
    return tuple(rows)


def credible_interval(
    peers: Peers, probabilities: Floats, *, confidence: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    r"""Shape (n_annotators,) each: the learned share of right votes, and both ends of its credible interval.

    The consensus holds a vote right with probability q, the other votes alone with probability r. Where the crowd errs
    together the first is too kind, as it counts the vote as its own witness; where few vote the second is too harsh.
    The middle m of both stands for the vote; for that of a rule, which other rules tell little of, q does. Of n votes,
    the sum of m and two votes of the prior, at the mean of all, gives the mean of a beta distribution. Its variance is
    that of a share of n known answers, that of the answers themselves, :math:`\sum m (1 - m) / n^2`, and that of the
    truth lying anywhere between the two views, :math:`(\bar q - \bar r)^2 / 12`.

    Parameters
    ----------
    peers : Peers
        Made without the truth.
    probabilities : ndarray of float64, shape (n_items, n_classes)
        The consensus.
    confidence : float
        Between 0 and 1.
    """
    whole = np.take_along_axis(probabilities[peers.item], peers.label[:, None], axis=1)[:, 0]
    alone = np.where(peers.habits.is_rule[peers.annotator], whole, peers.right)
    given = (whole + alone) / 2
    n, right = peers.per_annotator(), peers.per_annotator(given)
    doubt = peers.per_annotator(given * (1 - given))
    between = peers.per_annotator(whole - alone) / np.maximum(n, 1)
    usual = float(given.mean()) if len(given) else 0.5
    mean = np.clip((right + PRIOR_VOTES * usual) / (n + PRIOR_VOTES), 1e-4, 1 - 1e-4)
    variance = mean * (1 - mean) / (n + PRIOR_VOTES + 1) + doubt / (n + PRIOR_VOTES) ** 2 + between**2 / 12
    size = np.maximum(mean * (1 - mean) / variance - 1, 1e-3)
    risk = (1 - confidence) / 2
    low, high = (special.betaincinv(mean * size, (1 - mean) * size, share) for share in (risk, 1 - risk))
    return mean, low, high


def _named_too_often(peers: Peers) -> Floats:
    """Shape (n_annotators, n_classes): share of votes for the class less the share that the others give its items."""
    n, k = peers.n_annotators, peers.n_classes
    n_votes = np.maximum(peers.per_annotator(), 1)[:, None]
    named = np.bincount(peers.annotator * k + peers.label, minlength=n * k).reshape(n, k)
    deserved = [peers.per_annotator(peers.opinion[:, label]) for label in range(k)]
    return (named - np.stack(deserved, axis=1)) / n_votes if k else np.zeros((n, 0))


def _confused(peers: Peers, j: int, classes: tuple[str, ...]) -> Confused | None:
    counts = peers.habits.confusion(j)
    wrong = counts * (1 - np.eye(len(classes)))
    if not wrong.size or wrong.max() < 1:
        return None
    true, said = divmod(int(wrong.argmax()), len(classes))
    total = float(counts[true].sum())
    return Confused(classes[true], classes[said], float(wrong[true, said] / total), total)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
