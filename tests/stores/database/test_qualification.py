"""Training before real work, and gold that keeps checking: on both databases."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from tests.stores.database.people import People, said
from tests.stores.database.test_queue import settle

from labelmill.errors import ConflictError
from labelmill.stores.database import audit_log
from labelmill.stores.database.answers import submit
from labelmill.stores.database.outbox import add_webhook, due
from labelmill.stores.database.qualification import Score, decide_standing, lessons, standing, standings
from labelmill.stores.database.tables import assignments
from labelmill.stores.database.votes import current_votes


def stands(people: People, user: int) -> Any:
    """How somebody stands."""
    return standing(people.database, people.project, user)


def train(people: People, user: int, rights: Sequence[bool]) -> None:
    """Answer the next training items."""
    for is_right in rights:
        people.answer(user, people.take(user), "right" if is_right else "wrong", is_right=is_right)


def answer_gold(people: People, user: int, rights: Sequence[bool]) -> None:
    """Answer gold items, each as it is named."""
    train(people, user, rights)


def in_training(people: People, n_items: int = 6, **settings: Any) -> int:
    """A newcomer to a project with such training, and real work behind it."""
    settle(people, **{"training": 3, "pass_mark": 0.6, "attempts": 2, **settings})
    people.put(*(f"t{i}" for i in range(n_items)), purpose="training", overlap=1_000, reason="so it is")
    people.put("real", "other", overlap=5)
    return people.person()


def test_a_newcomer_gets_training_alone(people: People) -> None:
    """Whatever is asked for, who has not passed gets as many training items as an attempt has, and no more."""
    ann = in_training(people)

    given = people.queue.next(ann, 20)

    assert [one.purpose for one in given] == ["training"] * 3
    assert all(one.is_blind for one in given)
    assert people.next(ann, 20, have=[one.id for one in given]) == []
    assert people.next(ann, 20, have=[one.id for one in given], purpose="audit") == []


def test_items_lost_on_the_way_come_again(people: People) -> None:
    """A newcomer whose page died is given the same items once more."""
    ann = in_training(people)

    first, again = people.next(ann, 3), people.next(ann, 3)

    assert first == again


def test_leads_and_admins_are_not_asked(people: People) -> None:
    """Leads, admins and machines work at once, and have no standing."""
    in_training(people)

    for role in ("lead", "admin", "machine"):
        user = people.person(role)
        assert people.next(user, 5) == ["real", "other"]
        assert stands(people, user).is_exempt


def test_passing_opens_the_real_work(people: People) -> None:
    """Two of three reach a mark of 0.6: the person is qualified and gets label tasks."""
    ann = in_training(people)
    train(people, ann, [True, False, True])

    assert ("qualified", Score(2, 3)) == (stands(people, ann).state, stands(people, ann).last)
    assert people.next(ann, 5) == ["real", "other"]


def test_training_answers_are_no_votes(people: People) -> None:
    """What is answered in training never counts as a vote."""
    ann = in_training(people)
    train(people, ann, [True, True, True])

    assert list(current_votes(people.database, people.project)) == []


def test_another_attempt_has_other_items(people: People) -> None:
    """Below the mark a second attempt begins, on items not seen before."""
    ann = in_training(people)
    first = people.next(ann, 3)
    train(people, ann, [False, False, True])

    now = stands(people, ann)
    assert (now.state, now.attempt, now.training, now.last) == ("training", 2, Score(0, 0), Score(1, 3))
    assert not set(first) & set(people.next(ann, 3))


def test_a_small_pool_is_used_again(people: People) -> None:
    """With fewer items than all attempts need, the ones seen longest ago come again, and count anew."""
    ann = in_training(people, n_items=4)
    train(people, ann, [False, False, False])

    given = people.queue.next(ann, 9)
    assert len({one.item for one in given}) == 3
    train(people, ann, [True, True, True])
    assert stands(people, ann).state == "qualified"


def test_too_many_attempts_fail(people: People) -> None:
    """After the last attempt nothing is handed out until a lead decides."""
    ann = in_training(people)
    train(people, ann, [False] * 6)

    assert stands(people, ann).state == "failed"
    assert people.next(ann, 5) == []


def test_the_first_answer_counts(people: People) -> None:
    """Another answer to the same item, and taking one back, change neither the score nor the attempt."""
    ann = in_training(people)
    given = people.take(ann)
    people.answer(ann, given, "wrong", is_right=False)

    again = people.answer(ann, given, "right", is_right=True)
    taken_back = people.answer(ann, given, kind="retract")

    assert ("kept", "refused") == (again.status, taken_back.status)
    assert stands(people, ann).training == Score(0, 1)


def test_the_same_vote_sent_twice_counts_once(people: People) -> None:
    """A repeated sending is the same answer."""
    ann = in_training(people)
    vote = said(people.take(ann), "right", is_right=True)

    statuses = [submit(people.queue, ann, [vote])[0].status for _ in range(3)]

    assert (statuses, stands(people, ann).training) == (["kept"] * 3, Score(1, 1))


def test_a_skip_is_an_answer(people: People) -> None:
    """Who skips in training does not get easier items for it."""
    ann = in_training(people)
    people.answer(ann, people.take(ann), kind="skip")
    train(people, ann, [True, True])

    assert stands(people, ann).last == Score(2, 3)


def test_lessons_come_after_the_answer(people: People) -> None:
    """The known answer and its reason are told of items that were answered, and of those alone."""
    ann = in_training(people)
    answered, waiting = people.queue.next(ann, 2)
    people.answer(ann, answered, "wrong", is_right=False)

    found = lessons(people.database, people.project, ann, [answered.id, waiting.id])

    assert {answered.id: ("right", "so it is", Score(0, 1), 3)} == found


def test_others_learn_nothing_of_it(people: People) -> None:
    """Somebody else's turn tells nothing."""
    ann = in_training(people)
    given = people.take(ann)
    people.answer(ann, given, "wrong", is_right=False)

    assert lessons(people.database, people.project, people.person(), [given.id]) == {}


