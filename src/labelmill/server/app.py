"""The application: every route behind its guard, everything behind the headers."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

import labelmill
from labelmill.server import routes
from labelmill.server.auth import GuardedRoute
from labelmill.server.desk import Desk
from labelmill.server.model_serving.of_projects import AtRoot, ProjectShelves
from labelmill.server.problems import answer_problems
from labelmill.server.security import Security
from labelmill.server.settings import ServerSettings
from labelmill.server.short_way import ShortWay, short_ways
from labelmill.stores.database.connect import Database

__all__ = ["create_app", "routes_of"]


def create_app(database: Database, settings: ServerSettings | None = None) -> FastAPI:
    """An ASGI application over an open database, which stays the caller's to close.

    Parameters
    ----------
    database : Database
    settings : ServerSettings, optional
        For this machine alone without it.

    Raises
    ------
    TypeError
        If a route does not say who may call it.
    """
    desk = Desk(database, settings or ServerSettings())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.is_ready = True
        yield
        app.state.is_ready = False
        app.state.shelves.close()

    app = FastAPI(
        title="labelmill",
        version=labelmill.__version__,
        description="What the browser app and Python clients ask of a labelmill server.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.desk, app.state.is_ready = desk, True
    app.state.shelves = ProjectShelves(desk.settings.folders)
    answer_problems(app)
    for router in _routers():
        app.include_router(router)
    open_routes = [route for route in routes_of(app) if not isinstance(route, GuardedRoute)]
    if open_routes:
        raise TypeError(f"{open_routes[0]} has no guard: give its router route_class=GuardedRoute")
    app.add_middleware(AtRoot, folders=desk.settings.folders)
    app.add_middleware(ShortWay, desk=desk, ways=short_ways(routes_of(app)))
    app.add_middleware(Security, settings=desk.settings, traffic=desk.traffic)
    return app


def routes_of(app: FastAPI) -> Iterator[BaseRoute]:
    """Every route of an app, those of its routers too."""
    pending: list[Any] = list(app.routes)
    while pending:
        route = pending.pop()
        inner = getattr(getattr(route, "original_router", route), "routes", None)
        if inner is None:
            yield route
        else:
            pending.extend(inner)


def _routers() -> list[APIRouter]:
    """The router of each file in `routes`; pages last, as they would answer for everything."""
    names = sorted(module.name for module in pkgutil.iter_modules(routes.__path__))
    found = [importlib.import_module(f"{routes.__name__}.{name}").router for name in names if name != "pages"]
    return [*found, *(importlib.import_module(f"{routes.__name__}.{name}").router for name in names if name == "pages")]
