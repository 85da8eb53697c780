"""What learning from people, rules and models together asks of every shard of the votes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._credit import lone_answers
from labelmill.aggregation._known import Known
from labelmill.aggregation._posterior import keep_unanimous, posterior
from labelmill.aggregation._tally import Floats
from labelmill.aggregation._temperature import Bend, bend
from labelmill.aggregation._tone import Lean, lean
from labelmill.aggregation._weighing import Seen, Weighing
from labelmill.domain.sums import Sums
from labelmill.domain.vote_table import VoteTable

__all__ = [
    "ByClass",
    "ByMachines",
    "ByPeople",
    "ByWitnesses",
    "MeanOfMachines",
    "Opening",
    "Predicted",
    "Start",
    "Sweep",
    "Swept",
]

Mask = npt.NDArray[np.bool_]


class Swept(NamedTuple):
    """Expected counts after a sweep over the votes.

    Parameters
    ----------
    votes : ndarray of float64, shape (n_annotators, n_classes, n_classes)
        `[j, l, k]`: label l by annotator j on items of class k, as is believed.
    items : ndarray of float64, shape (n_classes,)
        Items with votes by class, as is believed.
    checked : ndarray of float64, shape (n_annotators, n_classes, n_classes)
        As `votes`, on items that two people or more answered, as people agree.
    change : ndarray of float64, shape (1,)
        Sum over the items of the largest change of a probability.
    """

    votes: Floats
    items: Floats
    checked: Floats
    change: Floats

    @classmethod
    def of(cls, sums: Sums) -> Self:
        """The counts that a sweep answers with."""
        return cls(*sums.arrays[:4])


class Opening(NamedTuple):
    """What does not change while learning: lone answers `[j, l]`, items with votes, items for people to judge by."""

    lone: Floats
    n_voted: float
    n_judged: float

    @classmethod
    def of(cls, sums: Sums) -> Self:
        """What the start answers with beside counts."""
        lone, sizes = sums.arrays[4:]
        return cls(lone, float(sizes[0]), float(sizes[1]))


@dataclass(frozen=True, slots=True)
class Start:
    """Asks for the counts by vote shares, people's where there are any, and for what does not change."""

    is_person: Mask

    def __call__(self, votes: VoteTable, /) -> Sums:
        """Sums of the shard: `Swept` and `Opening`."""
        seen = Seen.of(votes, self.is_person)
        judged = (seen.answered & seen.given).astype(np.float64)
        sizes = np.array([seen.all.weights.sum(), seen.all.total(judged)])
        swept = _swept(seen, seen.start, seen.start, 0.0)
        return Sums((*swept, lone_answers(votes, self.is_person), sizes))

    def with_known(self, sums: Sums, known: Known) -> Sums:
        """Known votes, as people would agree on them."""
        return _checked(sums, known)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Asks for the counts under a weighing, and how far beliefs moved since the one before (or the start)."""

    weighing: Weighing
    before: Weighing | None

    def __call__(self, votes: VoteTable, /) -> Sums:
        """Sums of the shard: `Swept`."""
        seen, weighing, before = Seen.of(votes, self.weighing.is_person), self.weighing, self.before
        old = seen.start if before is None else seen.once("believed", before, lambda: before.rounded(seen))
        new = seen.once("believed", weighing, lambda: weighing.rounded(seen))
        change = seen.all.total(np.abs(new - old).max(axis=1, initial=0.0))
        return Sums(_swept(seen, new, weighing.agreed(seen), change))

    def with_known(self, sums: Sums, known: Known) -> Sums:
        """Known votes, as people would agree on them."""
        return _checked(sums, known)


@dataclass(frozen=True, slots=True)
class ByPeople:
    """Asks how likely a weighing makes people's answers, by the weight of the rules or of the model `j`.

    The likelihood of the answers of an item is summed over its classes, each as likely beforehand as rules and models
    say. Their target is so what people and machines make of the item together: people's answers alone err too, and a
    machine that was taught to repeat their errors would be taught to be unsure.
    """

    weighing: Weighing
    j: int | None

    def __call__(self, votes: VoteTable, /) -> Sums:
        """Sums of the shard: `Bend`."""
        weighing, seen = self.weighing, Seen.of(votes, self.weighing.is_person)
        rows = seen.answered & seen.given
        said = weighing.said(seen)
        machines = weighing.machines(seen)[rows]
        weight, logs = weighing.rule_weight, said.rules
        if self.j is not None:
            if self.j not in seen.log_soft:
                return Bend(0.0, 0.0).sums
            weight, logs = weighing.tones[self.j].temperature, weighing.tones[self.j].tilted(seen.log_soft[self.j])
        targets, _ = posterior(weighing.people(seen)[rows] + machines)
        return bend(logs[rows], targets, seen.all.weights[rows], weight, machines - weight * logs[rows]).sums


@dataclass(frozen=True, slots=True)
class ByClass:
    """Asks how people's answers, errors that they share allowed for, lean on the tone of model `j` class by class."""

    weighing: Weighing
    j: int

    def __call__(self, votes: VoteTable, /) -> Sums:
        """Sums of the shard: `Lean`."""
        weighing, seen = self.weighing, Seen.of(votes, self.weighing.is_person)
        if self.j not in seen.log_soft:
            return Sums(tuple(Lean.none(votes.n_classes)))
        rows, tone = seen.answered & seen.soft_given[self.j], weighing.tones[self.j]
        logs = seen.log_soft[self.j][rows]
        beside = weighing.machines(seen)[rows] - tone.say(logs, rows[rows])
        shares = weighing.shared_errors.shares(votes.n_classes)
        return lean(tone, logs, beside, weighing.people(seen)[rows], seen.all.weights[rows], shares)


