"""What stands before every route: names, origins, sizes and rates are checked, every answer gets its headers.

One ASGI middleware. What it refuses never reaches a route, and nothing leaves the server without the headers, errors
included.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping
from typing import Final

from starlette.exceptions import HTTPException

from labelmill.server.asgi import App, Message, Receive, Scope, Send
from labelmill.server.for_programs import is_for_programs, is_stream
from labelmill.server.limits import Buckets
from labelmill.server.problems import problem_response
from labelmill.server.settings import ServerSettings
from labelmill.server.traffic import Traffic

__all__ = ["HEADERS", "Security"]

logger = logging.getLogger(__name__)

HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
        "connect-src 'self'; font-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}
"""On every answer; a route may set its own `cache-control` and a stricter policy."""

_ON_EVERY_ANSWER: Final = tuple((name.encode(), value.encode()) for name, value in HEADERS.items())

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

BODY_SECONDS: Final = 30.0
"""The whole body must have come by then."""

IDLE_SECONDS: Final = 300.0
"""A body without end must go on by then."""

MOST_HEADERS: Final = 100


class _RefusedError(HTTPException):
    """What the middleware answers itself; FastAPI, reading a body, lets this kind of error through."""


class Security:
    """The middleware.

    Parameters
    ----------
    app : ASGI application
    settings : ServerSettings
    traffic : Traffic
        Counts what was answered.
    """

    def __init__(self, app: App, settings: ServerSettings, traffic: Traffic) -> None:
        self._app, self._settings, self._traffic = app, settings, traffic
        self._rates = Buckets(settings.requests_per_second, settings.burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, let it through, and put the headers on its answer."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # no other protocol is spoken here
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = _Answer(scope, send)
        try:
            headers = _headers_of(scope)
            self._check(scope, headers)
            await self._app(scope, self._received(scope, receive, headers), answer.send)
        except _RefusedError as error:
            await answer.refuse(error.status_code, error.detail, error.headers or {})
        except Exception as error:
            number = secrets.token_hex(6)
            logger.exception("request.failed", extra={"facts": {"number": number, "error": type(error).__name__}})
            await answer.refuse(500, f"something went wrong here; its number in the server's log is {number}", {})
        finally:
            self._tell(scope, answer)

    def _received(self, scope: Scope, receive: Receive, headers: Mapping[str, str]) -> Receive:
        if is_stream(scope["path"]):
            return _Flowing(receive)
        return _Limited(receive, headers, self._settings.max_body)

    def _check(self, scope: Scope, headers: Mapping[str, str]) -> None:
        if len(scope["headers"]) > MOST_HEADERS:
            raise _RefusedError(431, f"at most {MOST_HEADERS} headers")
        self._check_host(headers)
        address = (scope.get("client") or ("",))[0]
        if wait := self._rates.wait(address):
            raise _RefusedError(429, "too many requests: slow down", {"Retry-After": f"{wait:.0f}"})
        if any(ord(c) < 32 for c in scope["path"]):
            raise _RefusedError(400, "the path holds a control character")
        site, of_programs = headers.get("sec-fetch-site", ""), self._settings.for_programs
        if scope["method"] in SAFE:
            if site == "cross-site" and (of_programs or scope["path"].startswith(("/api/", "/media/", "/v2"))):
                raise _RefusedError(403, "another site may not ask this server")
            return
        _check_origin(headers, site)
        if of_programs or is_for_programs(scope["path"]):  # no cookie counts there
            return
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise _RefusedError(415, "send JSON: Content-Type: application/json")
        if headers.get("x-labelmill") != "1":
            raise _RefusedError(403, "the header X-Labelmill: 1 is missing")

    def _check_host(self, headers: Mapping[str, str]) -> None:
        """A page elsewhere whose name leads to this machine must not be served (DNS rebinding)."""
        host = headers.get("host", "").lower()
        name = "".join(host.partition("]")[:2]) if host.startswith("[") else host.partition(":")[0]
        if name not in self._settings.hosts:
            raise _RefusedError(
                421, "this server does not go by that name: start it with --allow-host NAME, or set LABELMILL_HOSTS"
            )

    def _tell(self, scope: Scope, answer: _Answer) -> None:
        route = getattr(scope.get("route"), "path", None) or "other"
        self._traffic.answered(scope["method"], route, answer.status, answer.seconds)
        who = getattr(scope.get("state", {}).get("visit"), "public_id", None)
        told = {
            "method": scope["method"],
            "route": route,
            "status": answer.status,
            "ms": round(answer.seconds * 1000, 1),
            "who": who,
        }
        logger.info("request", extra={"facts": told})


class _Answer:
    """Sends what the application says, with the headers that every answer has."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send
        self._started_at = time.perf_counter()
        self.status = 0

    @property
    def seconds(self) -> float:
        """Since the request came."""
        return time.perf_counter() - self._started_at

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", []))
            present = {name.lower() for name, _ in headers}
            headers += [one for one in _ON_EVERY_ANSWER if one[0] not in present]
            message = {**message, "headers": headers}
        await self._send(message)

    async def refuse(self, status: int, detail: str, headers: Mapping[str, str]) -> None:
        """Answer with a problem, unless an answer is under way; then it breaks off."""
        if self.status:
            return
        response = problem_response(status, detail, headers=headers, path=self._scope["path"])
        await response(self._scope, _nothing_more, self.send)


class _Limited:
    """Receives a body up to a size, within a time."""

    def __init__(self, receive: Receive, headers: Mapping[str, str], most: int) -> None:
        self._receive, self._most, self._seen = receive, most, 0
        self._is_whole = False
        self._until = asyncio.get_running_loop().time() + BODY_SECONDS
        told = headers.get("content-length", "0")
        if not told.isdigit() or int(told) > most:
            raise _RefusedError(413, f"a request has at most {most} bytes")

    async def __call__(self) -> Message:
        if self._is_whole:  # what comes now is that the client has gone: there is no hurry
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise _RefusedError(408, "the request did not come in time") from None
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            if self._seen > self._most:
                raise _RefusedError(413, f"a request has at most {self._most} bytes")
            self._is_whole = not message.get("more_body", False)
        return message


class _Flowing:
    """Receives a body without end, as long as it goes on."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive

    async def __call__(self) -> Message:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                return await self._receive()
        except TimeoutError:
            raise _RefusedError(408, "the request did not go on") from None


async def _nothing_more() -> Message:
    return {"type": "http.disconnect"}


def _headers_of(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _check_origin(headers: Mapping[str, str], site: str) -> None:
    """A browser says where a request comes from; a program says nothing, and has no cookie to lend."""
    if site and site != "same-origin":
        raise _RefusedError(403, "another site may not change anything here")
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower():
        raise _RefusedError(403, "another site may not change anything here")
