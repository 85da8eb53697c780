"""What becomes of suggestions: counted by version and over time, calibrated by blind answers, anchoring measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.stores.database.people import add_person

from labelmill import registry
from labelmill.domain.schema import LabelSchema
from labelmill.pipeline._suggestion_story import anchoring_words, told_story
from labelmill.pipeline.feedback import MOST_VERSIONS, feedback, told_feedback
from labelmill.pipeline.forecast import DAY_MS
from labelmill.report.figures.acceptance import acceptance
from labelmill.report.story import Headline, Story
from labelmill.stores.database.answers import Answer, submit
from labelmill.stores.database.connect import open_database
from labelmill.stores.database.feedback import Judged, Outcome
from labelmill.stores.database.projects import create_project
from labelmill.stores.database.queue import Queue
from labelmill.stores.database.tasks import NewTask, put_tasks

CHOICE = registry.find("label_kind", "choice")(classes=("ham", "spam"))

START = 20_000 * DAY_MS


def judged(
    said: str, outcome: Outcome, *, version: str = "v1", day: int = 0, known: str | None = None, score: float = 0.9
) -> Judged:
    """An answer to an item for which spam is suggested."""
    return Judged(START + day * DAY_MS, 1, "consensus", version, score, "spam", said, outcome, known)


def test_each_version_has_its_own_outcomes() -> None:
    """Accepted, edited with distance, rejected and ignored are counted by source and version, oldest first."""
    told = told_feedback(
        [
            judged("spam", "accepted", version="v2", day=2),
            judged("spam", "accepted"),
            judged("ham", "edited"),
            judged("ham", "rejected"),
            judged("ham", "ignored"),
        ],
        CHOICE,
    )

    old, new = told["versions"]
    assert (old["version"], old["accepted"], old["edited"], old["rejected"], old["ignored"]) == ("v1", 1, 1, 1, 1)
    assert old["distance"] == 1.0
    assert old["acceptance"]["share"] == 0.25
    assert (new["version"], new["accepted"], new["distance"]) == ("v2", 1, None)
    assert [(row["version"], row["n"], row["of"]) for row in told["periods"]] == [("v1", 1, 4), ("v2", 1, 1)]


def test_long_histories_are_told_by_weeks() -> None:
    """Beyond three weeks, answers are put together from Monday to Sunday."""
    told = told_feedback([judged("spam", "accepted", day=day) for day in range(40)], CHOICE)

    assert told["span"] == "week"
    assert sum(row["of"] for row in told["periods"]) == 40
    assert max(row["of"] for row in told["periods"]) == 7


def test_many_versions_are_told_together() -> None:
    """Beyond the newest dozen, versions of a source are told as one, and nothing is lost."""
    told = told_feedback([judged("spam", "accepted", version=f"v{n}", day=n) for n in range(20)], CHOICE)

    assert len(told["versions"]) == MOST_VERSIONS + 1
    assert sum(row["accepted"] for row in told["versions"]) == 20
    assert told["versions"][0]["version"] == "earlier"


def test_gold_says_whether_suggestions_were_right_and_nothing_else() -> None:
    """Borrowed scores of gold items enter no calibration, and their answers no acceptance."""
    told = told_feedback([judged("ham", "accepted", known="spam"), judged("ham", "blind", known="ham")], CHOICE)

    (row,) = told["versions"]
    assert (row["gold"]["n"], row["gold"]["of"]) == (1, 2)
    assert (row["acceptance"]["of"], row["blind"]["of"], told["calibration"]["n"]) == (0, 0, 0)


def test_scores_are_held_against_blind_answers() -> None:
    """A suggestion of 90 % with which half of the blind answers agree is 40 points too sure."""
    blind = [judged("spam", "blind"), judged("ham", "blind")]

    told = told_feedback([*blind, judged("spam", "accepted", score=0.1)], CHOICE)["calibration"]

    assert told["n"] == 2
    assert told["gap"] == pytest.approx(0.4)
    assert [(b["confidence"], b["agreed"]) for b in told["bins"]] == [(0.9, 0.5)]


@pytest.mark.parametrize(
    ("n_agreed", "words"), [(10, "no more apart than chance"), (40, "seeing it leads them"), (0, "puts them off")]
)
def test_nothing_is_claimed_where_chance_would_do(n_agreed: int, words: str) -> None:
    """Anchoring is told only where its interval leaves 0 out; half of the blind answers agree."""
    shown = [judged("spam" if n < n_agreed else "ham", "ignored") for n in range(40 if n_agreed != 10 else 20)]
    blind = [judged("spam" if n % 2 else "ham", "blind") for n in range(40)]

    told = told_feedback([*shown, *blind], CHOICE)["anchoring"]

    assert words in anchoring_words(told)
    assert told["is_found"] == ("chance" not in words)


def test_without_blind_answers_the_report_says_what_is_missing() -> None:
    """No difference and no interval, but the setting that would bring them."""
    told = told_feedback([judged("spam", "accepted")], CHOICE)["anchoring"]

    assert (told["difference"], told["low"], told["is_found"]) == (None, None, False)
    assert "blind_share" in anchoring_words(told)


def test_the_story_is_drawn_and_read_back() -> None:
    """Versions become lines with a mark where the second began; the story survives JSON."""
    found = told_feedback(
        [judged("spam", "accepted", version=f"v{day // 3}", day=day) for day in range(6)]
        + [judged("ham", "blind", day=3)],
        CHOICE,
    )
    story = Story("a project", Headline(1), suggestions=told_story(found))

    drawn = acceptance(told_story(found))

    assert Story.from_dict(story.to_dict()) == story
    assert drawn.count("polyline") == 2
    assert drawn.count('class="diagonal"') == 1


def test_answers_are_counted_by_what_was_shown(tmp_path: Path) -> None:
    """A task put again while somebody looks at it keeps what they see; its answer counts for that version."""
    schema = LabelSchema("label", ("ham", "spam"))
    with open_database(tmp_path / "people.db") as database:
        project = create_project(database, "p", {"schema": schema.to_dict(), "queue": {"blind_share": 0.0}})
        user = add_person(database, project, "annotator", "ana")
        put_tasks(database, project, [_task("a", "v1"), _task("b", "v1")])
        (first,) = Queue(database, project).next(user)
        put_tasks(database, project, [_task("a", "v2"), _task("b", "v2")])
        (second,) = Queue(database, project).next(user, have=[first.id])
        said = [
            Answer(f"k{n}", turn.id, value="spam", shown="shown", outcome="accepted")
            for n, turn in enumerate((first, second))
        ]
        submit(Queue(database, project), user, said)

        told = feedback(database, project, schema)

    assert [(row["version"], row["accepted"]) for row in told["versions"]] == [("v1", 1), ("v2", 1)]


def _task(item: str, version: str) -> NewTask:
    suggestion = {"id": "consensus", "source": "auto", "version": version, "score": 0.8, "value": "spam"}
    return NewTask(item, {"data": item}, suggestions=[suggestion])
