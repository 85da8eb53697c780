"""How the work goes, for leads."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from labelmill.server.auth import GuardedRoute, access, project_of
from labelmill.server.desk import desk_of

__all__ = ["router"]

router = APIRouter(prefix="/api/projects/{project}", tags=["dashboard"], route_class=GuardedRoute)


@router.get("/dashboard")
@access("lead")
def dashboard(request: Request) -> JSONResponse:
    """Progress, annotators, agreement, suggestions, balance."""
    from labelmill.pipeline import dashboard as figures  # not at the top: it brings numpy, which labelling does without

    desk, project = desk_of(request), project_of(request)
    folder = desk.settings.folders.get(project.public_id)
    return JSONResponse(figures.dashboard(desk.database, project, desk.question(project).schema, folder=folder))
