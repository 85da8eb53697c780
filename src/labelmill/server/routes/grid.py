"""Many items at once: those with the same suggestion side by side, answered by one act."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from labelmill.server.auth import GuardedRoute, access, project_of, visit_of
from labelmill.server.desk import Desk, desk_of
from labelmill.server.forms import Form
from labelmill.server.pages_of import checked_limit, cursor
from labelmill.server.problems import ProblemError
from labelmill.server.routes.review import ReviewForm
from labelmill.server.routes.work import Result, Results, take_votes
from labelmill.server.showing import media_address, shown_data
from labelmill.stores.database.item_pages import content_of
from labelmill.stores.database.projects import Project
from labelmill.stores.database.suggested import SuggestedItem, label_turns, suggested_classes, suggested_items

__all__ = ["router"]

router = APIRouter(prefix="/api/projects/{project}/grid", tags=["grid"], route_class=GuardedRoute)

NEIGHBOURS_AMONG = 3_000
"""Open items among which the neighbours of one are looked for."""


class Bulk(Form):
    """Answers of one act; each says in `bulk` how many there were."""

    votes: Annotated[list[ReviewForm], Field(max_length=200)]


@router.get("")
@access("lead")
def grid(
    request: Request,
    class_: Annotated[str, Query(alias="class")] = "",
    n: int = 100,
    after: str = "",
    near: str = "",
) -> JSONResponse:
    """Open items whose first suggestion is this class, or any; looking takes nothing from others.

    With `near` those come first that are most like that item. The first page counts the items of each class, and says
    whether neighbours are known.
    """
    desk, project, user = desk_of(request), project_of(request), visit_of(request).user
    limit, start = checked_limit(n, 200), cursor(after, "after") or 0
    if near:
        found = _neighbours(desk, project, user, near, class_)[start : start + limit]
        more = str(start + limit) if len(found) == limit else None
    else:
        found = suggested_items(desk.database, project, user, value=class_ or None, after=start, limit=limit)
        more = str(found[-1].key) if len(found) == limit else None
    told: dict[str, Any] = {"items": [_shown(desk, project, one) for one in found], "after": more}
    if not start:
        counts = suggested_classes(desk.database, project, user)
        told["classes"] = [{"class": name, "count": counts[name]} for name in sorted(counts)]
        told["neighbours"] = _knows_neighbours(desk, project)
    return JSONResponse(told)


@router.post("")
@access("lead", scope="annotate")
def answer_grid(request: Request, form: Bulk) -> Results:
    """Keep the answers of one act, or take them back; items that somebody else has taken meanwhile are refused.

    An answer that is taken back gives its item to everybody again.
    """
    desk, project, user = desk_of(request), project_of(request), visit_of(request).user
    unheld = [vote for vote in form.votes if not vote.assignment]
    asked, back = ([vote.item for vote in unheld if (vote.kind == "retract") == is_back] for is_back in (False, True))
    # Turns that are there first: an act that is sent again must come to the same turns.
    turns = label_turns(desk.database, project, user, asked)
    turns |= desk.queue(project).take(user, [item for item in asked if item not in turns])
    turns |= label_turns(desk.database, project, user, back, is_over=True)
    held = [(vote, vote.assignment or turns.get(vote.item)) for vote in form.votes]
    kept = take_votes(
        desk, project, user, [vote.model_copy(update={"assignment": turn}) for vote, turn in held if turn]
    )
    by_key = {result.key: result for result in kept.results}
    desk.queue(project).give_back(user, [turn for vote, turn in held if turn and vote.kind == "retract"])
    return Results(results=[by_key.get(vote.key) or _taken(vote) for vote in form.votes])


def _taken(vote: ReviewForm) -> Result:
    return Result(key=vote.key, status="refused", detail="somebody else has taken this item")


def _knows_neighbours(desk: Desk, project: Project) -> bool:
    """Whether items can be put in the order of their likeness: texts always, others by their vectors."""
    from labelmill.pipeline.neighbours import has_features

    folder = desk.settings.folders.get(project.public_id)
    return desk.question(project).schema.modality == "text" or (folder is not None and has_features(folder))


def _neighbours(desk: Desk, project: Project, user: int, near: str, class_: str) -> Sequence[SuggestedItem]:
    from labelmill.pipeline.neighbours import by_features, by_likeness  # not at the top: it brings scikit-learn

    seed = content_of(desk.database, project, near)
    if seed is None:
        raise ProblemError(404, f"nobody was asked about an item {near!r}", field="near")
    found = suggested_items(desk.database, project, user, value=class_ or None, limit=NEIGHBOURS_AMONG)
    folder = desk.settings.folders.get(project.public_id)
    order = by_features(folder, near, [one.item for one in found]) if folder else None
    if order is None and desk.question(project).schema.modality != "text":
        raise ProblemError(
            422,
            "neighbours of pictures and recordings need their vectors: set [features] encoder in labelmill.toml and "
            "run `labelmill embed`",
            field="near",
        )
    if order is None:
        order = by_likeness(str(seed.get("data", "")), [str(one.content.get("data", "")) for one in found])
    return [found[place] for place in order]


def _shown(desk: Desk, project: Project, one: SuggestedItem) -> dict[str, Any]:
    is_picture = desk.question(project).schema.modality == "image"
    return {
        "item": one.item,
        "data": shown_data(desk, project, one.item, one.content),
        "thumbnail": media_address(project, one.item, "thumbnail") if is_picture else None,
        "meta": one.content.get("meta", {}),
        "suggestion": one.suggestion,
    }
