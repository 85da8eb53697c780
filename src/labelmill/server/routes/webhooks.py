"""Addresses that are told what happens in a project; for its admins."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from labelmill.errors import UsageError
from labelmill.server.auth import GuardedRoute, access, project_of, visit_of
from labelmill.server.desk import desk_of
from labelmill.server.forms import Form
from labelmill.server.problems import ProblemError
from labelmill.stores.database.outbox import add_webhook, dead_letters, list_webhooks, remove_webhook

__all__ = ["router"]

router = APIRouter(prefix="/api/projects/{project}/webhooks", tags=["webhooks"], route_class=GuardedRoute)


class NewWebhook(Form):
    """Where to, and of what."""

    url: Annotated[str, Field(max_length=2_000, examples=["https://example.org/labelmill"])]
    events: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=20, examples=[["vote.*"]])]


@router.get("")
@access("admin", scope="admin")
def webhooks(request: Request) -> JSONResponse:
    """The project's webhooks without their secrets, and events that nobody would take."""
    database, project = desk_of(request).database, project_of(request)
    found = [{"id": one.id, "url": one.url, "events": list(one.events)} for one in list_webhooks(database, project)]
    dead = [
        {"id": one.id, "event": one.event, "attempts": one.attempts, "error": one.error}
        for one in dead_letters(database, project)
    ]
    return JSONResponse({"webhooks": found, "dead_letters": dead})


@router.post("", status_code=201)
@access("admin", scope="admin")
def new_webhook(request: Request, form: NewWebhook) -> JSONResponse:
    """Send events there from now on; the secret that signs them is in this answer and nowhere else."""
    actor = visit_of(request).public_id
    made = add_webhook(desk_of(request).database, project_of(request), form.url, form.events, actor=actor)
    return JSONResponse({"id": made.id, "secret": made.secret}, 201)


@router.delete("/{webhook}", status_code=204)
@access("admin", scope="admin")
def end_webhook(request: Request, webhook: str) -> Response:
    """Send nothing more there."""
    try:
        remove_webhook(desk_of(request).database, project_of(request), webhook, actor=visit_of(request).public_id)
    except UsageError as error:
        raise ProblemError(404, str(error)) from None
    return Response(status_code=204)
