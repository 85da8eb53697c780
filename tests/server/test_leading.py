from __future__ import annotations

import logging
import uuid
from typing import Any

import pytest
from tests.engines.waiting import until
from tests.server.office import Office, spoken

from labelmill.client import Client
from labelmill.domain.strict_json import loads
from labelmill.errors import AccessError
from labelmill.server.logs import JsonLines
from labelmill.stores.database.projects import Project, update_settings
from labelmill.stores.database.votes import current_votes


def _two_who_differ(office: Office, *items: str) -> tuple[Project, Client, Client, Client]:
    """Items for two; ana says spam to each, bob ham; and a lead."""
    project = office.project("review")
    office.put(project, items, overlap=2)
    ana, bob, lead = (office.newcomer(project, role, name) for role, name in PEOPLE)
    spoken(ana, project, "spam", n=len(items))
    spoken(bob, project, "ham", n=len(items))
    return project, ana, bob, lead


PEOPLE = (("annotator", "ana"), ("annotator", "bob"), ("lead", "lea"))


def test_lead_sees_where_people_differ_and_decides(office_on_each: Office) -> None:
    """Items with different answers are listed with who said what; a review decides one, and it leaves the list."""
    project, _, _, lead = _two_who_differ(office_on_each, "a", "b")
    path = f"/api/projects/{project.public_id}"
    page = lead._http.get(f"{path}/disagreements").json()

    vote = {"key": str(uuid.uuid4()), "item": "a", "value": "ham"}
    results = [lead._http.post(f"{path}/reviews", json={"votes": [vote]}).json()["results"][0] for _ in range(2)]

    assert [one["item"] for one in page["items"]] == ["a", "b"]
    said = {(v["name"], v["value"]) for v in page["items"][0]["votes"]}
    assert said == {("ana", "spam"), ("bob", "ham")}
    assert [result["status"] for result in results] == ["stored", "stored"]
    assert [one["item"] for one in lead._http.get(f"{path}/disagreements").json()["items"]] == ["b"]
    reviewed = [v for v in current_votes(office_on_each.database, project) if v.purpose == "review"]
    assert [(v.item, v.label) for v in reviewed] == [("a", "ham")]


def test_pages_of_disagreements_and_items_end(office: Office) -> None:
    """Each page says where the next begins, and the last says that it is the last."""
    project, _, _, lead = _two_who_differ(office, "a", "b", "c")
    path = f"/api/projects/{project.public_id}/disagreements"
    first = lead._http.get(path, params={"limit": 2}).json()
    second = lead._http.get(path, params={"limit": 2, "after": first["after"]}).json()

    lines = list(lead.items(project.public_id, limit=2))

    assert [[one["item"] for one in page["items"]] for page in (first, second)] == [["a", "b"], ["c"]]
    assert second["after"] is None
    assert [line["item"] for line in lines] == ["a", "b", "c"]
    assert {line["state"] for line in lines} == {"done"}
    assert list(lead.items(project.public_id, state="open")) == []


def test_item_sent_back_is_answered_anew(office: Office) -> None:
    """A lead's comment comes to the annotator with the item; the new answer takes the old one's place."""
    project, ana, _, lead = _two_who_differ(office, "a")
    (who,) = [one["annotator"] for one in lead.people(project.public_id) if one["name"] == "ana"]
    form = {"item": "a", "annotator": who, "comment": "look at the sender"}

    answer = lead._http.post(f"/api/projects/{project.public_id}/send-back", json=form)
    task = ana.next(project.public_id)["tasks"][0]
    ana.answer(project.public_id, task, "ham")

    assert answer.status_code == 204
    assert (task["item"], task["why"]) == ("a", "look at the sender")
    assert [v.label for v in current_votes(office.database, project)] == ["ham", "ham"]


