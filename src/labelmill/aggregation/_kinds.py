"""Person, rule or model: told by the table, or read off the votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN
from labelmill.domain.sums import Sums
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable

__all__ = ["Kinds", "Turnout"]

SELECTIVE = 0.2
"""An annotator that declines at least this share of what it is asked chooses its items."""
FEW_ASKED = 10
CHANCE = 1e-3
"""Naming a single class throughout must be less likely than this, by the labels of all, to mean something."""

MANY = 0.25
"""Below this share of annotators naming a single class, they are taken for people who always answer the same."""
SEVERAL = 2
"""As is a lone one, however few annotators there are."""


class Turnout(NamedTuple):
    """How often each annotator was asked and what it named: all that kinds are told by.

    Parameters
    ----------
    asked : ndarray of float64, shape (n_annotators,)
        Votes, abstentions among them.
    named : ndarray of float64, shape (n_annotators, n_classes)
        Votes for each class.
    soft : ndarray of float64, shape (n_annotators,)
        Above 0 for annotators with probabilities.
    """

    asked: npt.NDArray[np.float64]
    named: npt.NDArray[np.float64]
    soft: npt.NDArray[np.float64]

    @staticmethod
    def ask(votes: VoteTable, /) -> Sums:
        """The turnout of one shard, as sums."""
        n, n_classes = votes.n_annotators, votes.n_classes
        counted = None if votes.multiplicity is None else votes.multiplicity[votes.item_index]
        cast = votes.label != ABSTAIN
        flat = votes.annotator_index[cast].astype(np.int64) * n_classes + votes.label[cast]
        named = np.bincount(flat, None if counted is None else counted[cast], minlength=n * n_classes)
        asked = np.bincount(votes.annotator_index, counted, minlength=n).astype(np.float64)
        soft = np.array([j in votes.soft for j in range(n)], dtype=np.float64)
        return Sums((asked, named.reshape(n, n_classes).astype(np.float64), soft))

    @classmethod
    def of(cls, sums: Sums) -> Self:
        """The turnout in all shards."""
        return cls(*sums.arrays)


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kind of each annotator, and which of them were inferred.

    Parameters
    ----------
    names : tuple of {"person", "rule", "model"}
        One for each annotator.
    inferred : tuple of bool
        True where the table did not say.
    """

    names: tuple[AnnotatorKind, ...]
    inferred: tuple[bool, ...]

    @classmethod
    def of(cls, votes: VoteTable) -> Kinds:
        """Kinds as the table tells them; else as the votes suggest.

        An annotator with probabilities is a model. One that declines much of what it is asked is a rule, and so are
        those that name a single class more often than chance explains, if there are many of them: a few among a crowd
        are people who always answer the same. The others are rules where most are (rules may name several classes),
        else people; a table that mixes both says so by its kinds.
        """
        return cls.by(Turnout.of(Turnout.ask(votes)), votes.kinds)

    @classmethod
    def by(cls, turnout: Turnout, told: Sequence[AnnotatorKind | None]) -> Kinds:
        """The same from the turnout of all shards."""
        guess = _guesses(turnout, told)
        names = tuple(kind or guess[j] for j, kind in enumerate(told))
        return cls(names, tuple(kind is None for kind in told))

    def mask(self, kind: AnnotatorKind) -> npt.NDArray[np.bool_]:
        """Shape (n_annotators,): True for annotators of the kind."""
        return np.array([name == kind for name in self.names], dtype=np.bool_)

    def describe(self, annotators: tuple[str, ...]) -> dict[str, object]:
        """How many of each kind, and the names of those inferred, for `details_`; JSON-able."""
        counts = {kind: self.names.count(kind) for kind in ("person", "rule", "model")}
        inferred = {
            name: kind for name, kind, guessed in zip(annotators, self.names, self.inferred, strict=True) if guessed
        }
        return {"counts": counts, "inferred": inferred}


def _guesses(turnout: Turnout, told: Sequence[AnnotatorKind | None]) -> list[AnnotatorKind]:
    asked, by_class, _ = turnout
    n, n_classes = by_class.shape
    named = by_class.sum(axis=1)
    selective = (asked >= FEW_ASKED) & (asked - named >= SELECTIVE * asked)
    most = by_class.max(axis=1, initial=0)
    share = by_class.sum(axis=0) / max(named.sum(), 1)
    share_of_named = share[by_class.argmax(axis=1)] if n_classes else np.zeros(n)
    unlikely = named * np.log(np.maximum(share_of_named, 1e-300)) < np.log(CHANCE)
    model = turnout.soft > 0
    unknown = ~model & np.array([kind is None for kind in told], dtype=np.bool_)
    one_class = (most == named) & (named > 0) & unlikely
    if (one_class & unknown).sum() < max(MANY * unknown.sum(), SEVERAL):
        one_class[:] = False
    rule = selective | one_class
    clear = rule | (named > most)
    others: AnnotatorKind = "rule" if 2 * (rule & unknown).sum() > (clear & unknown).sum() else "person"
    return ["model" if model[j] else "rule" if rule[j] else others for j in range(n)]
