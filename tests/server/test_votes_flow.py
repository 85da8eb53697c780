from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.office import Office, running_office

from labelmill import registry
from labelmill.client import Client
from labelmill.domain.schema import LabelSchema
from labelmill.pipeline.aggregate import aggregate, read_consensus
from labelmill.pipeline.annotate import annotate
from labelmill.pipeline.ingest import ingest
from labelmill.pipeline.init import init
from labelmill.pipeline.people import database_of, fill_queue, open_project
from labelmill.pipeline.repair import Repair, repair, repairs
from labelmill.pipeline.submit import submit
from labelmill.pipeline.votes import people_votes
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.database.projects import Project
from labelmill.stores.database.votes import current_votes

ITEMS = [f"m{i}" for i in range(6)]


class Mill:
    """A project folder, and a server on its database."""

    def __init__(self, workspace: Workspace, office: Office, project: Project) -> None:
        self.workspace, self.office, self.project = workspace, office, project

    def fill(self, **options: Any) -> None:
        """Queue what matters."""
        fill_queue(self.workspace, self.office.database, self.project, **options)

    def said(self, *purposes: str) -> dict[tuple[str, str], str | None]:
        """(item, annotator) -> value, as `labelmill aggregate` reads it."""
        frame = people_votes(self.workspace, purposes or ("label", "review"))
        return {(item, who): value for item, who, value in frame.select("item", "annotator", "value").iter_rows()}


@pytest.fixture
def mill(tmp_path: Path) -> Iterator[Mill]:
    init(tmp_path / "mails", classes=["ham", "spam"])
    workspace = Workspace.open(tmp_path / "mails")
    (tmp_path / "items.csv").write_text("id,text\n" + "".join(f"{name},text of {name}\n" for name in ITEMS))
    ingest(workspace, tmp_path / "items.csv")
    with running_office(database_of(workspace)) as office:
        yield Mill(workspace, office, open_project(workspace, office.database))


def _signed_in(mill: Mill, name: str = "ana") -> tuple[Client, str]:
    user = mill.office.member(mill.project, "annotator", name)
    return mill.office.client(user), user.public_id


def test_answers_become_the_consensus(mill: Mill) -> None:
    """What people answer in the app is what `aggregate` makes a consensus of; a retraction is not counted."""
    mill.fill()
    client, who = _signed_in(mill)
    tasks = client.next(mill.project.public_id, 6)["tasks"]
    for k, task in enumerate(tasks):
        client.answer(mill.project.public_id, task, "spam" if k % 2 else "ham")
    client.answer(mill.project.public_id, tasks[0], None, kind="retract")

    aggregate(mill.workspace)

    expected = {task["item"]: "spam" if k % 2 else "ham" for k, task in enumerate(tasks)} | {tasks[0]["item"]: None}
    consensus = read_consensus(mill.workspace).consensus
    assert expected == dict(zip(consensus.items, consensus.labels, strict=True))
    assert set(mill.said()) == {(task["item"], who) for task in tasks[1:]}


def test_suggestions_are_the_consensus_so_far(mill: Mill) -> None:
    """What the rules agree on is suggested, with its confidence, its source and why the item was chosen."""
    annotate(mill.workspace, engine="serial")
    mill.fill()
    client, _ = _signed_in(mill)
    tasks = client.next(mill.project.public_id, 6)["tasks"]

    shown = [suggestion for task in tasks if not task["blind"] for suggestion in task["suggestions"]]
    assert len(shown) == sum(not task["blind"] for task in tasks)
    assert {("consensus", "spam")} == {(one["kind"], one["value"]) for one in shown}
    assert all(0.5 < one["score"] <= 1 and one["source"] for one in shown)
    assert all("sure" in task["why"] for task in tasks if not task["blind"])


def test_answered_items_are_not_asked_again(mill: Mill) -> None:
    """Filling the queue anew after some answers puts the rest first and doubles nothing."""
    mill.fill(count=3)
    client, _ = _signed_in(mill)
    first = {task["item"] for task in client.next(mill.project.public_id, 6)["tasks"]}
    for task in client.next(mill.project.public_id, 6)["tasks"]:
        client.answer(mill.project.public_id, task, "ham")

    mill.fill()
    bob, _ = _signed_in(mill, "bob")
    second = {task["item"] for task in bob.next(mill.project.public_id, 6)["tasks"]}

    assert len(first) == 3
    assert second == set(ITEMS) - first


