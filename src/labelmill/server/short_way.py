"""The short way for what is asked at every label: the guard and the work are one transaction.

The ordinary way through the routes looks who asks, reads the form, and works, each with a thread and a transaction of
its own. Here all of it is one piece of work for the database, and what comes next for sixteen people is written at
once. Whatever is out of the ordinary (a large body, somebody who may not, a key that was used before) goes the
ordinary way, which says what is wrong; nothing has been done by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from labelmill.domain.strict_json import loads
from labelmill.errors import AccessError, LabelmillError
from labelmill.server.asgi import App, Message, Receive, Scope, Send
from labelmill.server.auth import ROLES, Rule, StrictRequest, rule_of, secret_of
from labelmill.server.desk import Desk
from labelmill.server.forms import Form
from labelmill.stores.database.projects import Project
from labelmill.stores.database.visits import Entry, enter

__all__ = ["Piece", "ShortWay", "UnusualError", "quickly", "short_ways"]

MOST_BYTES: Final = 65_536
"""A body beyond it is read after the guard, and checked where nobody waits for it."""

Work = Callable[[sa.Connection, Desk, Project, Entry, Any], dict[str, Any]]

F = TypeVar("F", bound=Callable[..., Any])


class UnusualError(Exception):
    """Go the ordinary way."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What an endpoint does, as one piece of work.

    Parameters
    ----------
    form : type of Form
        What is sent.
    work : callable
        From the transaction, the desk, the project, who entered and the form, to the answer; it may run more than
        once.
    alone : bool
        Whether one person's pieces wait for each other.
    then : callable, optional
        Told the answer once it is on the disk.
    """

    form: type[Form]
    work: Work
    alone: bool = False
    then: Callable[[Desk, dict[str, Any]], None] | None = None


def quickly(piece: Piece) -> Callable[[F], F]:
    """Say how an endpoint under a project works when nothing is out of the ordinary."""

    def mark(endpoint: F) -> F:
        endpoint.__labelmill_piece__ = piece  # type: ignore[attr-defined]  # functions take attributes
        return endpoint

    return mark


def short_ways(routes: Any) -> dict[str, tuple[Any, Rule, Piece]]:
    """The last word of an address -> its route, who may ask and what is done; of the endpoints that say so."""
    found = {}
    for route in routes:
        piece = getattr(getattr(route, "endpoint", None), "__labelmill_piece__", None)
        if piece is not None:
            found[route.path.rpartition("/")[2]] = (route, rule_of(route.endpoint), piece)
    return found


class ShortWay:
    """The middleware.

    Parameters
    ----------
    app : ASGI application
        The ordinary way.
    desk : Desk
    ways : mapping
        Of `short_ways`.
    """

    def __init__(self, app: App, desk: Desk, ways: Mapping[str, tuple[Any, Rule, Piece]]) -> None:
        self._app, self._desk, self._ways = app, desk, ways

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once, or pass the request on as it came."""
        way, project = self._way_of(scope)
        if way is None or project is None or _length(scope) > MOST_BYTES:
            await self._app(scope, receive, send)
            return
        route, rule, piece = way
        request = StrictRequest(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        answer = await self._answer(request, body, project, rule, piece)
        if answer is None:
            await self._app(scope, _again(body, receive), send)
            return
        scope["route"] = route
        await answer(scope, receive, send)

    def _way_of(self, scope: Scope) -> tuple[tuple[Any, Rule, Piece] | None, Project | None]:
        """The way of `/api/projects/{project}/{word}`, and the project; None what is not known."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return None, None
        parts = scope["path"].split("/")
        if len(parts) != 5 or parts[1:3] != ["api", "projects"]:
            return None, None
        return self._ways.get(parts[4]), self._desk.known_project(parts[3])

    async def _answer(
        self, request: StrictRequest, body: bytes, project: Project, rule: Rule, piece: Piece
    ) -> JSONResponse | None:
        desk = self._desk
        try:
            secret, form = secret_of(request), piece.form.model_validate(loads(body))
        except (AccessError, LabelmillError, ValidationError):
            return None

        def work(connection: sa.Connection) -> tuple[Entry, dict[str, Any]]:
            entry = enter(connection, desk.database.clock(), project.public_id, alone=piece.alone, **secret)
            if entry is None or entry.version != project.version:
                raise UnusualError
            if rule.scope not in entry.scopes or entry.role not in ROLES[rule.level]:
                raise UnusualError
            return entry, piece.work(connection, desk, project, entry, form)

        try:
            entry, told = await asyncio.wrap_future(desk.database.write_later(work))
        except (UnusualError, LabelmillError, sa.exc.SQLAlchemyError):
            return None
        request.state.visit = entry
        if piece.then is not None:
            piece.then(desk, told)
        return JSONResponse(told)


def _length(scope: Scope) -> int:
    """Bytes of the body, as the client says; beyond all measure if it does not."""
    told = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(told) if told.isdigit() else MOST_BYTES + 1


def _again(body: bytes, receive: Receive) -> Receive:
    """Receives the body once more, and then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again
