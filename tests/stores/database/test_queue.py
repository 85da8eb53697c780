from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
import sqlalchemy as sa
from tests.stores.database.people import People, names, said

from labelmill.errors import AccessError
from labelmill.stores.database.answers import submit
from labelmill.stores.database.projects import update_settings
from labelmill.stores.database.tables import places, slots, tasks
from labelmill.stores.database.tasks import NewTask, put_tasks, reprioritise


def settle(people: People, **queue: object) -> None:
    """Give the queue other settings."""
    people.project = update_settings(people.database, people.project, {"queue": queue}, version=people.project.version)


def test_comes_in_order_of_priority(people: People) -> None:
    """Higher priorities come first, equal ones in the order they were put."""
    new = [NewTask(item, {}, priority=priority) for item, priority in (("low", 1), ("high", 9), ("as low", 1))]
    put_tasks(people.database, people.project, new)

    given = people.next(people.person(), 3)

    assert given == ["high", "low", "as low"]


def test_carries_what_is_to_be_shown(people: People) -> None:
    """An assignment has the item's content, the suggestions and why it was chosen."""
    suggestion = {"id": "s1", "source": "model", "value": "spam", "score": 0.9}
    people.put("mail", suggestions=[suggestion], why="annotators disagree")

    given = people.take(people.person())

    assert ({"text": "text of mail"}, [suggestion], "annotators disagree") == (
        given.content,
        given.suggestions,
        given.why,
    )


def test_never_more_people_than_the_overlap(people: People) -> None:
    """A task with overlap two is given to two people, the third gets the next one."""
    people.put("first", "second", overlap=2)

    given = [people.next(people.person()) for _ in range(5)]

    assert given == [["first"], ["first"], ["second"], ["second"], []]


def test_database_refuses_a_slot_too_many(people: People) -> None:
    """Whatever code asks for it, the tables take no more slots than the overlap."""
    people.put("only", overlap=1)
    ann, bob = people.person(), people.person()
    people.take(ann)

    for slot, overlap in ((0, 1), (1, 1), (1, 2)):
        row = {"slot": slot, "overlap": overlap, "user_id": bob, "project_id": people.project.id}
        put = sa.insert(slots).values(task_id=sa.select(sa.func.max(tasks.c.id)).scalar_subquery(), **row)
        with pytest.raises(sa.exc.IntegrityError):
            people.database.write(partial(sa.Connection.execute, statement=put))


def test_never_the_same_item_twice(people: People) -> None:
    """Who answered, skipped or flagged an item does not meet it again, in no queue that asks for independent votes."""
    people.put("answered", "skipped", overlap=3)
    people.put("answered", "skipped", purpose="review", overlap=1)
    lead = people.person("lead")
    people.answer(lead, people.take(lead))
    people.answer(lead, people.take(lead), kind="skip")

    assert [] == people.next(lead, 5)
    assert [] == people.next(lead, 5, purpose="review")
    assert ["answered", "skipped"] == people.next(people.person("lead"), 5, purpose="review")


def test_asking_again_gives_back_what_was_lost(people: People) -> None:
    """What the client does not hold although it was leased comes again before anything new."""
    people.put("a", "b", "c")
    ann = people.person()
    lost, held = people.queue.next(ann, 2)

    again = people.queue.next(ann, 2, have=[held.id])

    assert [lost.id] == [one.id for one in again][:1]
    assert ["a", "c"] == names(again)


def test_holds_no_more_than_allowed(people: People) -> None:
    """One person cannot lease the whole queue."""
    settle(people, max_held=3)
    people.put(*(f"i{i}" for i in range(9)))
    ann = people.person()

    first = people.queue.next(ann, 2)
    more = people.queue.next(ann, 9, have=[one.id for one in first])

    assert ["i2"] == names(more)


def test_lease_ends_and_returns(people: People) -> None:
    """A task comes back when its lease is over, for others and for the same person."""
    people.put("a")
    ann, bob = people.person(), people.person()
    people.take(ann)
    people.clock.pass_seconds(599)
    before = people.next(bob)
    people.clock.pass_seconds(2)

    after = people.next(bob)
    people.clock.pass_seconds(700)

    assert ([], ["a"], ["a"]) == (before, after, people.next(ann))


def test_renewing_keeps_the_lease(people: People) -> None:
    """A lease begins anew at each sign of life."""
    people.put("a")
    ann, bob = people.person(), people.person()
    given = people.take(ann)
    for _ in range(5):
        people.clock.pass_seconds(500)
        assert [given.id] == people.queue.renew(ann, [given.id])

    assert [] == people.next(bob)


def test_giving_back_brings_it_to_everybody(people: People) -> None:
    """What is given back is the next thing for others, in its old place, and for whoever gave it back."""
    people.put("a", "b", "c")
    ann, bob = people.person(), people.person()
    given = people.queue.next(ann, 1)
    people.next(bob)

    back = people.queue.give_back(ann, [given[0].id])

    assert [given[0].id] == back
    assert ["a"] == people.next(people.person())
    assert ["c"] == people.next(ann)


def test_nobody_gives_back_for_others(people: People) -> None:
    """An assignment is its person's alone."""
    people.put("a")
    given = people.take(people.person())

    assert [] == people.queue.give_back(people.person(), [given.id])
    assert [] == people.queue.renew(people.person(), [given.id])