def test_answers_on_gold_items_do_not_become_gold(tmp_path: Path, mill: Mill) -> None:
    """What somebody answers on a gold item counts as a vote; the known answer stays what was imported."""
    submit(mill.workspace, {"m0": "spam"}, by="expert", purpose="gold")
    file = mill.workspace.project.folder / "labelmill.toml"
    file.write_text(file.read_text() + "\n[people]\ngold_share = 1.0\n")
    workspace = Workspace.open(mill.workspace.project.folder)
    project = open_project(workspace, mill.office.database)
    fill_queue(workspace, mill.office.database, project)
    client, who = _signed_in(mill)
    (task,) = [t for t in client.next(project.public_id, 6)["tasks"] if t["item"] == "m0"]

    client.answer(project.public_id, task, "ham")
    aggregate(workspace)

    assert mill.said() == {("m0", who): "ham"}
    consensus = read_consensus(workspace).consensus
    assert dict(zip(consensus.items, consensus.labels, strict=True))["m0"] == "spam"


def test_a_repair_takes_the_place_of_what_was_said_to_the_server(mill: Mill) -> None:
    """The consensus supersedes a wrong vote from the browser as it does one from a file, and the report tells of it."""
    mill.fill()
    client, who = _signed_in(mill)
    for task in client.next(mill.project.public_id, 6)["tasks"]:
        client.answer(mill.project.public_id, task, "ham" if task["item"] in {"m0", "m1", "m2"} else "spam")
    for name in ("bob", "cid", "dan"):
        submit(mill.workspace, {m: "ham" if m in {"m1", "m2"} else "spam" for m in ITEMS}, by=name)

    done = repair(mill.workspace, bar=0.6)

    assert [(one.item, one.annotator, one.old, one.new) for one in done.taken] == [("m0", who, "ham", "spam")]
    assert mill.said()["m0", who] == "spam"
    assert repairs(mill.workspace) == [Repair("m0", who, "ham", "spam", done.taken[0].reason)]
    assert repair(mill.workspace).suspects.is_empty()


def test_settings_of_the_file_are_those_of_the_server(mill: Mill) -> None:
    """A change in labelmill.toml holds from the next start on; the project stays the same one."""
    file = mill.workspace.project.folder / "labelmill.toml"
    file.write_text(file.read_text() + "\n[people]\nthreshold = 0.75\nblind_share = 0.5\n")

    project = open_project(Workspace.open(mill.workspace.project.folder), mill.office.database)

    client, _ = _signed_in(mill)
    assert project.public_id == mill.project.public_id
    assert client.project(project.public_id)["settings"]["threshold"] == 0.75
    assert client.project(project.public_id)["settings"]["blind_share"] == 0.5


KINDS: dict[str, tuple[dict[str, Any], st.SearchStrategy[Any]]] = {
    "choice": ({}, st.sampled_from(["ham", "spam"])),
    "multi_choice": ({"kind": "multi_choice"}, st.lists(st.sampled_from(["ham", "spam"]), unique=True)),
    "text": ({"kind": "text", "classes": []}, st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)),
    "number": (
        {"kind": "number", "classes": []},
        st.floats(allow_nan=False, allow_infinity=False, width=64),
    ),
    "span": (
        {"kind": "span"},
        st.lists(
            st.fixed_dictionaries(
                {"start": st.integers(0, 3), "end": st.integers(4, 9), "label": st.sampled_from(["ham", "spam"])}
            ),
            unique_by=lambda one: tuple(one.values()),
            max_size=4,
        ),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_what_was_submitted_is_what_is_read(office: Office, kind: str, data: st.DataObject) -> None:
    """For each kind of label: the value that a client sent is the value that the votes hold, in canonical form."""
    told, values = KINDS[kind]
    project = office.project("kinds", ["a"], schema=told)
    client = office.newcomer(project)
    value = data.draw(values)

    task = client.next(project.public_id)["tasks"][0]
    result = client.answer(project.public_id, task, value)

    (vote,) = current_votes(office.database, project)
    schema = LabelSchema("spam", tuple(told.get("classes", ["ham", "spam"])), kind=kind)
    checked = registry.find("label_kind", kind)(classes=schema.classes).validate(value, schema)
    assert result["status"] == "stored"
    assert checked == vote.label
