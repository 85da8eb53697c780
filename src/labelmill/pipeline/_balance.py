"""Batches with as many of each class as can be had, as far as one can tell before the answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import polars as pl

from labelmill.errors import UsageError
from labelmill.pipeline.workspace import Workspace

__all__ = ["REACH", "balanced", "check_balance"]

REACH = 4
"""Items that a batch is balanced from, for each one wanted."""


def balanced(rows: pl.DataFrame, count: int, answered: Mapping[str, int]) -> pl.DataFrame:
    """The batch: the next item is always the best of the class with the fewest answers, those in the batch included.

    Parameters
    ----------
    rows : polars.DataFrame
        Best first; `label` is the consensus.
    answered : mapping of str to int
        Class -> answers people gave.
    """
    waiting: dict[str | None, list[int]] = {}
    for place, label in enumerate(rows["label"].to_list()):
        waiting.setdefault(label, []).append(place)
    queues = {label: iter(places) for label, places in waiting.items()}
    ahead = {label: next(queue) for label, queue in queues.items()}
    have = Counter({label: answered.get(label or "", 0) for label in ahead})
    chosen: list[int] = []
    while ahead and len(chosen) < count:
        label = min(ahead, key=lambda each: (have[each], ahead[each]))
        chosen.append(ahead.pop(label))
        have[label] += 1
        following = next(queues[label], None)
        if following is not None:
            ahead[label] = following
    return rows[sorted(chosen)]


def check_balance(workspace: Workspace) -> None:
    """Refuse to balance what has no one class.

    Raises
    ------
    UsageError
        If the question is not a choice of one class.
    """
    if workspace.schema.kind not in {"choice", "rating"}:
        raise UsageError(
            f"select.balance_classes asks for the same number of each class, and an answer of kind "
            f"{workspace.schema.kind!r} is not one class: leave it out"
        )
