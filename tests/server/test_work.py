from __future__ import annotations

import uuid
from typing import Any

import pytest
from tests.server.office import Office, spoken

from labelmill.errors import AccessError, UsageError
from labelmill.stores.database.accounts import create_link
from labelmill.stores.database.projects import Project
from labelmill.stores.database.votes import current_votes


def _said(office: Office, project: Project) -> dict[str, Any]:
    return {vote.item: vote.label for vote in current_votes(office.database, project)}


def test_set_up_link_makes_the_first_admin(new_office: Office) -> None:
    """Who has the set-up link signs in as admin of every project; the link works once."""
    office = new_office
    project = office.project("mails", ["a"])
    secret = create_link(office.database, "setup")

    client, second = office.stranger(), office.stranger()

    client.set_up(secret, "Ana", "long enough")

    assert client.me()["name"] == "ana"
    assert client.me()["role_by_project"] == {project.public_id: "admin"}
    with pytest.raises(AccessError, match="used"):
        second.set_up(secret, "bob", "long enough")
    second.sign_in("ANA", "long enough")
    second.sign_out()
    with pytest.raises(AccessError, match="sign in"):
        second.me()


def test_label_cycle_on_each_database(office_on_each: Office) -> None:
    """What comes next has text, suggestions and reason; an answer is stored, and the same again changes nothing."""
    office = office_on_each
    project = office.project("mails")
    suggestion = {"id": "s", "source": "majority_vote", "kind": "consensus", "score": 0.7, "value": "ham"}
    office.put(project, ["a", "b"], suggestions=[suggestion], why="unsure")
    client = office.newcomer(project)

    given = client.next(project.public_id, 2)
    task = given["tasks"][0]
    vote = {"key": str(uuid.uuid4()), "assignment": task["assignment"], "item": "a", "value": "spam", "base": "s"}
    first, again = client.submit(project.public_id, [vote]), client.submit(project.public_id, [vote])

    assert {"text": "text of a"} == task["data"]
    assert [suggestion] == task["suggestions"]
    assert task["why"] == "unsure"
    assert (given["left"], given["stale"]) == (2, [])
    assert first == again
    assert first[0]["status"] == "stored"
    assert _said(office, project) == {"a": "spam"}


def test_other_content_under_the_same_key_conflicts(office: Office) -> None:
    """The same key with another answer is a conflict, and the first answer stands."""
    project = office.project("mails", ["a"])
    client = office.newcomer(project)
    task = client.next(project.public_id)["tasks"][0]
    key = str(uuid.uuid4())

    client.answer(project.public_id, task, "spam", key=key)
    result = client.answer(project.public_id, task, "ham", key=key)

    assert result["status"] == "conflict"
    assert _said(office, project) == {"a": "spam"}


def test_no_answer_is_refused_and_the_others_kept(office: Office) -> None:
    """A value that is no answer, and a vote on another item than the assignment's, are refused alone."""
    project = office.project("mails", ["a", "b", "c"])
    client = office.newcomer(project)
    a, b, c = client.next(project.public_id, 3)["tasks"]
    votes = [
        {"key": "1", "assignment": a["assignment"], "item": "a", "value": "spam"},
        {"key": "2", "assignment": b["assignment"], "item": "b", "value": "eggs"},
        {"key": "3", "assignment": c["assignment"], "item": "a", "value": "ham"},
        {"key": "4", "assignment": "nobody's", "item": "a", "value": "ham"},
    ]

    results = client.submit(project.public_id, votes)

    assert [r["status"] for r in results] == ["stored", "refused", "refused", "refused"]
    assert "eggs" in results[1]["detail"]
    assert _said(office, project) == {"a": "spam"}


def test_retraction_takes_the_answer_back(office: Office) -> None:
    """Undo is a vote too: afterwards nothing is said, and the task is held again."""
    project = office.project("mails", ["a"])
    client = office.newcomer(project)
    (task,) = spoken(client, project)

    result = client.answer(project.public_id, task, None, kind="retract")

    assert result["status"] == "stored"
    assert _said(office, project) == {}
    assert client.renew(project.public_id, [task["assignment"]]) == [task["assignment"]]


def test_draft_comes_back_with_its_task(office: Office) -> None:
    """What was begun is there again when the task is shown again."""
    project = office.project("mails", ["a"])
    client = office.newcomer(project)
    task = client.next(project.public_id)["tasks"][0]

    client.keep_draft(project.public_id, task["assignment"], "ha")

    assert client.next(project.public_id)["tasks"][0]["draft"] == "ha"


def test_given_back_items_go_to_others(office: Office) -> None:
    """What one person leaves, another gets; the first is told that it is stale."""
    project = office.project("mails", ["a"])
    ana, bob = office.newcomer(project), office.newcomer(project, name="bob")
    held = ana.next(project.public_id)["tasks"][0]["assignment"]

    assert bob.next(project.public_id)["tasks"] == []
    assert ana.give_back(project.public_id, [held]) == [held]
    assert [task["item"] for task in bob.next(project.public_id)["tasks"]] == ["a"]
    assert ana.next(project.public_id, have=[held])["stale"] == [held]


def test_gold_looks_like_any_other_item(office: Office) -> None:
    """A gold item says purpose label, no answer, and has the fields of every task."""
    project = office.project("mails", ["a"], queue={"gold_share": 1.0, "blind_share": 1.0})
    office.put(project, ["g"], purpose="gold", answer="ham")
    client = office.newcomer(project)

    gold, plain = client.next(project.public_id, 2)["tasks"]

    assert {gold["item"], plain["item"]} == {"a", "g"}
    assert list(gold) == list(plain)
    assert {gold["purpose"], plain["purpose"]} == {"label"}
    assert gold["blind"] is plain["blind"] is True
    assert "ham" not in str(gold)


def test_my_answers_newest_first(office: Office) -> None:
    """The list of what I did holds my answers as they are now, in pages."""
    project = office.project("mails", ["a", "b", "c"])
    client = office.newcomer(project)
    spoken(client, project, n=3)

    answers = client.done(project.public_id, limit=2)

    assert [answer["item"] for answer in answers] == ["c", "b"]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b'{"n": 1, "n": 2}', "twice"),
        (b'{"n": NaN}', "NaN"),
        (b'{"n": 1} x', "expected the end"),
        (b'{"n": "1"}', "n:"),
        (b'{"n": 1, "more": 1}', "more"),
        (b'{"have": ["\\ud800"]}', "surrogate"),
        (b'{"have": ["\\u0000"]}', "NUL"),
        (b"[" * 5_000 + b"]" * 5_000, "deeper"),
        (b"", "body"),
    ],
)
def test_bad_json_is_refused_with_a_reason(office: Office, body: bytes, what: str) -> None:
    """What is not exactly the JSON asked for is refused, and the answer says why."""
    project = office.project("mails", ["a"])
    client = office.newcomer(project)

    answer = client._http.post(
        f"/api/projects/{project.public_id}/next", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert what in answer.json()["detail"]


def test_own_keys_are_kept(office: Office) -> None:
    """A person's keys come back with who they are; one key for two acts is refused."""
    project = office.project("mails")
    client = office.newcomer(project)

    client._ask("PUT", "/api/me/keys", {"keys": {"skip": "j"}})

    assert client.me()["keys"] == {"skip": "j"}
    with pytest.raises(UsageError, match="cannot both"):
        client._ask("PUT", "/api/me/keys", {"keys": {"skip": "j", "flag": "j"}})
