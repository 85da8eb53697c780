"""Aggregating at scale: the same bits on every engine, however the label model meets the votes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.pipeline.lakes import ENGINES, add_items, consensus_files, crowd, machine_votes, people_votes, project, truth

from labelmill.aggregation.majority_vote import MajorityVote
from labelmill.domain.strict_json import loads
from labelmill.domain.vote_table import VoteTable
from labelmill.pipeline import _fitting, _reduce
from labelmill.pipeline import aggregate as aggregating
from labelmill.pipeline.aggregate import aggregate, aggregate_votes, gold_answers, read_consensus
from labelmill.pipeline.report import report
from labelmill.pipeline.votes import ballots
from labelmill.pipeline.workspace import Workspace
from labelmill.stores import item_set

N_ITEMS = 600


@pytest.fixture(autouse=True)
def many_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions of 25 items in groups of 4."""
    monkeypatch.setattr(item_set, "FILE_ROWS", 25)
    monkeypatch.setattr(_reduce, "LEAF_PARTITIONS", 4)


def rules_only(workspace: Workspace) -> None:
    machine_votes(workspace, 4)


def with_people_and_gold(workspace: Workspace) -> None:
    machine_votes(workspace, 3)
    crowd(workspace, 30)
    people_votes(workspace, {"boss": {"i5": "c", "i77": "a"}}, "gold")


def with_probabilities(workspace: Workspace) -> None:
    machine_votes(workspace, 3, soft=True)
    crowd(workspace, 5)


def only_a_crowd(workspace: Workspace) -> None:
    crowd(workspace, 60, per_person=60)


def new_items_without_votes(workspace: Workspace) -> None:
    machine_votes(workspace, 3)
    add_items(workspace, N_ITEMS, 60)


MAKERS = [with_people_and_gold, rules_only, with_probabilities, only_a_crowd, new_items_without_votes]


@pytest.mark.parametrize("fill", MAKERS)
def test_one_process_gives_what_the_whole_table_gives(fill: Callable[[Workspace], None], tmp_path: Path) -> None:
    """Fitted on patterns or gathered votes, predicted by partition: as one fit on the one table of all votes."""
    workspace = project(tmp_path / "p", N_ITEMS)
    fill(workspace)
    answers = dict(gold_answers(workspace).select("item", "value").iter_rows())
    whole = aggregate_votes(ballots(workspace).first, gold=answers)

    result = aggregate(workspace)

    gold = {"i5", "i77"} if fill is with_people_and_gold else set()
    rows = [i for i, item in enumerate(result.consensus.items) if item not in gold]
    assert result.consensus.items == whole.consensus.items
    assert np.allclose(result.consensus.probabilities[rows], whole.consensus.probabilities[rows], rtol=0, atol=1e-9)
    assert np.array_equal(result.consensus.has_votes, whole.consensus.has_votes)
    assert result.annotators.drop("reliability").equals(whole.annotators.drop("reliability"))
    assert np.allclose(result.annotators["reliability"], whole.annotators["reliability"], rtol=0, atol=1e-9)
    assert result.summary.details["chosen"] == whole.summary.details["chosen"]


@pytest.mark.parametrize(
    ("fill", "engine", "workers"),
    [*((with_people_and_gold, *engine) for engine in ENGINES[1:]), *((fill, *ENGINES[2]) for fill in MAKERS[1:])],
)
def test_the_same_bytes_on_every_engine(
    fill: Callable[[Workspace], None], engine: str, workers: int | None, tmp_path: Path
) -> None:
    """Files of the consensus and their meta are those of one plain process, with any number of workers."""
    plain, other = _both(tmp_path, fill, engine, workers, "auto")

    assert len(plain) > 24
    assert plain == other