def test_new_priorities_count_at_once(people: People) -> None:
    """Tasks move up while people work, also for those who had gone past."""
    people.put("a", "b", "c", "d", overlap=2)
    ann = people.person()
    for _ in range(2):
        people.answer(ann, people.take(ann))

    changed = reprioritise(people.database, people.project, {"d": 5.0, "unknown": 1.0})

    assert 1 == changed
    assert ["d", "c"] == [people.take(ann).item, people.next(ann, 2)[1]]


def test_later_tasks_ahead_are_found(people: People) -> None:
    """A task put with a higher priority comes first for somebody who is far down the queue."""
    people.put("a", "b", "c", overlap=2)
    ann = people.person()
    for _ in range(2):
        people.answer(ann, people.take(ann))

    put_tasks(people.database, people.project, [NewTask("urgent", {}, priority=99)])

    assert "urgent" == people.take(ann).item


def test_search_starts_where_the_person_is(people: People) -> None:
    """Who works alone through a queue meant for two does not search again through all they have had."""
    people.put(*(f"i{i}" for i in range(60)), overlap=2)
    ann = people.person()
    for _ in range(50):
        people.answer(ann, people.take(ann))

    passed = sa.select(sa.func.count()).where(tasks.c.id < places.c.task_id, places.c.user_id == ann)
    assert 49 == people.count(passed)


def test_gold_is_mixed_in_by_share(people: People) -> None:
    """A fifth of what annotators get is gold, each drawn for themselves and the same at each run; nobody sees which."""
    settle(people, gold_share=0.2, blind_share=0.5, max_held=500)
    people.put(*(f"i{i}" for i in range(200)), overlap=2)
    people.put(*(f"g{i}" for i in range(100)), purpose="gold", overlap=2)

    given = [people.queue.next(people.person(), 100) for _ in range(2)]

    marks = [[one.purpose for one in one_person] for one_person in given]
    assert marks[0] != marks[1]
    assert all(8 <= Counter(one)["gold"] <= 35 for one in marks)
    blind = [one.is_blind for one_person in given for one in one_person if one.purpose == "gold"]
    assert {True, False} == set(blind)


def test_same_draw_in_one_go_or_many(people: People) -> None:
    """How many tasks are asked for at once does not change which are gold."""
    settle(people, gold_share=0.3, max_held=500)
    people.put(*(f"i{i}" for i in range(60)), overlap=1)
    people.put(*(f"g{i}" for i in range(30)), purpose="gold", overlap=1)
    ann = people.person()
    first = people.queue.next(ann, 20)
    people.queue.give_back(ann, [one.id for one in first])
    shares = sum(one.purpose == "gold" for one in first)

    assert 0 < shares < 20
    assert 20 == len({one.item for one in first})


def test_some_items_come_blind(people: People) -> None:
    """The share of items without suggestions is drawn by person and item."""
    settle(people, blind_share=0.5, max_held=500)
    people.put(*(f"i{i}" for i in range(100)), suggestions=[{"id": "s", "value": "a"}])

    given = people.queue.next(people.person(), 100)

    assert 30 < sum(one.is_blind for one in given) < 70
    assert all(bool(one.suggestions) != one.is_blind for one in given)


def test_review_is_for_leads_only(people: People) -> None:
    """An annotator cannot review, and who is no member gets nothing at all."""
    people.put("a", purpose="review")

    with pytest.raises(AccessError, match="leads"):
        people.queue.next(people.person(), purpose="review")
    with pytest.raises(AccessError, match="not a member"):
        people.queue.next(999)


def test_sent_back_comes_to_its_person_first(people: People) -> None:
    """A review sent back is asked of the author alone, although they had the item, and their fix supersedes."""
    people.put("a", "b", overlap=1)
    ann, bob = people.person(), people.person()
    people.answer(ann, people.take(ann), "wrong")
    back = NewTask("a", {}, assignee=ann, why="look again")
    put_tasks(people.database, people.project, [back])

    assert ["b"] == people.next(bob)
    given = people.take(ann)
    assert ("a", "look again") == (given.item, given.why)
    assert "kept" == people.answer(ann, given, "right").status
    assert [] == people.next(ann)


@pytest.mark.parametrize("jump_hours", [1, -1, 24, -24, -24 * 365 * 50])
def test_clock_set_wrong_costs_one_lease_at_most(people: People, jump_hours: int) -> None:
    """After the clock was set, a lease ends at most one lease late, and no answer is lost."""
    people.put("a")
    ann, bob = people.person(), people.person()
    given = people.take(ann)
    people.clock.pass_seconds(jump_hours * 3600)
    people.queue.sweep()
    people.clock.pass_seconds(601)

    assert ["a"] == people.next(bob)
    assert "extra" == people.answer(ann, given).status


def test_projects_do_not_see_each_other(people: People) -> None:
    """A member of one project gets nothing of another, and answers nothing there."""
    from labelmill.stores.database.projects import create_project
    from labelmill.stores.database.queue import Queue

    people.put("a")
    ann = people.person()
    given = people.take(ann)
    other = Queue(people.database, create_project(people.database, "other"))

    with pytest.raises(AccessError):
        other.next(ann)
    with pytest.raises(AccessError):
        submit(other, ann, [said(given)])
