"""Labelling: what comes next, what was answered, what is held, what was begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from labelmill.domain.strict_json import loads
from labelmill.errors import BadInputError, SchemaError, UsageError
from labelmill.server.auth import GuardedRoute, access, project_of, visit_of
from labelmill.server.desk import Desk, Question, desk_of
from labelmill.server.forms import Form
from labelmill.server.lessons import LessonForm, found_right, lessons_of, told_to_person
from labelmill.server.pages_of import checked_limit, cursor
from labelmill.server.short_way import Piece, UnusualError, quickly
from labelmill.server.showing import shown_data
from labelmill.stores.database.answers import Answer, Receipt, submit, submit_within
from labelmill.stores.database.drafts import keep_draft
from labelmill.stores.database.handing_out import look_beside
from labelmill.stores.database.projects import Project
from labelmill.stores.database.queue import Assignment
from labelmill.stores.database.turns_held import Turn, known_answers, lock_turns, turns_of
from labelmill.stores.database.visits import Entry
from labelmill.stores.database.votes import iso_time, my_answers

__all__ = ["handed_out", "router", "take_votes"]

router = APIRouter(prefix="/api/projects/{project}", tags=["work"], route_class=GuardedRoute)

Id = Annotated[str, Field(min_length=1, max_length=100)]
Ids = Annotated[list[Id], Field(max_length=1_000, examples=[["b3l8xQ0pY1sVnW2k"]])]
Milliseconds = Annotated[int, Field(ge=0, le=2**53)]


class Next(Form):
    """How many items, and which are held already."""

    n: Annotated[int, Field(ge=1, le=100, examples=[4])] = 1
    have: Ids = Field(default_factory=list)
    purpose: Literal["label", "review", "training", "audit"] = "label"


class Held(Form):
    """Items in somebody's hands."""

    assignments: Ids


class VoteForm(Form):
    """One thing that somebody said."""

    key: Annotated[str, Field(min_length=1, max_length=100, examples=["7b0f9a52-3f0e-4a59-9d0c-1d2f8f7f1f10"])]
    assignment: Id
    item: Annotated[str, Field(min_length=1, max_length=1_000, examples=["mail-17"])]
    kind: Literal["label", "skip", "flag", "reject", "retract", "comment"] = "label"
    value: Annotated[Any, Field(examples=["spam"])] = None
    base: Annotated[str | None, Field(max_length=200)] = None
    verdict: Literal["accepted", "edited", "rejected", "ignored", "blind"] = "ignored"
    reason: Annotated[str, Field(max_length=10_000)] = ""
    ms_active: Milliseconds = 0
    ms_total: Milliseconds = 0
    at: Annotated[str | None, Field(max_length=40, examples=["2026-01-31T12:00:00Z"])] = None
    ui: Annotated[str, Field(max_length=100)] = ""
    bulk: Annotated[int | None, Field(ge=1, le=100_000)] = None


class Votes(Form):
    """Some votes of one person."""

    votes: Annotated[list[VoteForm], Field(max_length=500)]


class Result(Form):
    """What became of a vote; the client may forget what is stored, repeated or late."""

    key: str
    status: Literal["stored", "repeated", "late", "conflict", "refused"]
    detail: str = ""
    lesson: LessonForm | None = None


class Results(Form):
    """One for each vote, in order."""

    results: list[Result]


class Draft(Form):
    """What somebody has so far."""

    value: Any = None


class Changed(Form):
    """The assignments that are still held, or that were given back."""

    assignments: list[str]


STATUS: dict[str, Literal["stored", "late", "conflict", "refused"]] = {
    "kept": "stored",
    "extra": "late",
    "conflict": "conflict",
    "refused": "refused",
}


OUTCOMES: dict[str, Literal["accepted", "edited", "rejected"]] = {
    "accepted": "accepted",
    "edited": "edited",
    "rejected": "rejected",
}
"""What became of a suggestion; one that was ignored or not seen became nothing."""


def _next_within(
    connection: sa.Connection, desk: Desk, project: Project, user: int, form: Next, entry: Entry | None = None
) -> dict[str, Any]:
    queue = desk.queue(project)
    handed = queue.hand_out(connection, user, form.n, have=form.have, purpose=form.purpose, entry=entry)
    again = [one.id for one in handed.given[: handed.n_again]]
    beside = look_beside(connection, project, user, again=again, purpose=form.purpose)
    return {
        "tasks": handed_out(desk, project, handed.given, beside.drafts),
        "left": beside.n_left,
        "stale": [one for one in form.have if one not in handed.held],
    }


