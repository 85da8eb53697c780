"""kill -9 on real Ray and Spark clusters, again and again.

    python benchmarks/kills.py [--kills 20] [--only worker,node,driver]

Each cluster has a head and two nodes that work, on this machine. Every kill hits a fresh copy of a project at a random
instant in the middle of `annotate`; afterwards every file of votes must be byte-identical to those of an undisturbed
run on worker processes, after a driver's death the consensus and the selected items too, and no finished partition may
have been written again. The first that is not ends the trials.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.trials.clusters import Cluster, ray_cluster, spark_cluster
from tests.trials.kills import KINDS, Kill, trial
from tests.trials.story import Story

REMOTE = "remote-driver"
"""The driver, with the lake on an object store."""

KILLED = {
    "child": "process that runs the rules",
    "worker": "Python worker of the engine",
    "node": "machine, all its processes",
    "driver": "driver, then the same command again",
}


def report(n_kills: int = 20, only: Sequence[str] = (*KINDS, REMOTE)) -> str:
    """A table: what was killed, when, and how long the rest took."""
    kills: list[Kill] = []
    with tempfile.TemporaryDirectory(prefix="labelmill-kills-") as folder:
        story = Story(Path(folder))
        story.tell()
        for opened in (ray_cluster, spark_cluster):
            with opened() as cluster:
                separated = cluster.network.kind
                kills += struck(cluster, story, n_kills, only)
    return "\n".join(
        [
            f"{len(kills)} kills in the middle of `annotate` on clusters of a head and two nodes on this machine "
            f"({separated}); after every one the votes were byte-identical to an undisturbed run's, after a driver's "
            "death the consensus and the selection too, and no finished partition was done again.",
            "",
            "| engine | killed | lake | kills | partitions published before it | median seconds until all is done |",
            "|---|---|---|---|---|---|",
            *rows(kills),
        ]
    )


def struck(cluster: Cluster, story: Story, n_kills: int, only: Sequence[str]) -> list[Kill]:
    """So many of each kind."""
    kills = []
    rng = random.Random(0)
    for kind in only:
        for _ in range(n_kills):
            shelf = cluster.store.shelf() if kind == REMOTE else None
            kills.append(trial(cluster, "driver" if kind == REMOTE else kind, story, rng, shelf=shelf))
            print(kills[-1], flush=True)
            while len(cluster.workers) < 2:
                cluster.add_node()
    return kills


def rows(kills: list[Kill]) -> list[str]:
    """A row for each engine, kind and lake."""
    lines = []
    for engine, kind, lake in dict.fromkeys((kill.engine, kill.kind, kill.lake) for kill in kills):
        group = [kill for kill in kills if (kill.engine, kill.kind, kill.lake) == (engine, kind, lake)]
        published = [kill.published for kill in group]
        lines.append(
            f"| {engine} | {KILLED[kind]} | {lake} | {len(group)} | {min(published)} to {max(published)} of "
            f"{group[0].total} | {statistics.median(kill.seconds for kill in group):.1f} |"
        )
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument(
        "--only", type=lambda text: text.split(","), default=[*KINDS, REMOTE], help="kinds, with commas"
    )
    asked = parser.parse_args()
    print(report(asked.kills, asked.only))
