"""What all routes share: the database, the settings, the questions and queues of projects."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from labelmill import registry
from labelmill.domain.item import Item
from labelmill.domain.ports import LabelKind
from labelmill.domain.schema import LabelSchema
from labelmill.server.kept_figures import KeptFigures
from labelmill.server.limits import Buckets
from labelmill.server.settings import ServerSettings
from labelmill.server.traffic import Traffic
from labelmill.stores.database.connect import Database
from labelmill.stores.database.projects import Project
from labelmill.stores.database.queue import Queue

__all__ = ["Desk", "Question", "desk_of"]


@dataclass(frozen=True, slots=True)
class Question:
    """What a project asks of every item, and what an answer to it is."""

    schema: LabelSchema
    kind: LabelKind
    title: str
    overlap: int
    threshold: float

    @classmethod
    def of(cls, project: Project) -> Question:
        """As the project's settings say."""
        told: Mapping[str, Any] = project.settings.get("schema") or {"name": "label", "kind": "text", "classes": []}
        schema = LabelSchema.of(told)
        kind = registry.find("label_kind", schema.kind)(**schema.kind_options)
        shown = project.settings.get("people", {})
        title = project.settings.get("title") or project.name
        return cls(schema, kind, title, shown.get("overlap", 1), shown.get("threshold", 0.0))

    def checked(self, value: Any, item: str, content: Mapping[str, Any]) -> Any:
        """The answer in its canonical form.

        Raises
        ------
        SchemaError
            If it is no answer to this question on this item.
        """
        asked = Item(item, str(content.get("data", "")), content.get("facts", {}), content.get("meta", {}))
        return self.kind.validate(value, self.schema, asked)


class Desk:
    """The state of a running server.

    Parameters
    ----------
    database : Database
    settings : ServerSettings
    """

    def __init__(self, database: Database, settings: ServerSettings) -> None:
        self.database, self.settings = database, settings
        self.traffic = Traffic()
        self.figures, self.reliabilities = KeptFigures(), KeptFigures()
        self.sign_ins = Buckets(settings.sign_ins / settings.sign_in_seconds, settings.sign_ins)
        self.sign_ins_by_address = Buckets(3 * settings.sign_ins / settings.sign_in_seconds, 3 * settings.sign_ins)
        self._lock = threading.Lock()
        self._queues: dict[int, Queue] = {}
        self._questions: dict[int, tuple[int, Question]] = {}
        self._projects: dict[str, Project] = {}

    def queue(self, project: Project) -> Queue:
        """The project's queue."""
        with self._lock:
            if project.id not in self._queues:
                self._queues[project.id] = Queue(self.database, project)
            return self._queues[project.id]

    def remember(self, project: Project) -> None:
        """The project as it was found just now, for `known_project`."""
        self._projects[project.public_id] = project

    def known_project(self, public_id: str) -> Project | None:
        """The project as it was when it was last looked at; who asks about it makes sure of its version."""
        return self._projects.get(public_id)

    def question(self, project: Project) -> Question:
        """The project's question; read again when its settings have changed."""
        found = self._questions.get(project.id)
        if found is None or found[0] != project.version:
            found = (project.version, Question.of(project))
            self._questions[project.id] = found
        return found[1]


def desk_of(request: Request) -> Desk:
    """The desk of the app that was asked."""
    desk: Desk = request.app.state.desk
    return desk
