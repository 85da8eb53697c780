"""Many annotators at once on one queue."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
import sqlalchemy as sa
from tests.stores.database.people import People, said

from labelmill.errors import ConflictError
from labelmill.stores.database.answers import Answer, Receipt, submit
from labelmill.stores.database.projects import update_settings
from labelmill.stores.database.tables import assignments, slots, tasks, votes
from labelmill.stores.database.tasks import progress
from labelmill.stores.database.votes import current_votes

N_PEOPLE = 32
LEASE_SECONDS = 600


def together(work: Callable[[int], None], n: int) -> None:
    """Run on so many threads, which start at the same moment; the first error is raised."""
    gate, errors = threading.Barrier(n), []

    def one(i: int) -> None:
        gate.wait()
        try:
            work(i)
        except BaseException as error:  # noqa: BLE001 -- raised below
            errors.append(error)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def check_books(people: People) -> None:
    """Counts kept as people work are those of the rows."""
    mine = tasks.c.project_id == people.project.id
    with people.database.read() as connection:
        sat = Counter(connection.execute(sa.select(slots.c.task_id)).scalars())
        rows = connection.execute(sa.select(tasks.c.id, tasks.c.overlap, tasks.c.free, tasks.c.n_answers).where(mine))
        answered = Counter(
            connection.execute(
                sa.select(assignments.c.task_id).where(
                    assignments.c.state == "answered", assignments.c.project_id == people.project.id
                )
            ).scalars()
        )
        n_done = 0
        for row in rows:
            assert sat[row.id] == row.overlap - row.free
            assert answered[row.id] == row.n_answers
            n_done += row.n_answers >= row.overlap
    found = progress(people.database, people.project)
    assert (n_done, sum(answered.values())) == (found.n_done, found.n_answers)


@pytest.mark.parametrize("overlap", [1, 2, 3])
def test_nobody_is_one_too_many(people: People, overlap: int, request: pytest.FixtureRequest) -> None:
    """Thirty-two people empty a queue: each task reaches exactly as many as its overlap, nobody twice."""
    users = [people.person() for _ in range(N_PEOPLE)]
    for round_number in range(50 if request.config.getoption("--slow") else 1):
        items = [f"r{round_number} i{i}" for i in range(60)]
        people.put(*items, overlap=overlap)
        given: list[tuple[str, int]] = []

        def work(i: int, given: list[tuple[str, int]] = given) -> None:
            while got := people.queue.next(users[i], 2, have=[one.id for one in people.queue.next(users[i], 1)]):
                for one in got:
                    assert "kept" == people.answer(users[i], one).status
                    given.append((one.item, users[i]))

        together(work, N_PEOPLE)
        left = {user: people.queue.next(user, 50) for user in users}
        for user, rest in left.items():
            for one in rest:
                people.answer(user, one)
                given.append((one.item, user))

        assert len(set(given)) == len(given)
        assert Counter(items * overlap) == Counter(item for item, _ in given)
    check_books(people)


def send(people: People, user: int, answer: Answer, receipts: list[Receipt], _: int) -> None:
    """Send one answer and keep its receipt."""
    receipts.extend(submit(people.queue, user, [answer]))


def test_same_submit_eight_times_at_once(people: People, request: pytest.FixtureRequest) -> None:
    """Eight copies of one submit, and one later, are one vote and nine equal receipts."""
    n = 500 if request.config.getoption("--slow") else 5
    people.put(*(f"i{i}" for i in range(n)))
    ann = people.person()
    for _ in range(n):
        answer = said(people.take(ann), "a")
        receipts: list[Receipt] = []
        together(partial(send, people, ann, answer, receipts), 8)
        receipts += submit(people.queue, ann, [answer])

        assert 9 == len(receipts)
        assert {"kept"} == {receipt.status for receipt in receipts}
    assert n == people.count(sa.select(sa.func.count()).select_from(votes))
    assert n == len(list(current_votes(people.database, people.project)))


def test_one_of_eight_editors_wins(people: People) -> None:
    """Of eight who change the settings from one version, one succeeds, and seven are told to read them again."""
    outcomes: list[str] = []

    def edit(i: int) -> None:
        try:
            update_settings(people.database, people.project, {"by": i}, version=1)
            outcomes.append("won")
        except ConflictError:
            outcomes.append("told")

    together(edit, 8)

    assert ["told"] * 7 + ["won"] == sorted(outcomes)


def test_leases_ending_under_people(people: People, request: pytest.FixtureRequest) -> None:
    """While leases end, tasks are given back, skipped and answered late, no one is too many and no answer is lost."""
    update_settings(people.database, people.project, {"queue": {"lease_seconds": LEASE_SECONDS}}, version=1)
    users = [people.person() for _ in range(12)]
    people.put(*(f"i{i}" for i in range(40)), overlap=2)
    acknowledged: list[str] = []
    steps = 200 if request.config.getoption("--slow") else 6

    def work(i: int) -> None:
        rng = random.Random(i)
        for _ in range(steps):
            for one in people.queue.next(users[i], rng.randint(1, 3)):
                act = rng.random()
                if act < 0.2:
                    people.queue.give_back(users[i], [one.id])
                elif act < 0.3:
                    people.answer(users[i], one, kind="skip")
                elif act < 0.5:
                    people.clock.pass_seconds(LEASE_SECONDS / 2)
                else:
                    answer = said(one, "a")
                    (receipt,) = submit(people.queue, users[i], [answer])
                    assert receipt.is_on_disk
                    acknowledged.append(answer.key)

    together(work, len(users))

    with people.database.read() as connection:
        kept = set(connection.execute(sa.select(votes.c.key).where(votes.c.kind == "label")).scalars())
    assert set(acknowledged) == kept
    check_books(people)
    people.clock.pass_seconds(2 * LEASE_SECONDS)
    people.queue.sweep()
    if not people.database.is_sqlite:
        deadlocks = sa.text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        with people.database.read() as connection:
            assert 0 == connection.execute(deadlocks).scalar()
    open_slots = people.count(sa.select(sa.func.coalesce(sa.func.sum(tasks.c.free), 0)))
    fresh = [people.person() for _ in range(2)]
    assert open_slots == sum(len(people.next(user, 50)) for user in fresh)
