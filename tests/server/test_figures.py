from __future__ import annotations

from typing import Any

import pytest
from tests.server.office import Office, spoken

from labelmill.errors import AccessError
from labelmill.server.kept_figures import KeptFigures
from labelmill.stores.database.votes import current_votes


def _answered(office: Office, project: Any, name: str, values: dict[str, Any], **rest: Any) -> None:
    """Somebody answers each item with its value."""
    client = office.newcomer(project, name=name)
    for task in client.next(project.public_id, len(values))["tasks"]:
        client.answer(project.public_id, task, values[task["item"]], ms_active=2_000, **rest)


def test_people_with_what_they_did(office_on_each: Office) -> None:
    """The list of members has counts, times, gold and what they hold; giving back frees it for others."""
    office = office_on_each
    project = office.project("led")
    office.put(project, ["a", "b", "c"])
    ana = office.newcomer(project)
    task = ana.next(project.public_id, 2)["tasks"][0]
    ana.answer(project.public_id, task, "spam", ms_active=1_500)
    lead = office.newcomer(project, "lead", "lea")

    people = {one["name"]: one for one in lead.people(project.public_id)}
    n = lead.give_back_of(project.public_id, people["ana"]["annotator"])

    told = people["ana"]
    assert (told["votes"], told["ms_median"], told["n_open"], told["gold"]) == (1, 1_500, 1, None)
    assert (told["is_me"], people["lea"]["is_me"]) == (False, True)
    assert told["last_at"] is not None
    assert n == 1
    assert len(office.newcomer(project, name="bob").next(project.public_id, 3)["tasks"]) == 2
    with pytest.raises(AccessError, match="lead"):
        ana.give_back_of(project.public_id, people["lea"]["annotator"])


def test_who_is_taken_out_leaves_nothing_held(office: Office) -> None:
    """What a removed member held can be given to others at once."""
    project = office.project("left", ["a"])
    admin, ana = office.newcomer(project, "admin", "root"), office.newcomer(project)
    ana.next(project.public_id)
    (who,) = [one["annotator"] for one in admin.people(project.public_id) if one["name"] == "ana"]

    admin._http.delete(f"/api/projects/{project.public_id}/people/{who}", headers={"Content-Type": "application/json"})

    assert [one["item"] for one in admin.next(project.public_id)["tasks"]] == ["a"]


def test_gold_is_counted_for_each_person(office_on_each: Office) -> None:
    """Right and wrong answers on items with a known answer are counted, with an interval."""
    office = office_on_each
    project = office.project("gold")
    office.put(project, ["a", "b"], purpose="gold", overlap=1_000, answer="spam")
    ana = office.newcomer(project)
    settings = {"gold_share": 1.0}
    admin = office.newcomer(project, "admin", "root")
    admin.change_settings(project.public_id, version=admin.settings(project.public_id)["version"], **settings)
    office.put(project, ["c", "d"])
    for task in ana.next(project.public_id, 4)["tasks"]:
        ana.answer(project.public_id, task, "ham" if task["item"] == "a" else "spam")

    (told,) = admin.dashboard(project.public_id)["annotators"]

    assert (told["gold"]["right"], told["gold"]["n"]) == (1, 2)
    assert 0 < told["gold"]["low"] < 0.5 < told["gold"]["high"] < 1


def test_boxes_are_compared_by_distance(office_on_each: Office) -> None:
    """Without classes to confuse, the dashboard tells how near people come to each other, and who differs from whom."""
    office = office_on_each
    project = office.project("boxes", schema={"kind": "box", "classes": ["cell"], "modality": "text"})
    office.put(project, ["a", "b"], overlap=3)
    box = {"label": "cell", "x": 0.0, "y": 0.0, "width": 10.0, "height": 10.0}
    half = box | {"height": 5.0}
    for name, value in (("ana", [box]), ("bob", [box]), ("eve", [half])):
        _answered(office, project, name, {"a": value, "b": value})

    told = office.newcomer(project, "lead", "lea").dashboard(project.public_id)

    people = {one["name"]: one["reliability"] for one in told["annotators"]}
    assert told["agreement"]["measure"] == "nearness"
    assert told["agreement"]["n_items"] == 2
    assert told["pairs"]["names"] == ["ana", "bob", "eve"]
    assert told["pairs"]["matrix"][0][:2] == [None, 0.0]
    far = told["pairs"]["matrix"][0][2]
    assert far > 0
    assert people["eve"] == pytest.approx(1 - far)
    assert people["ana"] == pytest.approx(1 - far / 2)
    assert told["confusion"] == {"classes": [], "matrix": []}
    assert told["balance"] == [{"class": "cell", "count": 6}]


