"""Any sequence of acts, on the queue and on a model of it that fits on a page."""

from __future__ import annotations

import itertools
import uuid

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from tests.stores.database.people import People, SetClock, add_person, said
from tests.trials.test_people_races import check_books

from labelmill.stores.database.accounts import list_members
from labelmill.stores.database.answers import Answer, submit
from labelmill.stores.database.connect import Database, open_database
from labelmill.stores.database.projects import QueueSettings, create_project
from labelmill.stores.database.queue import Assignment, Queue
from labelmill.stores.database.tables import tasks
from labelmill.stores.database.tasks import NewTask, put_tasks
from labelmill.stores.database.votes import current_votes

N_USERS = 3
LEASE_SECONDS = 100


class QueueMachine(RuleBasedStateMachine):
    """What three people can do to a queue; the model knows who had what, and what holds now."""

    given = Bundle("given")
    sent = Bundle("sent")
    items = itertools.count()

    def __init__(self, database: Database) -> None:
        super().__init__()
        clock = SetClock()
        database.clock = clock
        project = create_project(
            database, f"p {uuid.uuid4()}", queue=QueueSettings(lease_seconds=LEASE_SECONDS, max_held=4)
        )
        self.people = People(database, clock, project, Queue(database, project))
        self.users = [add_person(database, project, "annotator", f"u{i}") for i in range(N_USERS)]
        self.has_had: set[tuple[int, str]] = set()
        self.holds: dict[tuple[int, str], object] = {}

    @rule(overlap=st.integers(1, 3), priority=st.integers(0, 3), n=st.integers(1, 3))
    def put(self, overlap: int, priority: int, n: int) -> None:
        """New items."""
        for _ in range(n):
            new = NewTask(f"i{next(self.items)}", {}, overlap=overlap, priority=float(priority))
            put_tasks(self.people.database, self.people.project, [new])

    @rule(target=given, who=st.integers(0, N_USERS - 1), n=st.integers(1, 3))
    def next(self, who: int, n: int) -> object:
        """Ask for more; nothing comes that the person has answered or skipped."""
        user = self.users[who]
        got = self.people.queue.next(user, n)
        for one in got:
            assert (user, one.item) not in self.has_had
        return multiple(*[(user, one) for one in got])

    @rule(target=sent, turn=given, value=st.sampled_from("abc"))
    def answer(self, turn: tuple[int, Assignment], value: str) -> object:
        """Answer, in time or late: it is kept in any case."""
        user, one = turn
        answer = said(one, value)
        (receipt,) = submit(self.people.queue, user, [answer])
        assert receipt.is_on_disk
        self.has_had.add((user, one.item))
        self.holds[user, one.item] = value
        return (user, answer, receipt)

    @rule(before=sent)
    def send_again(self, before: tuple[int, Answer, object]) -> None:
        """The same again changes nothing, however much later."""
        user, answer, receipt = before

        assert [receipt] == submit(self.people.queue, user, [answer])

    @rule(turn=given)
    def retract(self, turn: tuple[int, Assignment]) -> None:
        """Take the answer back."""
        user, one = turn
        self.people.answer(user, one, kind="retract")
        self.holds.pop((user, one.item), None)
        self.has_had.discard((user, one.item))

    @rule(turn=given)
    def skip(self, turn: tuple[int, Assignment]) -> None:
        """Leave it to others."""
        user, one = turn
        self.people.answer(user, one, kind="skip")
        self.holds.pop((user, one.item), None)
        self.has_had.add((user, one.item))

    @rule(turn=consumes(given))
    def give_back(self, turn: tuple[int, Assignment]) -> None:
        """Put it back into the queue, if it is still held."""
        user, one = turn
        self.people.queue.give_back(user, [one.id])

    @rule(seconds=st.integers(-300, 300))
    def pass_time(self, seconds: int) -> None:
        """The clock moves, back too."""
        self.people.clock.pass_seconds(seconds)

    @invariant()
    def books_are_right(self) -> None:
        """What holds is what the model says, and the counts are those of the rows."""
        votes = current_votes(self.people.database, self.people.project)
        names = {
            member.user.id: member.user.public_id for member in list_members(self.people.database, self.people.project)
        }

        assert {(names[user], item): value for (user, item), value in self.holds.items()} == {
            (vote.annotator, vote.item): vote.label for vote in votes
        }
        check_books(self.people)

    def teardown(self) -> None:
        """In the end every free slot can be had."""
        for _ in range(2):
            self.people.clock.pass_seconds(10 * LEASE_SECONDS)
            self.people.queue.sweep()
        for _ in range(3):
            user = add_person(self.people.database, self.people.project, "annotator", "late")
            while got := self.people.queue.next(user, 4):
                assert all("kept" == self.people.answer(user, one).status for one in got)
        assert 0 == self.people.count(
            sa.select(sa.func.coalesce(sa.func.sum(tasks.c.free), 0)).where(
                tasks.c.project_id == self.people.project.id
            )
        )
        check_books(self.people)


def test_any_sequence_of_acts(database_url: str, request: pytest.FixtureRequest) -> None:
    """Whatever three people do in whatever order, the queue does what the model says."""
    is_long = request.config.getoption("--slow")
    with open_database(database_url, allow_unsafe=True) as database:
        run_state_machine_as_test(
            lambda: QueueMachine(database),  # type: ignore[arg-type]  # a factory, as its documentation says
            settings=settings(
                max_examples=500 if is_long else 3,
                stateful_step_count=50 if is_long else 20,
                deadline=None,
                derandomize=not is_long,
                suppress_health_check=list(HealthCheck),
            ),
        )
