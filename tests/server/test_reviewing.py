from __future__ import annotations

import uuid
from typing import Any

import pytest
from tests.server.office import Office, spoken

from labelmill import registry
from labelmill.client import Client
from labelmill.domain.schema import LabelSchema
from labelmill.pipeline.neighbours import by_likeness
from labelmill.pipeline.review import Case, contested, reliabilities
from labelmill.stores.database.projects import Project
from labelmill.stores.database.tasks import NewTask, put_tasks
from labelmill.stores.database.votes import current_votes

BOXES = {"kind": "box", "classes": ["cat", "dog"], "modality": "image"}
CAT = {"label": "cat", "x": 10.0, "y": 10.0, "width": 100.0, "height": 100.0}
DOG = {"label": "dog", "x": 200.0, "y": 50.0, "width": 80.0, "height": 60.0}


def suggestion(value: Any, score: float | None = 0.9, source: str = "mv") -> dict[str, Any]:
    """What a machine says."""
    return {"id": source, "source": source, "kind": "consensus", "score": score, "value": value}


def members(office: Office, project: Project, *names: str) -> list[Client]:
    """Annotators of these names, and a lead, last."""
    return [*(office.newcomer(project, name=name) for name in names), office.newcomer(project, "lead", "lea")]


def answer(client: Client, project: Project, **values: Any) -> None:
    """Answer what comes next: item -> value."""
    for task in client.next(project.public_id, len(values))["tasks"]:
        client.answer(project.public_id, task, values[task["item"]])


def told(lead: Client, project: Project, **query: Any) -> list[dict[str, Any]]:
    """The list of items on which voices differ."""
    path = f"/api/projects/{project.public_id}/disagreements"
    return list(lead._http.get(path, params=query).json()["items"])


def say(lead: Client, project: Project, route: str, *votes: dict[str, Any]) -> list[str]:
    """What became of votes without assignments; each may say its key."""
    sent = [{"key": str(uuid.uuid4()), **vote} for vote in votes]
    answered = lead._http.post(f"/api/projects/{project.public_id}/{route}", json={"votes": sent})
    return [one["status"] for one in answered.json()["results"]]


def cases_of(office: Office, project: Project, schema: dict[str, Any]) -> list[Case]:
    """What the pipeline makes of the project's answers."""
    question = LabelSchema("label", tuple(schema["classes"]), schema["kind"], schema["modality"])
    kind = registry.find("label_kind", question.kind)(classes=question.classes)
    learned = reliabilities(office.database, project, question, kind)
    return contested(office.database, project, question, kind, reliabilities=learned)


def test_greatest_expected_loss_comes_first(office_on_each: Office) -> None:
    """Two of whom nothing else is known stand even; a source that is 90 % sure tips the scales, by the formula.

    The odds of an answer, of two possible ones, are the product of the odds of those who give it.
    """
    office = office_on_each
    project = office.project("loss")
    office.put(project, ["sure"], suggestions=[suggestion("spam")])
    office.put(project, ["even"], overlap=2)
    ana, bob, lead = members(office, project, "ana", "bob")
    eve = office.newcomer(project, name="eve")
    answer(eve, project, sure="ham")
    for client, value in ((ana, "spam"), (bob, "ham")):
        answer(client, project, even=value)

    even, sure = told(lead, project)

    assert [even["item"], sure["item"]] == ["even", "sure"]
    assert [voice["reliability"] for voice in even["voices"]] == pytest.approx([0.75, 0.75])  # (4 + 0.5) / (5 + 1)
    assert even["loss"] == pytest.approx(0.5)
    (r,) = [voice["reliability"] for voice in sure["voices"] if voice["name"] == "eve"]
    against = r / (1 - r) / (r / (1 - r) + 9)
    assert {side["value"]: side["share"] for side in sure["sides"]} == pytest.approx(
        {"spam": 1 - against, "ham": against}
    )
    assert sure["loss"] == pytest.approx(against)
    assert r == pytest.approx((4 + against) / 6, abs=1e-3)  # 4 of 5 as usual, and believed by so much once


