"""What the next answers are worth, who should give them, and when asking stops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline import lakes

from labelmill.errors import ProjectError, UsageError
from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.people import fill_queue, open_project
from labelmill.pipeline.select import select
from labelmill.pipeline.stopping import stopping
from labelmill.pipeline.workspace import Workspace
from labelmill.pipeline.worth import Moment, moments
from labelmill.stores.database.connect import open_database
from labelmill.stores.database.tasks import list_tasks

SETTINGS = {
    "select.stop": "",
    "select.budget": 0,
    "certify.error": 0.05,
    "certify.confidence": 0.95,
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Two hundred items of two classes on which three rules disagree now and then."""
    made = lakes.project(tmp_path / "p", 200, classes=("a", "b"), model="dawid_skene")
    lakes.machine_votes(made, 5, reach=0.5)
    aggregate(made)
    return made


def having(workspace: Workspace, **changes: Any) -> Workspace:
    """The workspace under other settings."""
    settings = {**workspace.project.settings, **{name.replace("__", "."): value for name, value in changes.items()}}
    object.__setattr__(workspace, "project", replace(workspace.project, settings=settings))
    return workspace


def ask(workspace: Workspace, n: int, **options: Any) -> Any:
    """Select, and answer rightly."""
    chosen = select(workspace, count=n, **options)
    right = lakes.truth(200, 2)
    given = {task.item: "ab"[right[int(task.item[1:])]] for task in chosen.tasks}
    lakes.people_votes(workspace, {"ann": given})
    aggregate(workspace)
    return chosen


def test_the_forecast_falls_as_doubts_are_settled(workspace: Workspace) -> None:
    """Doubtful items first: what they avoid grows smaller, and what the last ones did is told."""
    first = ask(workspace, 40).worth
    second = ask(workspace, 40).worth

    assert first.before is None
    assert first.avoided > second.avoided > 0
    assert first.avoided / 100 < 0.5
    assert second.before == first.now
    assert (second.now.answers, second.before.answers) == (40, 0)
    assert first.now.to_certify is not None
    assert [moment.answers for moment in moments(workspace)] == [0, 40]
    words = " ".join(second.words())
    assert "next 100 answers" in words
    assert "last 40 answers" in words
    assert "certificate would cost" in words


def test_items_drawn_at_random_measure_the_labels(workspace: Workspace) -> None:
    """Whether their labels were wrong when they were asked about; chosen questions measure nothing."""
    ask(workspace, 60, strategy="random")
    ask(workspace, 30)

    found = select(workspace, count=1).worth

    assert found is not None
    assert found.n_drawn == 60
    assert 0 < found.n_drawn_wrong < 30
    assert "Measured: of 60 items drawn at random" in " ".join(found.words())


def test_nothing_left_is_worth_nothing(workspace: Workspace) -> None:
    """No forecast where every item has its answer."""
    ask(workspace, 200)

    assert select(workspace, count=1).worth is None


def test_the_budget_stops(workspace: Workspace) -> None:
    """The last questions are as many as the budget leaves; then none, and the sentence says why."""
    having(workspace, select__stop="budget", select__budget=50)

    assert [len(ask(workspace, 40).tasks), len(ask(workspace, 40).tasks)] == [40, 10]
    stopped = select(workspace, count=40)
    assert stopped.tasks == []
    assert "budget of 50 answers is spent" in stopped.stopped


@pytest.mark.parametrize(
    ("totals", "stops"),
    [
        ([400, 350, 300], False),
        ([400, 390, 395], False),
        ([400, 405, 410], True),
        ([400, 380, 390, 385], True),
        ([400, 410], False),
        ([900, 905, 910], False),
    ],
)
def test_the_certificate_stops_once_it_gets_no_cheaper(totals: list[float], stops: bool) -> None:
    """What was asked and what the certificate costs, together: two selections without a new least stop it.

    But not where the certificate leaves most items to people anyway.
    """
    *earlier, now = [Moment(50 * n, 1_000, 10.0, total - 50 * n) for n, total in enumerate(totals)]

    found = stopping(SETTINGS | {"select.stop": "certificate"}, earlier, now)

    assert bool(found.reason) == stops
    assert ("5% at 95%" in found.reason) == stops


@pytest.mark.parametrize(
    ("wrong", "stops"), [([100, 80, 60, 40], False), ([100, 99.5, 99.2, 99], True), ([9, 9], False)]
)
def test_a_flat_curve_stops(wrong: list[float], stops: bool) -> None:
    """When the expected share of wrong labels has hardly moved over three selections."""
    *earlier, now = [Moment(50 * n, 1_000, one) for n, one in enumerate(wrong)]

    found = stopping(SETTINGS | {"select.stop": "flat"}, earlier, now)

    assert bool(found.reason) == stops
    assert ("flat" in found.reason) == stops


def test_routes_by_price(workspace: Workspace) -> None:
    """Nobody where a wrong label costs little, one person at a middling price, three or an expert at a high one."""
    having(workspace, people__expert_cost=4.0)
    found = {}
    for price in (0.5, 8.0, 1_000.0):
        having(workspace, select__wrong_price=price)
        routes = select(workspace, count=60, routes=True).routes
        assert routes is not None
        found[price] = {row["source"]: row for row in routes.rows()}

    assert found[0.5]["nobody"]["items"] == 60
    assert found[8.0]["one person"]["items"] > 0
    assert found[1_000.0]["an expert"]["items"] + found[1_000.0]["three people"]["items"] > 0
    assert sum(row["spent"] for row in found[8.0].values()) < 8 * sum(row["avoided"] for row in found[8.0].values())
    with pytest.raises(UsageError, match="wrong_price"):
        select(having(workspace, select__wrong_price=0.0), routes=True)


def test_routes_decide_how_many_people_are_asked(workspace: Workspace) -> None:
    """Items that nobody pays for are not queued, and those for three people have three places."""
    having(workspace, select__wrong_price=1_000.0, people__expert_cost=500.0)
    with open_database(workspace.project.database) as database:
        project = open_project(workspace, database)
        queued = fill_queue(workspace, database, project, count=60)
        tasks = list_tasks(database, project, limit=100)

    assert queued.label.added == len(tasks) > 0
    assert queued.stopped == ""
    assert 3 in {task.overlap for task in tasks}


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("select", 'stop = "soon"'),
        ("select", 'stop = "budget"'),
        ("people", "cost = -1"),
        ("people", "expert_accuracy = 2"),
    ],
)
def test_settings_that_cannot_be_meant(tmp_path: Path, section: str, line: str) -> None:
    """Each is refused by its name."""
    (tmp_path / "labelmill.toml").write_text(f'[schema]\nclasses = ["a", "b"]\n[{section}]\n{line}\n')

    with pytest.raises(ProjectError, match=f"{section}.{line.partition(' ')[0]}"):
        Workspace.open(tmp_path)
