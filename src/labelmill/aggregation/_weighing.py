"""What people, rules and models say of each item, and how it is put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._mixture import Mixture
from labelmill.aggregation._posterior import posterior
from labelmill.aggregation._tally import Floats, Tally
from labelmill.aggregation._temperature import log_of_soft
from labelmill.aggregation._tone import SharedErrors, Tone
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable

__all__ = ["Seen", "Weighing"]

Mask = npt.NDArray[np.bool_]
T = TypeVar("T")

DECIMALS = 12

PERSON_START = 3.0
"""Votes that a person's counts for at the start; 1 to 5 end alike."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The votes of a table, sorted by how they count.

    `all` tallies every label; `hard` leaves out labels that only repeat a model's probabilities. `log_soft` and
    `soft_given` hold those by annotator; `sources` (n_rows,) is the number of annotators heard, `people_votes` that
    of people, `contested` whether they name several classes, `start` (n_rows, n_classes) the vote shares, people's
    where there are any.
    """

    all: Tally
    hard: Tally
    log_soft: dict[int, Floats]
    soft_given: dict[int, Mask]
    is_person: Mask
    people_votes: Floats
    contested: Mask
    sources: Floats
    start: Floats
    kept: dict[str, tuple[object, Any]] = field(default_factory=dict)

    @classmethod
    def sort(cls, votes: VoteTable, is_person: Mask, *, compress: bool = True) -> Self:
        """Sort the votes of a table with annotators numbered as in `is_person`."""
        every = Tally.of(votes) if compress else Tally.by_item(votes)
        soft_given = {j: np.isfinite(p).all(axis=1) for j, p in sorted(votes.soft.items())}
        hard = Tally(_without_echoes(votes, soft_given), compress=False) if soft_given else every
        identity = np.broadcast_to(np.eye(votes.n_classes), (votes.n_annotators,) + (votes.n_classes,) * 2)
        people = every.evidence(np.where(is_person[:, None, None], identity, 0.0))
        people_votes, contested = np.einsum("ij->i", people), (people > 0).sum(axis=1) > 1
        sources = np.einsum("ij->i", hard.evidence(identity)) + sum(soft_given.values(), start=np.zeros(every.n_rows))
        if soft_given:  # an item heard only through probabilities counts as voted on
            every = every.including(sources > 0)
        weighted = every.evidence(identity) + (PERSON_START - 1.0) * people
        total = np.einsum("ij->i", weighted)[:, None]
        start = np.where(total > 0, weighted / np.maximum(total, 1.0), every.shares)
        log_soft = {j: log_of_soft(np.asarray(votes.soft[j], dtype=np.float64)) for j in soft_given}
        return cls(every, hard, log_soft, soft_given, is_person, people_votes, contested, sources, start)

    @staticmethod
    def of(votes: VoteTable, is_person: Mask) -> Seen:
        """The same, made once for as long as the table object lives."""
        seen = _KEPT.get(votes)
        if seen is None or not np.array_equal(seen.is_person, is_person):
            seen = _KEPT[votes] = Seen.sort(votes, is_person)
        return seen

    @staticmethod
    def by_item(votes: VoteTable, is_person: Mask) -> Seen:
        """The same with one row for each of the table."""
        seen = Seen.of(votes, is_person)
        return seen if seen.all.inverse is None else Seen.sort(votes, is_person, compress=False)

    @property
    def answered(self) -> Mask:
        """Shape (n_rows,): True where a person answered."""
        return np.asarray(self.people_votes > 0)

    @property
    def given(self) -> Mask:
        """Shape (n_rows,): True where a model gave probabilities."""
        none = np.zeros(self.all.n_rows, dtype=np.bool_)
        return np.asarray(np.logical_or.reduce([none, *self.soft_given.values()]))

    def once(self, name: str, made_by: object, make: Callable[[], T]) -> T:
        """What `make` gives, made again only where it was made by something else the last time."""
        known = self.kept.get(name)
        if known is None or known[0] != made_by:
            known = self.kept[name] = (made_by, make())
        made: T = known[1]
        return made


_KEPT: WeakKeyDictionary[VoteTable, Seen] = WeakKeyDictionary()


class Said(NamedTuple):
    """What people and what rules (with the class balance) say of each row, each (n_rows, n_classes).

    `least` (n_rows,) is the share of people's word that the most accurate of them stands for alone, where they do not
    contradict each other; else 0.
    """

    people: Floats
    rules: Floats
    least: Floats


@dataclass(frozen=True, slots=True)
class Weighing:
    """How much each source's word counts: all that beliefs follow from.

    Parameters
    ----------
    words : Mixture
        What each vote says, and the class balance.
    rule_weight : float
        Weight of rules and class balance.
    tones : mapping of int to Tone
        Annotator index -> how its probabilities are read.
    trusted : float
        Accuracy of a person who outweighs all machines together.
    is_person : ndarray of bool, shape (n_annotators,)
    people_weight : float
        Weight of what people say together: below 1, their errors are not independent.
    shared_errors : SharedErrors
        What people take for what, all together; only the tones of models are learned by it.
    """

    words: Mixture
    rule_weight: float
    tones: Mapping[int, Tone]
    trusted: float
    is_person: Mask = field(compare=False)
    people_weight: float = 1.0
    shared_errors: SharedErrors = field(default_factory=SharedErrors)

    def said(self, seen: Seen) -> Said:
        """What people and what rules say of each row."""

        def hear() -> Said:
            personal = self.is_person[:, None, None]
            people = seen.hard.evidence(np.where(personal, self.words.per_vote, 0.0))
            rules = seen.hard.evidence(np.where(personal, 0.0, self.words.per_vote)) + self.words.log_balance
            return Said(people, rules, self._least(seen, people))

        return seen.once("said", self.words, hear)

    def share_of_people(self, seen: Seen) -> Floats:
        """How much of what people say counts on each row, (n_rows,): never less than one of them alone would."""
        return np.maximum(self.people_weight, self.said(seen).least)

    def people(self, seen: Seen) -> Floats:
        """What people say of each row, as far as it counts, (n_rows, n_classes)."""
        said = self.said(seen).people
        return said if self.people_weight == 1.0 else said * self.share_of_people(seen)[:, None]

    def machines(self, seen: Seen) -> Floats:
        """What rules (with the class balance) and models make of each row, (n_rows, n_classes)."""
        machines = self.rule_weight * self.said(seen).rules
        for j, logs in seen.log_soft.items():
            machines += self.tones[j].say(logs, seen.soft_given[j])
        return machines

    def believe(self, seen: Seen) -> Floats:
        """Class probabilities of each row, (n_rows, n_classes)."""
        machines = self.capped(self.machines(seen), seen.answered)
        return posterior(self.people(seen) + machines)[0]

    def rounded(self, seen: Seen) -> Floats:
        """Beliefs rounded, so that the order of sums cannot tip a fixed point that is unstable by symmetry."""
        return np.round(self.believe(seen), DECIMALS)

    def agreed(self, seen: Seen) -> Floats:
        """What people alone make of each row, rounded."""
        return np.round(posterior(self.said(seen).people + self.words.log_balance)[0], DECIMALS)

    def _least(self, seen: Seen, people: Floats) -> Floats:
        one_hot, loudest = seen.hard.one_hot, np.zeros(len(people))
        if people.shape[1] < 2 or not seen.log_soft:
            return loudest
        spread = np.where(self.is_person[:, None], np.ptp(self.words.per_vote, axis=2), 0.0).ravel()
        voted = np.flatnonzero(np.diff(one_hot.indptr))
        if len(voted):
            loudest[voted] = np.maximum.reduceat(spread[one_hot.indices], one_hot.indptr[voted])
        together = np.maximum(np.ptp(people, axis=1), 1e-300)
        return np.where(seen.contested, 0.0, np.minimum(loudest / together, 1.0))

    def capped(self, machines: Floats, answered: Mask) -> Floats:
        """What machines say, no louder than one trusted person where a person answered."""
        n_classes = machines.shape[1]
        if n_classes < 2 or not answered.any():
            return machines
        limit = np.log(self.trusted * (n_classes - 1) / (1.0 - self.trusted))
        spread = np.ptp(machines[answered], axis=1)
        capped = machines.copy()
        capped[answered] *= np.minimum(1.0, limit / np.maximum(spread, 1e-300))[:, None]
        return capped


def _without_echoes(votes: VoteTable, soft_given: dict[int, Mask]) -> VoteTable:
    kept = np.ones(len(votes.label), dtype=np.bool_)
    for j, given in soft_given.items():
        kept &= ~((votes.annotator_index == j) & given[votes.item_index] & (votes.label != ABSTAIN))
    return VoteTable(
        votes.items,
        votes.annotators,
        votes.classes,
        votes.item_index[kept],
        votes.annotator_index[kept],
        votes.label[kept],
        multiplicity=votes.multiplicity,
    )
