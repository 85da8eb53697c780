"""What is told of training and of gold: to the person as they learn, to leads as they decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from labelmill.domain.known_answers import is_right
from labelmill.server.desk import Desk, Question
from labelmill.server.forms import Form
from labelmill.stores.database.projects import Project
from labelmill.stores.database.qualification import Standing, lessons, standing, standings
from labelmill.stores.database.turns_held import Turn

__all__ = ["LessonForm", "LessonScore", "flags_of", "found_right", "lessons_of", "told_to_leads", "told_to_person"]


class LessonScore(Form):
    """How the attempt goes: right answers, answers, items; and what somebody is after this one."""

    right: Annotated[int, Field(examples=[7])]
    done: Annotated[int, Field(examples=[8])]
    n: Annotated[int, Field(examples=[10])]
    state: Literal["training", "qualified", "failed", "paused"] | None


class LessonForm(Form):
    """What follows an answer in training."""

    right: bool
    answer: Annotated[Any, Field(examples=["spam"])]
    reason: Annotated[str, Field(examples=["It asks for a password."])]
    score: LessonScore


def found_right(question: Question, turn: Turn | None, value: Any) -> bool | None:
    """Whether an answer is the known one; None where none is known, or somebody declined to answer a gold item."""
    if turn is None or turn.known is None or (value is None and turn.purpose == "gold"):
        return None
    return is_right(question.kind, value, turn.known)


def lessons_of(desk: Desk, project: Project, user: int, said: Mapping[str, bool]) -> dict[str, LessonForm]:
    """The lesson of each training item that was just answered, by the turn.

    Parameters
    ----------
    said : mapping of str to bool
        Turn -> whether what was said now is right; the score counts what was said first.
    """
    taught = lessons(desk.database, project, user, list(said))
    now = standing(desk.database, project, user) if taught else None
    return {
        turn: LessonForm(
            right=said[turn],
            answer=one.answer,
            reason=one.reason,
            score=LessonScore(
                right=one.attempt.right, done=one.attempt.n, n=one.n_items, state=None if now is None else now.state
            ),
        )
        for turn, one in taught.items()
    }


def told_to_person(desk: Desk, project: Project, user: int) -> dict[str, Any] | None:
    """How somebody's training goes, for themselves; None where nothing is asked of them. Of gold they learn nothing."""
    if not project.queue.checks_people:
        return None
    now = standing(desk.database, project, user)
    if now is None or now.state is None:
        return None
    settings = project.queue
    return {
        "state": now.state,
        "attempt": max(1, now.attempt),
        "attempts": settings.attempts,
        "n": now.n_items or settings.training,
        "done": now.training.n,
        "right": now.training.right,
        "pass_mark": settings.pass_mark,
        "last": None if now.last is None else {"right": now.last.right, "n": now.last.n},
    }


def flags_of(desk: Desk, project: Project) -> list[dict[str, Any]]:
    """People about whom a lead must decide: who is paused, and who failed the training."""
    found = []
    for one in standings(desk.database, project):
        score = {"paused": one.gold, "failed": one.last}.get(one.state or "")
        if score is not None:
            told = {"kind": one.state, "annotator": one.annotator, "name": one.name}
            found.append({**told, "right": score.right, "n": score.n})
    return found


def told_to_leads(one: Standing) -> dict[str, Any]:
    """How somebody stands; `score` is their share in training, `gold` since somebody last decided about them."""
    trained = one.training if one.training.n else one.last
    interval = one.gold_interval
    return {
        "state": one.state or "exempt",
        "score": trained.right / trained.n if trained and trained.n else None,
        "n": trained.n if trained else 0,
        "gold": {
            "right": one.gold.right,
            "n": one.gold.n,
            "low": None if interval is None else interval[0],
            "high": None if interval is None else interval[1],
        },
    }
