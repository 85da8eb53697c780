"""Analyzing and reporting at scale: the figures of all votes, from counts by partition, on every engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from tests.pipeline.lakes import ENGINES, add_items, crowd, machine_votes, people_votes, project, truth

from labelmill.cli.main import cli
from labelmill.pipeline import _ballots, _reduce
from labelmill.pipeline import aggregate as aggregating
from labelmill.pipeline import analyze as analyzing
from labelmill.pipeline import report as reporting
from labelmill.pipeline._vote_counts import CountedVotes
from labelmill.pipeline.aggregate import aggregate, gold_answers, read_consensus
from labelmill.pipeline.analyze import analyze
from labelmill.pipeline.report import story
from labelmill.pipeline.select import select
from labelmill.pipeline.votes import ballots
from labelmill.pipeline.workspace import Workspace
from labelmill.stores import item_set
from labelmill.stores.lake import Lake

N_ITEMS = 500


@pytest.fixture(autouse=True)
def many_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions of 25 items in groups of 4."""
    monkeypatch.setattr(item_set, "FILE_ROWS", 25)
    monkeypatch.setattr(_reduce, "LEAF_PARTITIONS", 4)


def gold(workspace: Workspace, n: int = 60) -> None:
    named = [workspace.schema.classes[k] for k in truth(N_ITEMS, workspace.schema.n_classes).tolist()]
    given = {f"i{i}": named[i] if workspace.schema.kind == "choice" else json.dumps([named[i]]) for i in range(0, n, 3)}
    people_votes(workspace, {"boss": given}, "gold")


def rules(folder: Path) -> Workspace:
    workspace = project(folder, N_ITEMS)
    machine_votes(workspace, 4, reach=0.3)
    return workspace


def everything(folder: Path) -> Workspace:
    """Rules, a model with probabilities, people who also decline and who were asked, gold, and items without votes."""
    workspace = project(folder, N_ITEMS)
    machine_votes(workspace, 4, soft=True, reach=0.4)
    crowd(workspace, 10, per_person=20)
    people_votes(workspace, {"shy": dict.fromkeys(["i1", "i30", "i499"])})
    gold(workspace)
    add_items(workspace, N_ITEMS, 40)
    aggregate(workspace)
    asked = [task.item for task in select(workspace, count=12).tasks]
    people_votes(workspace, {"ann": dict.fromkeys(asked[:9], "b")})
    return workspace


def several_classes(folder: Path) -> Workspace:
    workspace = project(folder, N_ITEMS, kind="multi_choice", classes=("a", "ab", "c"))
    machine_votes(workspace, 3, reach=0.4)
    people_votes(workspace, {"ann": {"i1": '["a", "ab"]', "i2": "[]", "i3": None}})
    gold(workspace)
    return workspace


FILLED = [rules, everything, several_classes]

Opened = Callable[[Callable[[Path], Workspace]], Workspace]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """Opens a project that is filled and aggregated once, for tests that only look."""
    root = tmp_path_factory.mktemp("projects")

    def open_one(fill: Callable[[Path], Workspace]) -> Workspace:
        folder = root / fill.__name__
        if not folder.exists():
            with pytest.MonkeyPatch.context() as small:
                small.setattr(item_set, "FILE_ROWS", 25)
                aggregate(fill(folder))
        return Workspace.open(folder)

    return open_one


def figures(workspace: Workspace, **options: Any) -> dict[str, Any]:
    """The story, but for when it was told and the runs on record."""
    told = story(workspace, **options).to_dict()
    return {name: value for name, value in told.items() if name not in {"made_at", "runs"}}


def gold_of(workspace: Workspace, items: list[str]) -> Any:
    """Gold class of each item, -1 where it is not known."""
    known = dict(gold_answers(workspace).select("item", "value").iter_rows())
    return np.array([workspace.schema.index(known[item]) if item in known else -1 for item in items], dtype=np.int16)


