from __future__ import annotations

import uuid

import pytest
import sqlalchemy as sa
from tests.stores.database.people import People, said

from labelmill.domain.vote import Vote
from labelmill.errors import UsageError
from labelmill.stores.database.answers import Answer, submit
from labelmill.stores.database.drafts import drop_draft, keep_draft, list_drafts
from labelmill.stores.database.projects import update_settings
from labelmill.stores.database.tables import votes
from labelmill.stores.database.tasks import list_tasks, progress
from labelmill.stores.database.votes import current_votes, gold_results, history


def now_said(people: People, **options: object) -> list[tuple[str, object]]:
    """What holds now: items and labels."""
    return [(vote.item, vote.label) for vote in current_votes(people.database, people.project, **options)]  # type: ignore[arg-type]  # options of the test


def test_same_key_same_content_is_one_vote(people: People) -> None:
    """The same submit again gets the same answer, and there is one vote."""
    people.put("a")
    ann = people.person()
    answer = said(people.take(ann), {"boxes": [1.5, "é", None]})

    receipts = [submit(people.queue, ann, [answer]) for _ in range(3)]

    assert receipts[0] == receipts[1] == receipts[2]
    assert "kept" == receipts[0][0].status
    assert 1 == people.count(sa.select(sa.func.count()).select_from(votes))


def test_repeats_within_one_batch(people: People) -> None:
    """A key twice in one batch is one vote; with other content the second is a conflict."""
    people.put("a")
    ann = people.person()
    given = people.take(ann)
    first = said(given, "x")

    receipts = submit(people.queue, ann, [first, first, said(given, "y", key=first.key)])

    assert ["kept", "kept", "conflict"] == [receipt.status for receipt in receipts]
    assert [("a", "x")] == now_said(people)


def test_same_key_other_content_is_a_conflict(people: People) -> None:
    """A key stands for one content for ever, whoever sends it."""
    people.put("a", "b")
    ann, bob = people.person(), people.person()
    given = people.take(ann)
    answer = said(given, "x")
    submit(people.queue, ann, [answer])

    other = submit(people.queue, ann, [said(given, "y", key=answer.key)])
    of_bob = submit(people.queue, bob, [said(people.take(bob), "x", key=answer.key)])

    assert ["conflict", "conflict"] == [other[0].status, of_bob[0].status]
    assert [("a", "x")] == now_said(people)


def test_late_repeat_after_a_retraction(people: People) -> None:
    """A repeat that arrives after the answer was taken back changes nothing."""
    people.put("a")
    ann = people.person()
    given = people.take(ann)
    answer = said(given, "x")
    submit(people.queue, ann, [answer])
    people.answer(ann, given, kind="retract")

    again = submit(people.queue, ann, [answer])

    assert "kept" == again[0].status
    assert [] == now_said(people)


def test_newest_answer_supersedes(people: People) -> None:
    """A change is a new vote; the old one stays in the history."""
    people.put("a")
    ann = people.person()
    given = people.take(ann)
    people.answer(ann, given, "x")
    people.answer(ann, given, "y")

    assert [("a", "y")] == now_said(people)
    assert ["x", "y"] == [remark.value for remark in history(people.database, people.project, "a")]
    found = progress(people.database, people.project)
    assert (1, 1, 1) == (found.n_tasks, found.n_done, found.n_answers)


def test_retraction_leaves_the_task_with_its_person(people: People) -> None:
    """Who takes an answer back holds the task for another lease; then it goes to others."""
    people.put("a")
    ann, bob = people.person(), people.person()
    given = people.take(ann)
    people.answer(ann, given, "x")

    people.answer(ann, given, kind="retract")

    assert [] == now_said(people)
    assert [] == people.next(bob)
    assert 0 == progress(people.database, people.project).n_done
    people.clock.pass_seconds(601)
    assert ["a"] == people.next(bob)