def _next_at_once(connection: sa.Connection, desk: Desk, project: Project, entry: Entry, form: Next) -> dict[str, Any]:
    if project.queue.checks_people or not desk.queue(project).is_swept:
        raise UnusualError
    return _next_within(connection, desk, project, entry.user, form, entry) | {"qualification": None}


@router.post("/next")
@quickly(Piece(Next, _next_at_once, alone=True))
@access("annotator", scope="annotate")
def next_tasks(request: Request, form: Next) -> JSONResponse:
    """Lease the next items, best first; what the client lost on the way comes again."""
    desk, project, user = desk_of(request), project_of(request), visit_of(request).user
    desk.queue(project).sweep()
    told = desk.database.write(lambda connection: _next_within(connection, desk, project, user, form))
    return JSONResponse(told | {"qualification": told_to_person(desk, project, user)})


def _votes_at_once(
    connection: sa.Connection, desk: Desk, project: Project, entry: Entry, form: Votes
) -> dict[str, Any]:
    turns = lock_turns(connection, project, entry.user, {one.assignment for one in form.votes})
    if any(turn.purpose == "training" for turn in turns.values()):
        raise UnusualError  # a lesson follows
    known = known_answers(connection, [turn.item_id for turn in turns.values() if turn.purpose == "gold"])
    shown = {
        name: Turn(turn.name, loads(turn.content), turn.purpose, known.get(turn.item_id))
        for name, turn in turns.items()
    }
    answers, refused = _checked(form.votes, shown, desk.question(project))
    queue = desk.queue(project)
    receipts = submit_within(connection, queue, entry.user, list(answers.values()), entry=entry, turns=turns)
    return _results(answers, receipts, refused).model_dump(exclude_none=True)


def _count(desk: Desk, told: dict[str, Any]) -> None:
    for result in told["results"]:
        desk.traffic.voted(result["status"])


@router.post("/votes", response_model_exclude_none=True)
@quickly(Piece(Votes, _votes_at_once, then=_count))
@access("annotator", scope="annotate")
def votes(request: Request, form: Votes) -> Results:
    """Keep answers; what is called stored is on the disk. One that cannot be taken leaves the others alone."""
    return take_votes(desk_of(request), project_of(request), visit_of(request).user, form.votes)


@router.post("/renew")
@access("annotator", scope="annotate")
def renew(request: Request, form: Held) -> Changed:
    """Keep what is held for longer; the answer names what still is."""
    queue = desk_of(request).queue(project_of(request))
    return Changed(assignments=queue.renew(visit_of(request).user, form.assignments))


@router.post("/give-back")
@access("annotator", scope="annotate")
def give_back(request: Request, form: Held) -> Changed:
    """Leave items to others; the answer names those that went back."""
    queue = desk_of(request).queue(project_of(request))
    return Changed(assignments=queue.give_back(visit_of(request).user, form.assignments))


@router.put("/drafts/{assignment}", status_code=204)
@access("annotator", scope="annotate")
def put_draft(request: Request, assignment: str, form: Draft) -> Response:
    """Keep what somebody has so far; it comes back with the task."""
    keep_draft(desk_of(request).database, project_of(request), visit_of(request).user, assignment, form.value)
    return Response(status_code=204)


@router.get("/done")
@access("annotator")
def done(request: Request, before: str = "", limit: int = 20) -> JSONResponse:
    """My last answers, newest first; `before` is the cursor that the page before ended with."""
    checked_limit(limit, 200)
    desk, project = desk_of(request), project_of(request)
    page = my_answers(desk.database, project, visit_of(request).user, before=cursor(before, "before"), limit=limit)
    answers = [
        {
            "assignment": row.assignment,
            "item": row.item,
            "kind": row.kind,
            "value": row.value,
            "reason": row.note or "",
            "at": row.at,
            "data": shown_data(desk, project, row.item, row.content),
        }
        for row in page
    ]
    more = str(page[-1].sequence) if len(page) == limit else None
    return JSONResponse({"answers": answers, "before": more})


