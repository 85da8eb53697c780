"""Training and gold as people and leads meet them through the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.server.office import Office

from labelmill.client import Client
from labelmill.errors import AccessError, ConflictError, UsageError
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tasks import NewTask, put_tasks

TRAINING = {"training": 3, "pass_mark": 0.6, "attempts": 2}

SUGGESTED = [{"id": "consensus", "source": "auto", "kind": "consensus", "score": 0.8, "value": "ham"}]


def school(office: Office, name: str, *, n_items: int = 6, **queue: Any) -> Project:
    """A project with training on spam, and real work behind it."""
    project = office.project(name, ["real", "other"], queue={**TRAINING, **queue})
    office.put(project, [f"t{i}" for i in range(n_items)], purpose="training", answer="spam", reason="It sells.")
    return project


def learn(client: Client, project: Project, *values: Any, **rest: Any) -> list[dict[str, Any]]:
    """Answer the next training items; the results."""
    found = []
    for value in values:
        (task,) = client.next(project.public_id)["tasks"]
        found.append(client.answer(project.public_id, task, value, **rest))
    return found


def test_each_answer_is_followed_by_its_lesson(office: Office) -> None:
    """The vote's result says right or wrong, the answer, why, and how the attempt goes."""
    project = school(office, "lessons")
    client = office.newcomer(project)

    first, second = learn(client, project, "ham", "spam")

    known = {"answer": "spam", "reason": "It sells."}
    state = {"state": "training"}
    assert first["lesson"] == {"right": False, **known, "score": {"right": 0, "done": 1, "n": 3, **state}}
    assert second["lesson"] == {"right": True, **known, "score": {"right": 1, "done": 2, "n": 3, **state}}


def test_the_way_into_real_work(office: Office) -> None:
    """A newcomer is told where they stand, passes, and gets real items without lessons."""
    project = school(office, "the way")
    client = office.newcomer(project)
    told = client.project(project.public_id)["qualification"]
    expected = {"state": "training", "attempt": 1, "attempts": 2, "n": 3, "done": 0, "right": 0, "pass_mark": 0.6}
    assert told == {**expected, "last": None}

    *_, last = learn(client, project, "spam", "ham", "spam")
    assert last["lesson"]["score"] == {"right": 2, "done": 3, "n": 3, "state": "qualified"}

    page = client.next(project.public_id, 5)
    assert ({"label"}, "qualified") == ({task["purpose"] for task in page["tasks"]}, page["qualification"]["state"])
    assert "lesson" not in client.answer(project.public_id, page["tasks"][0], "ham")


def test_failing_leaves_it_to_a_lead(office: Office) -> None:
    """After the last attempt nothing comes; a lead sees the score and lets the person in."""
    project = school(office, "failing")
    client, lead = office.newcomer(project), office.newcomer(project, "lead", "lena")
    *_, last = learn(client, project, *["ham"] * 6)
    assert last["lesson"]["score"]["state"] == "failed"
    assert client.next(project.public_id, 5)["tasks"] == []
    assert client.next(project.public_id)["qualification"]["last"] == {"right": 0, "n": 3}
    (person,) = [one for one in lead.people(project.public_id) if one["role"] == "annotator"]
    stands = person["qualification"]
    assert (stands["state"], stands["score"], stands["n"]) == ("failed", 0.0, 3)
    watched = lead.dashboard(project.public_id)
    assert [flag["kind"] for flag in watched["flags"]] == ["failed"]
    assert watched["progress"] == []

    lead.qualify(project.public_id, person["annotator"], "qualified")

    assert len(client.next(project.public_id, 5)["tasks"]) == 2
    assert lead.dashboard(project.public_id)["flags"] == []


def test_a_lost_answer_gets_its_lesson_again(office: Office) -> None:
    """The same vote sent again is repeated, with the same lesson and the same score."""
    project = school(office, "lost")
    client = office.newcomer(project)
    (task,) = client.next(project.public_id)["tasks"]

    first, again = (client.answer(project.public_id, task, "ham", key="the same key") for _ in range(2))

    assert first["lesson"] == again["lesson"]


