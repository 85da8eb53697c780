"""Attributes from `labelmill.toml` through people's answers, the consensus and the release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.server.office import running_office

from labelmill.errors import BadInputError, ProjectError
from labelmill.pipeline.aggregate import aggregate, read_consensus
from labelmill.pipeline.agree_files import agree_answers_file
from labelmill.pipeline.export import export
from labelmill.pipeline.ingest import ingest
from labelmill.pipeline.merge_files import merge_files
from labelmill.pipeline.people import database_of, fill_queue, open_project
from labelmill.pipeline.project import Project
from labelmill.pipeline.votes import people_votes
from labelmill.pipeline.workspace import Workspace

TOML = """
[schema]
kind = "box"
classes = ["car", "bus"]
modality = "image"

[[schema.attributes]]
name = "direction"
options = ["left", "right"]
classes = ["car"]
required = true

[[schema.attributes]]
name = "speed"
kind = "number"
least = 0
unit = "km/h"

[people]
overlap = 3
blind_share = 0.0
"""
BOX = {"label": "car", "x": 10.0, "y": 20.0, "width": 90.0, "height": 60.0}


def _box(**attributes: Any) -> dict[str, Any]:
    return BOX | {"attributes": attributes}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A project of one picture whose cars have a direction and a speed."""
    folder = tmp_path / "traffic"
    folder.mkdir()
    (folder / "labelmill.toml").write_text(TOML)
    opened = Workspace.open(folder)
    (tmp_path / "items.csv").write_text("id,image,width,height\none,one.png,200,100\n")
    ingest(opened, tmp_path / "items.csv")
    return opened


def test_attributes_travel_from_the_project_to_the_release(workspace: Workspace, tmp_path: Path) -> None:
    """The server tells what is asked, refuses an answer without it, and three people's answers become one."""
    with running_office(database_of(workspace)) as office:
        project = open_project(workspace, office.database)
        fill_queue(workspace, office.database, project)
        told = [
            _box(direction="left", speed=30.0),
            _box(direction="right", speed=80.0),
            _box(direction="left", speed=40.0),
        ]
        for k, box in enumerate(told):
            client = office.newcomer(project, name=f"person {k}")
            (task,) = client.next(project.public_id)["tasks"]
            if k == 0:
                asked = client.project(project.public_id)["schema"]["attributes"]
                refused = client.answer(project.public_id, task, [BOX])
            client.answer(project.public_id, task, [box])
    aggregate(workspace)
    export(workspace, tmp_path / "release", formats=["jsonl", "csv", "parquet"])

    assert [("direction", True, ["car"]), ("speed", False, [])] == [
        (a["name"], a["required"], a["classes"]) for a in asked
    ]
    assert refused["status"] == "refused"
    assert "'direction' is required for 'car': give one of left, right" in refused["detail"]
    merged = [_box(direction="left", speed=40.0)]
    assert merged == json.loads(str(read_consensus(workspace).consensus.labels[0]))
    line = json.loads((tmp_path / "release" / "labels.jsonl").read_text().splitlines()[0])
    label = line["label"]
    assert merged == (json.loads(label) if isinstance(label, str) else label)
    kept = json.loads((tmp_path / "release" / "provenance.json").read_text())["schema"]["attributes"]
    assert [a["name"] for a in kept] == ["direction", "speed"]


def test_people_must_give_what_a_detector_need_not(workspace: Workspace, tmp_path: Path) -> None:
    """Votes that were imported for a model may lack a direction; those of a person are refused, with the line."""
    row = {"item": "one", "label": [BOX]}
    (tmp_path / "votes.jsonl").write_text(json.dumps(row | {"annotator": "yolo"}) + "\n")

    with pytest.raises(BadInputError, match="'direction' is required for 'car'"):
        ingest(workspace, tmp_path / "votes.jsonl", votes_by="ana")
    ingest(workspace, tmp_path / "votes.jsonl", kind="model")
    aggregate(workspace)

    assert [BOX] == json.loads(str(read_consensus(workspace).consensus.labels[0]))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json", "parquet"])
