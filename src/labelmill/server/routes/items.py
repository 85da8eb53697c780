"""The items that were put before people, and all that was said about one; for leads."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from labelmill.server.auth import GuardedRoute, access, project_of
from labelmill.server.desk import desk_of
from labelmill.server.naming import names_of
from labelmill.server.pages_of import checked_limit, cursor
from labelmill.server.problems import ProblemError
from labelmill.server.showing import shown_data
from labelmill.stores.database.item_filter import ItemFilter, conditions_of
from labelmill.stores.database.item_pages import content_of, item_page
from labelmill.stores.database.votes import history

__all__ = ["router"]

router = APIRouter(prefix="/api/projects/{project}", tags=["items"], route_class=GuardedRoute)


Named = Annotated[str, Query(max_length=300)]


@router.get("/items")
@access("lead")
def items(
    request: Request,
    after: str = "",
    limit: int = 50,
    state: Literal["", "open", "done"] = "",
    annotator: Named = "",
    said: Named = "",
    confused: Named = "",
    source: Named = "",
    outcome: Literal["", "accepted", "edited", "rejected", "blind"] = "",
    purpose: Literal["", "label", "review", "gold", "audit", "training"] = "",
) -> JSONResponse:
    """A page of items in the order they were queued; `after` is the cursor that the page before ended with.

    `annotator` answered, `said` names a class in an answer, `confused` one in another; `source` suggested, and
    `outcome` is what became of that.
    """
    database = desk_of(request).database
    wanted = ItemFilter(state, purpose, source, annotator, said, outcome, confused)
    page = item_page(
        database,
        project_of(request),
        conditions=conditions_of(database, wanted),
        after=cursor(after, "after") or 0,
        limit=checked_limit(limit, 1_000),
    )
    lines = [row._asdict() | {"key": str(row.key)} for row in page]
    return JSONResponse({"items": lines, "after": str(page[-1].key) if len(page) == limit else None})


@router.get("/items/{item:path}")
@access("lead")
def one_item(request: Request, item: str) -> JSONResponse:
    """An item, and everything that anybody said about it, in order."""
    desk, project = desk_of(request), project_of(request)
    content = content_of(desk.database, project, item)
    if content is None:
        raise ProblemError(404, f"nobody was asked about an item {item!r}")
    names = names_of(desk, project)
    said = [
        remark._asdict() | {"name": names.get(remark.annotator, remark.annotator)}
        for remark in history(desk.database, project, item)
    ]
    return JSONResponse(
        {
            "item": item,
            "data": shown_data(desk, project, item, content),
            "meta": content.get("meta", {}),
            "votes": [{name: value for name, value in one.items() if name not in {"sequence", "key"}} for one in said],
        }
    )
