"""Take what people answer, exactly once, whatever happens on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from labelmill.domain.strict_json import dumps
from labelmill.errors import BadInputError, UsageError
from labelmill.stores.database import _turns
from labelmill.stores.database._checks import checked_count, checked_text
from labelmill.stores.database.queue import Queue

__all__ = ["Answer", "AnswerKind", "Receipt", "submit", "submit_within"]

AnswerKind = Literal["label", "skip", "flag", "comment", "reject", "retract"]
KINDS = ("label", "skip", "flag", "comment", "reject", "retract")

ANSWERS_AT_ONCE = 500

MAX_VALUE = 4_000_000
"""Characters of one value's JSON: masks and 5,000 shapes fit."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing that somebody said about a task.

    Parameters
    ----------
    key : str
        Made by the client, a new UUID for each act; the same key again is the same act.
    assignment : str
        Id of the turn that `Queue.next` gave.
    kind : {"label", "skip", "flag", "comment", "reject", "retract"}
        An answer; leave the item to others; mark it; say something; refuse the suggestion; take the answer back.
    value : optional
        The label, anything JSON. None with kind "label": looked and declined, with a `note` why.
    confidence : float, optional
        How sure they say they are, 0 to 1.
    note : str, optional
        The reason of a skip or flag, the text of a comment.
    base : str, optional
        Id of the suggestion that the answer started from.
    shown : {"shown", "blind"}, optional
        Whether suggestions were visible.
    outcome : {"accepted", "edited", "rejected"}, optional
        What became of the suggestion.
    ms_active, ms_total : int, optional
        Milliseconds: without pauses and hidden tabs; from first sight to submit.
    bulk : int, optional
        How many items were answered by the same act.
    ui : str, optional
        Version of the program that asked.
    at : int, optional
        The client's time of the answer, in milliseconds since 1970.
    is_right : bool, optional
        On gold and training items: whether it is the known answer, as whoever knows the kind of label finds. No part
        of what was said.
    """

    key: str
    assignment: str
    kind: AnswerKind = "label"
    value: Any = None
    confidence: float | None = None
    note: str | None = None
    base: str | None = None
    shown: Literal["shown", "blind"] | None = None
    outcome: Literal["accepted", "edited", "rejected"] | None = None
    ms_active: int | None = None
    ms_total: int | None = None
    bulk: int | None = None
    ui: str | None = None
    at: int | None = None
    is_right: bool | None = None

    def __post_init__(self) -> None:
        checked_text("key", self.key, longest=100)
        checked_text("assignment", self.assignment, longest=100)
        for name, allowed in (
            ("kind", KINDS),
            ("shown", ("shown", "blind", None)),
            ("outcome", ("accepted", "edited", "rejected", None)),
        ):
            if getattr(self, name) not in allowed:
                known = ", ".join(str(value) for value in allowed if value)
                raise UsageError(f"{name} must be one of {known}, found {getattr(self, name)!r}")
        checked_text("note", self.note, may_be_empty=True)
        checked_text("base", self.base, longest=200)
        checked_text("ui", self.ui, longest=100)
        for name in ("ms_active", "ms_total", "bulk", "at"):
            checked_count(name, getattr(self, name))
        if self.confidence is not None and not 0 <= self.confidence <= 1:
            raise UsageError(f"confidence must lie between 0 and 1, found {self.confidence!r}")
        if self.kind == "comment" and not self.note:
            raise UsageError("a comment needs its text in note")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an answer; the same however often it is sent.

    Parameters
    ----------
    key : str
    status : {"kept", "extra", "conflict", "refused"}
        In its slot; kept beside the answers asked for, as it came late; the key was used for other content; not taken.
    message : str
        Why it was not taken, and what to do.
    """

    key: str
    status: Literal["kept", "extra", "conflict", "refused"]
    message: str = ""

    @property
    def is_on_disk(self) -> bool:
        """Whether the client may forget it."""
        return self.status in {"kept", "extra"}


def submit(queue: Queue, user: int, answers: Sequence[Answer]) -> list[Receipt]:
    """Keep answers; on return they are on the disk. One receipt for each, in order.

    One answer that cannot be taken leaves the others alone. An answer after the lease ended takes a free slot again,
    or else is kept as an extra vote, or, by the setting `late`, refused with its content kept as a draft. A label
    again on the same task supersedes the one before.

    Raises
    ------
    UsageError
        If there are too many at once.
    AccessError
        If they are no member.
    """
    if len(answers) > ANSWERS_AT_ONCE:
        raise UsageError(f"send at most {ANSWERS_AT_ONCE} answers at once, found {len(answers)}")
    rows, refused = _written_out(answers)
    if not rows:
        return _receipts(answers, refused, rows, ())

    def work(connection: sa.Connection, *, careful: bool = False) -> list[_turns.Outcome]:
        return _turns.keep(connection, queue, user, rows, careful=careful)

    try:
        kept = queue.database.write(work)
    except IntegrityError:  # a key that was used before
        kept = queue.database.write(partial(work, careful=True))
    return _receipts(answers, refused, rows, kept)


def submit_within(
    connection: sa.Connection, queue: Queue, user: int, answers: Sequence[Answer], *, entry: Any, turns: dict[str, Any]
) -> list[Receipt]:
    """What `submit` does, within a transaction of the caller's.

    Parameters
    ----------
    entry, turns
        What the caller has found there: `visits.enter`, `turns_held.lock_turns`.

    Raises
    ------
    sqlalchemy.exc.IntegrityError
        If a key was used before: begin anew with `submit`.
    """
    rows, refused = _written_out(answers)
    kept = _turns.keep(connection, queue, user, rows, entry=entry, turns=turns) if rows else []
    return _receipts(answers, refused, rows, kept)


def _written_out(answers: Sequence[Answer]) -> tuple[list[_turns.Said], dict[int, Receipt]]:
    """The rows of answers, and what is said to those that cannot be one."""
    rows: list[_turns.Said] = []
    refused: dict[int, Receipt] = {}
    for position, answer in enumerate(answers):
        try:
            rows.append(_said(answer, position))
        except (BadInputError, UsageError) as error:
            refused[position] = Receipt(answer.key, "refused", str(error))
    return rows, refused


def _receipts(
    answers: Sequence[Answer],
    refused: dict[int, Receipt],
    rows: Sequence[_turns.Said],
    kept: Sequence[_turns.Outcome],
) -> list[Receipt]:
    given = {said.position: Receipt(said.row["key"], *what) for said, what in zip(rows, kept, strict=True)} | refused
    return [given[position] for position in range(len(answers))]


def _said(answer: Answer, position: int) -> _turns.Said:
    value = dumps(answer.value) if answer.kind in {"label", "reject"} else None
    if value is not None and len(value) > MAX_VALUE:
        raise UsageError(f"a value has at most {MAX_VALUE} characters of JSON, found {len(value)}")
    row = {
        "key": answer.key,
        "kind": answer.kind,
        "value": value,
        "confidence": None if answer.confidence is None else float(answer.confidence),
        "note": answer.note,
        "base": answer.base,
        "shown": answer.shown,
        "outcome": answer.outcome,
        "ms_active": answer.ms_active,
        "ms_total": answer.ms_total,
        "bulk": answer.bulk,
        "ui": answer.ui,
        "answered_at": answer.at,
    }
    content = dumps([answer.assignment, *row.values()])
    row["digest"] = hashlib.sha256(content.encode()).hexdigest()
    return _turns.Said(position, answer.assignment, row, answer.is_right)
