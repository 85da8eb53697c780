"""Rounds of asking: select, answer, learn, and again; what the mill does all day, with whoever answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.select import select
from labelmill.pipeline.submit import submit
from labelmill.pipeline.train import train
from labelmill.pipeline.workspace import Workspace

__all__ = ["Answerer", "Snapshot", "learn", "rounds"]

Answerer = Callable[[Iterable[str]], Mapping[str, str]]
"""Whoever answers: items in, item -> label out."""


@dataclass(frozen=True)
class Snapshot:
    """The labels after some number of answers.

    Parameters
    ----------
    n_answers : int
        Answers people had given by then.
    items : list of str
    labels : list of str or None
        The consensus, same order.
    uncertainty : ndarray of float64, shape (n_items,)
        1 − the probability of the label.
    """

    n_answers: int
    items: list[str]
    labels: list[str | None]
    uncertainty: npt.NDArray[np.float64]

    @property
    def by_item(self) -> dict[str, str | None]:
        """Item -> label."""
        return dict(zip(self.items, self.labels, strict=True))


def learn(workspace: Workspace, n_answers: int, *, keep: bool = False) -> Snapshot:
    """Train the learner on the consensus of the others, and aggregate with its votes.

    Parameters
    ----------
    n_answers : int
        Answers people have given.
    keep : bool
        Keep the fitted learner, not only its votes.
    """
    if workspace.project["train.learner"]:
        train(workspace, keep=keep, promote="always")  # rounds measure what answers buy, each version from its own
    consensus = aggregate(workspace).consensus
    return Snapshot(n_answers, list(consensus.items), consensus.labels, 1 - consensus.confidence)


def rounds(
    workspace: Workspace, answer: Answerer, *, by: str, strategy: str, n_answers: int, per_round: int, seed: int
) -> Iterator[Snapshot]:
    """A snapshot before the first answer and after each round of them.

    Parameters
    ----------
    answer : callable
        Whoever answers.
    by : str
        The name their answers go by.
    strategy : str
        Query strategy that chooses what is asked.
    n_answers : int
        Answers in total.
    per_round : int
        Answers before the mill learns from them.
    """
    given = 0
    yield learn(workspace, given)
    while given < n_answers:
        chosen = select(workspace, count=min(per_round, n_answers - given), strategy=strategy, seed=seed + given)
        if not chosen.tasks:
            return
        given += submit(workspace, answer([task.item for task in chosen.tasks]), by=by)
        yield learn(workspace, given, keep=given >= n_answers)
