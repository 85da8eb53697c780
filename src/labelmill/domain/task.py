"""What is asked of people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from labelmill.domain.vote import Purpose

__all__ = ["Task", "TaskState"]

TaskState = Literal["open", "done"]


@dataclass(frozen=True, slots=True)
class Task:
    """One item asked of people.

    Parameters
    ----------
    item : str
        Id of the item.
    purpose : {"label", "review", "gold", "audit"}
        Why it is asked.
    priority : float
        Higher is asked sooner; comparable only within one selection.
    overlap : int
        How many people shall answer.
    state : {"open", "done"}
    why : str
        Why this item was chosen, for people to read.
    at_random : bool
        Drawn at random among all that nobody had answered: such answers measure without bias.
    """

    item: str
    purpose: Purpose = "label"
    priority: float = 0.0
    overlap: int = 1
    state: TaskState = "open"
    why: str = ""
    at_random: bool = False
