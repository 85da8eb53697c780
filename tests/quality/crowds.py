"""Crowds whose truth is known, and what may be wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.aggregation.shrinkage_dawid_skene import ShrinkageDawidSkene
from labelmill.domain.vote_table import VoteTable
from labelmill.quality.check import Check, check

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass
class Crowd:
    """Votes of people on items, in the order in which they were given; `label` may be changed."""

    truth: Ints
    item: Ints
    who: Ints
    label: Ints
    seconds: Floats
    at: Floats
    n_people: int
    n_classes: int

    def own(self, person: int) -> Ints:
        """Votes of one person, in their order."""
        return np.flatnonzero(self.who == person)

    def busiest(self, place: int) -> int:
        """The person with the most votes, or the second, ..."""
        return int(np.argsort(-np.bincount(self.who, minlength=self.n_people), kind="stable")[place])

    def table(self) -> VoteTable:
        """As a vote table."""
        return VoteTable(
            [f"item {i}" for i in range(len(self.truth))],
            [f"person {j}" for j in range(self.n_people)],
            [f"class {k}" for k in range(self.n_classes)],
            self.item,
            self.who,
            self.label,
            kinds=["person"] * self.n_people,
        )

    def checked(self, *, with_times: bool = False, with_truth: bool = False, **options: Any) -> Check:
        """What `check` says."""
        table = self.table()
        return check(
            table,
            ShrinkageDawidSkene().fit(table).predict_proba(table),
            truth=self.truth if with_truth else None,
            at=self.at if with_times else None,
            seconds=self.seconds if with_times else None,
            **options,
        )


def honest(
    seed: int,
    *,
    n_items: int = 300,
    votes_each: int = 5,
    n_people: int = 30,
    n_classes: int = 3,
    hard: float = 0.0,
    balance: list[float] | None = None,
) -> Crowd:
    """People of different accuracy, activity, speed and mix-ups; on hard items most say one wrong class.

    Parameters
    ----------
    hard : float
        Share of items on which people are right 45 % of the time, and else fall for the same trap.
    """
    rng = np.random.default_rng(seed)
    truth = rng.choice(n_classes, size=n_items, p=balance)
    activity = rng.pareto(1.5, n_people) + 0.3
    chosen = [rng.choice(n_people, votes_each, replace=False, p=activity / activity.sum()) for _ in range(n_items)]
    order = rng.permutation(n_items * votes_each)
    item, who = np.repeat(np.arange(n_items), votes_each)[order], np.concatenate(chosen)[order]
    skill = rng.beta(8, 3, n_people)
    errors = rng.dirichlet(np.full(n_classes - 1, 0.7), size=(n_people, n_classes)).cumsum(axis=2)
    step = 1 + (rng.random(len(item))[:, None] > errors[who, truth[item]]).sum(axis=1).clip(max=n_classes - 2)
    trapped = rng.random(n_items) < hard
    looks = rng.random(len(item)) < np.where(trapped[item], 0.45, skill[who] * (1 - 1 / n_classes) + 0.9 / n_classes)
    wrong = (truth[item] + np.where(trapped[item], 1, step)) % n_classes
    seconds = np.exp(rng.normal(np.log(8) + rng.normal(0, 0.3, n_people)[who], 0.6))
    return Crowd(
        truth, item, who, np.where(looks, truth[item], wrong), seconds, np.cumsum(seconds), n_people, n_classes
    )