@pytest.mark.parametrize("fill", FILLED)
def test_sums_say_what_all_votes_say(
    fill: Callable[[Path], Workspace], opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every figure is that of all votes in memory, to the last bit; neither they nor the consensus are read whole."""
    workspace = opened(fill)
    with monkeypatch.context() as without:
        without.setattr(_ballots, "_stacked", None)
        without.setattr(aggregating, "_loader", lambda *_: None)
        found, analyzed = figures(workspace), analyze(workspace).to_dict()

    def of_all_votes(workspace: Workspace, **_: Any) -> CountedVotes:
        cast = ballots(workspace)
        return CountedVotes.of_ballots(cast, gold_of(workspace, cast.items) if fill is everything else None)

    monkeypatch.setattr(analyzing, "count_votes", of_all_votes)
    monkeypatch.setattr(reporting, "count_votes", of_all_votes)
    assert found == figures(workspace)
    assert analyzed == analyze(workspace).to_dict()
    assert analyzed["summary"]["n_items"] == N_ITEMS * (3 if fill is several_classes else 1) + 40 * (fill is everything)


@pytest.mark.parametrize("fill", FILLED)
def test_the_funnel_counts_items(fill: Callable[[Path], Workspace], opened: Opened) -> None:
    """Voted on by a rule, by anybody, decided by people, labelled: as looking at each item counts them."""
    workspace = opened(fill)
    tables = list(ballots(workspace).tables.values())
    ruled, voted = set(), set()
    for table in tables:
        voted |= set(np.flatnonzero(table.has_votes).tolist())
        for i, j, k in zip(table.item_index, table.annotator_index, table.label, strict=True):
            if k >= 0 and table.kinds[j] == "rule":
                ruled.add(int(i))
    labels = read_consensus(workspace).consensus.labels

    found = {step.name: step.n_items for step in story(workspace).funnel}

    expected = {"imported": len(labels), "voted on by a rule": len(ruled)}
    expected |= {"voted on by anybody": len(voted), "decided by people": 9} if fill is everything else {}
    expected |= {"decided by people": 0} if fill is several_classes else {}
    assert found == expected | {"labelled": len(labels) - labels.count(None)}
    assert 0 < found["voted on by a rule"] < found["imported"]


@pytest.mark.parametrize("fill", FILLED)
def test_balances_are_shares(fill: Callable[[Path], Workspace], opened: Opened) -> None:
    """Each class's share of votes, of probability and of labels."""
    workspace = opened(fill)
    cast, consensus = ballots(workspace), read_consensus(workspace).consensus
    mass, classes = consensus.probabilities.sum(axis=0), workspace.schema.classes
    votes = [t.counts[:, 1].sum() for t in cast.tables.values()] if cast.is_multi else cast.first.counts.sum(axis=0)
    named = [json.loads(label or "[]") if cast.is_multi else [label] for label in consensus.labels]
    labels = np.array([sum(name in each for each in named) for name in classes])

    balance = story(workspace).balance

    assert balance is not None
    found = {series.name: series.shares for series in balance.series}
    assert found["votes"] == [n / sum(votes) for n in votes]
    assert found["consensus"] == pytest.approx(list(mass / mass.sum()), rel=1e-12)
    assert found["release"] == list(labels / labels.sum())


@pytest.mark.parametrize("fill", FILLED)
def test_the_most_doubtful_are_found(fill: Callable[[Path], Workspace], opened: Opened) -> None:
    """Of all items with votes those whose label is least likely, equals in lake order, each with its votes."""
    workspace = opened(fill)
    consensus, cast = read_consensus(workspace).consensus, ballots(workspace)
    order = np.argsort(np.where(consensus.has_votes, consensus.confidence, 2.0), kind="stable")[:20].tolist()
    votes = {
        i: [table.annotators[table.annotator_index[at]] for table in cast.tables.values() for at in _at(table, i)]
        for i in order
    }

    found = story(workspace).doubtful

    assert [item.id for item in found] == [consensus.items[i] for i in order]
    assert [item.label for item in found] == [consensus.labels[i] for i in order]
    assert [item.probabilities for item in found] == [consensus.probabilities[i].tolist() for i in order]
    assert [item.text for item in found] == [f"text {consensus.items[i]}" for i in order]
    assert [[vote.annotator for vote in item.votes] for item in found] == list(votes.values())


def _at(table: Any, i: int) -> list[int]:
    return list(np.flatnonzero(table.item_index == i).tolist())


@pytest.mark.parametrize("fill", [everything, several_classes])
def test_the_same_figures_on_every_engine(fill: Callable[[Path], Workspace], opened: Opened) -> None:
    """Two workers tell the story of one plain process, and leave no tables in the lake."""
    workspace = opened(fill)
    engine, workers = ENGINES[2]

    found = figures(workspace, engine=engine, workers=workers)

    assert found == figures(workspace)
    assert workspace.lake.table_names("count") == workspace.lake.table_names("doubts") == set()


def test_gold_measures_annotators(opened: Opened) -> None:
    """True accuracy is the share of an annotator's votes on gold items that name the gold class."""
    workspace = opened(everything)
    known = dict(gold_answers(workspace).select("item", "value").iter_rows())
    table = ballots(workspace).first

    rows = {row.name: row for row in analyze(workspace).rows}

    for j, name in enumerate(table.annotators):
        said = [
            (table.items[table.item_index[at]], int(table.label[at]))
            for at in range(len(table.label))
            if table.annotator_index[at] == j and table.label[at] >= 0
        ]
        right = [known[item] == table.classes[k] for item, k in said if item in known]
        assert rows[name].true_accuracy == (sum(right) / len(right) if right else None)
    assert sum(row.true_accuracy is not None for row in rows.values()) > 5


def test_looking_needs_no_lock(opened: Opened) -> None:
    """In one process nothing is written: a report can be made while somebody else writes."""
    workspace = opened(rules)

    with Lake(workspace.lake.uri).writing():
        found = story(workspace)

    assert found.headline.n_items == N_ITEMS


def test_items_that_came_later_are_not_labelled(tmp_path: Path) -> None:
    """Items newer than the consensus are imported, and not counted as labelled."""
    workspace = rules(tmp_path / "p")
    n_voted = aggregate(workspace).summary.n_voted
    add_items(workspace, N_ITEMS, 40)

    found = {step.name: step.n_items for step in story(workspace).funnel}

    assert (found["imported"], found["labelled"]) == (N_ITEMS + 40, n_voted)


def test_the_shell_names_an_engine(opened: Opened, tmp_path: Path) -> None:
    """`analyze` and `report` take --engine and --workers, and give the same."""
    workspace = opened(rules)
    folder, out = str(workspace.project.folder), tmp_path / "report.html"
    plain = CliRunner().invoke(cli, ["analyze", "--json", "--project", folder])

    found = CliRunner().invoke(
        cli, ["analyze", "--json", "--project", folder, "--engine", "processes", "--workers", "2"]
    )
    told = CliRunner().invoke(cli, ["report", "--out", str(out), "--project", folder, "--engine", "processes"])

    assert (found.exit_code, told.exit_code) == (0, 0)
    assert json.loads(found.stdout) == json.loads(plain.stdout)
    assert "m3" in out.read_text()
