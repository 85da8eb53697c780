"""The application that serves a project's models and nothing else: no people, no database."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute

import labelmill
from labelmill.server.auth import CHALLENGE, Level, access, rule_of, token_shown
from labelmill.server.model_serving.addresses import model_router
from labelmill.server.model_serving.figures import model_figures
from labelmill.server.model_serving.shelf import Shelf
from labelmill.server.problems import ProblemError, answer_problems
from labelmill.server.security import Security
from labelmill.server.settings import ServerSettings
from labelmill.server.traffic import Traffic

__all__ = ["create_model_app"]

OPEN: Final = frozenset({"/health", "/v2/health/live", "/v2/health/ready"})
"""Asked by what watches over programs, which has no token: they say nothing but that the server works."""


def create_model_app(shelf: Shelf, settings: ServerSettings | None = None, *, token: str | None = None) -> FastAPI:
    """An ASGI application over a shelf, which is loaded already and stays the caller's to close.

    Parameters
    ----------
    shelf : Shelf
    settings : ServerSettings, optional
        For this machine alone without it.
    token : str, optional
        What programs must show: `Authorization: Bearer TOKEN`, or as the password of Basic. Nothing without it.
    """
    used = replace(settings or ServerSettings(), for_programs=True)
    traffic = Traffic()

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        looking = asyncio.create_task(shelf.keep_current())
        yield
        looking.cancel()

    app = FastAPI(
        title="labelmill models",
        version=labelmill.__version__,
        description="Trained annotators over the Open Inference Protocol, version 2, and Label Studio's ML backend.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.shelves, app.state.token, app.state.traffic = _Only(shelf), token, traffic
    answer_problems(app)
    router = model_router(_TokenRoute)
    router.add_api_route("/metrics", _metrics, methods=["GET"], response_model=None, include_in_schema=False)
    app.include_router(router)
    app.add_middleware(Security, settings=used, traffic=traffic)
    return app


@dataclass(frozen=True, slots=True)
class _Only:
    """The one shelf there is."""

    shelf: Shelf

    def of(self, project: str | None) -> Shelf:  # noqa: ARG002 -- there is one project
        return self.shelf


class _TokenRoute(APIRoute):
    """A route that lets in whoever shows the server's token, if it has one."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind its guard."""
        handle, level = super().get_route_handler(), rule_of(self.endpoint).level

        async def guarded(request: Request) -> Response:
            _admit(request, level)
            return await handle(request)

        return guarded


def _admit(request: Request, level: Level) -> None:
    expected = request.app.state.token
    if expected is None or level == "public" or request.url.path in OPEN:
        return
    shown = token_shown(request.headers.get("authorization", ""))
    if not hmac.compare_digest(shown.encode(), expected.encode()):
        raise ProblemError(401, "show the server's token: Authorization: Bearer TOKEN", headers=CHALLENGE)


@access("machine")
async def _metrics(request: Request) -> Response:
    """Numbers for Prometheus."""
    shelf = request.app.state.shelves.of(None)
    text = request.app.state.traffic.text() + model_figures(shelf.figures)
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")
