"""Where voices differ, for leads to decide: the sides of each item, and what was sent back to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from labelmill.server.auth import GuardedRoute, access, project_of
from labelmill.server.desk import Desk, desk_of
from labelmill.server.naming import names_of
from labelmill.server.pages_of import checked_limit, cursor
from labelmill.server.problems import ProblemError
from labelmill.server.showing import shown_data
from labelmill.stores.database.figures import last_vote
from labelmill.stores.database.projects import Project
from labelmill.stores.database.voices import SentBack, sent_back

if TYPE_CHECKING:
    from labelmill.pipeline.review import Case

__all__ = ["router"]

router = APIRouter(prefix="/api/projects/{project}", tags=["review"], route_class=GuardedRoute)


@router.get("/disagreements")
@access("lead")
def disagreements(request: Request, after: str = "", limit: int = 20, item: str = "") -> JSONResponse:
    """Items on which voices differ and that no lead has decided, the greatest expected loss first.

    Those that wait for somebody they were sent back to come last. With `item` that item alone, whether voices differ
    on it or not.
    """
    from labelmill.pipeline import review  # not at the top: it brings what labelling does without

    desk, project = desk_of(request), project_of(request)
    question, start = desk.question(project), cursor(after, "after") or 0
    asked = (desk.database, project, question.schema, question.kind)
    number = (project.version, last_vote(desk.database))
    reliabilities = desk.reliabilities.get(project.id, number, lambda: review.reliabilities(*asked))
    accuracies = _accuracies(desk, project)
    if item:
        case = review.case_of(*asked, item, reliabilities=reliabilities, accuracies=accuracies)
        if case is None:
            raise ProblemError(404, f"nobody was asked about an item {item!r}", field="item")
        found = [case]
    else:
        found = review.contested(*asked, reliabilities=reliabilities, accuracies=accuracies)
    back = _by_item(sent_back(desk.database, project))
    ranked = sorted((_rank(case, back.get(case.number, ())), case) for case in found)
    page = [(rank, case) for rank, case in ranked if rank > start][: checked_limit(limit, 200)]
    names = names_of(desk, project)
    shown = [_shown(desk, project, case, names, back.get(case.number, ())) for _, case in page]
    more = str(page[-1][0]) if page and page[-1][0] != ranked[-1][0] else None
    return JSONResponse({"items": shown, "after": more, "total": len(ranked)})


@router.get("/send-backs")
@access("lead")
def send_backs(request: Request) -> JSONResponse:
    """What was sent back lately, to whom, why, and where that stands."""
    desk, project = desk_of(request), project_of(request)
    names = names_of(desk, project)
    return JSONResponse({"send_backs": [_told(one, names) for one in sent_back(desk.database, project)]})


def _rank(case: Case, back: Sequence[SentBack]) -> int:
    """Ascends through the list and is its cursor: waiting or not, the loss in millionths, the item's number."""
    is_waiting = any(one.state in {"waiting", "open"} for one in back)
    return (is_waiting * 2_000_000 + 1_000_000 - round(case.loss * 1_000_000)) * 10**10 + case.number


def _by_item(found: Sequence[SentBack]) -> dict[int, list[SentBack]]:
    by_item: dict[int, list[SentBack]] = {}
    for one in found:
        by_item.setdefault(one.number, []).append(one)
    return by_item


def _accuracies(desk: Desk, project: Project) -> dict[str, float]:
    folder = desk.settings.folders.get(project.public_id)
    if folder is None:
        return {}
    from labelmill.pipeline.dashboard import accuracies_of_machines  # brings what tables of votes need

    return accuracies_of_machines(folder)


def _shown(
    desk: Desk, project: Project, case: Case, names: Mapping[str, str], back: Sequence[SentBack]
) -> dict[str, Any]:
    voices = [
        {
            "annotator": one.annotator,
            "name": names.get(one.annotator, one.annotator),
            "kind": one.kind,
            "value": one.value,
            "reliability": one.reliability,
            "at": one.at,
        }
        for one in case.voices
    ]
    people = [{name: one[name] for name in ("annotator", "name", "value", "at")} for one in voices if one["at"]]
    return {
        "item": case.item,
        "data": shown_data(desk, project, case.item, case.content),
        "meta": case.content.get("meta", {}),
        "why": "annotators disagree",
        "loss": case.loss,
        "votes": people,
        "voices": voices,
        "sides": [{"value": one.value, "share": one.share, "voices": list(one.voices)} for one in case.sides],
        "sent_back": [_told(one, names) for one in back],
    }


def _told(one: SentBack, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "item": one.item,
        "annotator": one.annotator,
        "name": names.get(one.annotator, one.annotator),
        "comment": one.comment,
        "state": one.state,
    }
