"""One trial: kill something in the middle of a run, let it end, and compare every byte."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from os import killpg
from pathlib import Path
from typing import Literal, NamedTuple

import psutil
from tests.trials.clusters import LEASE_SECONDS, Cluster
from tests.trials.nodes import wait_until
from tests.trials.shelves import Shelf, digests
from tests.trials.story import N_PARTITIONS, Story, follow

__all__ = ["KINDS", "Kill", "Kind", "trial"]

Kind = Literal["child", "worker", "node", "driver"]
KINDS: tuple[Kind, ...] = ("child", "worker", "node", "driver")
"""The process that runs the stage; the engine's own Python worker; a whole machine; the driver."""

PATIENCE = 180.0
"""Seconds within which a run ends, whatever was killed."""


class Kill(NamedTuple):
    """What a kill hit and what became of it.

    `published` of `total` partitions were there just before; `seconds` passed from the kill to the end of the work,
    of which `resumed` in a second driver.
    """

    engine: str
    kind: Kind
    victim: str
    published: int
    total: int
    seconds: float
    resumed: float = 0.0
    lake: str = "folder"

    def __str__(self) -> str:
        again = f", {self.resumed:.1f} s of them in the second driver" if self.resumed else ""
        return (
            f"{self.engine}: {self.kind} killed ({self.victim}) at {self.published} of {self.total} partitions; "
            f"done after {self.seconds:.1f} s{again}; byte-identical"
        )


def trial(
    cluster: Cluster,
    kind: Kind,
    story: Story,
    rng: random.Random,
    *,
    shelf: Shelf | None = None,
) -> Kill:
    """Run `annotate` on the cluster, kill in the middle, go on, compare.

    Raises
    ------
    AssertionError
        If a vote is lost, doubled or different, or finished work was done again.
    """
    with story.copied(shelf, cluster.store.env) as (folder, lake):
        log = folder / "driver.log"
        words = ("annotate", "--engine", cluster.engine, "--project", folder)
        driver = cluster.driver(*words, log=log)
        _wait_for_the_middle(driver, lake, rng, log, cluster)
        before = lake.files("votes")
        started = time.monotonic()
        victim = _strike(cluster, kind, driver, rng)
        resumed = 0.0
        if kind == "driver":
            driver.wait(PATIENCE)
            wait_until(lambda: not cluster.children(), "the workers of a dead driver end")
            before = lake.files("votes")
            resumed = time.monotonic()
            driver = _second_driver(cluster, words, log)
        status = driver.wait(PATIENCE)
        ended = time.monotonic()
        assert status == 0, f"exit status {status}\n{log.read_text()[-3000:]}\n{cluster.log()}"
        published = len(before)
        assert 0 < published < N_PARTITIONS, f"the kill missed the middle: {published} of {N_PARTITIONS} were there"
        _compare(story, before, lake)
        if kind == "driver":  # equal votes make equal consensus; a second driver might have left something else behind
            assert story.after == follow(folder, lake, cluster.store.env)
        seconds = ended - started
        return Kill(
            cluster.kind, kind, victim, published, N_PARTITIONS, seconds, ended - resumed if resumed else 0.0, lake.kind
        )


def _second_driver(cluster: Cluster, words: tuple[str | Path, ...], log: Path) -> subprocess.Popen[bytes]:
    """On an object store it is refused until the dead one's lease runs out; it says so, and is started again."""
    deadline = time.monotonic() + 3 * LEASE_SECONDS
    while True:
        n_said = len(log.read_text())
        driver = cluster.driver(*words, log=log)
        with suppress(subprocess.TimeoutExpired):
            driver.wait(25)  # a busy machine takes long to start one; one that works goes on meanwhile
        refused = driver.poll() == 1 and "another labelmill is writing" in log.read_text()[n_said:]
        if not refused or time.monotonic() > deadline:
            return driver
        time.sleep(1)


def _wait_for_the_middle(
    driver: subprocess.Popen[bytes], lake: Shelf, rng: random.Random, log: Path, cluster: Cluster
) -> None:
    """Some instant after the first partition and well before the last."""
    wanted = rng.randrange(1, N_PARTITIONS - 7)

    def is_there() -> bool:
        assert driver.poll() is None, f"the driver ended too early:\n{log.read_text()[-3000:]}\n{cluster.log()}"
        return len(lake.files("votes")) >= wanted

    wait_until(is_there, f"{wanted} partitions are published", within=PATIENCE)
    time.sleep(rng.uniform(0.0, 0.4))


def _strike(cluster: Cluster, kind: Kind, driver: subprocess.Popen[bytes], rng: random.Random) -> str:
    """What was killed, in words."""
    if kind == "driver":
        if rng.random() < 0.5:
            driver.kill()
            return "its Python process"
        killpg(driver.pid, signal.SIGKILL)
        return "all its processes"
    if kind == "node":
        node = rng.choice([node for node in cluster.workers if node.find("labelmill.engines._worker")])
        n_processes = len(node.processes())
        cluster.kill_node(cluster.workers.index(node))
        return f"{node.name}, {n_processes} processes"
    found = cluster.children() if kind == "child" else cluster.hosts()
    victim = rng.choice(found)
    with suppress(psutil.NoSuchProcess):
        victim.kill()
    return f"one of {len(found)}"


def _compare(story: Story, before: Mapping[str, object], lake: Shelf) -> None:
    after = lake.files("votes")
    assert story.votes.keys() == after.keys(), "partitions are lost or doubled"
    assert story.votes == digests(after), "votes differ from those of an undisturbed run"
    rewritten = [name for name, entry in before.items() if after[name] != entry]
    assert not rewritten, f"finished partitions were written again: {rewritten}"
