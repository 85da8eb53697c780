"""What annotators that are declared rather than programmed have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.annotators._answers import abstentions, votes_where
from labelmill.annotators._faults import FaultLog
from labelmill.domain.item import ItemBatch
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import VoteBatch
from labelmill.errors import LabelmillError, RulesError

__all__ = ["RULES_FOLDER", "Answer", "all_faulty", "declared_classes", "listed", "votes_of_rule"]

RULES_FOLDER: ContextVar[Path | None] = ContextVar("RULES_FOLDER", default=None)
"""Folder of the rules file that is being loaded: where its relative paths start."""

Answer = str | int | Sequence[str | int]
"""A class name or index; several for `multi_choice`."""


def declared_classes(label: Answer) -> tuple[str, ...]:
    """The class names in an answer, checked for shape; whether the schema has them is asked when it is known.

    Raises
    ------
    RulesError
        If it is no class name, index or sequence of these.
    """
    members = [label] if isinstance(label, str | int) else label
    if isinstance(label, bool) or not isinstance(members, Sequence):
        raise RulesError(f"a rule votes for a class name or index, found {label!r}")
    for member in members:
        if isinstance(member, bool) or not isinstance(member, str | int):
            raise RulesError(f"a rule votes for class names or indices, found {member!r}")
    return tuple(member for member in members if isinstance(member, str))


def votes_of_rule(
    name: str,
    batch: ItemBatch,
    schema: LabelSchema,
    answer: Answer,
    found: Callable[[], npt.NDArray[np.bool_]],
) -> VoteBatch:
    """Votes with `answer` where `found()` holds; if the rule cannot be asked, every item is a fault that says why."""
    try:
        return votes_where(found(), answer, schema)
    except LabelmillError as error:
        return all_faulty(name, batch, schema, error)


def all_faulty(name: str, batch: ItemBatch, schema: LabelSchema, error: BaseException) -> VoteBatch:
    """Every item is a fault, for the same reason."""
    log = FaultLog(name)
    for position in range(len(batch)):
        log.add(position, error)
    return VoteBatch(abstentions(len(batch), schema), log.faults(batch.ids))


def listed(values: Any, what: str) -> tuple[str, ...]:
    """A non-empty tuple of non-empty texts.

    Raises
    ------
    RulesError
        If it is none; a single text is not a list of its letters.
    """
    if isinstance(values, str):
        raise RulesError(f"{what} must be a list of texts, found the text {values!r}: write [{values!r}]")
    try:
        members = tuple(values)
    except TypeError:
        raise RulesError(f"{what} must be a list of texts, found {values!r}") from None
    for member in members:
        if not isinstance(member, str) or not member.strip():
            raise RulesError(f"{what} must be non-empty texts, found {member!r}")
    if not members:
        raise RulesError(f"{what} must name at least one text, found none")
    return tuple(dict.fromkeys(members))