@dataclass(frozen=True, slots=True)
class MeanOfMachines:
    """Asks for the sum of what machines take for likely, over the items that people and models speak of."""

    weighing: Weighing

    def __call__(self, votes: VoteTable, /) -> Sums:
        """Sums of the shard: probabilities `[k]`, number of items."""
        seen = Seen.of(votes, self.weighing.is_person)
        rows = seen.answered & seen.given
        believed, weights = posterior(self.weighing.machines(seen)[rows])[0], seen.all.weights[rows]
        return Sums((np.einsum("i,ik->k", weights, believed), np.array([weights.sum()])))


@dataclass(frozen=True, slots=True)
class ByMachines:
    """Asks how much likelier machines make people's answers than if they knew nothing of the item.

    By the weight of people's word. A weight too large makes answers that machines contradict impossible, one too small
    makes all answers alike. `on_average` are the log probabilities of classes by machines, over all items.
    """

    weighing: Weighing
    on_average: tuple[float, ...]

    def __call__(self, votes: VoteTable, /) -> Sums:
        """Sums of the shard: `Bend`."""
        weighing, seen = self.weighing, Seen.of(votes, self.weighing.is_person)
        rows, weight = seen.answered & seen.given, self.weighing.people_weight
        people, least = weighing.said(seen).people[rows], weighing.said(seen).least[rows][:, None]
        open_to_weight = least < weight
        moved = np.where(open_to_weight, people, 0.0)
        fixed = np.where(open_to_weight, 0.0, least * people)
        targets, _ = posterior(weight * moved + fixed + weighing.machines(seen)[rows])
        return bend(moved, targets, seen.all.weights[rows], weight, fixed + np.array(self.on_average)).sums


@dataclass(frozen=True, slots=True)
class ByWitnesses:
    """Asks how well model `j` at a temperature foretells what the others make of the items it speaks of."""

    weighing: Weighing
    j: int
    temperature: float

    def __call__(self, votes: VoteTable, /) -> Sums:
        """Sums of the shard: `Bend`."""
        seen = Seen.of(votes, self.weighing.is_person)
        if self.j not in seen.log_soft:
            return Bend(0.0, 0.0).sums
        rows = seen.soft_given[self.j] & (seen.sources - 1 > 0)
        logs = seen.log_soft[self.j][rows]
        targets = seen.once("targets", (self.weighing, self.j), lambda: self._others(seen, rows))
        return bend(logs, targets, seen.all.weights[rows], self.temperature, np.zeros_like(logs)).sums

    def _others(self, seen: Seen, rows: Mask) -> Floats:
        own = self.weighing.tones[self.j].say(seen.log_soft[self.j], seen.soft_given[self.j])[rows]
        machines = self.weighing.capped(self.weighing.machines(seen)[rows] - own, seen.answered[rows])
        return posterior(self.weighing.people(seen)[rows] + machines)[0]


@dataclass(frozen=True, slots=True)
class Predicted:
    """Asks for the counts by class probabilities as they are predicted: unanimous votes kept."""

    weighing: Weighing

    def __call__(self, votes: VoteTable, /) -> Sums:
        """Sums of the shard: votes `[j, l, k]`."""
        seen = Seen.of(votes, self.weighing.is_person)
        probabilities = keep_unanimous(self.weighing.believe(seen), seen.all.unanimous)
        seen.kept.clear()
        return Sums((seen.all.counts(probabilities),))

    def with_known(self, sums: Sums, known: Known) -> Sums:
        """Known votes in their classes."""
        return Sums((sums.arrays[0] + known.votes,), sums.most)


def _swept(seen: Seen, believed: Floats, agreed: Floats, change: float) -> tuple[Floats, ...]:
    checked = np.where((seen.people_votes > 1)[:, None], agreed, 0.0)
    counts = seen.all.counts
    return counts(believed), seen.all.state_counts(believed), counts(checked), np.array([change])


def _checked(sums: Sums, known: Known) -> Sums:
    votes, items, checked, *rest = sums.arrays
    return Sums((votes + known.votes, items + known.items, checked + known.votes, *rest), sums.most)
