"""The models of the projects that a server knows the folders of; nothing is loaded before somebody asks."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from labelmill.server.asgi import App, Receive, Scope, Send
from labelmill.server.model_serving.figures import model_figures
from labelmill.server.problems import ProblemError

if TYPE_CHECKING:
    from labelmill.server.model_serving.shelf import Shelf

__all__ = ["AtRoot", "ProjectShelves"]


class ProjectShelves:
    """A shelf for each project, made when it is first asked for.

    Parameters
    ----------
    folders : mapping of str to Path
        Public id of a project -> its folder.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders
        self._lock = threading.Lock()
        self._shelves: dict[str, Shelf] = {}

    def of(self, project: str | None) -> Shelf:
        """The shelf of a project.

        Raises
        ------
        ProblemError
            404 if this server does not have its folder.
        """
        from labelmill.server.model_serving.shelf import Shelf  # not at the top: it brings numpy and polars

        if project is None or project not in self._folders:
            raise ProblemError(404, "this server has no folder of this project, so it has no models of it")
        with self._lock:
            if project not in self._shelves:
                self._shelves[project] = Shelf(self._folders[project])
            return self._shelves[project]

    def text(self) -> str:
        """Figures of the models that were asked, for Prometheus."""
        return model_figures([figures for shelf in self._shelves.values() for figures in shelf.figures])

    def close(self) -> None:
        """Let go of every worker."""
        for shelf in self._shelves.values():
            shelf.close()


class AtRoot:
    """Where there is one project, it is the one that clients mean who ask at `/v2`.

    Parameters
    ----------
    app : ASGI application
    folders : mapping of str to Path
        Public id of a project -> its folder.
    """

    def __init__(self, app: App, folders: Mapping[str, Path]) -> None:
        self._app, self._folders = app, folders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, to the project's own address if it came to `/v2`."""
        path = scope.get("path", "")
        if scope["type"] == "http" and (path == "/v2" or path.startswith("/v2/")) and len(self._folders) == 1:
            # In place: the layer before reads from it which route has answered.
            scope["path"] = f"/api/projects/{next(iter(self._folders))}{path}"
            scope["raw_path"] = scope["path"].encode()
        await self._app(scope, receive, send)
