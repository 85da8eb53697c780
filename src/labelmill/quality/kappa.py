"""Cohen's kappa of every pair of annotators, as a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError, nearest
from labelmill.quality._units import Units, units_of
from labelmill.quality.distances import Level, distance_of

__all__ = ["Kappa", "Weights", "cohen_kappa"]

Weights = Literal["none", "linear", "quadratic"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Kappa:
    """Cohen's kappa of every pair of annotators.

    Parameters
    ----------
    annotators : tuple of str
    kappa : ndarray of float64, shape (n_annotators, n_annotators)
        NaN where a pair shares no item or both name one and the same class throughout.
    counts : ndarray of int64, shape (n_annotators, n_annotators)
        Items both voted on.
    """

    annotators: tuple[str, ...]
    kappa: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]

    @property
    def mean(self) -> float:
        """Mean kappa over pairs, weighted by the items they share; NaN without any."""
        above = np.triu(np.isfinite(self.kappa), 1)
        weights = self.counts[above]
        return float(np.average(self.kappa[above], weights=weights)) if weights.sum() else float("nan")


def cohen_kappa(votes: VoteTable, *, weights: Weights = "none") -> Kappa:
    r"""Cohen's kappa of every pair, over the items both voted on.

    :math:`\kappa = 1 - \sum_{ck} p_{ck} \delta_{ck} / \sum_{ck} p_{ac} p_{bk} \delta_{ck}` with the shares of votes
    :math:`p_{ck}` on the shared items and those of both annotators; without weights it is
    :math:`(p_o - p_e) / (1 - p_e)`, :math:`p_o` the share of equal votes (Cohen 1960,
    doi:10.1177/001316446002000104; with weights Cohen 1968, doi:10.1037/h0026256).

    Parameters
    ----------
    votes : VoteTable
    weights : {"none", "linear", "quadratic"}
        How disagreement grows: not at all, with the difference or its square, of classes that are numbers, or of
        places in the order of the classes.

    Raises
    ------
    UsageError
        Above 2,000 annotators: the table of pairs would not fit. If the weights are unknown.
    """
    if votes.n_annotators > 2000:
        raise UsageError(f"kappa of {votes.n_annotators} annotators: choose at most 2000 with votes.select_annotators")
    if weights not in get_args(Weights):
        raise UsageError(f"unknown weights {weights!r}: {nearest(str(weights), get_args(Weights))}")
    units = units_of(votes)
    both, agreed = units.pairs()
    n = both.astype(np.float64)
    if weights == "none":
        apart, by_chance = n - agreed, n * n - _chance(units)
    else:
        apart, by_chance = _weighed(units, votes, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        kappa = np.where(by_chance > 0, 1 - apart * n / by_chance, np.nan)
    return Kappa(votes.annotators, kappa, both)


def _named(units: Units, label: int, any_vote: Any) -> Floats:
    """Cell (a, b): items shared with b on which a names the class."""
    return np.asarray((units.votes_for(label).multiply(units.weight[:, None]).T @ any_vote).toarray())


def _chance(units: Units) -> Floats:
    """Cell (a, b): products of how often both name a class, over classes."""
    any_vote = units.votes_for()
    total = np.zeros((units.n_annotators, units.n_annotators))
    for label in units.labels_seen:
        named = _named(units, label, any_vote)
        total += named * named.T
    return total


def _weighed(units: Units, votes: VoteTable, level: Level) -> tuple[Floats, Floats]:
    """Distances summed over the shared items, and over all pairs of their votes."""
    any_vote, seen = units.votes_for(), units.labels_seen
    distance = distance_of(level, votes.classes)
    apart = np.zeros((units.n_annotators, units.n_annotators))
    by_chance = np.zeros_like(apart)
    for c in seen:
        mine = units.votes_for(c).multiply(units.weight[:, None]).T
        named = _named(units, c, any_vote)
        for k in seen:
            far = float(distance.between(np.zeros(1, np.intp), np.array([c]), np.array([k]))[0])
            if far > 0:
                apart += far * (mine @ units.votes_for(k)).toarray()
                by_chance += far * named * _named(units, k, any_vote).T
    return apart, by_chance
