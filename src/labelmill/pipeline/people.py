"""People: what they shall be asked goes into the database, and what they said comes out as votes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from labelmill.errors import UsageError
from labelmill.pipeline._database_votes import PEOPLE
from labelmill.pipeline._gold_looks import Looks
from labelmill.pipeline._measured import measured
from labelmill.pipeline._suggestions import Suggestions
from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.dashboard import remember_machines
from labelmill.pipeline.known_tasks import gold_tasks, shown_content, training_tasks
from labelmill.pipeline.retrain import retrain_if_due
from labelmill.pipeline.route import asks_people, overlap_of
from labelmill.pipeline.select import Selected, select
from labelmill.pipeline.teaching import example_items, guideline_text, shown_examples
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.database.accounts import list_admins, set_role
from labelmill.stores.database.connect import Database, open_database
from labelmill.stores.database.projects import Project, create_project, find_project, update_settings
from labelmill.stores.database.tasks import NewTask, Put, put_tasks

__all__ = [
    "Queued",
    "database_of",
    "differences",
    "fill_queue",
    "open_project",
    "people_settings",
    "refill",
    "settings_to_take_over",
]

MOST_WAITING = 1_000
"""Items put into the queue unless a number is asked for."""


@dataclass(frozen=True, slots=True)
class Queued:
    """What was put before people: items to label, gold items among them, and those to learn by.

    `stopped` says why nothing more is to be labelled, where `[select] stop` ended it.
    """

    label: Put
    gold: Put
    training: Put
    stopped: str = ""


def database_of(workspace: Workspace, told: str | None = None) -> Path | str:
    """Where people's side of the project lies.

    Parameters
    ----------
    told : str, optional
        Another place than that of `labelmill.toml`, remembered from now on.

    Raises
    ------
    UsageError
        If it holds a password, which others on the machine could read and which would be kept in a file.
    """
    if told is None:
        return (workspace.lake.read_document(PEOPLE) or {}).get("database") or workspace.project.database
    if "://" not in told:
        return Path(told).resolve()
    if urlsplit(told).password:
        raise UsageError("leave the password out of the address: give it by PGPASSWORD, or keep it in ~/.pgpass")
    return told


def open_project(workspace: Workspace, database: Database, address: Path | str | None = None) -> Project:
    """The project's row in the database, made at the first time, with the settings of `labelmill.toml`.

    Whoever is an admin of the server is one of a new project.

    Parameters
    ----------
    address : Path or str, optional
        Where the database lies, if not where `labelmill.toml` says.
    """
    wanted = people_settings(workspace)
    known = workspace.lake.read_document(PEOPLE)
    if known is not None:
        try:
            project = find_project(database, known["project"])
        except UsageError as error:
            raise UsageError(
                f"{database.place} does not hold this project: name the database it is in as [storage] database, or "
                "restore its backup"
            ) from error
        if dict(project.settings) == wanted:
            return project
        # Somebody may have changed them in the browser since the file was read.
        wanted = people_settings(Workspace.open(workspace.project.folder))
        if dict(project.settings) == wanted:
            return project
        return update_settings(database, project, wanted, version=project.version)
    project = create_project(database, _free_name(workspace, database), wanted)
    elsewhere = {} if address in {None, workspace.project.database} else {"database": str(address)}
    workspace.lake.write_document(PEOPLE, {"project": project.public_id, **elsewhere})
    for admin in list_admins(database):
        set_role(database, project, admin, "admin")
    return project


def settings_to_take_over(workspace: Workspace, database: Database) -> list[str]:
    """Names of settings that `open_project` will change in the database, because `labelmill.toml` says otherwise."""
    known = workspace.lake.read_document(PEOPLE)
    if known is None:
        return []
    try:
        project = find_project(database, known["project"])
    except UsageError:
        return []
    return differences(project.settings, people_settings(workspace))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names of settings whose values differ, such as `schema.classes`."""
    names = []
    for section in sorted({*before, *after} - {"kept_in"}):
        one, other = before.get(section), after.get(section)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            names += [f"{section}.{name}" for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
        elif one != other:
            names.append(section)
    return names


def people_settings(workspace: Workspace) -> dict[str, Any]:
    """What the server must know of the project: the question, how tasks are handed out, what is shown."""
    project = workspace.project
    as_they_are = ("gold_share", "blind_share", "late", "training", "pass_mark", "attempts", "gold_floor")
    queue = {
        "lease_seconds": project["people.lease_minutes"] * 60,
        **{name: project[f"people.{name}"] for name in as_they_are},
    }
    schema = workspace.schema.to_dict() | {"guidelines": guideline_text(workspace)}
    shown = {"overlap": project["people.overlap"], "threshold": project["people.threshold"]}
    media = list(project["storage.media"])
    told = {"title": project.name, "media": media, "schema": schema, "queue": queue, "people": shown}
    return told | {"examples": shown_examples(workspace), "kept_in": "file"}


def fill_queue(workspace: Workspace, database: Database, project: Project, *, count: int | None = None) -> Queued:
    """Aggregate what has been voted, and put the items that matter most before people, with what is known of them.

    Items that are there already take on their new place and suggestions.

    Parameters
    ----------
    count : int, optional
        How many items at most; 1,000 without it.

    Raises
    ------
    FailedError
        If there are no items yet.
    UsageError
        If there is less gold than training needs.
    """
    aggregate(workspace)
    remember_machines(workspace)
    has_price = workspace.project["select.wrong_price"] > 0
    selected = select(workspace, count=count or MOST_WAITING, routes=has_price)
    suggestions = Suggestions(workspace, selected.answers)
    gold = training = Put(0, 0)
    if workspace.project["people.gold_share"]:
        whys = {task.item: task.why for task in selected.tasks}
        looks = Looks(suggestions.source, suggestions.version, selected.answers, whys)
        gold = put_tasks(database, project, gold_tasks(workspace, looks))
    if workspace.project["people.training"]:
        training = put_tasks(database, project, training_tasks(workspace))
    label = put_tasks(database, project, _label_tasks(workspace, selected, suggestions))
    return Queued(label, gold, training, selected.stopped)


def refill(folder: Path, address: str, count: int | None) -> Queued:
    """`fill_queue`, in a process of its own while a server hands out what is there; trains first, if due."""
    workspace = Workspace.open(folder)
    retrain_if_due(workspace)
    with open_database(address) as database:
        return fill_queue(workspace, database, open_project(workspace, database), count=count)


def _label_tasks(workspace: Workspace, selected: Selected, suggestions: Suggestions) -> Iterator[NewTask]:
    shown = example_items(workspace)
    routes = {} if selected.routes is None else {route.item: route for route in selected.routes.routes}
    items = workspace.lake.items([task.item for task in selected.tasks])
    for task, known in zip(selected.tasks, measured(workspace, items), strict=True):
        route = routes.get(task.item)
        if task.item in shown or not asks_people(route):
            continue
        yield NewTask(
            task.item,
            shown_content(known),
            priority=task.priority,
            overlap=overlap_of(route, workspace.project["people.overlap"]),
            suggestions=suggestions.of(known),
            why=task.why,
        )


def _free_name(workspace: Workspace, database: Database) -> str:
    """The project's name; with a number where the database holds another of that name."""
    name = workspace.project.name
    for number in range(2, 1_000):
        try:
            find_project(database, name)
        except UsageError:
            return name
        name = f"{workspace.project.name} {number}"
    raise UsageError(f"the database holds too many projects called {workspace.project.name!r}: name this one otherwise")