def test_a_second_thought_does_not_change_the_score(office: Office) -> None:
    """Answering again says what is right of the new answer, and the first one counts; taking back is refused."""
    project = school(office, "farming")
    client = office.newcomer(project)
    (task,) = client.next(project.public_id)["tasks"]
    client.answer(project.public_id, task, "ham")

    again = client.answer(project.public_id, task, "spam")
    taken_back = client.answer(project.public_id, task, None, kind="retract")

    assert (True, 0) == (again["lesson"]["right"], again["lesson"]["score"]["right"])
    assert taken_back["status"] == "refused"
    assert client.done(project.public_id) == []


def test_a_skip_shows_the_answer_too(office: Office) -> None:
    """Skipping in training is an answer that is not right."""
    project = school(office, "skipping")

    (result,) = learn(office.newcomer(project), project, None, kind="skip")

    assert (False, "spam") == (result["lesson"]["right"], result["lesson"]["answer"])


def test_near_enough_is_right_for_what_is_drawn(office: Office) -> None:
    """A span that is nearly the known one is right, another is not."""
    schema = {"kind": "span", "classes": ["name"]}
    project = office.project("spans", schema=schema, queue=TRAINING)
    known = [{"start": 0, "end": 10, "label": "name"}]
    office.put(project, ["t0", "t1", "t2"], purpose="training", answer=known)

    near = [{"start": 0, "end": 9, "label": "name"}]
    far = [{"start": 4, "end": 9, "label": "name"}]
    results = learn(office.newcomer(project), project, near, far)

    assert [True, False] == [result["lesson"]["right"] for result in results]
    assert known == results[0]["lesson"]["answer"]


def gold_project(office: Office, name: str, n: int = 12, **queue: Any) -> Project:
    """A project in which gold is mixed in, looking like the rest."""
    project = office.project(name, queue={"gold_share": 0.5, **queue})
    content = {"facts": {}, "meta": {"channel": "mail"}}
    for purpose, answer in (("label", None), ("gold", "spam")):
        put_tasks(
            office.database,
            project,
            [
                NewTask(
                    f"item {purpose[0]}{i}",
                    {"data": f"text {i}", **content},
                    purpose,  # type: ignore[arg-type]  # one of the purposes
                    -float(i),
                    overlap=1_000 if answer else 1,
                    suggestions=SUGGESTED,
                    why="the annotators so far are 80% sure",
                    answer=answer,
                )
                for i in range(n)
            ],
        )
    return project


def shape(value: Any) -> Any:
    """What one can see of JSON without what it is about: the names, types and order of all fields."""
    if isinstance(value, dict):
        return [(name, shape(one)) for name, one in value.items()]
    return [shape(one) for one in value] if isinstance(value, list) else type(value).__name__


def test_gold_cannot_be_told_from_other_items(office: Office) -> None:
    """A gold item has the fields of any other, in their order, with suggestions and without by the same share.

    So has the answer to its vote; and what is left falls by one with each of both.
    """
    project = gold_project(office, "hidden", n=60, blind_share=0.25, max_held=200)
    client = office.newcomer(project)
    tasks = client.next(project.public_id, 80)["tasks"]
    gold = [task for task in tasks if task["item"].startswith("item g")]
    plain = [task for task in tasks if task["item"].startswith("item l")]
    assert min(len(gold), len(plain)) > 20

    for name in ("purpose", "meta", "lease_until", "draft"):
        assert len({json.dumps(task[name]) for task in tasks}) == 1
    assert {task["why"] for task in gold} == {task["why"] for task in plain}
    shapes = [{json.dumps(shape(task)) for task in some} for some in (gold, plain)]
    assert shapes[0] == shapes[1]
    assert all(task["blind"] == (task["suggestions"] == []) for task in tasks)
    assert {True, False} == {task["blind"] for task in gold} == {task["blind"] for task in plain}
    assert "gold" not in json.dumps(tasks)

    held = [task["assignment"] for task in tasks]
    left, results = [], []
    for task in (gold[0], plain[0], gold[1], plain[1]):
        results.append(client.answer(project.public_id, task, "spam"))
        page = client.next(project.public_id, have=held)
        held += [one["assignment"] for one in page["tasks"]]
        left.append((page["left"], client.project(project.public_id)["progress"]))
    assert len({json.dumps(shape(result)) for result in results}) == 1
    assert [59, 58, 57, 56] == [n for n, _ in left]
    assert [1, 2, 3, 4] == [progress["done"] for _, progress in left]
    assert [4] == [one["n_done"] for one in client.projects()]
    assert len({json.dumps(shape(one)) for one in client.done(project.public_id)}) == 1