def test_reliability_of_people_is_found_from_what_they_say(office: Office) -> None:
    """Four who agree, with a slip each, and one who draws lots: the last one is believed least, and decides nothing."""
    project = office.project("trust", queue={"max_held": 100})
    items = [f"i{n:02d}" for n in range(40)]
    office.put(project, items, overlap=4)
    right = {item: "spam" if n % 3 else "ham" for n, item in enumerate(items)}
    other = {"spam": "ham", "ham": "spam"}
    clients = [office.newcomer(project, name=name) for name in ("ana", "bob", "cem", "lot")]
    for k, client in enumerate(clients):
        wrong = set(items[k::2]) if k == 3 else {items[k]}
        answer(client, project, **{item: other[said] if item in wrong else said for item, said in right.items()})
    schema = {"kind": "choice", "classes": ["ham", "spam"], "modality": "text"}

    found = cases_of(office, project, schema)

    assert {case.item: case.sides[0].value for case in found} == {case.item: right[case.item] for case in found}
    trust = sorted({voice.reliability for case in found for voice in case.voices})
    assert trust[0] == pytest.approx(0.55, abs=0.05)
    assert all(0.9 < reliability < 1 for reliability in trust[1:])


def test_person_and_machine_may_differ(office: Office) -> None:
    """One person is enough where a suggestion says otherwise; where it says the same nothing is listed."""
    project = office.project("machine")
    office.put(project, ["a", "b"], suggestions=[suggestion("spam")])
    ana, lead = members(office, project, "ana")
    answer(ana, project, a="ham", b="spam")

    assert [one["item"] for one in told(lead, project)] == ["a"]


def test_regions_drawn_by_two_hands_are_one_side(office: Office) -> None:
    """Boxes a few pixels apart agree; a box that only one has does not."""
    project = office.project("hands", schema=BOXES)
    facts = {"width": 640, "height": 480}
    put_tasks(
        office.database,
        project,
        [NewTask(item, {"data": "x.png", "facts": facts, "meta": {}}, overlap=2) for item in ("alike", "apart")],
    )
    ana, bob, _ = members(office, project, "ana", "bob")
    answer(ana, project, alike=[CAT, DOG], apart=[CAT])
    answer(bob, project, alike=[CAT | {"x": 12.0}, DOG], apart=[CAT, DOG])

    (case,) = cases_of(office, project, BOXES)

    assert case.item == "apart"
    assert 0 < case.loss < 0.5


def test_decided_items_leave_the_list_until_it_is_taken_back(office: Office) -> None:
    """A review ends the difference; its retraction brings the item back, and each is the same when sent again."""
    project = office.project("decide")
    office.put(project, ["a"], overlap=2)
    ana, bob, lead = members(office, project, "ana", "bob")
    answer(ana, project, a="spam")
    answer(bob, project, a="ham")
    review = {"key": "r1", "item": "a", "value": "ham"}
    back = {"key": "r2", "item": "a", "kind": "retract"}

    assert [say(lead, project, "reviews", review) for _ in range(2)] == [["stored"], ["stored"]]
    decided = told(lead, project)
    assert [say(lead, project, "reviews", back) for _ in range(2)] == [["stored"], ["stored"]]

    assert decided == []
    assert [one["item"] for one in told(lead, project)] == ["a"]
    assert [one["sides"][0]["value"] for one in told(lead, project, item="a")] != []


def test_what_is_said_without_an_answer_stands_in_no_ones_way(office_on_each: Office) -> None:
    """After a comment on one item and a decision taken back on another, every item can still be decided."""
    office = office_on_each
    project = office.project("free hands", queue={"max_held": 1})
    items = ["a", "b", "c"]
    office.put(project, items, overlap=2)
    ana, bob, lead = members(office, project, "ana", "bob")
    for item in items:
        answer(ana, project, **{item: "spam"})
        answer(bob, project, **{item: "ham"})

    kept = [
        say(lead, project, "reviews", {"item": "a", "kind": "comment", "reason": "hm"}),
        say(lead, project, "reviews", {"item": "b", "value": "ham"}),
        say(lead, project, "reviews", {"item": "b", "kind": "retract"}),
        *(say(lead, project, "reviews", {"item": item, "value": "spam"}) for item in ("c", "b", "a")),
    ]

    assert kept == [["stored"]] * 6
    decided = {vote.item: vote.label for vote in current_votes(office.database, project, purposes=["review"])}
    assert decided == {"a": "spam", "b": "spam", "c": "spam"}
    assert told(lead, project) == []


def test_items_whose_answer_is_known_are_not_listed(office: Office) -> None:
    """People who differ on a gold item leave nothing to decide."""
    project = office.project("known", queue={"gold_share": 1.0})
    office.put(project, ["g"], purpose="gold", answer="spam", overlap=9)
    office.put(project, ["a", "b"], overlap=2)
    for name, value in (("ana", "spam"), ("bob", "ham")):
        client = office.newcomer(project, name=name)
        spoken(client, project, value, n=3)
    lead = office.newcomer(project, "lead", "lea")

    assert {one["item"] for one in told(lead, project)} == {"a", "b"}