def test_answering_again_after_a_retraction(people: People) -> None:
    """Undo and another answer leave the other answer."""
    people.put("a")
    ann = people.person()
    given = people.take(ann)
    people.answer(ann, given, "x")
    people.answer(ann, given, kind="retract")
    people.answer(ann, given, "y")

    assert [("a", "y")] == now_said(people)
    assert 1 == progress(people.database, people.project).n_done


def test_skip_leaves_the_task_to_others(people: People) -> None:
    """A skipped item goes to somebody else, with the reason on record, and can be taken up again by an undo."""
    people.put("a")
    ann, bob = people.person(), people.person()
    given = people.take(ann)

    people.answer(ann, given, kind="skip", note="unreadable")

    assert "unreadable" == history(people.database, people.project, "a")[0].note
    assert 1 == progress(people.database, people.project).n_skipped
    people.answer(ann, given, kind="retract")
    assert [] == people.next(bob)
    assert "kept" == people.answer(ann, given, "x").status
    assert 0 == progress(people.database, people.project).n_skipped


def test_remarks_stand_beside_the_answer(people: People) -> None:
    """Flags, comments and rejected suggestions are kept and fill no slot."""
    people.put("a")
    ann = people.person()
    given = people.take(ann)

    for kind in ("flag", "comment", "reject"):
        assert "kept" == people.answer(ann, given, kind=kind, note="see here").status

    assert [] == now_said(people)
    assert ["a"] == people.next(ann)


def test_late_answer_takes_a_free_slot_again(people: People) -> None:
    """After the lease ended, an answer still counts if nobody else has taken the place."""
    people.put("a")
    ann = people.person()
    given = people.take(ann)
    people.clock.pass_seconds(700)
    people.queue.sweep()

    assert "kept" == people.answer(ann, given).status
    assert [] == people.next(people.person())


def test_late_answer_is_an_extra_vote(people: People) -> None:
    """When others have the place, a late answer is kept as one vote more, and counts as a vote."""
    people.put("a")
    ann, bob = people.person(), people.person()
    given = people.take(ann)
    people.clock.pass_seconds(700)
    people.answer(bob, people.take(bob), "b")

    assert "extra" == people.answer(ann, given, "x").status
    assert [("a", "b"), ("a", "x")] == now_said(people)
    found = progress(people.database, people.project)
    assert (1, 1) == (found.n_answers, found.n_extra)
    assert [] == people.next(ann)


def test_late_answer_can_be_refused_with_its_draft_kept(people: People) -> None:
    """By setting, a late answer is refused, and its content waits as a draft."""
    update_settings(people.database, people.project, {"queue": {"late": "refuse"}}, version=1)
    people.put("a")
    ann, bob = people.person(), people.person()
    given = people.take(ann)
    people.clock.pass_seconds(700)
    people.take(bob)

    receipt = people.answer(ann, given, {"x": 1})

    assert ("refused", False) == (receipt.status, receipt.is_on_disk)
    assert {given.id: {"x": 1}} == list_drafts(people.database, people.project, ann)


def test_late_answer_under_the_old_turn_fills_the_new(people: People) -> None:
    """Who got the same task again after the lease ended may send the answer under the first turn."""
    people.put("a")
    ann = people.person()
    first = people.take(ann)
    people.clock.pass_seconds(700)
    second = people.take(ann)

    receipt = people.answer(ann, first, "x")

    assert first.id != second.id
    assert "kept" == receipt.status
    assert [("a", "x")] == now_said(people)
    assert 1 == progress(people.database, people.project).n_done


def test_nobody_answers_what_was_given_to_others(people: People) -> None:
    """An answer needs a turn of the same person; the rest of the batch is kept."""
    people.put("a", "b")
    ann, bob = people.person(), people.person()
    of_ann, of_bob = people.take(ann), people.take(bob)

    receipts = submit(people.queue, bob, [said(of_ann), said(of_bob)])

    assert ["refused", "kept"] == [receipt.status for receipt in receipts]


