"""Annotators that stand in the project file: models in files and behind servers vote beside rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.annotators import tiny_models
from tests.annotators.model_server import Asked, serving

from labelmill.domain.partition import Resources
from labelmill.errors import LabelmillError, ProjectError, RulesError
from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.annotate import annotate, plan_annotate
from labelmill.pipeline.faults import current_faults
from labelmill.pipeline.ingest import ingest
from labelmill.pipeline.votes import ballots
from labelmill.pipeline.work import work
from labelmill.pipeline.workspace import Workspace

PROJECT = """\
[schema]
classes = ["ham", "spam"]
[annotate]
engine = "serial"

[[annotators.declared]]
name = "shouts"
use = "keyword"
label = "spam"
words = ["free"]

[[annotators.declared]]
name = "numbers"
use = "onnx_predictor"
file = "models/m.onnx"
classes = ["spam", "ham"]
takes = "numbers"
fields = ["p", "q"]
resources = { cpus = 2, memory = "100 MB" }

[[annotators.declared]]
name = "far"
use = "http_predictor"
url = "URL"
model = "m"
dialect = "tensorflow"
classes = ["ham", "spam"]
private = true
tries = 1
"""

RULES = '''\
"""Lunch is ham."""

from labelmill import labeling_function


@labeling_function
def lunch(x):
    return "ham" if "lunch" in x.text else None
'''

ITEMS = "id,text,p,q\na,free cash,3,0\nb,see you at lunch,0,2\nc,poison,1,0\nd,hello,0,1\n"


def answered(path: str, question: Any) -> tuple[int, Any]:
    """Spam where it is free; poison is refused."""
    if path == "/v1/models/m":
        return 200, {}
    if "poison" in question["instances"]:
        return 400, {"error": "poison"}
    return 200, {"predictions": [[0.1, 0.9] if "free" in text else [0.7, 0.3] for text in question["instances"]]}


@pytest.fixture
def server() -> Iterator[Asked]:
    with serving(answered) as asked:
        yield asked


@pytest.fixture
def folder(tmp_path: Path, server: Asked) -> Path:
    """A project with a rule, a declared rule, a model in a file, and one behind a server."""
    place = tmp_path / "project"
    (place / "models").mkdir(parents=True)
    tiny_models.classifier_of_numbers(place / "models" / "m.onnx")
    (place / "labelmill.toml").write_text(PROJECT.replace("URL", server.url))
    (place / "rules.py").write_text(RULES)
    (place / "items.csv").write_text(ITEMS)
    return place


def opened(folder: Path) -> Workspace:
    workspace = Workspace.open(folder)
    if not workspace.lake.n_items:
        ingest(workspace, folder / "items.csv")
    return workspace


def rewritten(folder: Path, old: str, new: str) -> None:
    file = folder / "labelmill.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))


def test_rules_a_file_and_a_server_vote_in_one_run(folder: Path) -> None:
    """Each item has what each says; the one that the server refuses is one fault, and the rest goes on."""
    workspace = opened(folder)

    done = annotate(workspace)

    votes = ballots(workspace).first
    table = {
        (votes.items[i], votes.annotators[j]): votes.classes[label]
        for i, row in enumerate(votes.matrix.tolist())
        for j, label in enumerate(row)
        if label >= 0
    }
    assert ["lunch", "shouts", "numbers", "far"] == done.ran
    assert {"lunch": "ham", "far": "ham", "numbers": "ham"} == {
        who: c for (item, who), c in table.items() if item == "b"
    }
    assert {"shouts": "spam", "far": "spam", "numbers": "spam"} == {
        who: label for (item, who), label in table.items() if item == "a"
    }
    assert [("c", "far")] == [(fault.item, fault.annotator) for fault in current_faults(workspace)]
    assert 4 == aggregate(workspace).summary.n_items


def test_only_what_changed_votes_again(folder: Path, server: Asked) -> None:
    """Another threshold is another annotator; another time limit is not; another file is."""
    workspace = opened(folder)
    annotate(workspace)
    n_asked = len(server.paths)

    rewritten(folder, 'dialect = "tensorflow"', 'dialect = "tensorflow"\ntimeout = 3')
    assert [] == annotate(opened(folder)).ran
    tiny_models.classifier_of_numbers(folder / "models" / "m.onnx", batch=4)
    again = annotate(opened(folder))

    assert ["numbers"] == again.ran
    assert n_asked == len(server.paths)


def test_a_worker_has_what_the_model_needs(folder: Path) -> None:
    """Models that need more than rules do are a job of their own, for engines to place."""
    workspace = opened(folder)

    run_id = plan_annotate(workspace).run.id

    from labelmill.pipeline._plan import read_plan

    plan = read_plan(workspace, run_id)
    assert plan is not None
    needs = {tuple(job.entries): job.need for job in plan.jobs}
    assert {("lunch", "shouts", "far"): Resources(), ("numbers",): Resources(2, 0, 100_000_000)} == needs


def test_declared_models_travel_with_the_plan(folder: Path) -> None:
    """A worker that finds other files where they were takes the model from the lake."""
    workspace = opened(folder)
    planned = plan_annotate(workspace)
    rewritten(folder, 'words = ["free"]', 'words = ["lunch"]')
    (folder / "models" / "m.onnx").write_bytes(b"another")

    done = work(workspace, planned.run.id, workers=1)

    assert done.run is not None
    votes = ballots(workspace).first
    assert 4 == len(votes.annotators)


def test_a_project_needs_no_rules(folder: Path) -> None:
    """Declared annotators alone will do."""
    (folder / "rules.py").unlink()

    assert ["shouts", "numbers", "far"] == annotate(opened(folder)).ran


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ('file = "models/m.onnx"', 'file = "models/x.onnx"', ProjectError, r"'numbers'.*no file .*x\.onnx"),
        ('use = "keyword"', 'use = "keywords"', ProjectError, "declared 1: use = 'keywords' .*keyword"),
        ('use = "keyword"', 'use = "predictor"', ProjectError, "object of Python"),
        ('name = "shouts"', 'name = "numbers"', ProjectError, "named 'numbers' like annotators.declared 1"),
        ('name = "shouts"', 'name = "lunch"', ProjectError, "'lunch' is named like one in"),
        ('name = "shouts"', "", ProjectError, "needs a text 'name'"),
        ('fields = ["p", "q"]', 'columns = ["p", "q"]', ProjectError, "no option 'columns'"),
        ('label = "spam"', "", ProjectError, "keyword needs label"),
        ('classes = ["spam", "ham"]', 'classes = ["spam", "ham", "eggs"]', RulesError, "eggs"),
        ('fields = ["p", "q"]', 'fields = "p"', ProjectError, "fields must be a list"),
        ('memory = "100 MB"', 'memory = "lots"', ProjectError, "memory = 'lots'"),
        ("private = true", "private = false", RulesError, "'far' cannot vote: .*private = true"),
        ("private = true", 'private = true\ntoken_env = "NOBODY_SET_THIS"', RulesError, "NOBODY_SET_THIS is not set"),
    ],
)
def test_what_is_wrong_is_said_before_the_first_item(
    folder: Path, old: str, new: str, error: type[LabelmillError], message: str
) -> None:
    """One clear error that names the table and the next step; nothing has voted."""
    rewritten(folder, old, new)

    with pytest.raises(error, match=message):
        annotate(opened(folder))


def test_what_others_will_do_is_not_tried_here(folder: Path, server: Asked) -> None:
    """A plan for other machines asks no server and opens no file; what the question says is looked at."""
    rewritten(folder, server.url, "http://127.0.0.1:9")
    (folder / "models" / "m.onnx").write_bytes(b"larger than this machine")

    plan_annotate(opened(folder))

    rewritten(folder, 'classes = ["spam", "ham"]', 'classes = ["spam", "eggs"]')
    with pytest.raises(RulesError, match="eggs"):
        plan_annotate(opened(folder))


def test_models_from_elsewhere_teach_and_trained_ones_do_not(folder: Path) -> None:
    """What a learner learns from leaves out only what was learned from the consensus."""
    workspace = opened(folder)
    annotate(workspace)

    taught = ballots(workspace, without_models=True).first

    assert {"lunch", "shouts", "numbers", "far"} == set(taught.annotators)


def test_a_dead_server_stops_the_run_before_it_begins(folder: Path, server: Asked) -> None:
    """Rather than making a fault of every item."""
    rewritten(folder, server.url, "http://127.0.0.1:9")

    with pytest.raises(RulesError, match=r"'far' cannot vote: .* start the server"):
        annotate(opened(folder))
