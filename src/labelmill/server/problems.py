"""Errors as `application/problem+json` (RFC 9457): what was wrong, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from labelmill.domain.strict_json import dumps
from labelmill.errors import (
    AccessError,
    BadInputError,
    ConflictError,
    LabelmillError,
    StorageError,
    StorageFullError,
    UsageError,
)
from labelmill.server.for_programs import is_for_programs

__all__ = ["ProblemError", "answer_problems", "problem_response"]

STATUS: tuple[tuple[type[LabelmillError], int], ...] = (
    (AccessError, 403),
    (ConflictError, 409),
    (StorageFullError, 507),
    (StorageError, 503),
    (BadInputError, 422),
    (UsageError, 422),
)
"""What our errors are in HTTP; the first that fits."""

PROBLEM = "application/problem+json"


class ProblemError(Exception):
    """An answer that is no success.

    Parameters
    ----------
    status : int
    detail : str
        For people: what was found and what to do.
    field : str, optional
        The part of the request that is to blame.
    headers : mapping, optional
    """

    def __init__(
        self, status: int, detail: str, *, field: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.field, self.headers = status, detail, field, dict(headers or {})


def problem_response(
    status: int,
    detail: str,
    *,
    field: str | None = None,
    headers: Mapping[str, str] | None = None,
    path: str = "",
) -> Response:
    """The answer with this status; clients of the Open Inference Protocol look for the detail under `error`."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    body["detail"] = _harmless(detail)
    if field:
        body["field"] = _harmless(field)
    if is_for_programs(path):
        body["error"] = body["detail"]
    return Response(dumps(body), status, headers=dict(headers or {}), media_type=PROBLEM)


def answer_problems(app: FastAPI) -> None:
    """Turn every error of a route into a problem."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)  # noqa: S101 -- registered for it alone
        return problem_response(
            error.status, error.detail, field=error.field, headers=error.headers, path=request.url.path
        )

    async def of_the_house(request: Request, error: Exception) -> Response:
        status = next((code for kind, code in STATUS if isinstance(error, kind)), 409)
        headers = {"Retry-After": "5"} if status in {503, 507} else {}
        return problem_response(status, str(error), headers=headers, path=request.url.path)

    async def of_form(request: Request, error: Exception) -> Response:  # noqa: ARG001 -- the handler's signature
        assert isinstance(error, RequestValidationError)  # noqa: S101 -- registered for it alone
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        return problem_response(422, f"{place}: {first['msg']}", field=place)

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 -- registered for it alone
        return problem_response(error.status_code, str(error.detail), headers=error.headers, path=request.url.path)

    app.add_exception_handler(ProblemError, ours)
    app.add_exception_handler(LabelmillError, of_the_house)
    app.add_exception_handler(RequestValidationError, of_form)
    app.add_exception_handler(HTTPException, of_http)


def _harmless(text: str) -> str:
    """The text without what JSON of databases and terminals cannot carry."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)[:2_000]
