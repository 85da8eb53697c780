"""Rules where an answer is more than a class: they vote whole values, by the same engines, with faults as data."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from labelmill.errors import FailedError, RulesError
from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.annotate import annotate, plan_annotate
from labelmill.pipeline.export import export
from labelmill.pipeline.faults import current_faults
from labelmill.pipeline.ingest import ingest
from labelmill.pipeline.run import run
from labelmill.pipeline.select import select
from labelmill.pipeline.submit import submit
from labelmill.pipeline.votes import machine_answers
from labelmill.pipeline.work import work
from labelmill.pipeline.workspace import Workspace
from labelmill.stores import item_set

PROJECT = """\
[schema]
name = "names"
kind = "span"
classes = ["person", "place"]
[annotate]
engine = "serial"
"""

RULES = '''\
"""Capitals are names."""

import re

from labelmill import labeling_function


@labeling_function
def capitals(x):
    return [{"start": m.start(), "end": m.end(), "label": "person"} for m in re.finditer(r"[A-Z]\\w+", x.text)]


@labeling_function
def after_in(x):
    """Knows places only where there is an "in"; says nothing elsewhere."""
    found = [{"start": m.start(1), "end": m.end(1), "label": "place"} for m in re.finditer(r"in ([A-Z]\\w+)", x.text)]
    return found or None
'''

TEXTS = {
    "t0": "Anna lives in London.",
    "t1": "nobody is here.",
    "t2": "Bob saw Cat in Rome.",
    "t3": "Where is Dora?",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of spans with two rules and four texts."""
    place = tmp_path / "names"
    place.mkdir()
    (place / "labelmill.toml").write_text(PROJECT)
    (place / "rules.py").write_text(RULES)
    (place / "items.csv").write_text("id,text\n" + "".join(f"{name},{text}\n" for name, text in TEXTS.items()))
    return place


@pytest.fixture
def workspace(folder: Path) -> Workspace:
    """The project with its items in the lake."""
    opened = Workspace.open(folder)
    ingest(opened, folder / "items.csv")
    return opened


def said(workspace: Workspace) -> dict[tuple[str, str], Any]:
    """Item and rule -> value."""
    rows = machine_answers(workspace).select("item", "annotator", "value").iter_rows()
    return {(item, name): json.loads(value) for item, name, value in rows}


def test_rules_vote_whole_answers(workspace: Workspace) -> None:
    """A list is a vote, an empty one too; None is none."""
    done = annotate(workspace)

    found = said(workspace)
    assert done.ran == ["capitals", "after_in"]
    assert found["t0", "after_in"] == [{"label": "place", "start": 14, "end": 20}]
    assert found["t1", "capitals"] == []
    assert ("t1", "after_in") not in found
    assert set(machine_answers(workspace)["kind"]) == {"rule"}


def test_votes_become_a_consensus_that_people_change(workspace: Workspace) -> None:
    """Rules, then a person: the whole turn, twice; who was asked is not asked again, and gold stands above all."""
    first = run(workspace)
    submit(workspace, {"t3": json.dumps([{"start": 9, "end": 13, "label": "place"}])}, by="ann", purpose="gold")
    submit(workspace, {"t1": "[]", "t2": "[]"}, by="ann")
    second = run(workspace)

    assert first.story is None
    assert {task.item for task in first.selected.tasks} == set(TEXTS)
    assert {task.item for task in second.selected.tasks} == {"t0"}
    assert second.annotated is not None
    assert second.annotated.ran == []
    people = second.aggregated.annotators
    assert dict(people.select("annotator", "votes").iter_rows()) == {"after_in": 2, "ann": 2, "capitals": 4}
    labels = dict(zip(second.aggregated.consensus.items, second.aggregated.consensus.labels, strict=True))
    assert json.loads(labels["t3"] or "")[0]["label"] == "place"
    release = pl.read_csv(Path(export(workspace).place) / "labels.csv")
    assert dict(release.select("item", "decided_by").iter_rows())["t1"] == "people (asked)"


def test_what_is_no_answer_is_a_fault(workspace: Workspace, folder: Path) -> None:
    """A value that the kind refuses, or an error, costs that vote alone, and says which item and why."""
    (folder / "rules.py").write_text(
        "from labelmill import labeling_function\n"
        "class Odd:\n"
        "    def __repr__(self):\n"
        "        raise KeyError('shy')\n"
        "ANSWERS = {'t0': [{'start': 0, 'end': 99, 'label': 'person'}], 't1': Odd(), 't2': [], 't3': [{'start': 0}]}\n"
        "@labeling_function\n"
        "def wild(x):\n"
        "    return ANSWERS[x.id]\n"
        "@labeling_function\n"
        "def broken(x):\n"
        "    return [] if x.id == 't0' else [][1]\n"
    )

    done = annotate(workspace)

    assert done.faults == {"broken": 3, "wild": 3}
    assert said(workspace) == {("t2", "wild"): [], ("t0", "broken"): []}
    reasons = {(fault.annotator, fault.item): fault.error for fault in current_faults(workspace)}
    assert "99" in reasons["wild", "t0"]
    assert "Odd" in reasons["wild", "t1"]
    assert "'end'" in reasons["wild", "t3"] or "'label'" in reasons["wild", "t3"]
    assert "IndexError" in reasons["broken", "t1"]


