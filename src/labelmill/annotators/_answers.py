"""Answers as user code gives them become class indices; what is no answer becomes an error beside its position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.vote import VoteBatch
from labelmill.errors import SchemaError

__all__ = ["Labels", "abstentions", "coded", "is_multiple", "votes_where"]

Labels = npt.NDArray[np.int16] | list[tuple[int, ...] | None] | list[Any]
"""Labels of a `VoteBatch`."""

PLAIN = {str, int, type(None)}
"""Types whose equality is what it seems; `True == 1` and `1.0 == 1`, but neither is an answer."""


def is_multiple(schema: LabelSchema) -> bool:
    """Whether an answer is a set of classes."""
    return schema.kind == "multi_choice"


def coded(answers: list[Any], schema: LabelSchema) -> tuple[Labels, dict[int, SchemaError]]:
    """The answers as labels, and position -> what is wrong for those that are none (they abstain).

    Answers that are more than classes stay as they are: only their kind can tell, with the item, whether they are any.
    """
    if schema.is_structured:
        return [None if _is_abstention(answer, schema) else answer for answer in answers], {}
    return _coded_sets(answers, schema) if is_multiple(schema) else _coded_classes(answers, schema)


def abstentions(n_items: int, schema: LabelSchema) -> Labels:
    """Labels of a batch on which nobody says anything."""
    if is_multiple(schema) or schema.is_structured:
        return [None] * n_items
    return np.full(n_items, ABSTAIN, dtype=np.int16)


def votes_where(found: npt.NDArray[np.bool_], answer: Any, schema: LabelSchema) -> VoteBatch:
    """Votes with one answer where `found`, abstentions elsewhere.

    Raises
    ------
    SchemaError
        If the answer is none.
    """
    labels, errors = coded([answer], schema)
    for error in errors.values():
        raise error
    if isinstance(labels, list):
        return VoteBatch([labels[0] if hit else None for hit in found.tolist()])
    return VoteBatch(np.where(found, labels[0], np.int16(ABSTAIN)))


def _coded_classes(answers: list[Any], schema: LabelSchema) -> tuple[Labels, dict[int, SchemaError]]:
    plain = _coded_at_once(answers, schema)
    if plain is not None:
        return plain, {}
    labels = np.full(len(answers), ABSTAIN, dtype=np.int16)
    errors = {}
    for i, answer in enumerate(answers):
        try:
            labels[i] = schema.index(_scalar(answer))
        except SchemaError as error:
            errors[i] = error
    return labels, errors


def _coded_at_once(answers: list[Any], schema: LabelSchema) -> npt.NDArray[np.int16] | None:
    """The answers as labels if each is a plain one, else None; no Python code runs for each answer."""
    kinds = set(map(type, answers))
    try:
        if kinds == {int}:
            indices = np.array(answers, dtype=np.int64)
            fits = indices.min() >= ABSTAIN and indices.max() < schema.n_classes
            return indices.astype(np.int16) if fits else None
        if kinds <= PLAIN:
            return np.fromiter(map(_codes(schema).__getitem__, answers), dtype=np.int16, count=len(answers))
    except (KeyError, OverflowError):
        pass
    return None


def _coded_sets(answers: list[Any], schema: LabelSchema) -> tuple[Labels, dict[int, SchemaError]]:
    labels: list[tuple[int, ...] | None] = []
    errors = {}
    for i, answer in enumerate(answers):
        try:
            labels.append(_coded_set(answer, schema))
        except SchemaError as error:
            labels.append(None)
            errors[i] = error
    return labels, errors


def _coded_set(answer: Any, schema: LabelSchema) -> tuple[int, ...] | None:
    if isinstance(answer, list | tuple | set | frozenset):
        members = {schema.index(_scalar(member)) for member in answer}
        if ABSTAIN in members:
            raise SchemaError(f"{answer!r} mixes classes with ABSTAIN: return None to abstain, [] for none applies")
        return tuple(sorted(members))
    position = schema.index(_scalar(answer))
    return None if position == ABSTAIN else (position,)


def _is_abstention(answer: Any, schema: LabelSchema) -> bool:
    """None, "ABSTAIN", or the constant, which for a question of numbers is a number."""
    if type(answer) is int:
        return answer == ABSTAIN and schema.kind != "number"
    return answer is None or (type(answer) is str and answer == "ABSTAIN")


def _scalar(answer: Any) -> Any:
    """The answer, with containers and odd objects told apart from class names before they are compared."""
    if isinstance(answer, list | tuple | set | frozenset | dict):
        raise SchemaError(f"{_shown(answer)} is no single class: return one class name, an index, ABSTAIN or None")
    if answer is None or isinstance(answer, str) or hasattr(answer, "__index__"):
        return answer
    raise SchemaError(f"{_shown(answer)} is no answer: return a class name, an index, ABSTAIN or None")


def _codes(schema: LabelSchema) -> dict[Any, int]:
    indices: Sequence[Any] = range(schema.n_classes)
    codes: dict[Any, int] = dict.fromkeys((None, "ABSTAIN", ABSTAIN), ABSTAIN)
    return codes | dict(zip(indices, indices, strict=True)) | dict(zip(schema.classes, indices, strict=True))


def _shown(answer: Any) -> str:
    """The value for a message; user objects may fail even at that."""
    try:
        text = repr(answer)
    except Exception:  # noqa: BLE001 - a broken __repr__ must not hide the fault it is shown in
        text = f"an object of type {type(answer).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."