def test_a_lead_lets_in_and_sends_again(people: People) -> None:
    """A lead may let in who failed, and send to training who had passed: from nothing, with all attempts."""
    ann = in_training(people)
    train(people, ann, [False] * 6)

    decide_standing(people.queue, ann, "qualified", actor="lead")
    (held,) = people.queue.next(ann, 1)
    assert held.purpose == "label"

    decide_standing(people.queue, ann, "training", actor="lead")
    now = stands(people, ann)
    assert (now.state, now.attempt, now.training, now.last) == ("training", 1, Score(0, 0), None)
    assert [one.purpose for one in people.queue.next(ann, 9)] == ["training"] * 3
    actions = [entry.action for entry in audit_log.entries(people.database, project=people.project.id)]
    assert actions[-3:] == ["qualification.failed", "qualification.qualified", "qualification.training"]


def test_what_was_held_returns(people: People) -> None:
    """Who is held back leaves what they hold to others at once."""
    ann = in_training(people)
    decide_standing(people.queue, ann, "qualified")
    assert people.next(ann, 2) == ["real", "other"]

    decide_standing(people.queue, ann, "paused")

    held = sa.select(sa.func.count()).where(assignments.c.state == "leased", assignments.c.user_id == ann)
    assert people.count(held) == 0
    assert people.next(ann, 2) == []


def test_decisions_need_something_to_decide(people: People) -> None:
    """Of somebody whom nothing is asked of, nothing can be decided."""
    ann, lead = in_training(people), people.person("lead")

    with pytest.raises(ConflictError, match="only annotators"):
        decide_standing(people.queue, lead, "training")
    settle(people)
    with pytest.raises(ConflictError, match="checks nobody"):
        decide_standing(people.queue, ann, "qualified")


def test_switching_training_off_opens_the_door(people: People) -> None:
    """Without the setting nobody waits any more, whatever was written of them."""
    ann = in_training(people)
    train(people, ann, [False] * 6)

    settle(people)

    assert people.next(ann, 5) == ["real", "other"]
    assert stands(people, ann).is_exempt


def test_nobody_asks_for_lessons_to_learn_the_gold(people: People) -> None:
    """Who has passed gets no more training items: they would tell the answers that gold shall check."""
    ann = in_training(people)
    train(people, ann, [True] * 3)

    assert people.next(ann, 5, purpose="training") == []


def with_gold(people: People, n: int = 40, **settings: Any) -> int:
    """Somebody in a project whose gold keeps checking, all of it gold."""
    settle(people, **{"gold_share": 1.0, "gold_floor": 0.7, **settings})
    people.put(*(f"g{i}" for i in range(n)), purpose="gold", overlap=1_000)
    people.put("real", overlap=5)
    return people.person()


