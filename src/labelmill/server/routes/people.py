"""Who belongs to a project, and how others come in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from labelmill.server.auth import GuardedRoute, access, project_of, visit_of
from labelmill.server.desk import desk_of
from labelmill.server.figures import figures_of
from labelmill.server.forms import Form
from labelmill.server.lessons import told_to_leads
from labelmill.server.members import member_named
from labelmill.server.problems import ProblemError
from labelmill.stores.database.accounts import (
    Member,
    User,
    create_link,
    give_back_of,
    list_members,
    remove_member,
    set_role,
)
from labelmill.stores.database.figures import Someone, everybody
from labelmill.stores.database.qualification import standings
from labelmill.stores.database.votes import iso_time

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
    """All members, in the order they came, with what the dashboard knows of each."""
    desk, project = desk_of(request), project_of(request)
    told = {row["annotator"]: row for row in figures_of(desk, project)["annotators"] if row["kind"] == "person"}
    signs = {one.annotator: one for one in everybody(desk.database, project)}
    stands = {one.annotator: told_to_leads(one) for one in standings(desk.database, project)}
    found = list_members(desk.database, project)
    return JSONResponse(
        {
            "people": [
                _line(one, told.get(one.user.public_id, {}), signs)
                | {
                    "is_me": one.user.id == visit_of(request).user,
                    "qualification": stands.get(one.user.public_id),
                }
                for one in found
            ]
        }
    )


def _line(one: Member, told: Mapping[str, Any], signs: Mapping[str, Someone]) -> dict[str, Any]:
    sign = signs.get(one.user.public_id)
    return {
        "annotator": one.user.public_id,
        "name": one.user.display_name,
        "role": one.role,
        "is_disabled": one.user.is_disabled,
        "votes": told.get("votes", 0),
        "ms_median": told.get("ms_median"),
        "reliability": told.get("reliability"),
        "low": told.get("low"),
        "high": told.get("high"),
        "gold": told.get("gold"),
        "last_at": told.get("last_at"),
        "seen_at": None if sign is None or sign.seen_at is None else iso_time(sign.seen_at),
        "n_open": 0 if sign is None else sign.n_open,
    }


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
    user = _other_member(request, annotator)
    actor = visit_of(request).public_id
    set_role(desk_of(request).database, project_of(request), user, form.role, actor=actor)
    return Response(status_code=204)


@router.delete("/people/{annotator}", status_code=204)
@access("admin", scope="admin")
def take_out(request: Request, annotator: str) -> Response:
    """Take a member out; what they said stays."""
    user = _other_member(request, annotator)
    remove_member(desk_of(request).database, project_of(request), user, actor=visit_of(request).public_id)
    return Response(status_code=204)


@router.post("/people/{annotator}/give-back")
@access("lead", scope="admin")
def give_back(request: Request, annotator: str) -> JSONResponse:
    """Return to the queue all that somebody holds unanswered; they keep what they have begun as drafts."""
    user = member_named(request, annotator)
    n = give_back_of(desk_of(request).database, project_of(request), user, actor=visit_of(request).public_id)
    return JSONResponse({"n": n})


def _other_member(request: Request, annotator: str) -> User:
    user = member_named(request, annotator)
    if user.id == visit_of(request).user:
        raise ProblemError(409, "your own role is for another admin to change")
    return user


def _root(request: Request) -> str:
    scheme = "https" if desk_of(request).settings.is_https else request.url.scheme
    return f"{scheme}://{request.headers['host']}"
