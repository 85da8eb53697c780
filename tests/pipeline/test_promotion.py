"""A new version waits in the shadow until it is no worse than the one that counts; training again when it is due."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import polars as pl
import pytest
from tests.pipeline import lakes

from labelmill.errors import ProjectError, UsageError
from labelmill.pipeline.ingest import ingest
from labelmill.pipeline.people import open_project, refill
from labelmill.pipeline.promotion import SHADOW, compare_versions, held_back, judge_shadow, promote
from labelmill.pipeline.retrain import is_due, retrain_if_due
from labelmill.pipeline.train import train
from labelmill.pipeline.votes import Machine, current_machines, schema_fingerprint
from labelmill.pipeline.workspace import Workspace
from labelmill.quality.paired import exact_paired_test
from labelmill.stores.database.connect import open_database

LEARNER = "tfidf_linear"

N = 60


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Sixty texts that tell nothing of their class, half of them answered by a person."""
    made = lakes.project(tmp_path / "p", N, classes=("a", "b"), model="majority_vote")
    answer(made, {f"i{i}": "ab"[i % 2] for i in range(0, N, 2)} | {f"i{i}": "b" for i in range(1, N, 4)})
    return made


def answer(workspace: Workspace, labels: dict[str, str]) -> None:
    """A person's answers, from a file."""
    file = workspace.project.folder / "answers.csv"
    rows = "".join(f"{item},{label}\n" for item, label in labels.items())
    file.write_text("item,label\n" + rows)
    ingest(workspace, file, votes_by="ann")


def version(workspace: Workspace, fingerprint: str, labels: dict[str, int]) -> Machine:
    """A version of the learner that votes so, and -1 on the other items."""
    lake = workspace.lake
    partitions = lake.item_partitions()
    for partition in partitions:
        ids = lake.read_items(partition, ["id"]).frame["id"]
        votes = pl.DataFrame({LEARNER: [labels.get(item, -1) for item in ids]}, schema={LEARNER: pl.Int16})
        lake.publish_votes(fingerprint * 2, partition.id, votes, [])
    with lake.writing():
        lake.seal_votes(fingerprint * 2, {LEARNER: {"fingerprint": fingerprint, "kind": "model"}}, partitions)
    return Machine(LEARNER, "model", fingerprint, evaluation="learned", schema=schema_fingerprint(workspace.schema))


def oracle(workspace: Workspace) -> Machine:
    """The version that counts and knows all answers."""
    right = {f"i{i}": i % 2 for i in range(0, N, 2)} | {f"i{i}": 1 for i in range(1, N, 4)}
    made = version(workspace, "11111111", right)
    promote(workspace, made)
    return made


def now(workspace: Workspace) -> list[str]:
    """Fingerprints of what counts."""
    return [machine.fingerprint for machine in current_machines(workspace)]


def test_a_worse_version_stays_in_the_shadow(workspace: Workspace) -> None:
    """What learned from texts that tell nothing does not take the place of what is always right."""
    oracle(workspace)

    made = train(workspace, learner=LEARNER)

    assert not made.is_promoted
    assert made.comparison is not None
    assert (made.comparison.n, made.comparison.right_before) == (45, 45)
    assert made.comparison.right_now < 45
    assert now(workspace) == ["11111111"]
    (run,) = [run for run in workspace.lake.runs() if run.verb == "train"]
    assert run.counts["promoted"] == 0
    assert run.counts["compared_answers"] == 45


def test_always_means_at_once(workspace: Workspace) -> None:
    """Nothing is compared, and the version counts."""
    oracle(workspace)

    made = train(workspace, learner=LEARNER, promote="always")

    assert made.comparison is None
    assert now(workspace) == [made.fingerprint]


def test_the_shadow_counts_once_it_is_no_worse(workspace: Workspace) -> None:
    """When later answers turn against the version that counts, the one in the shadow takes its place, model and all."""
    oracle(workspace)
    made = train(workspace, learner=LEARNER)
    assert workspace.lake.current_model(LEARNER) is None
    assert judge_shadow(workspace, LEARNER) is not None
    assert now(workspace) == ["11111111"]
    promote(workspace, version(workspace, "22222222", {f"i{i}": i % 2 == 0 for i in range(N)}))
    workspace.lake.write_document(SHADOW, {LEARNER: _shadow(workspace, made.fingerprint)})

    judged = judge_shadow(workspace, LEARNER)

    assert judged is not None
    assert judged.is_better
    assert now(workspace) == [made.fingerprint]
    assert workspace.lake.current_model(LEARNER) is not None
    assert judge_shadow(workspace, LEARNER) is None


