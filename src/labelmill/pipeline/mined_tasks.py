"""What was mined, before the people who work in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from labelmill.pipeline._asked import remember_asked
from labelmill.pipeline._measured import measured
from labelmill.pipeline.known_tasks import shown_content
from labelmill.pipeline.mine import Mined
from labelmill.pipeline.people import database_of, open_project
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.database.connect import open_database
from labelmill.stores.database.tasks import NewTask, Put, put_tasks

__all__ = ["queue_mined"]

FIRST: Final = 1_000.0
"""Above the priority of whatever a query strategy chose."""


def queue_mined(workspace: Workspace, mined: Mined) -> Put:
    """Put the items before everything else that people are asked, saying why.

    Nobody is shown what the learner or the consensus thinks: it would lead the answer that is to judge between them.
    """
    with open_database(database_of(workspace)) as database:
        put = put_tasks(database, open_project(workspace, database), _tasks(workspace, mined))
    with workspace.lake.writing():
        remember_asked(workspace, [task.item for task in mined.tasks])
    return put


def _tasks(workspace: Workspace, mined: Mined) -> Iterator[NewTask]:
    items = workspace.lake.items([task.item for task in mined.tasks])
    overlap = workspace.project["people.overlap"]
    why = f"{mined.learner} and the consensus are sure of different answers"
    for task, known in zip(mined.tasks, measured(workspace, items), strict=True):
        yield NewTask(task.item, shown_content(known), priority=FIRST + task.priority, overlap=overlap, why=why)
