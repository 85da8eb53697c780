"""Set-up: a project's settings as its leads see and change them, in the file and in the database at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from labelmill import registry
from labelmill.domain.schema import LabelSchema
from labelmill.errors import ConflictError, UsageError
from labelmill.pipeline.people import differences, people_settings
from labelmill.pipeline.project import PROJECT_FILE, Project
from labelmill.pipeline.project_file import changed, digest_of_file, prepared, read_project_file
from labelmill.pipeline.votes import commands_for, current_machines, stale_machines
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.database.connect import Database
from labelmill.stores.database.figures import answers_held
from labelmill.stores.database.projects import Project as Served
from labelmill.stores.database.projects import update_settings

__all__ = ["KEYS", "change_settings", "set_up"]

KEYS: Final = {
    "name": "project.name",
    "kind": "schema.kind",
    "classes": "schema.classes",
    "guidelines": "schema.guidelines",
    "overlap": "people.overlap",
    "gold_share": "people.gold_share",
    "blind_share": "people.blind_share",
    "threshold": "people.threshold",
    "lease_minutes": "people.lease_minutes",
    "late": "people.late",
    "strategy": "select.strategy",
    "error": "certify.error",
    "confidence": "certify.confidence",
}
"""What can be changed in the browser -> where it stands in `labelmill.toml`."""

OF_FILE: Final = frozenset({"strategy", "error", "confidence"})
"""Settings that people's side does not know."""

NO_SCHEMA: Final[Mapping[str, Any]] = {"name": "label", "kind": "text", "classes": []}
"""Of a project that was made without a question."""

_one_at_a_time = threading.Lock()


def set_up(database: Database, served: Served, folder: Path | None) -> dict[str, Any]:
    """All settings, where they are kept, what they are about, and the version that a change must name.

    `to_be_run` has commands by which rules and models answer the question as it is now.

    Parameters
    ----------
    folder : Path, optional
        The project's folder, where this server has it.
    """
    if folder is None:
        return _of_database(database, served)
    content = read_project_file(folder)
    project = Project.of(folder, content)
    workspace = Workspace(project)
    return {
        "version": _version(served, content),
        "kept_in": "file",
        "place": str((folder / PROJECT_FILE).resolve()),
        "can_change": True,
        "settings": {name: project[key] for name, key in KEYS.items()} | {"name": project.name},
        "schema_version": project.schema.version,
        "guidelines_file": project.settings.get("schema.guidelines_file", ""),
        "modality": project.schema.modality,
        "differs": differences(served.settings, people_settings(workspace)),
        "n_answers": answers_held(database, served),
        "data": {"n_items": workspace.lake.n_items, "sources": list(project["source.items"])},
        "machines": [
            {"name": one.name, "kind": one.kind, "evaluation": one.evaluation}
            for one in (*current_machines(workspace), *stale_machines(workspace))
        ],
        "to_be_run": commands_for(stale_machines(workspace)),
        "code": None if project.code is None else project.code.name,
        **_choices(),
    }


def change_settings(
    database: Database,
    served: Served,
    folder: Path | None,
    changes: Mapping[str, Any],
    *,
    version: str,
    actor: str = "",
) -> Served:
    """Change settings in `labelmill.toml` and for the people who work; the project then.

    Without the folder they change in the database alone, unless the project has a folder elsewhere.

    Parameters
    ----------
    changes : mapping
        Names of `KEYS` -> values.
    version : str
        The one that `set_up` gave: what was changed since, here or in the file, is not overwritten.

    Raises
    ------
    ConflictError
        If somebody changed the settings meanwhile, or answers stand in the way.
    UsageError
        If a value is impossible, or the settings are not this server's to change.
    """
    unknown = sorted(set(changes) - set(KEYS))
    if unknown:
        raise UsageError(f"{unknown[0]!r} is not set in the browser; known are {', '.join(KEYS)}")
    with _one_at_a_time:
        if folder is None:
            return _change_database(database, served, changes, version, actor)
        return _change_both(database, served, folder, changes, version, actor)


def _change_both(
    database: Database, served: Served, folder: Path, changes: Mapping[str, Any], version: str, actor: str
) -> Served:
    content = read_project_file(folder)
    if version != _version(served, content):
        raise _meanwhile()
    before = Project.of(folder, content)
    wanted = {KEYS[name]: value for name, value in changes.items() if before[KEYS[name]] != value}
    after = Project.of(folder, changed(content, wanted))
    workspace = Workspace(after)
    number = _checked(database, served, before.schema, after.schema, workspace)
    if number != after.schema.version:
        wanted["schema.version"] = number
    if not wanted:
        return served
    new = changed(content, wanted)
    workspace = Workspace(Project.of(folder, new))
    with prepared(folder, new) as publish:
        # The database decides between two who change at the same time; only the winner's file is put in place.
        served = update_settings(database, served, people_settings(workspace), version=served.version, actor=actor)
        publish()
    return served


