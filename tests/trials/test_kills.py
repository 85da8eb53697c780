"""Whatever is killed, whenever: no vote is lost, doubled or different, and finished work is not done again."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator

import pytest
from tests.trials.clusters import Cluster, ray_cluster, spark_cluster
from tests.trials.kills import KINDS, Kill, Kind, trial
from tests.trials.story import Story, follow, run


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The project and its undisturbed results."""
    told = Story(tmp_path_factory.mktemp("trials"))
    told.tell()
    return told


@pytest.fixture(scope="module")
def ray_nodes() -> Iterator[Cluster]:
    """A head and two nodes that work, of Ray."""
    pytest.importorskip("ray")
    with ray_cluster() as started:
        yield started


@pytest.fixture(scope="module")
def spark_nodes() -> Iterator[Cluster]:
    """The same of Spark."""
    pytest.importorskip("pyspark")
    with spark_cluster() as started:
        yield started


@pytest.fixture(params=["ray", pytest.param("spark", marks=pytest.mark.slow)])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Either; each is started once, in whatever order the tests come."""
    started: Cluster = request.getfixturevalue(f"{request.param}_nodes")
    return started


@pytest.mark.parametrize(
    "kind", [kind if kind == "node" else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
)
def test_a_kill_in_the_middle_changes_nothing(cluster: Cluster, story: Story, kind: Kind) -> None:
    """A dead stage, worker, machine or driver leaves the same bytes as an undisturbed run."""
    _show([_struck(cluster, kind, story, random.Random(f"{cluster.kind}{kind}"))])


@pytest.mark.slow
def test_a_dead_driver_goes_on_from_object_storage(cluster: Cluster, story: Story) -> None:
    """The same with the lake in a bucket: the second driver takes over the lease and the finished partitions."""
    _show([trial(cluster, "driver", story, random.Random(7), shelf=cluster.store.shelf())])


@pytest.mark.slow
def test_the_reduce_on_a_cluster_gives_the_same_bytes(cluster: Cluster, story: Story) -> None:
    """Consensus and selected items do not depend on where they were computed."""
    with story.copied() as (folder, shelf):
        run("annotate", "--engine", "processes", "--project", folder)

        found = follow(folder, shelf, on=cluster)

    assert story.after == found


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
def test_twenty_kills_in_the_middle_change_nothing(cluster: Cluster, story: Story, kind: Kind) -> None:
    """Twenty instants of each kind."""
    rng = random.Random(f"{cluster.kind}{kind}20")
    _show([_struck(cluster, kind, story, rng) for _ in range(20)])


def _struck(cluster: Cluster, kind: Kind, story: Story, rng: random.Random) -> Kill:
    """A trial, after which the cluster has two nodes again."""
    try:
        return trial(cluster, kind, story, rng)
    finally:
        while len(cluster.workers) < 2:
            cluster.add_node()


def _show(kills: list[Kill]) -> None:
    for kill in kills:
        sys.stdout.write(f"{kill}\n")
