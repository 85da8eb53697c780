"""How long a run takes and what it costs, for any number of items and workers: events, not formulas.

A run is: the driver starts and plans; workers start; each takes a partition, reads, annotates, publishes and hands in a
receipt; the driver is one server that takes receipts one by one and hands out the next partition; at the end it writes
the manifest. Workers are lost at a rate and their partition is done again elsewhere; some are slow. An object store
answers each request after a while and so many a second in all.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Work:
    """What was measured of the work, in seconds unless said otherwise.

    Parameters
    ----------
    rows : float
        Rows of a partition.
    row_bytes : float
        Bytes of a row in the lake.
    read, annotate, write : float
        For a row, on one core that is not shared.
    partition : float
        For a partition beside its rows: opening, noting, publishing, waiting for the next.
    spread : float
        Standard deviation of the logarithm of a partition's time.
    """

    rows: float
    row_bytes: float
    read: float
    annotate: float
    write: float
    partition: float
    spread: float

    @property
    def row(self) -> float:
        """All of a row."""
        return self.read + self.annotate + self.write


@dataclass(frozen=True)
class Driver:
    """What was measured of the driver, in seconds unless said otherwise; `*_bytes` are of one partition."""

    start: float
    worker_start: float
    receipt: float
    plan: float
    seal: float
    manifest_bytes: float
    memory_bytes: float


@dataclass(frozen=True)
class Store:
    """An object store; None of it was measured here: see the sources in docs/scale.md.

    Parameters
    ----------
    latency : float
        Seconds until a small request is answered.
    bandwidth : float
        Bytes a second of one worker.
    most_requests : float
        A second, of all workers, under one prefix.
    requests : float
        Of one partition.
    listed : float
        Names in one answer to a listing.
    """

    latency: float = 0.03
    bandwidth: float = 80e6
    most_requests: float = 3_500
    requests: float = 12
    listed: float = 1_000


LOCAL = Store(latency=0.0, bandwidth=math.inf, most_requests=math.inf, requests=0, listed=math.inf)
"""A local folder: what its files cost is in the times of the work."""


@dataclass(frozen=True)
class Fleet:
    """The workers.

    Parameters
    ----------
    workers : int
    cores : float
        That the workers share; as many as there are workers without it.
    slowdown : float
        How much longer the work takes when all cores are busy.
    price : float
        Of a worker, an hour.
    lost_per_hour : float
        Workers lost, of one, in an hour.
    replaced_after : float
        Seconds until another is there.
    slow_share, slow_factor : float
        Share of partitions that take so many times as long.
    """

    workers: int
    cores: float = math.inf
    slowdown: float = 1.0
    price: float = 0.04
    lost_per_hour: float = 0.0
    replaced_after: float = 60.0
    slow_share: float = 0.0
    slow_factor: float = 3.0


@dataclass(frozen=True)
class Prediction:
    """What comes out; seconds, and shares of the wall time by what is waited for."""

    wall: float
    cost: float
    n_partitions: int
    n_lost: int
    phases: Mapping[str, float] = field(default_factory=dict)
    busy: Mapping[str, float] = field(default_factory=dict)
    manifest_bytes: float = 0.0
    driver_bytes: float = 0.0

    @property
    def bottleneck(self) -> str:
        """What would have to be quicker for the whole to be quicker."""
        waits = {name: seconds for name, seconds in self.phases.items() if name != "work"}
        saturated = {name: share for name, share in self.busy.items() if name != "workers" and share > 0.9}
        if saturated and self.phases["work"] > max(waits.values()):
            return max(saturated, key=saturated.__getitem__)
        slowest = max(self.phases, key=self.phases.__getitem__)
        return "workers" if slowest == "work" else slowest


def predicted(
    n_items: float, work: Work, driver: Driver, fleet: Fleet, *, store: Store = LOCAL, seed: int = 0
) -> Prediction:
    """Run the events through."""
    n_partitions = max(1, math.ceil(n_items / work.rows))
    durations = _durations(n_items, n_partitions, work, fleet, store, np.random.default_rng(seed))
    n_workers = min(fleet.workers, n_partitions)
    crowd = max(1.0, n_workers / fleet.cores) * (fleet.slowdown if n_workers >= fleet.cores else 1.0)
    durations *= crowd
    throttle = n_workers * store.requests / store.most_requests / float(np.mean(durations))
    durations *= max(1.0, throttle)
    listing = n_partitions / store.listed * store.latency if store.listed < math.inf else 0.0
    plan = driver.plan * n_partitions + listing
    seal = driver.seal * n_partitions + listing
    first = driver.start + plan
    end, taken, n_lost = _events(durations, n_workers, first + driver.worker_start * crowd, driver.receipt, fleet, seed)
    wall = end + seal
    spent = end - first
    return Prediction(
        wall=wall,
        cost=fleet.price * fleet.workers * wall / 3600,
        n_partitions=n_partitions,
        n_lost=n_lost,
        phases={"start": driver.start + driver.worker_start, "plan": plan, "work": spent, "seal": seal},
        busy={
            "workers": float(durations.sum()) / (n_workers * spent),
            "driver": taken / spent,
            "object store": min(1.0, throttle),
            "too few partitions": 1.0 if fleet.workers > n_partitions else 0.0,
        },
        manifest_bytes=driver.manifest_bytes * n_partitions,
        driver_bytes=driver.memory_bytes * n_partitions,
    )


def most_workers(work: Work, driver: Driver, store: Store) -> dict[str, float]:
    """Workers at which something else than they sets the pace, whatever the number of items."""
    seconds = work.partition + work.row * work.rows + _waiting(work, store)
    return {
        "driver": seconds / driver.receipt if driver.receipt else math.inf,
        "object store": seconds * store.most_requests / store.requests if store.requests else math.inf,
    }


def _waiting(work: Work, store: Store) -> float:
    """Seconds that a partition waits for the store; votes are small beside items."""
    moved = work.rows * work.row_bytes / store.bandwidth if store.bandwidth < math.inf else 0.0
    return store.requests * store.latency + moved


def _durations(
    n_items: float, n_partitions: int, work: Work, fleet: Fleet, store: Store, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Seconds of each partition on a worker: log-normal about the mean; the last one is what is left."""
    rows = np.full(n_partitions, work.rows)
    rows[-1] = n_items - work.rows * (n_partitions - 1)
    noise = rng.lognormal(-(work.spread**2) / 2, work.spread, n_partitions)
    slow = np.where(rng.random(n_partitions) < fleet.slow_share, fleet.slow_factor, 1.0)
    return rows * work.row * noise * slow + work.partition + _waiting(work, store)


def _events(
    durations: np.ndarray[tuple[int], np.dtype[np.float64]],
    n_workers: int,
    ready: float,
    receipt: float,
    fleet: Fleet,
    seed: int,
) -> tuple[float, float, int]:
    """When the last receipt is in, seconds that the driver was busy, and workers lost."""
    rng = np.random.default_rng(seed + 1)
    rate = fleet.lost_per_hour / 3600
    free = [(ready, worker) for worker in range(n_workers)]
    heapq.heapify(free)
    served = ready
    n_lost = 0
    todo = list(durations[::-1])
    last = ready
    while todo:
        at, worker = heapq.heappop(free)
        served = max(served, at) + receipt  # takes the receipt, hands out the next
        seconds = todo.pop()
        fails_after = rng.exponential(1 / rate) if rate else math.inf
        if fails_after < seconds:
            todo.append(seconds)
            n_lost += 1
            heapq.heappush(free, (served + fails_after + fleet.replaced_after, worker))
            continue
        last = max(last, served + seconds)
        heapq.heappush(free, (served + seconds, worker))
    return last + receipt, receipt * (len(durations) + n_lost + 1), n_lost