@pytest.mark.parametrize(
    ("way", "model"),
    [
        ("rounds", "majority_vote"),
        ("sample", "auto"),
        pytest.param("rounds", "dawid_skene", marks=pytest.mark.slow),  # a crew of processes starts at each round
    ],
)
def test_the_same_bytes_however_it_learns(
    way: str, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By rounds or on a sample, two workers make the files that one plain process makes."""
    _force(way, monkeypatch)

    plain, other = _both(tmp_path, with_probabilities, "processes", 2, model)

    assert plain == other


def _both(
    folder: Path, fill: Callable[[Workspace], None], engine: str, workers: int | None, model: str
) -> list[dict[str, str]]:
    found = []
    for name, n in (("serial", None), (engine, workers)):
        workspace = project(folder / f"{name}-{n}", N_ITEMS)
        fill(workspace)
        aggregate(workspace, model=model, engine=name, workers=n)
        found.append(consensus_files(workspace))
    return found


@pytest.mark.parametrize("kind", ["choice", "multi_choice"])
def test_learning_by_rounds_is_learning_from_all(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that learns by rounds over partitions learns what it learns from the whole table."""
    workspace = project(tmp_path / "p", N_ITEMS, kind=kind)
    machine_votes(workspace, 4)
    whole = aggregate(workspace)
    expected = whole.consensus.probabilities
    _force("rounds", monkeypatch)

    result = aggregate(workspace)

    details = result.summary.details if kind == "choice" else result.summary.details["a"]
    assert details["rounds"] > 3
    assert result.version == whole.version + 1
    assert np.allclose(result.consensus.probabilities, expected, rtol=0, atol=1e-9)


def test_a_model_that_needs_it_all_learns_from_a_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every item that people answered and a share of the others; the details say how many."""
    workspace = project(tmp_path / "p", N_ITEMS)
    machine_votes(workspace, 3)
    people_votes(workspace, {"ann": {f"i{i}": "a" for i in range(60)}})
    seen: list[int] = []
    fit = MajorityVote.fit

    def noted(self: MajorityVote, votes: VoteTable) -> MajorityVote:
        seen.append(votes.n_items)
        return fit(self, votes)

    monkeypatch.setattr(MajorityVote, "fit", noted)
    _force("sample", monkeypatch)

    result = aggregate(workspace, model="majority_vote")

    assert 60 + 150 < seen[0] < 60 + 350
    assert result.summary.details["fitted_on"] == f"{seen[0]} of 600 items"


def test_nothing_is_done_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A consensus that follows from the same votes is the same version, and no label model is fitted for it."""
    workspace = project(tmp_path / "p", 100)
    machine_votes(workspace, 3)
    first = aggregate(workspace)
    monkeypatch.setattr(aggregating, "_made", None)

    again = aggregate(workspace)

    assert (again.version, again.summary) == (first.version, first.summary)
    assert again.annotators.equals(first.annotators)


@pytest.mark.parametrize("change", ["votes", "gold", "items", "model", "seed"])
def test_whatever_it_follows_from_makes_a_new_one(change: str, tmp_path: Path) -> None:
    """New votes, gold or items, another label model or seed: another version."""
    workspace = project(tmp_path / "p", 60)
    machine_votes(workspace, 3)
    aggregate(workspace)
    model = None

    if change == "votes":
        people_votes(workspace, {"ann": {"i1": "c"}})
    elif change == "gold":
        people_votes(workspace, {"ann": {"i1": "c"}}, "gold")
    elif change == "items":
        add_items(workspace, 60, 1)
    elif change == "model":
        model = "majority_vote"
    else:
        path = workspace.project.folder / "labelmill.toml"
        path.write_text(f"{path.read_text()}[project]\nseed = 5\n")
        workspace = Workspace.open(workspace.project.folder)
    result = aggregate(workspace, model=model)

    assert result.version == 2


def test_gold_takes_the_place_of_guesses(tmp_path: Path) -> None:
    """Items with gold have its class for certain, with nobody's vote too."""
    workspace = project(tmp_path / "p", 100)
    machine_votes(workspace, 2, reach=0.5)
    people_votes(workspace, {"boss": {"i5": "c", "i99": "b"}}, "gold")

    result = aggregate(workspace)

    assert result.consensus.probabilities[[5, 99]].tolist() == [[0, 0, 1], [0, 1, 0]]
    assert [result.consensus.labels[i] for i in (5, 99)] == ["c", "b"]
    assert result.summary.details["gold_items"] == 2


def test_enough_gold_calibrates_and_shows_in_the_report(tmp_path: Path) -> None:
    """From fifty gold answers the details tell temperature and source, and the report draws the diagram."""
    workspace = project(tmp_path / "p", 150)
    machine_votes(workspace, 4, reach=0.9)
    right = truth(150, len(workspace.schema.classes))
    answers: dict[str, str | None] = {f"i{i}": workspace.schema.classes[right[i]] for i in range(120)}
    people_votes(workspace, {"boss": answers}, "gold")

    result = aggregate(workspace)
    page = report(workspace, tmp_path / "report.html").read_text()

    found = result.summary.details["calibration"]
    assert found["source"] == "gold"
    assert 50 <= found["n_gold"] <= 120
    assert "gold answers, cross-validated, at temperature" in page


def test_the_summary_is_that_of_the_consensus(tmp_path: Path) -> None:
    """Counts, balance and the histogram of confidence are what the full consensus says."""
    workspace = project(tmp_path / "p", N_ITEMS)
    machine_votes(workspace, 3, reach=0.3)

    aggregate(workspace)
    result = read_consensus(workspace)

    summary, consensus = result.summary, result.consensus
    voted = consensus.has_votes
    assert (summary.n_items, summary.n_voted, summary.n_tied) == (600, voted.sum(), consensus.tied.sum())
    assert summary.labels == {name: consensus.labels.count(name) for name in "abc"}
    assert np.allclose(list(summary.balance.values()), consensus.probabilities.mean(axis=0))
    assert summary.mean_confidence == pytest.approx(consensus.confidence[voted].mean())
    assert summary.confidence == np.histogram(consensus.confidence[voted], 20, (0, 1))[0].tolist()


def test_several_classes_at_once(tmp_path: Path) -> None:
    """A multi-choice is one question a class; people's sets refuse what they leave out."""
    workspace = project(tmp_path / "p", 200, kind="multi_choice")
    machine_votes(workspace, 3)
    people_votes(workspace, {"ann": {"i1": '["a", "b"]', "i2": "[]", "i3": None}})
    tables = ballots(workspace).tables
    expected = np.stack([aggregate_votes(table).consensus.probabilities[:, 1] for table in tables.values()], axis=1)

    result = aggregate(workspace)

    assert list(tables) == ["a", "b", "c"]
    assert tables["c"].label[tables["c"].annotator_index == 4].tolist() == [0, 0, -1]
    assert np.allclose(result.consensus.probabilities, expected, rtol=0, atol=1e-9)


def test_the_lake_keeps_no_tables(tmp_path: Path) -> None:
    """What a reduce leaves on its way is removed at its end, and what a dead one left at the next begin."""
    workspace = project(tmp_path / "p", N_ITEMS)
    machine_votes(workspace, 2)
    workspace.lake.publish_table("consensus", "of-a-dead-driver-0", pl.DataFrame({"n": [1]}))

    aggregate(workspace)

    assert workspace.lake.table_names("consensus") == set()


def test_what_models_learn_from_is_not_made_current(tmp_path: Path) -> None:
    """The consensus of the others, without models, is readable and changes no version."""
    workspace = project(tmp_path / "p", 100)
    machine_votes(workspace, 3, soft=True)
    version = aggregate(workspace).version

    target = aggregate(workspace, without_models=True)

    assert target.annotators["annotator"].to_list() == ["m1", "m2"]
    assert len(target.consensus.items) == 100
    assert read_consensus(workspace).version == version
    assert workspace.lake.table_names("consensus-of-others") == set()
    assert len(list((Path(workspace.lake.uri) / "consensus").iterdir())) == 2


def test_few_items_stay_in_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --engine and --workers, an engine is opened only where the lake is large."""
    workspace = project(tmp_path / "p", 60)
    machine_votes(workspace, 2)
    path = workspace.project.folder / "labelmill.toml"
    path.write_text(path.read_text().replace('"serial"', '"processes"'))
    workspace = Workspace.open(workspace.project.folder)

    chosen = [aggregating.engine_for(workspace, None, None), aggregating.engine_for(workspace, None, 2)]
    monkeypatch.setattr(aggregating, "IN_PROCESS", 59)
    chosen.append(aggregating.engine_for(workspace, None, None))

    assert chosen == ["serial", "processes", "processes"]


DRIVER = """
import json, sys
from labelmill.pipeline import _reduce
from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.workspace import Workspace

_reduce.LEAF_PARTITIONS = 4
aggregate(Workspace.open(sys.argv[1]), engine=sys.argv[2], workers=2)
"""


@pytest.mark.parametrize("engine", ["serial", pytest.param("processes", marks=pytest.mark.slow)])
def test_a_killed_driver_is_continued(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill -9 in the middle, then again: the same bytes, and what was published is not written again."""
    monkeypatch.setattr(item_set, "FILE_ROWS", 20)
    undisturbed = project(tmp_path / "undisturbed", 4_000)
    with_people_and_gold(undisturbed)
    aggregate(undisturbed)
    for trial in range(8):
        workspace = project(tmp_path / f"trial-{trial}", 4_000)
        with_people_and_gold(workspace)
        before = _killed_in_the_middle(workspace, engine)
        if 0 < len(before) < 200:
            break

    aggregate(workspace, engine=engine, workers=2)

    assert 0 < len(before) < 200
    assert consensus_files(workspace) == consensus_files(undisturbed)
    assert {name: stamp for name, stamp in _stamps(workspace).items() if name in before} == before


def _killed_in_the_middle(workspace: Workspace, engine: str) -> dict[str, tuple[int, int]]:
    """Published partitions when the driver died."""
    command = [sys.executable, "-c", DRIVER, str(workspace.project.folder), engine]
    process = subprocess.Popen(command, start_new_session=True)
    while process.poll() is None and len(_stamps(workspace)) < 30:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(1.5 if engine == "processes" else 0)  # workers of a dead driver end by themselves
    return _stamps(workspace)


def _stamps(workspace: Workspace) -> dict[str, tuple[int, int]]:
    files: list[Any] = list((Path(workspace.lake.uri) / "consensus").glob("*/*.parquet"))
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files if not path.name.startswith(".")}


def test_meta_is_json_that_says_how(tmp_path: Path) -> None:
    """What the lake says of a consensus is plain JSON: model, details, annotators, summary."""
    workspace = project(tmp_path / "p", 60)
    machine_votes(workspace, 2)
    aggregate(workspace)
    stored = workspace.lake.consensus()
    assert stored is not None

    meta = loads(json.dumps(stored.meta))

    assert set(meta) == {"model", "details", "annotators", "summary", "schema", "version"}
    assert [row["annotator"] for row in meta["annotators"]] == ["m0", "m1"]


def _force(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower the limits until the label model meets the votes in this way."""
    if way == "as it comes":
        return
    monkeypatch.setattr(_fitting, "MOST_PATTERNS", 3)
    monkeypatch.setattr(_fitting, "GATHERED", 10)
    monkeypatch.setattr(_fitting, "SAMPLE", 250)
    if way == "sample":
        monkeypatch.setattr(_fitting, "hasattr", lambda *_: False, raising=False)
