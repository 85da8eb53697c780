"""Signing in and out, the first account, invitations, who I am."""

from __future__ import annotations

from typing import Annotated

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from pydantic import Field

from labelmill.errors import AccessError
from labelmill.server.auth import COOKIE, GuardedRoute, access, visit_of
from labelmill.server.desk import Desk, desk_of
from labelmill.server.forms import Form, Nothing
from labelmill.server.problems import ProblemError
from labelmill.stores.database.accounts import accept_link, check_password, set_role
from labelmill.stores.database.preferences import put_keys, roles_and_keys
from labelmill.stores.database.projects import list_projects
from labelmill.stores.database.sessions import SESSION_MS, close_session, open_session

__all__ = ["router"]

router = APIRouter(prefix="/api", tags=["session"], route_class=GuardedRoute)

_HASHING = anyio.CapacityLimiter(2)
"""A password costs 19 MiB and a while: two at a time, so that guessers do not stop the others."""

Name = Annotated[str, Field(min_length=1, max_length=200, examples=["ana"])]
Password = Annotated[str, Field(min_length=1, max_length=1_000, examples=["correct horse battery staple"])]
Key = Annotated[str, Field(max_length=30)]


class SignIn(Form):
    """Who wants in."""

    name: Name
    password: Password


class Invited(SignIn):
    """A new account, by a link that works once."""

    token: Annotated[str, Field(min_length=1, max_length=200)]


class Keys(Form):
    """A person's own keys: act -> key."""

    keys: Annotated[dict[Key, Key], Field(max_length=200, examples=[{"skip": "s"}])]


class Me(Form):
    """Who is signed in."""

    name: str
    role_by_project: dict[str, str]
    is_admin: bool
    language: str
    keys: dict[str, str]


@router.post("/sign-in", status_code=204)
@access("public")
async def sign_in(request: Request, form: SignIn) -> Response:
    """Sign in; the cookie comes with the answer."""
    desk = desk_of(request)
    address = request.client.host if request.client else ""
    account = form.name.strip().casefold()
    wait = max(desk.sign_ins.wait(account), desk.sign_ins_by_address.wait(address))
    if wait:
        seconds = str(int(wait) + 1)
        raise ProblemError(429, f"too many tries: wait {seconds} seconds", headers={"Retry-After": seconds})
    try:
        secret = await run_sync(_sign_in, desk, form, limiter=_HASHING)
    except AccessError as error:
        raise ProblemError(401, str(error)) from None
    desk.sign_ins.forget(account)
    return _with_cookie(desk, secret)


def _sign_in(desk: Desk, form: SignIn) -> str:
    return open_session(desk.database, check_password(desk.database, form.name, form.password))


@router.post("/sign-out", status_code=204)
@access("signed_in")
def sign_out(request: Request, form: Nothing) -> Response:  # noqa: ARG001 -- an empty object, checked
    """End this session, here and on the server."""
    desk = desk_of(request)
    secret = request.cookies.get(COOKIE)
    if secret:
        close_session(desk.database, secret)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/")
    return response


@router.post("/set-up", status_code=204)
@access("public")
async def set_up(request: Request, form: Invited) -> Response:
    """Make the first account, by the link that the server printed at its first start."""
    return await _accept(request, form)


@router.post("/invitations/accept", status_code=204)
@access("public")
async def accept_invitation(request: Request, form: Invited) -> Response:
    """Make an account by an invitation, or set a new password by a link."""
    return await _accept(request, form)


@router.get("/me")
@access("signed_in")
def me(request: Request) -> Me:
    """Who is signed in."""
    found = visit_of(request)
    roles, keys = roles_and_keys(desk_of(request).database, found.user, only=found.bound_to)
    return Me(name=found.display_name, role_by_project=roles, is_admin=found.is_admin, language="", keys=keys)


@router.put("/me/keys", status_code=204)
@access("signed_in", scope="annotate")
def my_keys(request: Request, form: Keys) -> Response:
    """Keep a person's own keys; two acts may not share one."""
    taken: dict[str, str] = {}
    for act, key in form.keys.items():
        if key in taken:
            raise ProblemError(422, f"{act!r} and {taken[key]!r} cannot both be {key!r}", field=f"keys.{act}")
        taken[key] = act
    put_keys(desk_of(request).database, visit_of(request).user, dict(form.keys))
    return Response(status_code=204)


async def _accept(request: Request, form: Invited) -> Response:
    desk = desk_of(request)
    address = request.client.host if request.client else ""
    if wait := desk.sign_ins_by_address.wait(address):
        seconds = str(int(wait) + 1)
        raise ProblemError(429, f"too many tries: wait {seconds} seconds", headers={"Retry-After": seconds})
    secret = await run_sync(_make_account, desk, form, limiter=_HASHING)
    return _with_cookie(desk, secret)


def _make_account(desk: Desk, form: Invited) -> str:
    user = accept_link(desk.database, form.token, password=form.password, name=form.name)
    if user.is_admin:
        for project in list_projects(desk.database):
            set_role(desk.database, project, user, "admin", actor=user.public_id)
    return open_session(desk.database, user)


def _with_cookie(desk: Desk, secret: str) -> Response:
    response = Response(status_code=204)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=SESSION_MS // 1000,
        httponly=True,
        samesite="strict",
        secure=desk.settings.is_https,
        path="/",
    )
    return response