def test_sending_back_to_a_stranger_is_refused(office: Office) -> None:
    """Who is no member of the project is not asked, and not confirmed to exist."""
    project, _, _, lead = _two_who_differ(office, "a")
    stranger = office.member(office.project("other"), "annotator", "stranger")
    path = f"/api/projects/{project.public_id}/send-back"

    answers = [lead._http.post(path, json={"item": "a", "annotator": w}) for w in (stranger.public_id, "nobody")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text == answers[1].text


def test_history_of_an_item_with_a_slash(office: Office) -> None:
    """A lead sees all that was said about an item, whatever its id."""
    project, ana, _, lead = _two_who_differ(office, "mails/a b?.txt")

    told = lead.item(project.public_id, "mails/a b?.txt")

    assert [(vote["name"], vote["value"]) for vote in told["votes"]] == [("ana", "spam"), ("bob", "ham")]
    with pytest.raises(AccessError, match="lead"):
        ana.item(project.public_id, "mails/a b?.txt")


def test_invitation_makes_a_member_once(new_office: Office) -> None:
    """A lead's link makes one annotator; leads make no admins."""
    project = new_office.project("invited", ["a"])
    lead = new_office.newcomer(project, "lead", "lea")
    link = lead.invite(project.public_id, "annotator")
    client = new_office.stranger()

    client.accept_invitation(link.rpartition("/")[2], "newcomer", "long enough")

    assert link.startswith(f"{new_office.url}/invitation/")
    assert client.me()["role_by_project"] == {project.public_id: "annotator"}
    with pytest.raises(AccessError, match="used"):
        new_office.stranger().accept_invitation(link.rpartition("/")[2], "other", "long enough")
    with pytest.raises(AccessError, match="admin"):
        lead.invite(project.public_id, "admin")


def test_removed_member_is_out_at_once(office: Office) -> None:
    """Whoever is taken out gets the answer of a project that is not there; nobody takes themselves out."""
    project = office.project("left", ["a"])
    admin, ana = office.newcomer(project, "admin", "root"), office.newcomer(project, name="ana")
    ids = {one["name"]: one["annotator"] for one in admin.people(project.public_id)}
    path = f"/api/projects/{project.public_id}/people"

    own = admin._http.delete(f"{path}/{ids['root']}", headers={"Content-Type": "application/json"})
    gone = admin._http.delete(f"{path}/{ids['ana']}", headers={"Content-Type": "application/json"})

    assert (own.status_code, gone.status_code) == (409, 204)
    with pytest.raises(AccessError, match="no such project"):
        ana.next(project.public_id)


def test_dashboard_counts_by_hand(office: Office) -> None:
    """Three people on four items: counts, agreement with the others, confusion and balance as counted by hand."""
    project = office.project("dash")
    suggestion = {"id": "s", "source": "mv", "kind": "consensus", "score": 0.9, "value": "spam"}
    office.put(project, ["a", "b", "c", "d"], overlap=3, suggestions=[suggestion])
    ana, bob, eve = (office.newcomer(project, name=name) for name in ("ana", "bob", "eve"))
    for client, value in ((ana, "spam"), (bob, "spam"), (eve, "ham")):
        for task in client.next(project.public_id, 4)["tasks"]:
            verdict = "accepted" if value == "spam" else "edited"
            client.answer(project.public_id, task, value, verdict=verdict, base="s", ms_active=1_000)
    lead = office.newcomer(project, "lead", "lea")

    told = lead.dashboard(project.public_id)

    people = {one["name"]: one for one in told["annotators"]}
    assert {name: one["votes"] for name, one in people.items()} == {"ana": 4, "bob": 4, "eve": 4}
    assert people["eve"]["reliability"] == 0.0
    assert people["ana"]["reliability"] is None  # one other says spam, one ham: there is no most
    assert people["ana"]["ms_median"] == 1_000
    assert told["confusion"] == {"classes": ["ham", "spam"], "matrix": [[0, 8], [8, 8]]}
    assert told["balance"] == [{"class": "ham", "count": 4}, {"class": "spam", "count": 8}]
    assert told["suggestions"][0]["shown"] == {"accepted": 8, "edited": 4, "rejected": 0}
    assert told["progress"][-1]["done"] == 12
    assert told["agreement"]["value"] < 0


def test_token_is_shown_once_and_ends(new_office: Office) -> None:
    """A token made by somebody signed in works until it is revoked, and its secret is in no list."""
    project = new_office.project("tokens", ["a"])
    new_office.admin("root")
    client = new_office.stranger()
    client.sign_in("root", "long enough")

    secret = client.create_token("nightly", ["read"])
    listed = client._http.get("/api/tokens").json()["tokens"]
    program = new_office.stranger()
    program._http.headers["Authorization"] = f"Bearer {secret}"
    worked = program._http.get("/api/me").status_code
    client._http.delete(f"/api/tokens/{listed[0]['id']}", headers={"Content-Type": "application/json"})

    assert secret.startswith("lm_")
    assert secret not in str(listed)
    assert (worked, program._http.get("/api/me").status_code) == (200, 401)
    assert project.public_id not in secret


def test_logs_hold_no_texts_and_no_secrets(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """A request's line has its route, status and who; no item, value, token or address with an id."""
    project = office.project("logged", ["secret item"])
    client = office.newcomer(project, name="logged")
    with caplog.at_level(logging.INFO, logger="labelmill.server"):
        client.answer(project.public_id, client.next(project.public_id)["tasks"][0], "spam", reason="secret reason")
        until(lambda: _requests(caplog)[-1:] == ["/api/projects/{project}/votes"], seconds=10)

    lines = [loads(JsonLines().format(record)) for record in caplog.records if record.getMessage() == "request"]

    text = str(lines)
    token = str(client._http.headers["Authorization"]).rpartition(" ")[2]
    assert all(secret not in text for secret in ("secret", "spam", token, project.public_id))


def _requests(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Routes of the requests in the log, which are written down after their answers have left."""
    return [getattr(record, "facts", {})["route"] for record in caplog.records if record.getMessage() == "request"]


def test_a_fault_has_a_number_and_no_details(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """What goes wrong inside is told by a number that the log knows; the answer keeps its headers."""
    project = office.project("fault", ["a"])
    client = office.newcomer(project, "lead", "faulty")
    broken: dict[str, Any] = {"schema": {"kind": "choice"}}
    update_settings(office.database, project, broken, version=project.version)

    answer = client._http.get(f"/api/projects/{project.public_id}")

    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    number = answer.json()["detail"].rpartition(" ")[2]
    assert number in str([getattr(record, "facts", {}) for record in caplog.records])
    assert "content-security-policy" in answer.headers


def test_grid_is_answered_by_one_act(office_on_each: Office) -> None:
    """Items with one suggestion are shown without taking them; one act answers those that nobody else holds."""
    office = office_on_each
    project = office.project("grid")
    for value, items in (("spam", ["a", "b", "c"]), ("ham", ["d"])):
        suggestion = {"id": "s", "source": "mv", "kind": "consensus", "score": 0.9, "value": value}
        office.put(project, items, suggestions=[suggestion])
    lead, ana = office.newcomer(project, "lead", "lea"), office.newcomer(project)
    path = f"/api/projects/{project.public_id}/grid"

    shown = [one["item"] for one in lead._http.get(path, params={"class": "spam"}).json()["items"]]
    held = ana.next(project.public_id)["tasks"][0]["item"]
    votes = [{"key": str(uuid.uuid4()), "item": item, "value": "spam", "base": "s", "bulk": 3} for item in shown]
    results = lead._http.post(path, json={"votes": votes}).json()["results"]

    assert shown == ["a", "b", "c"]
    assert [one["status"] for one in results] == ["refused" if item == held else "stored" for item in shown]
    said = {vote.item: vote.label for vote in current_votes(office.database, project)}
    assert said == {item: "spam" for item in shown if item != held}
    assert {one["item"] for one in ana.next(project.public_id, 9)["tasks"]} <= {held, "d"}