def take_votes(desk: Desk, project: Project, user: int, forms: Sequence[VoteForm]) -> Results:
    """Check answers against the question and their items, keep those that are answers."""
    turns = turns_of(desk.database, project, user, {form.assignment for form in forms})
    answers, refused = _checked(forms, turns, desk.question(project))
    results = _results(answers, submit(desk.queue(project), user, list(answers.values())), refused)
    for result in results.results:
        desk.traffic.voted(result.status)
    return _with_lessons(desk, project, user, forms, turns, answers, results)


def _checked(
    forms: Sequence[VoteForm], turns: Mapping[str, Turn], question: Question
) -> tuple[dict[int, Answer], dict[int, Result]]:
    """Answers by their places, and what is said to those that are none."""
    answers: dict[int, Answer] = {}
    refused: dict[int, Result] = {}
    for place, form in enumerate(forms):
        try:
            answers[place] = _answer(form, turns.get(form.assignment), question)
        except (SchemaError, UsageError, BadInputError) as error:
            refused[place] = Result(key=form.key, status="refused", detail=str(error)[:1_000])
    return answers, refused


def _results(answers: Mapping[int, Answer], receipts: Sequence[Receipt], refused: Mapping[int, Result]) -> Results:
    all_of_them = dict(refused)
    all_of_them |= {place: _result(receipt) for place, receipt in zip(answers, receipts, strict=True)}
    return Results(results=[all_of_them[place] for place in sorted(all_of_them)])


def _with_lessons(
    desk: Desk,
    project: Project,
    user: int,
    forms: Sequence[VoteForm],
    turns: Mapping[str, Turn],
    answers: Mapping[int, Answer],
    results: Results,
) -> Results:
    """The results; those in training with what is to be learned."""
    said = {
        form.assignment: bool(answers[place].is_right)
        for place, form in enumerate(forms)
        if place in answers
        and form.kind in {"label", "skip"}
        and form.assignment in turns
        and turns[form.assignment].purpose == "training"
        and results.results[place].status in {"stored", "repeated", "late"}
    }
    if not said:
        return results
    taught = lessons_of(desk, project, user, said)
    told = zip(forms, results.results, strict=True)
    return Results(results=[one.model_copy(update={"lesson": taught.get(form.assignment)}) for form, one in told])


def handed_out(
    desk: Desk, project: Project, given: Sequence[Assignment], drafts: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Tasks as the browser app takes them."""
    threshold = desk.question(project).threshold
    return [
        {
            "assignment": one.id,
            "item": one.item,
            "purpose": _shown_purpose(one.purpose),
            "data": shown_data(desk, project, one.item, one.content),
            "meta": one.content.get("meta", {}),
            "why": one.why or "",
            "suggestions": [s for s in one.suggestions if s.get("score") is None or s["score"] >= threshold],
            "blind": one.is_blind,
            "lease_until": iso_time(one.deadline),
            "draft": drafts.get(one.id),
        }
        for one in given
    ]


def _shown_purpose(purpose: str) -> str:
    """A gold item must look like any other."""
    return "label" if purpose == "gold" else purpose


def _answer(form: VoteForm, turn: Turn | None, question: Question) -> Answer:
    if turn is not None and turn.item != form.item:
        raise UsageError("the assignment is about another item: ask for the next one")
    value = form.value
    if form.kind == "label" and value is not None and turn is not None:
        value = question.checked(value, turn.item, turn.content)
    return Answer(
        key=form.key,
        assignment=form.assignment,
        kind=form.kind,
        value=value,
        note=form.reason or None,
        base=form.base,
        shown="blind" if form.verdict == "blind" else "shown",
        outcome=OUTCOMES.get(form.verdict),
        ms_active=form.ms_active,
        ms_total=form.ms_total,
        bulk=form.bulk,
        ui=form.ui or None,
        at=_milliseconds(form.at),
        is_right=found_right(question, turn, value) if form.kind == "label" else None,
    )


def _result(receipt: Receipt) -> Result:
    return Result(key=receipt.key, status=STATUS[receipt.status], detail=receipt.message)


def _milliseconds(at: str | None) -> int | None:
    if at is None:
        return None
    try:
        moment = datetime.fromisoformat(at)
        return max(0, int(moment.timestamp() * 1000))
    except (ValueError, OverflowError):
        raise UsageError("at must be a time in ISO 8601, e.g. 2026-01-31T12:00:00Z") from None