def test_one_bad_answer_leaves_the_others_alone(people: People) -> None:
    """A value that no database keeps alike is refused; its neighbours are kept."""
    people.put("a", "b")
    ann = people.person()
    first, second = people.queue.next(ann, 2)

    receipts = submit(people.queue, ann, [said(first, "\0"), said(second, "fine")])

    assert ["refused", "kept"] == [receipt.status for receipt in receipts]
    assert "NUL" in receipts[0].message or "0000" in receipts[0].message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ms_active", -1),
        ("ms_total", 2**63),
        ("confidence", float("nan")),
        ("note", "\0"),
        ("kind", "like"),
        ("key", ""),
    ],
)
def test_malformed_answers_are_refused(field: str, value: object) -> None:
    """Fields out of range are told by name."""
    with pytest.raises(UsageError, match=field):
        Answer(**{"key": "k", "assignment": "a", field: value})  # type: ignore[arg-type]  # what is tested


def test_all_that_came_with_an_answer_is_kept(people: People) -> None:
    """Times, suggestion, outcome and version come back from the history as they were sent."""
    people.put("a")
    ann = people.person()
    sent = {
        "base": "s1",
        "shown": "shown",
        "outcome": "edited",
        "ms_active": 900,
        "ms_total": 1200,
        "bulk": 60,
    }

    people.answer(ann, people.take(ann), ["x", "y"], ui="1.2", confidence=0.5, **sent)

    (remark,) = history(people.database, people.project, "a")
    assert sent == {name: getattr(remark, name) for name in sent}
    (vote,) = current_votes(people.database, people.project)
    assert Vote("a", remark.annotator, ["x", "y"], 0.5, "2023-11-14T22:13:20.000+00:00", "label") == vote
    assert 900 == progress(people.database, people.project).ms_active


def test_votes_by_purpose(people: People) -> None:
    """Each vote says why it was asked; training is left out, gold is held against its answer."""
    people.put("a")
    people.put("g", purpose="gold", answer="right")
    people.put("t", purpose="training", answer="known", reason="because")
    ann = people.person()
    for purpose in ("label", "gold", "training"):
        people.answer(ann, people.take(ann, purpose=purpose), "wrong")

    found = [(vote.item, vote.purpose) for vote in current_votes(people.database, people.project)]

    assert [("a", "label"), ("g", "gold")] == found
    results = gold_results(people.database, people.project, user=ann)
    assert [("g", "wrong", "right"), ("t", "wrong", "known")] == [(r.item, r.value, r.answer) for r in results]


def test_drafts_are_kept_and_dropped(people: People) -> None:
    """The newest draft replaces the one before, until it is dropped."""
    people.put("a")
    ann = people.person()
    given = people.take(ann)

    keep_draft(people.database, people.project, ann, given.id, [1])
    keep_draft(people.database, people.project, ann, given.id, [2])
    kept = list_drafts(people.database, people.project, ann)
    drop_draft(people.database, people.project, ann, given.id)

    assert ({given.id: [2]}, {}) == (kept, list_drafts(people.database, people.project, ann))


def test_task_pages_show_all_once(people: People) -> None:
    """Pages by key go through every task, in order, with its counts."""
    people.put(*(f"i{i}" for i in range(7)), overlap=2)
    ann = people.person()
    people.answer(ann, people.take(ann))
    people.take(ann)

    pages, after = [], 0
    while page := list_tasks(people.database, people.project, after=after, limit=3):
        pages.append(page)
        after = page[-1].key

    assert [3, 3, 1] == [len(page) for page in pages]
    assert [("i0", 1, 0), ("i1", 0, 1)] == [(row.item, row.n_answers, row.n_out) for row in pages[0][:2]]


def test_votes_cannot_be_changed(people: People) -> None:
    """The table of votes takes no update from any code."""
    people.put("a")
    ann = people.person()
    people.answer(ann, people.take(ann))

    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        people.database.write(lambda connection: connection.execute(sa.update(votes).values(value='"b"')).rowcount)


def test_random_keys_never_meet(people: People) -> None:
    """Answers of several people arrive under their own keys."""
    people.put("a", overlap=3)
    for _ in range(3):
        person = people.person()
        assert "kept" == people.answer(person, people.take(person), key=str(uuid.uuid4())).status

    assert 3 == len(now_said(people))
