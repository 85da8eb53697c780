"""What the dashboard shows of a project, and the page of people besides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelmill.server.desk import Desk
from labelmill.stores.database.figures import last_vote
from labelmill.stores.database.projects import Project

__all__ = ["figures_of"]


def figures_of(desk: Desk, project: Project) -> Mapping[str, Any]:
    """What the dashboard shows of a project."""
    from labelmill.pipeline.dashboard import dashboard  # not at the top: it brings numpy, which labelling does without

    folder = desk.settings.folders.get(project.public_id)
    number = (project.version, last_vote(desk.database))
    schema = desk.question(project).schema
    return desk.figures.get(project.id, number, lambda: dashboard(desk.database, project, schema, folder=folder))