def test_who_is_surely_too_bad_is_paused(people: People) -> None:
    """Ten wrong answers on gold: paused, told, what is held returns, votes stay."""
    add_webhook(people.database, people.project, "https://example.org/", ["annotator.*"])
    ann = with_gold(people)
    held = people.queue.next(ann, 2)
    answer_gold(people, ann, [False] * 9)
    assert stands(people, ann).state == "qualified"

    train(people, ann, [False])

    assert (stands(people, ann).state, stands(people, ann).gold) == ("paused", Score(0, 10))
    assert people.next(ann, 5) == []
    assert len(list(current_votes(people.database, people.project))) == 10
    events = [(event.event, event.body["right"], event.body["n"]) for event in due(people.database)]
    assert events == [("annotator.paused", 0, 10)]
    assert "qualification.paused" in [e.action for e in audit_log.entries(people.database, project=people.project.id)]
    leased = sa.select(sa.func.count()).where(assignments.c.state == "leased")
    assert (len(held), people.count(leased)) == (2, 0)


def test_who_is_good_enough_goes_on(people: People) -> None:
    """Eight of ten right: nobody is paused at a floor of 0.7."""
    ann = with_gold(people)
    answer_gold(people, ann, [True, True, True, True, False] * 4)

    now = stands(people, ann)
    assert (now.state, now.gold) == ("qualified", Score(16, 20))
    assert now.gold_interval == pytest.approx((0.5840, 0.9193), abs=1e-4)


def test_late_answers_of_who_was_paused_are_kept(people: People) -> None:
    """What was on its way when somebody was paused is not lost."""
    ann = with_gold(people)
    *_, last = given = people.queue.next(ann, 11)
    submit(people.queue, ann, [said(one, "wrong", is_right=False) for one in given[:10]])
    assert stands(people, ann).state == "paused"

    assert people.answer(ann, last).status in {"kept", "extra"}


def test_let_in_again_counts_from_nothing(people: People) -> None:
    """After a lead's decision old mistakes are not held against somebody: the next wrong answer does not pause."""
    ann = with_gold(people)
    answer_gold(people, ann, [False] * 10)

    decide_standing(people.queue, ann, "qualified", actor="lead")
    answer_gold(people, ann, [False])

    assert (stands(people, ann).state, stands(people, ann).gold) == ("qualified", Score(0, 1))


def test_a_corrected_gold_answer_counts_as_corrected(people: People) -> None:
    """Gold tells nothing, so the answer that holds is judged: changed, taken back, given again."""
    ann = with_gold(people)
    given = people.take(ann)
    people.answer(ann, given, "wrong", is_right=False)
    people.answer(ann, given, "right", is_right=True)
    assert stands(people, ann).gold == Score(1, 1)

    people.answer(ann, given, kind="retract")
    assert stands(people, ann).gold == Score(0, 0)


def test_gold_after_training_is_other_gold(people: People) -> None:
    """Who learned the answer of an item in training does not meet it as gold."""
    ann = in_training(people, gold_share=1.0)
    people.put(*(f"t{i}" for i in range(6)), purpose="gold", overlap=1_000)
    learned = people.next(ann, 3)
    train(people, ann, [True] * 3)

    assert not set(learned) & set(people.next(ann, 6))


def test_everybody_stands_in_one_list(people: People) -> None:
    """A lead sees all members with their standing."""
    ann = in_training(people)
    bob, lead = people.person(), people.person("lead")
    train(people, ann, [True] * 3)
    assert lead

    found = [(one.state, one.training) for one in standings(people.database, people.project)]

    assert [("qualified", Score(3, 3)), ("training", Score(0, 0)), (None, Score(0, 0))] == found
    assert bob


def test_two_answers_at_once_end_one_attempt(people: People) -> None:
    """The last items of an attempt, sent at the same moment, end it once."""
    ann = in_training(people, n_items=9, training=4)
    given = people.queue.next(ann, 4)
    threads = [
        threading.Thread(target=submit, args=(people.queue, ann, [said(one, "wrong", is_right=False)])) for one in given
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    now = stands(people, ann)
    assert (now.state, now.attempt, now.last) == ("training", 2, Score(0, 4))
