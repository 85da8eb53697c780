"""Predicts the time and cost of `annotate` for a million to ten billion items and one to a thousand workers.

    python benchmarks/simulate.py [--engine processes] [--price 0.04] [--lost-per-hour 0.05] [--plot FILE.svg]

First it measures the parts on this machine with one worker: reading, the rules, writing, what a partition costs beside
its rows, the start, and what a partition costs the driver. Then it predicts runs with 1, 2 and 4 workers, makes them,
and prints both. What lies beyond is extrapolation, and is called that.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import log_plot
import measuring
from cost_model import Driver, Fleet, Prediction, Store, Work, most_workers, predicted

SIZES = (1e6, 1e7, 1e8, 1e9, 1e10)
WORKERS = (1, 3, 10, 30, 100, 300, 1_000)
TABLED = (1, 10, 100, 1_000)
Y_TICKS = (
    *((1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min")),
    *((3_600, "1 h"), (36_000, "10 h"), (360_000, "100 h")),
)
PLOT = Path(__file__).resolve().parents[1] / "docs" / "images" / "scale.svg"


class Measured(NamedTuple):
    """What the parts take here, and runs that were not used to find out."""

    work: Work
    driver: Driver
    slowdown: float
    cores: int
    n_items: int
    runs: dict[int, float]
    store: Store


def report(*arguments: str) -> str:
    """Markdown: predicted against measured, then what the model says of larger ones."""
    asked = options(list(arguments))
    found = measured(asked)
    far = extrapolated(found, asked)
    if asked.plot:
        asked.plot.write_text(plot(found, far))
    return "\n\n".join([told(found), checked(found), tabled(far, found.store, asked), limits(found, far)])


def measured(asked: argparse.Namespace) -> Measured:
    """One worker first; the other runs only check."""
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="labelmill-simulate-") as scratch:
        root = Path(scratch)
        few = measuring.project(root, measuring.FEW, asked.rows)
        folder = measuring.project(root, asked.items, asked.rows)
        work = measuring.work(folder, asked.repeats)
        slowdown = measuring.slowdown(folder, cores)
        driver = measuring.driver(few, asked.engine)
        runs = {
            n: statistics.median(measuring.wall(folder, asked.engine, n)[0] for _ in range(asked.repeats))
            for n in (1, 2, 4)
        }
        store = Store(requests=measuring.requests(root))
    return Measured(work, driver, slowdown, cores, asked.items, runs, store)


def here(found: Measured, n_items: float, workers: int) -> Prediction:
    """On this machine."""
    fleet = Fleet(workers, cores=found.cores, slowdown=found.slowdown if workers > 1 else 1.0)
    return predicted(n_items, found.work, found.driver, fleet)


def extrapolated(found: Measured, asked: argparse.Namespace) -> dict[tuple[float, int], Prediction]:
    """On a cluster of such cores with the lake on an object store, in partitions of the usual size."""
    work = usual(found.work)
    return {
        (n_items, n): predicted(n_items, work, found.driver, fleet(n, asked), store=found.store)
        for n_items in SIZES
        for n in WORKERS
    }


def usual(work: Work) -> Work:
    """In partitions as the lake cuts them: by 100,000 rows or eight million bytes."""
    return replace(work, rows=float(measuring.USUAL))


def fleet(workers: int, asked: argparse.Namespace) -> Fleet:
    """Of machines that are lost now and then; every hundredth partition takes three times as long."""
    return Fleet(workers, price=asked.price, lost_per_hour=asked.lost_per_hour, slow_share=0.01)


def told(found: Measured) -> str:
    """The parts."""
    work, driver = found.work, found.driver
    return (
        f"Measured with one worker, in partitions of {work.rows:,.0f} rows: read {work.read * 1e6:.2f}, ten rules "
        f"{work.annotate * 1e6:.2f}, write {work.write * 1e6:.2f} µs a row; {work.partition * 1e3:.0f} ms a partition "
        f"beside; spread {work.spread:.2f}; {work.row_bytes:.0f} bytes a row in the lake. Driver: start "
        f"{driver.start:.1f} s, first receipt {driver.worker_start:.1f} s later, {driver.receipt * 1e6:.0f} µs a "
        f"receipt, {driver.plan * 1e6:.0f} µs a partition to plan and {driver.seal * 1e6:.0f} µs to seal, "
        f"{driver.manifest_bytes:.0f} bytes of manifests and {driver.memory_bytes:.0f} bytes of memory a partition. "
        f"On an object store a partition asks {found.store.requests:.1f} times. "
        f"With all {found.cores} cores busy each takes {found.slowdown:.2f} times as long."
    )


def checked(found: Measured) -> str:
    """Predicted against measured."""
    lines = [f"`annotate` of {found.n_items:,} items on this machine ({found.cores} cores):", ""]
    lines += ["| workers | predicted, s | measured, s | error |", "|---|---|---|---|"]
    for n, seconds in found.runs.items():
        wall = here(found, found.n_items, n).wall
        lines.append(f"| {n} | {wall:.2f} | {seconds:.2f} | {wall / seconds - 1:+.0%} |")
    return "\n".join(lines)


def tabled(far: dict[tuple[float, int], Prediction], store: Store, asked: argparse.Namespace) -> str:
    """Wall time and cost by size and workers."""
    lines = [
        f"Extrapolated, not measured: a cluster of such cores, the lake on an object store that answers after "
        f"{store.latency * 1e3:.0f} ms, gives a worker {store.bandwidth / 1e6:.0f} MB/s and takes "
        f"{store.most_requests:,.0f} requests a second; {asked.price:.2f} a worker-hour; a worker is lost every "
        f"{1 / asked.lost_per_hour if asked.lost_per_hour else float('inf'):.0f} hours of its own.",
        "",
        "| items | partitions | " + " | ".join(f"{n:,} workers" for n in TABLED) + " | what ends the gain |",
        "|---|---|" + "---|" * (len(TABLED) + 1),
    ]
    for n_items in SIZES:
        cells = [f"{spoken(far[n_items, n].wall)}, {far[n_items, n].cost:,.2f}" for n in TABLED]
        most = far[n_items, TABLED[-1]]
        lines.append(
            f"| 10^{len(str(int(n_items))) - 1} | {most.n_partitions:,} | {' | '.join(cells)} | {first(most)} |"
        )
    return "\n".join(lines)


def first(most: Prediction) -> str:
    """The first thing that more workers would not help."""
    if most.busy["too few partitions"]:
        return "fewer partitions than workers"
    return {"work": "nothing yet: workers"}.get(most.bottleneck, most.bottleneck)


def limits(found: Measured, far: dict[tuple[float, int], Prediction]) -> str:
    """How many workers the driver and the store can feed, and what the driver holds."""
    lines = ["Workers that can be fed at the same time, whatever the number of items:", ""]
    for name, n in most_workers(usual(found.work), found.driver, found.store).items():
        lines.append(f"- by the {name}: {n:,.0f}")
    lines += ["", "What the driver writes and holds:", ""]
    for n_items in SIZES:
        run = far[n_items, WORKERS[-1]]
        lines.append(
            f"- {power(n_items)} items: {run.n_partitions:,} partitions, "
            f"{run.manifest_bytes / 1e6:,.1f} MB of manifests, {run.driver_bytes / 1e6:,.1f} MB "
            "of memory for partitions and receipts"
        )
    return "\n".join(lines)


def power(n_items: float) -> str:
    """Of ten."""
    return f"10^{len(str(int(n_items))) - 1}"


def spoken(seconds: float) -> str:
    """In the unit one would say it in."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def plot(found: Measured, far: dict[tuple[float, int], Prediction]) -> str:
    """Wall time by workers, a line a size; dots are runs of this machine."""
    near = log_plot.Line(
        f"{found.n_items:,} here",
        [(n, here(found, found.n_items, n).wall) for n in found.runs],
        list(found.runs.items()),
    )
    lines = [
        log_plot.Line(f"{power(n_items)} items", [(n, far[n_items, n].wall) for n in WORKERS]) for n_items in SIZES
    ]
    return log_plot.drawn(
        [*lines, near],
        x="workers",
        y="time of annotate",
        x_ticks=[(1, "1"), (10, "10"), (100, "100"), (1_000, "1,000")],
        y_ticks=Y_TICKS,
    )


def options(arguments: list[str]) -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="processes", help="whose start and driver are measured")
    parser.add_argument("--items", type=int, default=1_000_000, help="items of the runs that check")
    parser.add_argument("--rows", type=int, default=20_000, help="rows of their partitions")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--price", type=float, default=0.04, help="of a worker, an hour")
    parser.add_argument("--lost-per-hour", type=float, default=0.05, help="workers lost, of one, in an hour")
    parser.add_argument("--plot", type=Path, default=PLOT)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    print(report(*sys.argv[1:]))
