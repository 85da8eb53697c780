from __future__ import annotations

import pytest
from tests.stores.database.people import People

from labelmill.errors import UsageError
from labelmill.stores.database import outbox


def vote(people: People) -> None:
    """One answer to one new task."""
    people.put("a")
    ann = people.person()
    people.answer(ann, people.take(ann), "not to be told")


def test_event_is_sent_until_it_is_taken(people: People) -> None:
    """An event keeps its id through its attempts, waits longer each time, and is gone once delivered."""
    outbox.add_webhook(people.database, people.project, "https://example.org/hook", ["vote.*"])
    vote(people)

    (first,) = outbox.due(people.database)
    claimed = outbox.due(people.database)
    outbox.mark_failed(people.database, first.id, "500")
    too_soon = outbox.due(people.database)
    people.clock.pass_seconds(3)
    (second,) = outbox.due(people.database)
    outbox.mark_delivered(people.database, second.id)
    people.clock.pass_seconds(3600)

    assert ("vote.label", first.id, 1) == (first.event, second.id, second.attempts)
    assert [[], [], []] == [claimed, too_soon, outbox.due(people.database)]
    assert "not to be told" not in str(first.body.values())


def test_what_nobody_takes_is_a_dead_letter(people: People) -> None:
    """After enough attempts an event is put aside, where it can be seen."""
    outbox.add_webhook(people.database, people.project, "https://example.org/hook")
    vote(people)
    (event,) = outbox.due(people.database)

    for _ in range(outbox.ATTEMPTS):
        outbox.mark_failed(people.database, event.id, "no route")

    people.clock.pass_seconds(10**6)
    assert [] == outbox.due(people.database)
    (dead,) = outbox.dead_letters(people.database, people.project)
    assert (event.id, "no route", "") == (dead.id, dead.error, dead.secret)


def test_only_wanted_events_are_written(people: People) -> None:
    """A webhook gets what it asked for, and nothing once it is removed."""
    other = outbox.add_webhook(people.database, people.project, "https://example.org/other", ["vote.skip"])
    vote(people)
    unasked = outbox.due(people.database)
    outbox.remove_webhook(people.database, people.project, other.id)

    assert [] == unasked
    assert [] == outbox.list_webhooks(people.database, people.project)
    with pytest.raises(UsageError, match="no webhook"):
        outbox.remove_webhook(people.database, people.project, other.id)
    with pytest.raises(UsageError, match="https"):
        outbox.add_webhook(people.database, people.project, "file:///etc/passwd")
