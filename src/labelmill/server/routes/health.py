"""Whether the server lives, whether it can work, and its numbers."""

from __future__ import annotations

import hmac
import ipaddress
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from labelmill.server.auth import GuardedRoute, access
from labelmill.server.desk import desk_of
from labelmill.server.problems import ProblemError

__all__ = ["router"]

router = APIRouter(tags=["health"], route_class=GuardedRoute)


@router.get("/healthz")
@access("public")
def healthz() -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
@access("public")
def readyz(request: Request) -> Response:
    """The database answers, and the server is not about to stop."""
    if not request.app.state.is_ready:
        raise ProblemError(503, "the server is stopping")
    with desk_of(request).database.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    return PlainTextResponse("ok\n")


@router.get("/metrics")
@access("public")
def metrics(request: Request) -> Response:
    """Numbers for Prometheus: for this machine, or with the token of `LABELMILL_METRICS_TOKEN`."""
    desk = desk_of(request)
    told = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    expected = desk.settings.metrics_token
    is_told = expected is not None and hmac.compare_digest(told.encode(), expected.encode())
    if not is_told and not (expected is None and _is_local(request)):
        raise ProblemError(403, "numbers are for this machine, or for whoever has LABELMILL_METRICS_TOKEN")
    text = desk.traffic.text() + request.app.state.shelves.text()
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


@router.get("/api/openapi.json")
@access("signed_in")
def openapi(request: Request) -> JSONResponse:
    """The contract, as OpenAPI."""
    described: dict[str, Any] = request.app.openapi()
    return JSONResponse(described)


def _is_local(request: Request) -> bool:
    try:
        return ipaddress.ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        return False