def test_votes_with_attributes_are_imported(workspace: Workspace, tmp_path: Path, suffix: str) -> None:
    """From every format, whole answers as JSON or as objects, of which each has other attributes."""
    told = {"ann": _box(direction="left"), "bob": _box(direction="left", speed=30.0)}
    file = tmp_path / f"votes.{suffix}"
    nested = suffix in {"jsonl", "json"}
    rows = [{"item": "one", "annotator": n, "label": [b] if nested else json.dumps([b])} for n, b in told.items()]
    if suffix == "json":
        file.write_text(json.dumps(rows))
    elif suffix == "jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        frame = pl.DataFrame(rows)
        frame.write_csv(file) if suffix == "csv" else frame.write_parquet(file)

    ingest(workspace, file)

    votes = people_votes(workspace)
    found = {name: json.loads(value) for name, value in votes.select("annotator", "value").iter_rows()}
    assert {name: [box] for name, box in told.items()} == found


@pytest.mark.parametrize("form", ["whole", "rows"])
def test_files_are_merged_without_a_project(tmp_path: Path, form: str) -> None:
    """A file's attributes need no declaration: in whole answers, and in a column of elements, they come out as JSON."""
    boxes = [_box(direction="left", speed=30), _box(direction="right", speed=50), _box(direction="left", speed=40)]
    votes, out = tmp_path / "votes.csv", tmp_path / "out.csv"
    lines = ["item,annotator,label" + (",x,y,width,height,attributes" if form == "rows" else "")]
    for k, box in enumerate(boxes):
        cell = json.dumps(box["attributes"] if form == "rows" else [box]).replace('"', '""')
        lines.append(f'one,a{k},car,10,20,90,60,"{cell}"' if form == "rows" else f'one,a{k},"{cell}"')
    votes.write_text("\n".join(lines) + "\n")

    merge_files(votes, out, label_kind="box")
    agreed = agree_answers_file(votes, label_kind="box", by="attribute", n_resamples=0).agreement.parts

    assert '""direction"":""left""' in out.read_text().replace(" ", "")
    assert '""speed"":40' in out.read_text().replace(" ", "")
    assert agreed is not None
    assert [("direction", 3), ("speed", 3)] == [(row["attribute"], row["n_pairs"]) for row in agreed.to_dicts()]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('attributes = ["x"]', "schema.attributes must be tables, found ['x']: write each attribute under a line"),
        ("[[schema.attributes]]\nkind = 'text'", "schema.attributes 1: has no name"),
        (
            "[[schema.attributes]]\nname = 'a'\noption = ['x', 'y']",
            "schema.attributes 1 ('a'): unknown key 'option': did you mean 'options'?",
        ),
        (
            "[[schema.attributes]]\nname = 'a'\nkind = 'text'\n[[schema.attributes]]\nname = 'b'\nrequired = 'yes'",
            "schema.attributes 2 ('b'): required must be true or false, found 'yes'",
        ),
        (
            "[[schema.attributes]]\nname = 'a'\nkind = 'number'\nleast = true",
            "schema.attributes 1 ('a'): least must be a number, found True",
        ),
        ("[[schema.attributes]]\nname = 'a'\noptions = [1]", "options must be a list of texts, found [1]"),
        ("[[schema.attributes]]\nname = 'a'", "attribute 'a', options: a choice needs two at least"),
        (
            "[[schema.attributes]]\nname = 'a'\nkind = 'text'\nclasses = ['cra']",
            "unknown class 'cra': did you mean 'car'?",
        ),
    ],
)
def test_a_wrong_declaration_is_named(tmp_path: Path, text: str, message: str) -> None:
    """The file, the place, the field, what was found and what is allowed."""
    head = '[schema]\nkind = "box"\nmodality = "image"\nclasses = ["car", "bus"]\n'

    with pytest.raises(ProjectError) as error:
        Project.of(tmp_path, (head + text).encode())

    assert message in str(error.value)
    assert "labelmill.toml" in str(error.value)