def test_withheld_suggestions_are_counted_apart(office_on_each: Office) -> None:
    """Seen ones by what became of them, withheld ones by whether people said the same."""
    office = office_on_each
    project = office.project("seen")
    first = {"id": "s", "source": 'the "mill"', "kind": "consensus", "score": 0.9, "value": "spam"}
    office.put(project, ["a", "b", "c", "d"], suggestions=[first])
    _answered(office, project, "ana", {"a": "spam", "b": "ham"}, base="s", verdict="accepted")
    bob = office.newcomer(project, name="bob")
    for task, value in zip(bob.next(project.public_id, 2)["tasks"], ("spam", "ham"), strict=True):
        bob.answer(project.public_id, task, value, verdict="blind")

    (told,) = office.newcomer(project, "lead", "lea").dashboard(project.public_id)["suggestions"]

    assert told["source"] == 'the "mill"'
    assert told["shown"] == {"accepted": 2, "edited": 0, "rejected": 0}
    assert told["blind"] == {"agreed": 1, "differed": 1}


def test_items_behind_a_mark(office_on_each: Office) -> None:
    """Items are limited by who answered, what was said, what another said, and what became of suggestions."""
    office = office_on_each
    project = office.project("marks")
    first = {"id": "s", "source": "mv", "kind": "consensus", "score": 0.9, "value": "spam"}
    office.put(project, ["a", "b", "c"], overlap=2, suggestions=[first])
    _answered(office, project, "ana", {"a": "spam", "b": "spam", "c": "ham"}, base="s", verdict="accepted")
    bob = office.newcomer(project, name="bob")
    for task in bob.next(project.public_id, 2)["tasks"]:
        bob.answer(project.public_id, task, "ham", base="s", verdict="edited")
    lead = office.newcomer(project, "lead", "lea")
    ids = {one["name"]: one["annotator"] for one in lead.people(project.public_id)}

    def found(**wanted: str) -> list[str]:
        answer = lead._http.get(f"/api/projects/{project.public_id}/items", params=wanted).json()
        return [line["item"] for line in answer["items"]]

    assert found(annotator=ids["bob"]) == ["a", "b"]
    assert found(said="spam") == ["a", "b"]
    assert found(said="spam", confused="ham") == ["a", "b"]
    assert found(said="Spam") == []
    assert found(annotator=ids["ana"], said="ham") == ["c"]
    assert found(source="mv", outcome="edited") == ["a", "b"]
    assert found(source="m", outcome="edited") == []
    assert found(state="open") == ["c"]
    assert found(purpose="gold") == []


def test_answers_to_earlier_classes_break_nothing(office: Office) -> None:
    """What names a class that is gone is left out of the picture, and a declined answer too."""
    project = office.project("old")
    office.put(project, ["a"], overlap=3)
    for name, value in (("ana", "spam"), ("bob", "ham")):
        _answered(office, project, name, {"a": value})
    admin = office.newcomer(project, "admin", "root")
    spoken(office.newcomer(project, name="eve"), project, None)

    told = admin.dashboard(project.public_id)

    assert told["confusion"]["matrix"] == [[0, 1], [1, 0]]
    assert len(list(current_votes(office.database, project))) == 3


def test_figures_are_kept_until_somebody_answers() -> None:
    """Cheap ones are made anew at each answer, costly ones hold for a while, and a new question ends them."""
    now, made = [0.0], list[int]()

    def make(seconds: float) -> Any:
        def run() -> dict[str, int]:
            now[0] += seconds
            made.append(1)
            return {"n": len(made)}

        return run

    kept = KeptFigures(lambda: now[0])

    cheap = [kept.get(1, number, make(0.1))["n"] for number in ((1, 5), (1, 5), (1, 6))]
    costly = [kept.get(2, number, make(1.0))["n"] for number in ((1, 5), (1, 6), (2, 6))]
    now[0] += 21
    later = kept.get(2, (2, 7), make(1.0))["n"]

    assert cheap == [1, 1, 2]
    assert costly == [3, 3, 4]
    assert later == 5
