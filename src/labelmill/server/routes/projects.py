"""The projects that somebody works on, and the question each asks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field

from labelmill.server.auth import GuardedRoute, access, project_of, visit_of
from labelmill.server.desk import desk_of
from labelmill.server.forms import Form
from labelmill.server.lessons import told_to_person
from labelmill.server.showing import shown_data
from labelmill.stores.database.projects import projects_of
from labelmill.stores.database.tasks import progress, progress_of_person

__all__ = ["router"]

router = APIRouter(prefix="/api/projects", tags=["projects"], route_class=GuardedRoute)


class ProjectLine(Form):
    """One project in a list."""

    project: Annotated[str, Field(examples=["q8VfY2mJ0bXw3k1Z"])]
    name: Annotated[str, Field(examples=["mails"])]
    kind: Annotated[str, Field(examples=["choice"])]
    modality: Annotated[str, Field(examples=["text"])]
    n_items: Annotated[int, Field(examples=[1000])]
    n_done: Annotated[int, Field(examples=[120])]
    role: Annotated[str, Field(examples=["annotator"])]


class Projects(Form):
    """All projects of somebody."""

    projects: list[ProjectLine]


class ClassOfSchema(Form):
    """A class and the key that stands for it."""

    name: str
    key: str | None


class AttributeOfSchema(Form):
    """What a shape or region tells besides its class."""

    name: str
    kind: str
    options: list[str]
    classes: list[str]
    required: bool
    least: float | None
    most: float | None
    unit: str
    sticky: bool
    counts: bool


class Schema(Form):
    """The question."""

    name: str
    kind: str
    classes: list[ClassOfSchema]
    modality: str
    guidelines: str
    version: int
    attributes: list[AttributeOfSchema]


class Settings(Form):
    """How items are handed out."""

    overlap: int
    gold_share: float
    blind_share: float
    threshold: float


class Done(Form):
    """Where the queue stands."""

    done: int
    total: int
    left_for_me: int


class Training(Form):
    """Where somebody stands on the way to real work."""

    state: str
    attempt: int
    attempts: int
    n: int
    done: int
    right: int
    pass_mark: float
    last: dict[str, int] | None


class Example(Form):
    """An item of the guideline, with its answer."""

    item: str
    data: dict[str, Any]
    answer: Any
    reason: str


class OneProject(Form):
    """A project as whoever works on it sees it."""

    project: str
    name: str
    schema_: Annotated[Schema, Field(alias="schema")]
    settings: Settings
    progress: Done
    qualification: Training | None
    examples: list[Example]


@router.get("")
@access("signed_in")
def my_projects(request: Request) -> Projects:
    """All projects of whoever asks, oldest first."""
    desk = desk_of(request)
    lines = []
    visit = visit_of(request)
    for project, role in projects_of(desk.database, visit.user):
        if visit.bound_to not in {None, project.id}:
            continue
        question, stands = desk.question(project), progress(desk.database, project)
        gold = progress_of_person(desk.database, project, visit.user, purpose="gold")
        lines.append(
            ProjectLine(
                project=project.public_id,
                name=question.title,
                kind=question.schema.kind,
                modality=question.schema.modality,
                n_items=stands.n_tasks,
                n_done=min(stands.n_tasks, stands.n_done + gold),
                role=role,
            )
        )
    return Projects(projects=lines)


@router.get("/{project}", response_model=OneProject, response_model_by_alias=True)
@access("annotator")
def one_project(request: Request) -> dict[str, Any]:
    """The question, the settings, and where the work stands."""
    desk, project = desk_of(request), project_of(request)
    question, stands = desk.question(project), progress(desk.database, project)
    mine, gold = (
        progress_of_person(desk.database, project, visit_of(request).user, purpose=purpose)
        for purpose in ("label", "gold")
    )
    mine, done = mine + gold, min(stands.n_tasks, stands.n_done + gold)  # each answer counts: gold must not be told
    queue = project.queue
    schema = question.schema
    return {
        "project": project.public_id,
        "name": question.title,
        "schema": {
            "name": schema.name,
            "kind": schema.kind,
            "classes": [{"name": name, "key": None} for name in schema.classes],
            "modality": schema.modality,
            "guidelines": schema.guidelines,
            "version": schema.version,
            "attributes": [attribute.to_dict() for attribute in schema.attributes],
        },
        "settings": {
            "overlap": question.overlap,
            "gold_share": queue.gold_share if visit_of(request).role in {"lead", "admin"} else 0.0,
            "blind_share": queue.blind_share,
            "threshold": question.threshold,
        },
        "progress": {
            "done": done,
            "total": stands.n_tasks,
            "left_for_me": max(0, stands.n_tasks - max(done, mine)),
        },
        "qualification": told_to_person(desk, project, visit_of(request).user),
        "examples": [
            {
                "item": one["item"],
                "data": shown_data(desk, project, one["item"], one["content"]),
                "answer": one["answer"],
                "reason": one["reason"],
            }
            for one in project.settings.get("examples", [])
        ],
    }
