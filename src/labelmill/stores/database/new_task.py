"""One item that is to be asked of people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from labelmill.domain.vote import Purpose
from labelmill.errors import UsageError
from labelmill.stores.database._checks import checked_text

__all__ = ["NewTask", "TaskPurpose"]

TaskPurpose = Purpose | Literal["training"]
"""Why a person is asked; training shows the answer afterwards and is no vote."""

PURPOSES = ("label", "review", "gold", "audit", "training")

MAX_OVERLAP = 1_000


@dataclass(frozen=True, slots=True)
class NewTask:
    """One item to be asked of people.

    Parameters
    ----------
    item : str
        The item's id in the lake.
    content : mapping
        What people see: text or media, facts, context.
    purpose : {"label", "review", "gold", "audit", "training"}
    priority : float
        Higher is asked sooner; equal ones in the order they came.
    overlap : int
        How many people shall answer.
    suggestions : sequence of mapping
        Answers so far: `id`, `source`, `value`, `score`; best first.
    why : str, optional
        Why this item was chosen, for people to read.
    answer : optional
        The known answer of a gold or training item; None: not known.
    reason : str, optional
        Why that is the answer.
    assignee : int, optional
        The only one who may take it, although the item was theirs before: a review sent back.
    """

    item: str
    content: Mapping[str, Any]
    purpose: TaskPurpose = "label"
    priority: float = 0.0
    overlap: int = 1
    suggestions: Sequence[Mapping[str, Any]] = ()
    why: str | None = None
    answer: Any = None
    reason: str | None = None
    assignee: int | None = None

    def __post_init__(self) -> None:
        checked_text("item", self.item, longest=1_000)
        checked_text("why", self.why, may_be_empty=True)
        checked_text("reason", self.reason, may_be_empty=True)
        if self.purpose not in PURPOSES:
            raise UsageError(f"purpose must be one of {', '.join(PURPOSES)}, found {self.purpose!r}")
        if not math.isfinite(self.priority):
            raise UsageError(f"the priority of item {self.item!r} must be a finite number, found {self.priority}")
        if isinstance(self.overlap, bool) or not 1 <= self.overlap <= MAX_OVERLAP:
            raise UsageError(
                f"the overlap of item {self.item!r} must lie between 1 and {MAX_OVERLAP}, found {self.overlap}"
            )
        if self.purpose in {"gold", "training"} and self.answer is None:
            raise UsageError(f"item {self.item!r} is asked as {self.purpose}: give its answer")
        if self.assignee is not None and self.overlap != 1:
            raise UsageError(f"item {self.item!r} is sent back to one person: its overlap is 1")
