"""The project's trained annotators, for programs with a token."""

from __future__ import annotations

from labelmill.server.auth import GuardedRoute
from labelmill.server.model_serving.addresses import model_router

__all__ = ["router"]

router = model_router(GuardedRoute, prefix="/api/projects/{project}", label_studio_at="/label-studio")
