"""What leads decide: a review of an item, and an answer sent back to whoever gave it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from labelmill.server.auth import GuardedRoute, access, project_of, visit_of
from labelmill.server.desk import Desk, desk_of
from labelmill.server.forms import Form
from labelmill.server.members import member_named
from labelmill.server.problems import ProblemError
from labelmill.server.routes.work import Result, Results, VoteForm, take_votes
from labelmill.stores.database.item_pages import content_of, turn_for_review, turns_in_review
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tasks import NewTask, put_tasks

__all__ = ["router"]

router = APIRouter(prefix="/api/projects/{project}", tags=["review"], route_class=GuardedRoute)


class ReviewForm(VoteForm):
    """A lead's answer; it names the item, and needs no assignment."""

    assignment: Annotated[str, Field(max_length=100)] = ""


class Reviews(Form):
    """Some reviews."""

    votes: Annotated[list[ReviewForm], Field(max_length=100)]


class SendBack(Form):
    """An item for its annotator to look at again."""

    item: Annotated[str, Field(min_length=1, max_length=1_000)]
    annotator: Annotated[str, Field(min_length=1, max_length=100)]
    comment: Annotated[str, Field(max_length=10_000)] = ""


@router.post("/reviews")
@access("lead", scope="annotate")
def reviews(request: Request, form: Reviews) -> Results:
    """Keep a lead's answers on items that others have answered; they count as votes of purpose review.

    What is said without an answer, or taken back, holds no turn: the lead's hands stay free.
    """
    desk, project, user = desk_of(request), project_of(request), visit_of(request).user
    results, idle = [], []
    for vote in form.votes:
        turn = vote.assignment or _turn(desk, project, user, vote.item)
        if turn is None:
            results.append(Result(key=vote.key, status="refused", detail=_why_not(desk, project, vote.item)))
            continue
        results += take_votes(desk, project, user, [vote.model_copy(update={"assignment": turn})]).results
        if vote.kind != "label" and not vote.assignment:
            idle.append(turn)
    desk.queue(project).give_back(user, idle)
    return Results(results=results)


@router.post("/send-back", status_code=204)
@access("lead", scope="annotate")
def send_back(request: Request, form: SendBack) -> Response:
    """Ask somebody to look at their answer again, with a comment; their new answer takes its place."""
    desk, project = desk_of(request), project_of(request)
    content = content_of(desk.database, project, form.item)
    if content is None:
        raise ProblemError(404, f"nobody was asked about an item {form.item!r}", field="item")
    annotator = member_named(request, form.annotator, field="annotator")
    task = NewTask(form.item, content, priority=_newest(desk), assignee=annotator.id, why=form.comment or None)
    put_tasks(desk.database, project, [task])
    return Response(status_code=204)


FIRST = 1e9
"""Priority of what is asked of somebody by name."""


def _newest(desk: Desk) -> float:
    """Before all that was asked by name so far."""
    return FIRST + desk.database.clock()


def _turn(desk: Desk, project: Project, user: int, item: str) -> str | None:
    """The lead's turn at the item, made if there is none."""
    content = content_of(desk.database, project, item)
    if content is None:
        return None
    found = turn_for_review(desk.database, project, user, item)
    if found is None:
        put_tasks(desk.database, project, [NewTask(item, content, "review", priority=_newest(desk), assignee=user)])
        # What is held already would come again first, as lost on the way.
        held = turns_in_review(desk.database, project, user)
        desk.queue(project).next(user, 1, have=held, purpose="review")
        found = turn_for_review(desk.database, project, user, item)
    return found


def _why_not(desk: Desk, project: Project, item: str) -> str:
    if content_of(desk.database, project, item) is None:
        return f"nobody was asked about {item!r}"
    return "you hold too many items: answer some or give them back, then send this again"
