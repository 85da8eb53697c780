"""Who belongs to a project, and how others come in."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from labelmill.errors import UsageError
from labelmill.server.auth import GuardedRoute, access, project_of, visit_of
from labelmill.server.desk import desk_of
from labelmill.server.forms import Form
from labelmill.server.problems import ProblemError
from labelmill.stores.database.accounts import (
    User,
    create_link,
    find_user,
    list_members,
    remove_member,
    role_in,
    set_role,
)

__all__ = ["router"]

router = APIRouter(prefix="/api/projects/{project}", tags=["people"], route_class=GuardedRoute)

PersonRole = Literal["admin", "lead", "annotator"]


class Invitation(Form):
    """What the newcomer shall be."""

    role: PersonRole = "annotator"


class Link(Form):
    """Works once, within a week."""

    link: Annotated[str, Field(examples=["http://localhost:8321/invitation/..."])]


class NewRole(Form):
    """What somebody shall be from now on."""

    role: PersonRole


@router.get("/people")
@access("lead")
def people(request: Request) -> JSONResponse:
    """All members, in the order they came."""
    found = list_members(desk_of(request).database, project_of(request))
    return JSONResponse(
        {
            "people": [
                {
                    "annotator": one.user.public_id,
                    "name": one.user.display_name,
                    "role": one.role,
                    "is_disabled": one.user.is_disabled,
                }
                for one in found
            ]
        }
    )


@router.post("/invitations")
@access("lead", scope="admin")
def invitations(request: Request, form: Invitation) -> Link:
    """A link for one newcomer; nobody invites to more than they are."""
    visit = visit_of(request)
    if form.role == "admin" and visit.role != "admin":
        raise ProblemError(403, "only an admin of the project invites admins", field="role")
    secret = create_link(
        desk_of(request).database, "invitation", project=project_of(request), role=form.role, actor=visit.public_id
    )
    return Link(link=f"{_root(request)}/invitation/{secret}")


@router.put("/people/{annotator}", status_code=204)
@access("admin", scope="admin")
def change_role(request: Request, annotator: str, form: NewRole) -> Response:
    """Give a member another role; they sign in anew."""
    user = _member(request, annotator)
    actor = visit_of(request).public_id
    set_role(desk_of(request).database, project_of(request), user, form.role, actor=actor)
    return Response(status_code=204)


@router.delete("/people/{annotator}", status_code=204)
@access("admin", scope="admin")
def take_out(request: Request, annotator: str) -> Response:
    """Take a member out; what they said stays."""
    user = _member(request, annotator)
    remove_member(desk_of(request).database, project_of(request), user, actor=visit_of(request).public_id)
    return Response(status_code=204)


def _member(request: Request, annotator: str) -> User:
    database, project = desk_of(request).database, project_of(request)
    try:
        user = find_user(database, annotator)
    except UsageError:
        user = None
    if user is None or role_in(database, project, user.id) is None:
        raise ProblemError(404, "the project has no such member")
    if user.id == visit_of(request).user:
        raise ProblemError(409, "your own role is for another admin to change")
    return user


def _root(request: Request) -> str:
    scheme = "https" if desk_of(request).settings.is_https else request.url.scheme
    return f"{scheme}://{request.headers['host']}"
