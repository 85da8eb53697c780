"""Who may do what: every route says it, a route that does not cannot be built.

The check comes before the body is read: who may not enter learns nothing of what a good request would be.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from anyio.to_thread import run_sync
from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from labelmill.domain.strict_json import loads
from labelmill.errors import AccessError, BadInputError
from labelmill.server.desk import desk_of
from labelmill.server.problems import ProblemError
from labelmill.stores.database.projects import Project
from labelmill.stores.database.sessions import Scope
from labelmill.stores.database.visits import Visit, visit

__all__ = [
    "CHALLENGE",
    "COOKIE",
    "ROLES",
    "GuardedRoute",
    "Level",
    "Rule",
    "StrictRequest",
    "access",
    "project_of",
    "rule_of",
    "secret_of",
    "token_shown",
    "visit_of",
]

COOKIE: Final = "labelmill_session"

Level = Literal["public", "signed_in", "annotator", "machine", "lead", "admin", "server_admin"]

ROLES: Final[dict[Level, frozenset[str]]] = {
    "annotator": frozenset({"annotator", "machine", "lead", "admin"}),
    "machine": frozenset({"machine", "lead", "admin"}),
    "lead": frozenset({"lead", "admin"}),
    "admin": frozenset({"admin"}),
}
"""Roles in a project that reach a level; what is for machines is never opened by a cookie."""

CHALLENGE: Final = {"WWW-Authenticate": 'Bearer, Basic realm="labelmill"'}
"""How a program learns what to show."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Rule:
    """What a route asks of whoever calls it; `scope` is what a token must allow."""

    level: Level
    scope: Scope


def access(level: Level, *, scope: Scope = "read") -> Callable[[F], F]:
    """Say who may call a route; below the decorator of the router."""

    def mark(endpoint: F) -> F:
        endpoint.__labelmill_rule__ = Rule(level, scope)  # type: ignore[attr-defined]  # functions take attributes
        return endpoint

    return mark


def rule_of(endpoint: Callable[..., Any]) -> Rule:
    """What a route asks.

    Raises
    ------
    TypeError
        If it does not say.
    """
    rule = getattr(endpoint, "__labelmill_rule__", None)
    if not isinstance(rule, Rule):
        raise TypeError(f"the route {endpoint.__name__!r} does not say who may call it: put @access(...) on it")
    return rule


class _UnreadableError(HTTPException):
    """FastAPI passes its own kind of error through, and hides all others."""


class StrictRequest(Request):
    """A request whose JSON is read by the one strict decoder."""

    async def json(self) -> Any:
        """The body.

        Raises
        ------
        HTTPException
            If it is not exactly JSON.
        """
        try:
            return loads(await self.body(), source="the request")
        except BadInputError as error:
            raise _UnreadableError(400, str(error)) from None


class GuardedRoute(APIRoute):
    """A route that lets in only whom its rule names."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind its guard."""
        handle, rule = super().get_route_handler(), rule_of(self.endpoint)

        async def guarded(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            if rule.level != "public":
                strict.state.visit = await run_sync(admit, strict, rule)
            return await handle(strict)

        return guarded


def admit(request: Request, rule: Rule) -> Visit:
    """Who asks, if the rule lets them in.

    Raises
    ------
    ProblemError
        401 if nobody is signed in, 404 for a project that is not theirs, 403 for what their role may not do.
    """
    project = request.path_params.get("project")
    try:
        secret = token_of(request) if rule.level == "machine" else secret_of(request)
        found = visit(desk_of(request).database, **secret, project=project)
    except AccessError as error:
        headers = CHALLENGE if rule.level == "machine" else {}
        raise ProblemError(401, str(error), headers=headers) from None
    if rule.scope not in found.scopes:
        raise ProblemError(403, f"this token does not allow {rule.scope!r}: make one with that scope")
    if rule.level == "server_admin" and not found.is_admin:
        raise ProblemError(403, "only an admin of the server may do this")
    if project is not None and found.project is None:
        raise ProblemError(404, "there is no such project, or it is not yours")
    if rule.level in ROLES and found.role not in ROLES[rule.level]:
        raise ProblemError(
            403, f"this is for the role {rule.level}, yours is {found.role}: ask an admin of the project"
        )
    if found.project is not None:
        desk_of(request).remember(found.project)
    return found


def visit_of(request: Request) -> Visit:
    """Who asks."""
    found: Visit = request.state.visit
    return found


def project_of(request: Request) -> Project:
    """The project asked about, which the guard has found to be theirs."""
    project = visit_of(request).project
    if project is None:
        raise ProblemError(404, "there is no such project, or it is not yours")
    return project


def secret_of(request: Request) -> dict[str, str]:
    """What somebody shows; a token in the header goes before the cookie, none is taken from an address.

    Raises
    ------
    AccessError
        If there is neither.
    """
    header = request.headers.get("authorization", "")
    if header:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise AccessError("the header Authorization must read: Bearer <token>")
        return {"token": token.strip()}
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        raise AccessError("sign in first")
    return {"session": cookie}


def token_of(request: Request) -> dict[str, str]:
    """The token that a program shows.

    Raises
    ------
    AccessError
        If there is none: a cookie, which a browser sends whoever asked it to, is not enough.
    """
    token = token_shown(request.headers.get("authorization", ""))
    if not token:
        raise AccessError("show a token: Authorization: Bearer <token>, or as the password of Basic")
    return {"token": token}


def token_shown(header: str) -> str:
    """The token in a header Authorization, which may be the password of Basic; empty if there is none."""
    scheme, _, given = header.partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):
            return base64.b64decode(given.strip(), validate=True).decode().partition(":")[2]
    return ""