def test_sent_back_item_waits_at_the_end_and_closes_with_the_new_answer(office_on_each: Office) -> None:
    """It goes from waiting to open to answered; asked twice it is one task; agreement then ends the case."""
    office = office_on_each
    project = office.project("back")
    office.put(project, ["a", "b"], overlap=2)
    ana, bob, lead = members(office, project, "ana", "bob")
    answer(ana, project, a="spam", b="spam")
    answer(bob, project, a="ham", b="ham")
    path = f"/api/projects/{project.public_id}"
    who = next(one["annotator"] for one in lead.people(project.public_id) if one["name"] == "bob")
    states = []

    def look() -> None:
        states.append([one["state"] for one in lead._http.get(f"{path}/send-backs").json()["send_backs"]])

    for comment in ("look", "look at the date"):
        lead._http.post(f"{path}/send-back", json={"item": "a", "annotator": who, "comment": comment})
    look()
    waiting = told(lead, project)
    task = bob.next(project.public_id)["tasks"][0]
    look()
    bob.answer(project.public_id, task, "spam")
    look()

    assert states == [["waiting"], ["open"], ["answered"]]
    assert [one["item"] for one in waiting] == ["b", "a"]
    assert (waiting[1]["sent_back"][0]["name"], waiting[1]["sent_back"][0]["comment"]) == ("bob", "look at the date")
    assert [one["item"] for one in told(lead, project)] == ["b"]
    (closed,) = told(lead, project, item="a")
    assert [side["value"] for side in closed["sides"]] == ["spam"]


def test_grid_counts_classes_and_gives_back_what_is_taken_back(office_on_each: Office) -> None:
    """An act and its retraction, each sent twice, leave the items open to others, and to the lead again."""
    office = office_on_each
    project = office.project("grid back")
    office.put(project, ["a", "b"], suggestions=[suggestion("spam")])
    office.put(project, ["c"], suggestions=[suggestion("ham")])
    ana, lead = members(office, project, "ana")
    path = f"/api/projects/{project.public_id}/grid"
    act = [{"key": f"l-{item}", "item": item, "value": "spam", "bulk": 2} for item in ("a", "b")]
    back = [{"key": f"r-{item}", "item": item, "kind": "retract", "bulk": 2} for item in ("a", "b")]

    counts = lead._http.get(path).json()["classes"]
    kept = [say(lead, project, "grid", *act) for _ in range(2)]
    left = [one["item"] for one in lead._http.get(path).json()["items"]]
    said = {vote.item: vote.label for vote in current_votes(office.database, project)}
    taken_back = [say(lead, project, "grid", *back) for _ in range(2)]

    assert counts == [{"class": "ham", "count": 1}, {"class": "spam", "count": 2}]
    assert kept == [["stored", "stored"]] * 2
    assert said == {"a": "spam", "b": "spam"}
    assert left == ["c"]
    assert taken_back == [["stored", "stored"]] * 2
    assert list(current_votes(office.database, project)) == []
    assert [one["item"] for one in lead._http.get(path, params={"class": "spam"}).json()["items"]] == ["a", "b"]
    assert {task["item"] for task in ana.next(project.public_id, 9)["tasks"]} == {"a", "b", "c"}


def test_neighbours_of_a_text(office: Office) -> None:
    """With `near` the likest texts come first; pages of them follow one another; pictures have none."""
    project = office.project("near")
    texts = ["free money now", "see you at noon", "free money today", "noon it is", "get money for free"]
    put_tasks(
        office.database,
        project,
        [NewTask(f"i{n}", {"data": text}, suggestions=[suggestion("spam")]) for n, text in enumerate(texts)],
    )
    (lead,) = members(office, project)
    path = f"/api/projects/{project.public_id}/grid"
    first = lead._http.get(path, params={"near": "i0", "n": 2}).json()
    second = lead._http.get(path, params={"near": "i0", "n": 3, "after": first["after"]}).json()
    pictures = office.project("near pictures", schema=BOXES)
    office.put(pictures, ["p"])
    (other,) = members(office, pictures)

    assert [one["item"] for one in first["items"]] == ["i0", "i2"]
    assert second["items"][0]["item"] == "i4"
    assert lead._http.get(path, params={"near": "nothing"}).status_code == 404
    refused = other._http.get(f"/api/projects/{pictures.public_id}/grid", params={"near": "p"})
    assert refused.status_code == 422


def test_likeness_needs_no_words() -> None:
    """Chinese texts are ordered by the signs they share; of nothing but space the order stays."""
    assert by_likeness("免费领奖", ["明天见", "免费领取大奖", "领奖免费"])[-1] == 0
    assert by_likeness(" ", ["", " "]) == [0, 1]
