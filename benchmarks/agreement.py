"""Krippendorff's alpha against the `krippendorff` package: CPU time from integer codes to the same number.

    python benchmarks/agreement.py [--repeats 5] [--cache FOLDER] [--items 100000] [--annotators 50]

Both get what they take, made beforehand and not timed: labelmill a VoteTable; the peer its matrix of annotators by
items (its usual call), or a table of how many votes each value has on each item. Each runs in a process of its own,
single-threaded; times are medians. The values must agree to 12 digits.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

PEER = ["krippendorff==0.9.*"]
LEVELS = ("nominal", "ordinal", "interval")
N_CLASSES = 5


def main(arguments: list[str] | None = None) -> str:
    """Measure, print a Markdown table, and return it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--annotators", type=int, default=50)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "labelmill-peers")
    parser.add_argument("--worker", nargs=2, metavar=("SYSTEM", "IN"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        work(*options.worker, repeats=options.repeats)
        return ""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "votes.npz")
        np.savez(source, **votes(options.items, options.annotators))
        ours = run(sys.executable, "labelmill", source, options.repeats)
        theirs = run(peer(options.cache), "krippendorff", source, options.repeats)
    text = table(ours, theirs)
    print(text)
    return text


def report() -> str:
    """The table, as Markdown."""
    return main([])


def votes(n_items: int, n_annotators: int, each: int = 5) -> dict[str, Any]:
    """About five votes an item on five ordered classes, most of them near the truth."""
    rng = np.random.default_rng(0)
    is_cast = rng.random((n_items, n_annotators)) < each / n_annotators
    item, annotator = np.nonzero(is_cast)
    truth = rng.integers(N_CLASSES, size=n_items)
    noise = np.rint(rng.normal(scale=0.9, size=len(item))).astype(int)
    return {"item": item, "annotator": annotator, "label": np.clip(truth[item] + noise, 0, N_CLASSES - 1)}


def run(python: str, system: str, source: Path, repeats: int) -> dict[str, Any]:
    """Level -> way -> [value, CPU seconds] of one system in a process of its own."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [python, __file__, "--repeats", str(repeats), "--worker", system, str(source)]
    done = subprocess.run(command, check=True, env=os.environ | single, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def work(system: str, source: str, *, repeats: int) -> None:
    """In the system's own process: time every level, print values and times as JSON."""
    arrays = np.load(source)
    columns = [arrays[name] for name in ("item", "annotator", "label")]
    ways = {"labelmill": of_labelmill, "krippendorff": of_krippendorff}[system](*columns)
    print(json.dumps({level: {name: timed(way, level, repeats) for name, way in ways.items()} for level in LEVELS}))


def timed(way: Callable[[str], float], level: str, repeats: int) -> list[float]:
    """Value and median CPU seconds."""
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        value = way(level)
        seconds.append(time.process_time() - started)
    return [value, statistics.median(seconds)]


def of_labelmill(item: Any, annotator: Any, label: Any) -> dict[str, Callable[[str], float]]:
    from labelmill.domain.vote_table import VoteTable
    from labelmill.quality.agreement import krippendorff_alpha

    names, classes = [f"a{j}" for j in range(annotator.max() + 1)], [str(k) for k in range(N_CLASSES)]
    cast = VoteTable(range(item.max() + 1), names, classes, item, annotator, label)
    return {"votes": lambda level: float(krippendorff_alpha(cast, level=level))}


def of_krippendorff(item: Any, annotator: Any, label: Any) -> dict[str, Callable[[str], float]]:
    import krippendorff

    matrix = np.full((annotator.max() + 1, item.max() + 1), np.nan)
    matrix[annotator, item] = label
    counts = np.zeros((item.max() + 1, N_CLASSES), dtype=int)
    np.add.at(counts, (item, label), 1)
    domain = np.arange(N_CLASSES, dtype=float)
    return {
        "matrix": lambda level: float(krippendorff.alpha(matrix, level_of_measurement=level)),
        "counts": lambda level: float(
            krippendorff.alpha(value_counts=counts, value_domain=domain, level_of_measurement=level)
        ),
    }


def peer(cache: Path) -> str:
    """The peer's Python; its environment is made on first use."""
    folder = cache / "krippendorff"
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists():
        print(f"making an environment for krippendorff in {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEER], check=True)
        done.touch()
    return str(python)


def table(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """One row a level; the values are the same or it is said."""
    lines = [
        "| level | alpha | labelmill, CPU ms | `krippendorff`: matrix | counts | times faster | than counts |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for level in LEVELS:
        value, mine = ours[level]["votes"]
        other, its = theirs[level]["matrix"]
        _, counted = theirs[level]["counts"]
        same = "" if abs(value - other) < 1e-12 else f" (the peer: {other:.12f})"
        times = f"{1000 * mine:.1f} | {1000 * its:.1f} | {1000 * counted:.1f}"
        lines.append(f"| {level} | {value:.6f}{same} | {times} | {its / mine:.1f} | {counted / mine:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
