"""Tokens: keys for programs, shown once."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from labelmill.errors import UsageError
from labelmill.server.auth import GuardedRoute, access, visit_of
from labelmill.server.desk import desk_of
from labelmill.server.forms import Form
from labelmill.server.problems import ProblemError
from labelmill.stores.database.accounts import find_user
from labelmill.stores.database.projects import projects_of
from labelmill.stores.database.sessions import create_token, list_tokens, revoke_token
from labelmill.stores.database.votes import iso_time

__all__ = ["router"]

router = APIRouter(prefix="/api/tokens", tags=["tokens"], route_class=GuardedRoute)


class NewToken(Form):
    """What a program may do, and for how long."""

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["nightly export"])]
    scopes: Annotated[list[Literal["read", "annotate", "work", "admin"]], Field(min_length=1, max_length=4)]
    project: str | None = None
    days: Annotated[int, Field(ge=1, le=366)] = 90


@router.get("")
@access("signed_in")
def tokens(request: Request) -> JSONResponse:
    """My tokens, without their secrets."""
    database = desk_of(request).database
    mine = list_tokens(database, find_user(database, visit_of(request).public_id))
    return JSONResponse(
        {
            "tokens": [
                {
                    "id": one.id,
                    "name": one.name,
                    "scopes": list(one.scopes),
                    "expires": iso_time(one.expires_at),
                    "is_revoked": one.is_revoked,
                }
                for one in mine
            ]
        }
    )


@router.post("", status_code=201)
@access("signed_in", scope="admin")
def make_token(request: Request, form: NewToken) -> JSONResponse:
    """A token for a program that acts as me; its secret is in this answer and nowhere else."""
    if "authorization" in request.headers:
        raise ProblemError(403, "a token makes no tokens: sign in with a password")
    database, visit = desk_of(request).database, visit_of(request)
    project = None
    if form.project is not None:
        mine = {one.public_id: one for one, _ in projects_of(database, visit.user)}
        if form.project not in mine:
            raise ProblemError(404, "there is no such project, or it is not yours", field="project")
        project = mine[form.project]
    made = create_token(
        database,
        find_user(database, visit.public_id),
        form.name,
        form.scopes,
        project=project,
        valid_days=form.days,
        actor=visit.public_id,
    )
    return JSONResponse({"id": made.id, "token": made.secret, "expires": iso_time(made.expires_at)}, 201)


@router.delete("/{token}", status_code=204)
@access("signed_in", scope="admin")
def end_token(request: Request, token: str) -> Response:
    """End one of my tokens."""
    database, visit = desk_of(request).database, visit_of(request)
    try:
        revoke_token(database, find_user(database, visit.public_id), token, actor=visit.public_id)
    except UsageError as error:
        raise ProblemError(404, str(error)) from None
    return Response(status_code=204)
