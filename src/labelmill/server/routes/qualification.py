"""Who may do real work: leads look, and decide."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from labelmill.server.auth import GuardedRoute, access, project_of, visit_of
from labelmill.server.desk import desk_of
from labelmill.server.forms import Form
from labelmill.server.lessons import told_to_leads
from labelmill.server.members import member_named
from labelmill.stores.database.qualification import LEAST_GOLD, decide_standing, standings

__all__ = ["router"]

router = APIRouter(prefix="/api/projects/{project}", tags=["people"], route_class=GuardedRoute)


class NewState(Form):
    """Let in, sent to training (again), or held back."""

    state: Annotated[Literal["training", "qualified", "paused"], Field(examples=["qualified"])]


@router.get("/qualification")
@access("lead")
def qualification(request: Request) -> JSONResponse:
    """What is asked of annotators, and how each stands."""
    desk, project = desk_of(request), project_of(request)
    settings = project.queue
    people: list[dict[str, Any]] = [
        {"annotator": one.annotator, "name": one.name, **told_to_leads(one), "attempt": one.attempt}
        for one in standings(desk.database, project)
    ]
    return JSONResponse(
        {
            "training": settings.training,
            "pass_mark": settings.pass_mark,
            "attempts": settings.attempts,
            "gold_share": settings.gold_share,
            "gold_floor": settings.gold_floor,
            "least_gold": LEAST_GOLD,
            "people": people,
        }
    )


@router.post("/people/{annotator}/qualification", status_code=204)
@access("lead", scope="admin")
def decide(request: Request, annotator: str, form: NewState) -> Response:
    """Decide about an annotator; what was counted of them before counts no more."""
    desk, project = desk_of(request), project_of(request)
    user = member_named(request, annotator)
    decide_standing(desk.queue(project), user.id, form.state, actor=visit_of(request).public_id)
    return Response(status_code=204)
