"""Person, rule or model: told by the table, or read off the votes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable

__all__ = ["Kinds"]

SELECTIVE = 0.2
"""An annotator that declines at least this share of what it is asked chooses its items."""
FEW_ASKED = 10
CHANCE = 1e-3
"""Naming a single class throughout must be less likely than this, by the labels of all, to mean something."""

MANY = 0.25
"""Below this share of annotators naming a single class, they are taken for people who always answer the same."""


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
        guess = _guesses(votes)
        told = tuple(kind is not None for kind in votes.kinds)
        names = tuple(kind or guess[j] for j, kind in enumerate(votes.kinds))
        return cls(names, tuple(not known for known in told))

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


def _guesses(votes: VoteTable) -> list[AnnotatorKind]:
    n = votes.n_annotators
    cast = votes.label != ABSTAIN
    asked = np.bincount(votes.annotator_index, minlength=n)
    flat = votes.annotator_index[cast].astype(np.int64) * votes.n_classes + votes.label[cast]
    by_class = np.bincount(flat, minlength=n * votes.n_classes).reshape(n, votes.n_classes)
    named = by_class.sum(axis=1)
    selective = (asked >= FEW_ASKED) & (asked - named >= SELECTIVE * asked)
    most = by_class.max(axis=1, initial=0)
    share = by_class.sum(axis=0) / max(named.sum(), 1)
    share_of_named = share[by_class.argmax(axis=1)] if votes.n_classes else np.zeros(n)
    unlikely = named * np.log(np.maximum(share_of_named, 1e-300)) < np.log(CHANCE)
    model = np.array([j in votes.soft for j in range(n)], dtype=np.bool_)
    unknown = ~model & np.array([kind is None for kind in votes.kinds], dtype=np.bool_)
    one_class = (most == named) & (named > 0) & unlikely
    if (one_class & unknown).sum() < MANY * unknown.sum():
        one_class[:] = False
    rule = selective | one_class
    clear = rule | (named > most)
    others: AnnotatorKind = "rule" if 2 * (rule & unknown).sum() > (clear & unknown).sum() else "person"
    return ["model" if model[j] else "rule" if rule[j] else others for j in range(n)]
