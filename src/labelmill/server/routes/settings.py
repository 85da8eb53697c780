"""The settings of a project: what they are, and how its admins change them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from labelmill.server.auth import GuardedRoute, access, project_of, visit_of
from labelmill.server.desk import Desk, desk_of
from labelmill.server.forms import Form
from labelmill.server.showing import shown_data
from labelmill.stores.database.accounts import list_members
from labelmill.stores.database.first_items import FirstItem, first_items
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tasks import progress

__all__ = ["router"]

router = APIRouter(prefix="/api/projects/{project}/settings", tags=["settings"], route_class=GuardedRoute)

Share = Annotated[float, Field(ge=0, le=1)]

N_SAMPLES = 20
"""Items whose columns are shown; the first is the one to try the question on."""


class NewSettings(Form):
    """What shall be different; what is left out stays."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    kind: Annotated[str, Field(max_length=100)] | None = None
    classes: Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=1_000)] | None = None
    guidelines: Annotated[str, Field(max_length=200_000)] | None = None
    overlap: Annotated[int, Field(ge=1, le=1_000)] | None = None
    gold_share: Share | None = None
    blind_share: Share | None = None
    threshold: Share | None = None
    lease_minutes: Annotated[float, Field(ge=1, le=10_080)] | None = None
    late: Literal["extra", "refuse"] | None = None
    strategy: Annotated[str, Field(max_length=100)] | None = None
    error: Annotated[float, Field(gt=0, lt=1)] | None = None
    confidence: Annotated[float, Field(gt=0, lt=1)] | None = None


class Change(Form):
    """New settings, and the version of those that they were made from."""

    version: Annotated[str, Field(max_length=100, examples=["3.5f0c9b1d2e3a"])]
    settings: NewSettings


@router.get("")
@access("lead")
def settings(request: Request) -> JSONResponse:
    """All settings, what they are about, and an item to try the question on."""
    desk, project = desk_of(request), project_of(request)
    may_change = visit_of(request).role == "admin"
    return JSONResponse(_told(desk, project, may_change=may_change))


@router.put("")
@access("admin", scope="admin")
def change_settings(request: Request, form: Change) -> JSONResponse:
    """Change settings, in `labelmill.toml` and for whoever works now; 409 if they were changed meanwhile.

    `to_be_run` names commands by which rules and models answer a new list of classes.
    """
    from labelmill.pipeline import set_up  # not at the top: it brings numpy, which labelling does without

    desk, project = desk_of(request), project_of(request)
    changes = {name: value for name, value in form.settings.model_dump().items() if value is not None}
    folder = desk.settings.folders.get(project.public_id)
    changed = set_up.change_settings(
        desk.database, project, folder, changes, version=form.version, actor=visit_of(request).public_id
    )
    return JSONResponse(_told(desk, changed, may_change=True))


def _told(desk: Desk, project: Project, *, may_change: bool) -> dict[str, Any]:
    from labelmill.pipeline import set_up

    told = set_up.set_up(desk.database, project, desk.settings.folders.get(project.public_id))
    first = first_items(desk.database, project, N_SAMPLES)
    stands = progress(desk.database, project)
    columns: dict[str, str] = {}
    for one in first:
        for name, value in {**one.content.get("meta", {}), **one.content.get("facts", {})}.items():
            columns.setdefault(name, str(value)[:80])
    roles = Counter(one.role for one in list_members(desk.database, project))
    data = {**told["data"], "n_queued": stands.n_tasks, "n_done": stands.n_done}
    data["columns"] = [{"name": name, "example": value} for name, value in columns.items()]
    return {
        **told,
        "can_change": told["can_change"] and may_change,
        "data": data,
        "people": dict(roles),
        "sample": _sample(desk, project, first),
    }


def _sample(desk: Desk, project: Project, first: Sequence[FirstItem]) -> dict[str, Any] | None:
    """The first item as it would be handed out, in nobody's hands."""
    if not first:
        return None
    item, content, suggestions = first[0]
    return {
        "assignment": "preview",
        "item": item,
        "purpose": "label",
        "data": shown_data(desk, project, item, content),
        "meta": content.get("meta", {}),
        "why": "",
        "suggestions": suggestions,
        "blind": False,
        "lease_until": "",
        "draft": None,
    }
