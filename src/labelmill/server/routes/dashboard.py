"""How the work goes, for leads."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from labelmill.server.auth import GuardedRoute, access, project_of
from labelmill.server.desk import desk_of
from labelmill.server.figures import figures_of
from labelmill.server.lessons import flags_of

__all__ = ["router"]

router = APIRouter(prefix="/api/projects/{project}", tags=["dashboard"], route_class=GuardedRoute)


@router.get("/dashboard")
@access("lead")
def dashboard(request: Request) -> JSONResponse:
    """Progress and forecast, annotators, agreement, who confuses what, suggestions, balance.

    Kept while nobody says anything new; where they take long to make, for up to a minute beyond.
    """
    desk, project = desk_of(request), project_of(request)
    return JSONResponse({**figures_of(desk, project), "flags": flags_of(desk, project)})