def _change_database(
    database: Database, served: Served, changes: Mapping[str, Any], version: str, actor: str
) -> Served:
    if served.settings.get("kept_in") == "file":
        raise UsageError(
            f"the settings of this project lie in its folder's {PROJECT_FILE}, which this server does not have: "
            "change them there, or on the server that was started in that folder"
        )
    if version != _version(served, None):
        raise _meanwhile()
    foreign = sorted(OF_FILE & set(changes))
    if foreign:
        raise UsageError(f"{foreign[0]!r} is a setting of {PROJECT_FILE}, and this project has none")
    before = _schema_of(served)
    after = replace(
        before,
        kind=changes.get("kind", before.kind),
        classes=tuple(changes.get("classes", before.classes)),
        guidelines=changes.get("guidelines", before.guidelines),
    )
    after = replace(after, version=_checked(database, served, before, after, None))
    told = dict(served.settings)
    queue = {**told.get("queue", {})} | {n: changes[n] for n in ("gold_share", "blind_share", "late") if n in changes}
    if "lease_minutes" in changes:
        queue["lease_seconds"] = changes["lease_minutes"] * 60
    people = {**told.get("people", {})} | {n: changes[n] for n in ("overlap", "threshold") if n in changes}
    new = told | {"schema": after.to_dict(), "queue": queue, "people": people}
    new["title"] = changes.get("name", told.get("title") or served.name)
    return update_settings(database, served, new, version=served.version, actor=actor)


def _of_database(database: Database, served: Served) -> dict[str, Any]:
    schema, queue = _schema_of(served), served.queue
    people = served.settings.get("people", {})
    is_elsewhere = served.settings.get("kept_in") == "file"
    return {
        "version": _version(served, None),
        "kept_in": "elsewhere" if is_elsewhere else "database",
        "place": "",
        "can_change": not is_elsewhere,
        "settings": {
            "name": served.settings.get("title") or served.name,
            "kind": schema.kind,
            "classes": list(schema.classes),
            "guidelines": schema.guidelines,
            "overlap": people.get("overlap", 1),
            "gold_share": queue.gold_share,
            "blind_share": queue.blind_share,
            "threshold": people.get("threshold", 0.0),
            "lease_minutes": queue.lease_seconds / 60,
            "late": queue.late,
            "strategy": None,
            "error": None,
            "confidence": None,
        },
        "schema_version": schema.version,
        "guidelines_file": "",
        "modality": schema.modality,
        "differs": [],
        "n_answers": answers_held(database, served),
        "data": {"n_items": None, "sources": []},
        "machines": [],
        "to_be_run": [],
        "code": None,
        **_choices(),
    }


def _choices() -> dict[str, Any]:
    return {"kinds": sorted(registry.names("label_kind")), "strategies": sorted(registry.names("query_strategy"))}


def _schema_of(served: Served) -> LabelSchema:
    return LabelSchema.of(served.settings.get("schema") or NO_SCHEMA)


def _version(served: Served, content: bytes | None) -> str:
    return str(served.version) if content is None else f"{served.version}.{digest_of_file(content)}"


def _meanwhile() -> ConflictError:
    return ConflictError(
        "the settings have changed since they were read, by somebody else or in the file: read them again, and make "
        "the change to those"
    )


def _checked(
    database: Database, served: Served, before: LabelSchema, after: LabelSchema, workspace: Workspace | None
) -> int:
    """The number of the new schema's version: one more if answers were given to another list of classes.

    Raises
    ------
    ConflictError
        If answers are of a kind, or name a class, that would be gone.
    """
    if (before.kind, before.classes) == (after.kind, after.classes):
        return after.version
    imported = None if workspace is None else workspace.lake.imported_votes()["value"].drop_nulls()
    n_answers = answers_held(database, served) + (0 if imported is None else len(imported))
    if n_answers == 0:
        return after.version
    if before.kind != after.kind:
        raise ConflictError(
            f"{n_answers:,} answers are of the kind {before.kind!r} and would mean nothing under {after.kind!r}: make "
            "a new project for another kind of label"
        )
    for name in before.classes:
        if name not in after.classes:
            n = answers_held(database, served, naming=name) + (0 if imported is None else _n_naming(imported, name))
            if n:
                raise ConflictError(
                    f"{n:,} answers name the class {name!r}: keep it. Classes that nobody has named can go, and new "
                    "ones can come"
                )
    return max(after.version, before.version + 1)


def _n_naming(imported: Any, name: str) -> int:
    from labelmill.domain.strict_json import dumps

    return int(((imported == name) | imported.str.contains(dumps(name), literal=True)).sum())