def test_gold_pauses_who_guesses(office: Office) -> None:
    """Ten wrong gold answers pause an annotator; the lead sees it among the people, with an interval, and as a flag."""
    project = gold_project(office, "guessing", gold_share=1.0, gold_floor=0.7)
    client, lead = office.newcomer(project), office.newcomer(project, "lead", "lena")

    for task in client.next(project.public_id, 10)["tasks"]:
        client.answer(project.public_id, task, "ham")

    page = client.next(project.public_id, 5)
    assert ([], "paused") == (page["tasks"], page["qualification"]["state"])
    people = {one["name"]: one["qualification"] for one in lead.people(project.public_id)}
    assert ("paused", 0, 10) == (people["ana"]["state"], people["ana"]["gold"]["right"], people["ana"]["gold"]["n"])
    assert people["ana"]["gold"]["high"] == pytest.approx(0.2775, abs=1e-4)
    assert people["lena"]["state"] == "exempt"
    (flag,) = lead.dashboard(project.public_id)["flags"]
    assert ("paused", "ana", 0, 10) == (flag["kind"], flag["name"], flag["right"], flag["n"])


def test_nobody_learns_their_gold_score(office: Office) -> None:
    """What annotators are told of themselves says nothing of gold."""
    project = gold_project(office, "silent", gold_share=1.0, gold_floor=0.5)
    client = office.newcomer(project)
    (task,) = client.next(project.public_id)["tasks"]
    client.answer(project.public_id, task, "spam")

    assert "gold" not in json.dumps(client.project(project.public_id)["qualification"])


def test_what_leads_ask_and_see(office: Office) -> None:
    """The settings and everybody's standing in one answer; others are refused."""
    project = school(office, "asked", gold_share=0.1, gold_floor=0.6)
    client, lead = office.newcomer(project), office.newcomer(project, "lead", "lena")
    learn(client, project, "spam")

    told = lead.qualification(project.public_id)

    assert (3, 0.6, 0.6, 10) == (told["training"], told["pass_mark"], told["gold_floor"], told["least_gold"])
    ana = next(one for one in told["people"] if one["name"] == "ana")
    assert ("training", 1.0, 1, 1) == (ana["state"], ana["score"], ana["n"], ana["attempt"])
    with pytest.raises(AccessError, match="no such member"):
        lead.qualify(project.public_id, "nobody", "qualified")
    with pytest.raises(UsageError, match="state"):
        lead.qualify(project.public_id, ana["annotator"], "failed")
    with pytest.raises(AccessError):
        client.qualify(project.public_id, ana["annotator"], "qualified")
    plain = office.project("plain")
    other = office.member(plain, "annotator", "bob")
    with pytest.raises(ConflictError, match="checks nobody"):
        office.newcomer(plain, "lead", "leo").qualify(plain.public_id, other.public_id, "qualified")


def test_unchecked_projects_say_so(office: Office) -> None:
    """Where nothing is asked, nothing is told."""
    project = office.project("unchecked", ["a"])
    client = office.newcomer(project)

    assert client.project(project.public_id)["qualification"] is None
    assert client.next(project.public_id)["qualification"] is None


def test_examples_stand_beside_the_guideline(office: Office) -> None:
    """The project shows its examples with their answers and reasons."""
    examples = [
        {
            "item": "example:1",
            "content": {"data": "win money", "facts": {}, "meta": {}},
            "answer": "spam",
            "reason": "ads",
        }
    ]
    project = office.project("shown", examples=examples)

    told = office.newcomer(project).project(project.public_id)

    expected = {"item": "example:1", "data": {"text": "win money"}, "answer": "spam", "reason": "ads"}
    assert told["examples"] == [expected]


def test_all_of_it_on_each_database(office_on_each: Office) -> None:
    """From the first lesson to real work, on SQLite and on PostgreSQL."""
    project = school(office_on_each, "each")
    client = office_on_each.newcomer(project)

    *_, failed = learn(client, project, "ham", "ham", "ham")
    *_, passed = learn(client, project, "spam", "spam", "spam")

    assert ["training", "qualified"] == [one["lesson"]["score"]["state"] for one in (failed, passed)]
    assert {task["item"] for task in client.next(project.public_id, 5)["tasks"]} == {"real", "other"}
