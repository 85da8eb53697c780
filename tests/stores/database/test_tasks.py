from __future__ import annotations

import pytest
from tests.stores.database.people import People

from labelmill.errors import UsageError
from labelmill.stores.database.tasks import NewTask, Put, list_tasks, progress, put_tasks


def test_put_again_doubles_nothing(people: People) -> None:
    """The same items again update their tasks: a crashed import is simply run again."""
    new = [NewTask(f"i{i}", {"n": i}) for i in range(5)]

    first = put_tasks(people.database, people.project, new[:3])
    again = put_tasks(people.database, people.project, new)

    assert (Put(3, 0), Put(2, 3)) == (first, again)
    assert 5 == progress(people.database, people.project).n_tasks


def test_put_twice_in_one_go(people: People) -> None:
    """Of an item given twice the last counts."""
    put_tasks(people.database, people.project, [NewTask("a", {"n": 1}), NewTask("a", {"n": 2}, priority=1.0)])

    assert [1.0] == [row.priority for row in list_tasks(people.database, people.project)]
    assert {"n": 2} == people.take(people.person()).content


def test_more_people_can_be_asked_later(people: People) -> None:
    """A done task opens again when its overlap grows; it never shrinks under people who work."""
    people.put("a", overlap=1)
    ann, bob = people.person(), people.person()
    people.answer(ann, people.take(ann))
    done = progress(people.database, people.project).n_done

    people.put("a", overlap=2)
    open_again = progress(people.database, people.project).n_done
    people.put("a", overlap=1)
    given = people.take(bob)
    people.answer(bob, given)

    assert (1, 0) == (done, open_again)
    assert 1 == progress(people.database, people.project).n_done
    assert [2] == [row.overlap for row in list_tasks(people.database, people.project)]


def test_one_item_can_be_asked_for_several_purposes(people: People) -> None:
    """A label task and a review of the same item are two tasks."""
    people.put("a")
    people.put("a", purpose="review")

    assert ["label", "review"] == [row.purpose for row in list_tasks(people.database, people.project)]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"priority": float("nan")}, "priority"),
        ({"priority": float("inf")}, "priority"),
        ({"overlap": 0}, "overlap"),
        ({"overlap": 10**6}, "overlap"),
        ({"purpose": "fun"}, "purpose"),
        ({"purpose": "gold"}, "answer"),
        ({"item": ""}, "item"),
        ({"item": "\ud800"}, "item"),
        ({"why": "\0"}, "why"),
    ],
)
def test_malformed_tasks_are_refused(options: dict[str, object], word: str) -> None:
    """What a database would not keep, or a queue not sort, is told by name."""
    with pytest.raises(UsageError, match=word):
        NewTask(**{"item": "a", "content": {}, **options})  # type: ignore[arg-type]  # what is tested