def _shadow(workspace: Workspace, fingerprint: str) -> dict[str, object]:
    model = Machine(LEARNER, "model", fingerprint, evaluation="learned", schema=schema_fingerprint(workspace.schema))
    return {"machine": asdict(model), "comparison": {}, "at": workspace.now()}


def test_few_answers_tell_nothing(tmp_path: Path) -> None:
    """Below twenty answers, and without a version before, a new version counts."""
    made = lakes.project(tmp_path / "p", N, classes=("a", "b"), model="majority_vote")
    answer(made, {f"i{i}": "ab"[i % 2] for i in range(19)})
    old = version(made, "11111111", {f"i{i}": i % 2 for i in range(N)})
    new = version(made, "22222222", {})

    assert compare_versions(made, new) is None
    promote(made, old)
    assert compare_versions(made, new) is None
    answer(made, {"i19": "b"})
    found = compare_versions(made, new)
    assert found is not None
    assert (found.n, found.gained, found.lost, found.is_better) == (20, 0, 20, False)


def test_held_back_answers_are_never_learned_from(workspace: Workspace) -> None:
    """Only they are compared, and turning each of them round leaves the trained version as it was."""
    project = replace(workspace.project, settings={**workspace.project.settings, "train.held_back": 0.5})
    object.__setattr__(workspace, "project", project)
    kept = [f"i{i}" for i in range(N) if held_back([f"i{i}"], 0.5)[0]]
    train(workspace, learner=LEARNER, promote="always")
    first = workspace.lake.current_model(LEARNER)

    answer(workspace, {item: "a" for item in kept if int(item[1:]) % 2 == 0 or int(item[1:]) % 4 == 1})
    train(workspace, learner=LEARNER, promote="always")

    assert 0.3 * N < len(kept) < 0.7 * N
    assert first is not None
    assert first == workspace.lake.current_model(LEARNER)  # called by a hash of its files


def test_training_is_due_after_so_many_answers(workspace: Workspace) -> None:
    """Every ten answers: at the first time, and again once ten more have come."""
    settings = {**workspace.project.settings, "train.learner": LEARNER, "train.every_answers": 10}
    object.__setattr__(workspace, "project", replace(workspace.project, settings=settings))

    assert retrain_if_due(workspace) is not None
    assert retrain_if_due(workspace) is None
    answer(workspace, {f"i{i}": "b" for i in range(3, N, 4)})
    assert is_due(workspace)


def test_training_is_due_after_so_many_hours(workspace: Workspace) -> None:
    """By the clock only where something new was said; never where neither is set."""
    settings = {**workspace.project.settings, "train.learner": LEARNER, "train.every_hours": 1e-9}
    assert not is_due(workspace)
    object.__setattr__(workspace, "project", replace(workspace.project, settings=settings))

    assert is_due(workspace)
    train(workspace)
    assert not is_due(workspace)
    answer(workspace, {"i3": "b"})
    assert is_due(workspace)


def test_ordering_the_queue_anew_trains_first(workspace: Workspace) -> None:
    """As the server does it beside its work: the queue is ordered by what the learner has learned by then."""
    place = workspace.project.folder / "labelmill.toml"
    place.write_text(place.read_text().replace('learner = ""', f'learner = "{LEARNER}"\nevery_answers = 5'))
    opened = Workspace.open(workspace.project.folder)
    with open_database(opened.project.database) as database:
        open_project(opened, database)

    queued = refill(workspace.project.folder, str(opened.project.database), 10)

    assert queued.label.added == 10
    assert [machine.name for machine in current_machines(opened)] == [LEARNER]


def test_exact_paired_test() -> None:
    """Five to nothing is 1 in 16, as coins fall; thousands of items do not overflow."""
    assert exact_paired_test(5, 0) == pytest.approx(0.0625)
    assert exact_paired_test(0, 0) == 1.0
    assert exact_paired_test(12, 4) == pytest.approx(0.0768, abs=1e-4)
    assert exact_paired_test(3_000, 2_000) < 1e-40
    with pytest.raises(UsageError, match="0 or more"):
        exact_paired_test(-1, 2)


@pytest.mark.parametrize("line", ['promote = "maybe"', "held_back = 0.6", "every_answers = -1", "every_hours = nan"])
def test_settings_that_cannot_be_meant(tmp_path: Path, line: str) -> None:
    """Each is refused by its name."""
    (tmp_path / "labelmill.toml").write_text(f'[schema]\nclasses = ["a", "b"]\n[train]\n{line}\n')

    with pytest.raises(ProjectError, match=line.partition(" ")[0]):
        Workspace.open(tmp_path)