def test_only_what_changed_runs_again(workspace: Workspace, folder: Path) -> None:
    """An edited rule votes anew, the other keeps its votes."""
    annotate(workspace)
    (folder / "rules.py").write_text(RULES.replace('"place"', '"person"'))

    done = annotate(workspace)

    assert done.ran == ["after_in"]
    assert said(workspace)["t0", "after_in"][0]["label"] == "person"


def test_rules_that_name_classes_are_refused(workspace: Workspace, folder: Path) -> None:
    """A keyword names a class, which is no span: said before any work."""
    (folder / "rules.py").write_text('from labelmill import keyword\nhere = keyword("place", ["London"])\n')

    with pytest.raises(RulesError, match=r"'here' names classes.*'span'.*@labeling_function"):
        annotate(workspace)


def test_other_classes_need_other_votes(workspace: Workspace, folder: Path) -> None:
    """Once the classes change, what rules said before means nothing."""
    annotate(workspace)
    (folder / "labelmill.toml").write_text(PROJECT.replace('"place"', '"town"'))

    with pytest.raises(FailedError, match="labelmill annotate"):
        aggregate(Workspace.open(folder))


def test_rules_may_tell_attributes(workspace: Workspace, folder: Path) -> None:
    """What a rule leaves out is no fault, even where people must tell it; other attributes need other votes."""
    asked = '[[schema.attributes]]\nname = "sure"\nkind = "choice"\noptions = ["yes", "no"]\nrequired = true\n'
    (folder / "labelmill.toml").write_text(PROJECT.replace("[annotate]", f"{asked}[annotate]"))
    (folder / "rules.py").write_text(
        RULES.replace('"label": "place"}', '"label": "place", "attributes": {"sure": "no"}}')
    )

    done = annotate(Workspace.open(folder))
    (folder / "labelmill.toml").write_text(PROJECT.replace("[annotate]", f"{asked.replace('no', 'perhaps')}[annotate]"))
    again = annotate(Workspace.open(folder))

    assert done.faults == {}
    assert again.ran == ["capitals", "after_in"]
    assert again.faults == {"after_in": 2}


def test_numbers_below_zero_are_answers(tmp_path: Path) -> None:
    """The constant for an abstention is a number where numbers are asked for; None abstains."""
    (tmp_path / "labelmill.toml").write_text('[schema]\nkind = "number"\n[annotate]\nengine = "serial"\n')
    (tmp_path / "items.csv").write_text("id,text\na,-1\nb,none\nc,2.5\n")
    (tmp_path / "rules.py").write_text(
        "from labelmill import labeling_function\n"
        "@labeling_function\n"
        "def read(x):\n"
        "    return None if x.text == 'none' else int(x.text) if x.text == '-1' else float(x.text)\n"
    )
    workspace = Workspace.open(tmp_path)
    ingest(workspace, tmp_path / "items.csv")

    annotate(workspace)

    assert dict(machine_answers(workspace).select("item", "value").iter_rows()) == {"a": "-1.0", "c": "2.5"}
    assert aggregate(workspace).consensus.labels == ["-1.0", None, "2.5"]


def test_a_models_votes_from_a_file_are_no_persons(workspace: Workspace) -> None:
    """What a detector says of an item does not take it out of the queue."""
    submit(workspace, {"t1": "[]"}, by="detector", kind="model")
    aggregate(workspace)

    chosen = select(workspace, count=10)

    assert {task.item for task in chosen.tasks} == set(TEXTS)


@pytest.mark.parametrize("how", ["processes", "shares"])
def test_the_same_bytes_however_it_runs(
    how: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Votes and consensus of many partitions are those of one plain process, with workers or as planned shares."""
    monkeypatch.setattr(item_set, "FILE_ROWS", 2)
    shutil.copytree(folder, tmp_path / "plain")
    plain = Workspace.open(tmp_path / "plain")
    ingest(plain, folder / "items.csv")
    annotate(plain)
    aggregate(plain)
    other = Workspace.open(folder)
    ingest(other, folder / "items.csv")

    if how == "processes":
        annotate(other, engine="processes", workers=2)
    else:
        planned = plan_annotate(other)
        for share in range(2):
            work(other, planned.run.id, shard=(share, 2), workers=1)
    aggregate(other)

    assert _bytes(plain) == _bytes(other)


def _bytes(workspace: Workspace) -> dict[str, str]:
    """Each file of votes and consensus -> hash of what is in it."""
    root = workspace.lake.root
    files = [path for name in ("votes", "consensus") for path in sorted((root / name).rglob("*.parquet"))]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
