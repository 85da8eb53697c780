"""Many items at once: those with the same suggestion side by side, answered by one act."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from labelmill.server.auth import GuardedRoute, access, project_of, visit_of
from labelmill.server.desk import desk_of
from labelmill.server.forms import Form
from labelmill.server.pages_of import checked_limit, cursor
from labelmill.server.routes.review import ReviewForm
from labelmill.server.routes.work import Result, Results, take_votes
from labelmill.server.showing import media_address, shown_data
from labelmill.stores.database.item_pages import suggested_items

__all__ = ["router"]

router = APIRouter(prefix="/api/projects/{project}/grid", tags=["grid"], route_class=GuardedRoute)


class Bulk(Form):
    """Answers of one act; each says in `bulk` how many there were."""

    votes: Annotated[list[ReviewForm], Field(max_length=200)]


@router.get("")
@access("lead")
def grid(
    request: Request, class_: Annotated[str, Query(alias="class")] = "", n: int = 100, after: str = ""
) -> JSONResponse:
    """Open items whose first suggestion is this class, or any; looking takes nothing from others."""
    desk, project = desk_of(request), project_of(request)
    found = suggested_items(
        desk.database,
        project,
        value=class_ or None,
        after=cursor(after, "after") or 0,
        limit=checked_limit(n, 200),
    )
    is_picture = desk.question(project).schema.modality == "image"
    items = [
        {
            "item": item,
            "data": shown_data(desk, project, item, content),
            "thumbnail": media_address(project, item, "thumbnail") if is_picture else None,
            "meta": content.get("meta", {}),
            "suggestion": suggestion,
        }
        for _, item, content, suggestion in found
    ]
    return JSONResponse({"items": items, "after": str(found[-1][0]) if len(found) == n else None})


@router.post("")
@access("lead", scope="annotate")
def answer_grid(request: Request, form: Bulk) -> Results:
    """Keep the answers of one act; items that somebody else has taken meanwhile are refused."""
    desk, project, user = desk_of(request), project_of(request), visit_of(request).user
    unheld = [vote.item for vote in form.votes if not vote.assignment]
    taken = desk.queue(project).take(user, unheld)
    results = []
    for vote in form.votes:
        turn = vote.assignment or taken.get(vote.item)
        if turn is None:
            results.append(Result(key=vote.key, status="refused", detail="somebody else has taken this item"))
            continue
        results += take_votes(desk, project, user, [vote.model_copy(update={"assignment": turn})]).results
    return Results(results=results)
