from __future__ import annotations

import uuid
from typing import Any

import pytest
from tests.server.office import Office, spoken

from labelmill.client import Client
from labelmill.errors import AccessError
from labelmill.server import auth, short_way
from labelmill.stores.database.accounts import list_members, remove_member
from labelmill.stores.database.projects import Project, find_project, update_settings
from labelmill.stores.database.sessions import list_tokens, revoke_token


def _day(client: Client, project: Project) -> list[Any]:
    """Everything that the two routes say in a working day, without what is drawn at random."""
    said: list[Any] = []
    turns: dict[str, str] = {}

    def ask(n: int, have: list[str], **rest: Any) -> dict[str, Any]:
        found = client.next(project.public_id, n, have=[turns[item] for item in have], **rest)
        turns.update({task["item"]: task["assignment"] for task in found["tasks"]})
        named = {turn: item for item, turn in turns.items()}
        shown = [{k: v for k, v in task.items() if k not in {"assignment", "lease_until"}} for task in found["tasks"]]
        said.append((shown, found["left"], [named[turn] for turn in found["stale"]]))
        return found

    def answer(item: str, value: Any, key: str = "", **rest: Any) -> None:
        vote = {"key": key or str(uuid.uuid4()), "assignment": turns[item], "item": item, "value": value, **rest}
        said.append([(one["status"], one["detail"]) for one in client.submit(project.public_id, [vote])])

    ask(2, [])
    client.keep_draft(project.public_id, turns["b"], "ha")
    ask(2, ["a"])
    key = str(uuid.uuid4())
    answer("a", "spam", key)
    answer("a", "spam", key)
    answer("a", "ham", key)
    answer("b", "eggs")
    answer("b", None, reason="cannot tell")
    answer("c", None, kind="skip", reason="torn")
    answer("a", None, kind="retract")
    answer("a", "ham")
    ask(1, ["a", "b"])
    ask(50, [])
    turns["x"] = "nobody's"
    answer("x", "spam")
    return said


def test_both_ways_say_the_same(office_on_each: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked, the short way and the ordinary way give the same answers."""
    office = office_on_each
    days = []
    for most in (short_way.MOST_BYTES, -1):
        monkeypatch.setattr(short_way, "MOST_BYTES", most)
        project = office.project("mails", ["a", "b", "c", "d", "e"])
        days.append(_day(office.newcomer(project), project))

    assert days[0] == days[1]


@pytest.fixture
def n_admitted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whom the ordinary guard let in."""
    seen: list[str] = []
    ordinary = auth.admit

    def admit(request: Any, rule: Any) -> Any:
        seen.append(request.url.path.rpartition("/")[2])
        return ordinary(request, rule)

    monkeypatch.setattr(auth, "admit", admit)
    return seen


def test_a_label_goes_the_short_way(office: Office, n_admitted: list[str]) -> None:
    """After the first request of a project, labels need no thread and no guard of their own."""
    project = office.project("mails", [f"i{i}" for i in range(20)])
    client = office.newcomer(project)
    spoken(client, project)
    before = len(n_admitted)

    for _ in range(9):
        spoken(client, project)

    assert len(n_admitted) - before <= 3  # `next` looks for leases that are over once a second


def test_a_large_answer_goes_the_ordinary_way(office: Office, n_admitted: list[str]) -> None:
    """What takes long to check is not checked where others wait."""
    project = office.project("mails", ["a", "b"])
    client = office.newcomer(project)
    spoken(client, project)
    task = client.next(project.public_id)["tasks"][0]
    before = n_admitted.count("votes")

    result = client.answer(project.public_id, task, "spam", reason="x" * 9_000, base="y" * 200, key="k" * 100)
    many = [{"key": str(i), "assignment": "x" * 90, "item": "x" * 900, "value": "spam"} for i in range(80)]
    refused = client.submit(project.public_id, many)

    assert result["status"] == "stored"
    assert {one["status"] for one in refused} == {"refused"}
    assert n_admitted.count("votes") - before == 1


def test_who_was_let_in_before_can_be_shut_out(office: Office) -> None:
    """A revoked token, and somebody who is no member any more, get nothing from that moment on."""
    project = office.project("mails", ["a", "b", "c"])
    ann, bob = office.newcomer(project), office.newcomer(project, name="bob")
    spoken(ann, project)
    spoken(bob, project)
    users = {one.user.display_name: one.user for one in list_members(office.database, project)}

    revoke_token(office.database, users["ana"], list_tokens(office.database, users["ana"])[0].id)
    remove_member(office.database, project, users["bob"])

    with pytest.raises(AccessError, match="revoked"):
        spoken(ann, project)
    with pytest.raises(Exception, match="no such project"):
        spoken(bob, project)


def test_new_settings_count_at_once(office: Office) -> None:
    """A project whose question has changed is asked the new one."""
    project = office.project("mails", ["a", "b"])
    client = office.newcomer(project)
    spoken(client, project)
    task = client.next(project.public_id)["tasks"][0]
    now = find_project(office.database, project.public_id)
    changed = {**now.settings, "schema": {**now.settings["schema"], "classes": ["good", "bad"]}}
    update_settings(office.database, now, changed, version=now.version)

    assert client.answer(project.public_id, task, "spam")["status"] == "refused"
    assert client.answer(project.public_id, task, "good")["status"] == "stored"
