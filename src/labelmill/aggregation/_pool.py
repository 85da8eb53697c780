"""How much each of several label models should count, so that together they foretell votes best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._halves import Halves, OfHalf
from labelmill.aggregation._leave_one_out import Beliefs, CanLeaveOut, told
from labelmill.aggregation._posterior import class_balance
from labelmill.aggregation._side_by_side import side_by_side
from labelmill.aggregation._tally import Floats
from labelmill.domain.sums import Ask, Rounds, Sums
from labelmill.domain.vote_table import VoteTable

__all__ = ["Pooled", "pooled"]

CREDITED = 1.0
"""Votes foretold by each model alone that it is credited with beforehand: no weight is 0, and the best is unique."""
MOST_ROUNDS = 60
CLOSE_ENOUGH = 1e-7
NEARLY_ALL = 0.9
"""A step goes at most so much of the way to a weight of 0."""


class Pooled(NamedTuple):
    """Weights that sum to 1, and mean log probability of a vote, in nats; by name."""

    weights: dict[str, float]
    scores: dict[str, float]


def pooled(models: Mapping[str, Sequence[CanLeaveOut]], halves: Halves | None) -> Rounds[Pooled]:
    r"""The weights w that maximise the sum over votes of log sum_m w_m P_m(vote | the other votes on its item).

    Stacking of predictive distributions (Yao, Vehtari, Simpson and Gelman 2018, "Using Stacking to Average Bayesian
    Predictive Distributions", https://doi.org/10.1214/17-BA1091), plus one log w_m each; concave, climbed by Newton
    steps on the simplex.

    Parameters
    ----------
    models : mapping of str to sequence of label model
        Fitted: two each where one half of the items was foretold from the other (the first learned from half 1 and
        foretells half 0, the second the other way round), one where all learned from all.
    halves : Halves or None
        The two halves; None where all learned from all.
    """
    members = yield from side_by_side(
        {f"{v}:{name}": _believed(each[v], halves, 1 - v) for name, each in models.items() for v in range(len(each))}
    )
    sides = tuple(tuple(members[f"{v}:{name}"] for name in models) for v in range(1 if halves is None else 2))
    weights, scores = yield from _climb(sides, halves, len(models))
    names = list(models)
    return Pooled(dict(zip(names, weights.tolist(), strict=True)), dict(zip(names, scores.tolist(), strict=True)))


class _Member(NamedTuple):
    """A model with the votes and the balance by its posterior, of all that it learned from."""

    model: CanLeaveOut
    counts: Floats
    balance: Floats


def _believed(model: CanLeaveOut, halves: Halves | None, which: int) -> Rounds[_Member]:
    ask: Ask = Beliefs(model)
    counts, items = (yield ask if halves is None else OfHalf(ask, halves, which)).arrays
    return _Member(model, counts, class_balance(items))


def _token(sides: tuple[tuple[_Member, ...], ...]) -> str:
    """Equal for equal members, wherever they are."""
    content = sha256()
    for member in (member for side in sides for member in side):
        content.update(member.counts.tobytes())
        content.update(member.balance.tobytes())
    return content.hexdigest()


def _climb(
    sides: tuple[tuple[_Member, ...], ...], halves: Halves | None, n_models: int
) -> Rounds[tuple[Floats, Floats]]:
    token = _token(sides)
    weights = np.full(n_models, 1.0 / n_models)
    step, best, scores = np.zeros(n_models), -np.inf, np.zeros(n_models)
    for _ in range(MOST_ROUNDS):
        told_, slope, bend = (yield _Slope(sides, halves, token, weights + step)).arrays
        n_votes = float(told_[1])
        scores = told_[2:] / max(n_votes, 1.0)
        value = float(told_[0]) + CREDITED * float(np.log(weights + step).sum())
        if value < best - 1e-9 * max(abs(best), 1.0):  # too far: half the way
            step = step / 2.0
            continue
        best, weights = value, weights + step
        step = _newton(weights, slope + CREDITED / weights, bend + np.diag(CREDITED / weights**2))
        if np.abs(step).max(initial=0.0) < CLOSE_ENOUGH:
            break
    weights = weights + step
    return weights / weights.sum(), scores


def _newton(weights: Floats, slope: Floats, bend: Floats) -> Floats:
    """The Newton step that keeps the sum of the weights, and each of them above 0."""
    n = len(weights)
    system = np.block([[bend, np.ones((n, 1))], [np.ones((1, n)), np.zeros((1, 1))]])
    step = np.linalg.solve(system, np.append(slope, 0.0))[:n]
    step -= step.mean()
    falling = step < 0
    room = float((weights[falling] / -step[falling]).min(initial=np.inf))
    return np.asarray(step * min(1.0, NEARLY_ALL * room))


@dataclass(frozen=True, slots=True)
class _Slope:
    """Asks for the log probability of the votes under these weights, its first and minus its second derivative.

    With the former come the number of votes and the sum for each model alone.
    """

    sides: tuple[tuple[_Member, ...], ...]
    halves: Halves | None
    token: str
    weights: Floats

    def __call__(self, votes: VoteTable, /) -> Sums:
        logs, times = self._foretold(votes)
        best = logs.max(axis=1, initial=-np.inf)
        likely = np.exp(logs - best[:, None])
        mixed = likely @ self.weights
        ratio = likely / mixed[:, None]
        value = np.einsum("i,i->", times, np.log(mixed) + best)
        alone = np.einsum("i,im->m", times, logs)
        slope = np.einsum("i,im->m", times, ratio)
        bend = np.einsum("i,im,in->mn", times, ratio, ratio)
        return Sums((np.concatenate([[value, times.sum()], alone]), slope, bend))

    def _foretold(self, votes: VoteTable) -> tuple[Floats, Floats]:
        kept = _KEPT.get(votes)
        if kept is None or kept[0] != self.token:
            kept = _KEPT[votes] = (self.token, *self._made(votes))
        return kept[1], kept[2]

    def _made(self, votes: VoteTable) -> tuple[Floats, Floats]:
        nobody: npt.NDArray[np.bool_] = np.zeros(votes.n_annotators, dtype=np.bool_)
        parts = (votes,) if self.halves is None else self.halves.of(votes)
        logs, times = [np.zeros((0, len(self.weights)))], [np.zeros(0)]
        for part, members in zip(parts, self.sides, strict=True):
            found = [
                told(each.model, part, nobody, each.counts, each.balance, own=self.halves is None) for each in members
            ]
            logs.append(np.column_stack([each.logs for each in found]))
            times.append(found[0].times(part) * (1.0 if self.halves is None else 0.5))
        return np.concatenate(logs), np.concatenate(times)


_KEPT: WeakKeyDictionary[VoteTable, tuple[str, Floats, Floats]] = WeakKeyDictionary()
