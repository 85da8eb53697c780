"""Query strategies against scikit-activeml and ALiPy: CPU time, memory, the same picks, how well they cover.

    python benchmarks/selection.py [--cache FOLDER] [--only core_set batches top large] [--items 10000]

Every measurement runs in a process of its own on one thread, peers in a virtual environment that this script makes
once under the cache folder, on the same made-up arrays: vectors of length one in fifty overlapping groups. Times are
CPU seconds of one run; memory is how far the peak of the process grew while it picked, beyond what making the arrays
took.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

PEERS = {"scikit-activeml": ["scikit-activeml==1.0.*", "alipy==1.2.5", "numpy", "prettytable", "cvxpy"]}
PEER = "scikit-activeml"
N_DIMENSIONS = 384
N_CLASSES = 10
N_KNOWN = 10

MEMORY = "One thread, one run each; MB is how far the peak of the process grew beyond what making the arrays took."

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]


def main(arguments: list[str] | None = None) -> str:
    """Measure, print Markdown and return it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "labelmill-peers")
    parser.add_argument("--only", nargs="+", choices=list(TABLES), default=list(TABLES))
    parser.add_argument("--items", type=int, default=10_000, help="of the pool that batches of 100 are picked from")
    parser.add_argument("--worker", nargs=3, metavar=("METHOD", "ITEMS", "COUNT"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        work(options.worker[0], int(options.worker[1]), int(options.worker[2]))
        return ""
    text = "\n\n".join([MEMORY, *(TABLES[name](options) for name in options.only)])
    print(text)
    return text


def report() -> str:
    """The tables, as Markdown."""
    return main([])


def core_set(options: argparse.Namespace) -> str:
    """k-center greedy: the same picks as the plain algorithm, and the radius they leave."""
    n, count = 100_000, 1_000
    rows = vectors(n)
    plain = measured("plain", n, count, options)
    lines = [
        f"**core_set, {count:,} of {n:,} × {N_DIMENSIONS} float32, {N_KNOWN} known**",
        "",
        "| | CPU s | times as long | MB | picks as the plain algorithm | covering radius |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    ours = measured("labelmill:core_set", n, count, options)
    for name, told in (
        ("labelmill", ours),
        ("labelmill, in eight parts and then of those", measured("parts", n, count, options)),
        ("plain greedy, numpy", plain),
        ("scikit-activeml", measured("scikit-activeml:core_set", n, count, options)),
        ("ALiPy", measured("alipy:core_set", n, count, options)),
    ):
        same = sum(a == b for a, b in zip(told["picks"], plain["picks"], strict=True))
        lines.append(
            f"| {name} | {told['cpu']:.2f} | {told['cpu'] / ours['cpu']:.1f} | {told['mb']:,.0f} | {same:,} of "
            f"{count:,} | {radius(rows, told['picks']):.4f} |"
        )
    return "\n".join(lines)


def batches(options: argparse.Namespace) -> str:
    """Batches of 100: time, memory, and how well they do what they are for."""
    n, count = options.items, 100
    rows = vectors(n)
    lines = [
        f"**Batches of {count} of {n:,} × {N_DIMENSIONS} float32, {N_CLASSES} classes**",
        "",
        "Coverage is the mean over all items of exp(−d²) to the nearest picked or known one: what herding maximises.",
        "",
        "| strategy | labelmill CPU s | scikit-activeml CPU s | times as long | labelmill MB | scikit-activeml MB "
        "| coverage | its coverage |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name in ("badge", "typiclust", "probcover", "herding"):
        ours = measured(f"labelmill:{name}", n, count, options)
        theirs = measured(f"{PEER}:{name}", n, count, options)
        lines.append(
            f"| {name} | {ours['cpu']:.2f} | {theirs['cpu']:.2f} | {theirs['cpu'] / ours['cpu']:.0f} "
            f"| {ours['mb']:,.0f} | {theirs['mb']:,.0f} "
            f"| {coverage(rows, ours['picks']):.4f} | {coverage(rows, theirs['picks']):.4f} |"
        )
    for name in ("uherding", "cluster_margin", "auto", "core_set"):
        ours = measured(f"labelmill:{name}", n, count, options)
        covered = coverage(rows, ours["picks"])
        lines.append(f"| {name} | {ours['cpu']:.2f} | | | {ours['mb']:,.0f} | | {covered:.4f} | |")
    return "\n".join(lines)


def top(options: argparse.Namespace) -> str:
    """The most doubtful of very many: one pass, memory for the best alone."""
    n, count = 10_000_000, 10_000
    lines = [
        f"**The {count:,} highest of {n:,} × {N_CLASSES} float32 probabilities**",
        "",
        "scikit-activeml's scores are ranked by numpy here: its own batch would hold a table of batch × pool.",
        "",
        "| | entropy CPU s | MB | margin CPU s | MB |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, system in (("labelmill", "labelmill"), ("numpy", "numpy"), ("scikit-activeml's scores", PEER)):
        told = [measured(f"{system}:top_{score}", n, count, options) for score in ("entropy", "margin")]
        cells = " | ".join(f"{each['cpu']:.2f} | {each['mb']:,.0f}" for each in told)
        lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)


def large(options: argparse.Namespace) -> str:
    """What the peers have no memory for."""
    lines = ["**Large pools, labelmill alone**", "", "| | CPU s | MB beside the pool |", "|---|--:|--:|"]
    for name, n, count in (
        ("badge", 100_000, 1_000),
        ("cluster_margin", 100_000, 1_000),
        ("herding", 100_000, 100),
        ("core_set", 1_000_000, 1_000),
    ):
        told = measured(f"labelmill:{name}", n, count, options)
        lines.append(f"| {name}, {count:,} of {n:,} × {N_DIMENSIONS} | {told['cpu']:.1f} | {told['mb']:,.0f} |")
    return "\n".join(lines)


TABLES: dict[str, Callable[[argparse.Namespace], str]] = {
    "core_set": core_set,
    "batches": batches,
    "top": top,
    "large": large,
}


def measured(method: str, n_items: int, count: int, options: argparse.Namespace) -> dict[str, Any]:
    """CPU seconds, megabytes and picks of a method, in a process of its own on one thread."""
    from aggregation import interpreter

    is_peer = method.startswith((PEER, "alipy"))
    python = interpreter(PEER if is_peer else "labelmill", options.cache, PEERS)
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [python, __file__, "--worker", method, str(n_items), str(count)]
    print(method, n_items, count, file=sys.stderr)
    done = subprocess.run(command, check=True, env=os.environ | single, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def work(method: str, n_items: int, count: int) -> None:
    """In a process of its own: pick, and print what it took."""
    system, _, name = method.partition(":")
    pick = (TOP if name.startswith("top_") else PICKERS)[system](name, n_items)
    before, started = peak(), time.process_time()
    picks = pick(count)
    told = {"cpu": time.process_time() - started, "mb": peak() - before, "picks": [int(place) for place in picks]}
    print(json.dumps(told))


def peak() -> float:
    """The most memory that this process has held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def vectors(n: int) -> Floats:
    """Vectors of length one in fifty overlapping groups."""
    rng = np.random.default_rng(0)
    middle = rng.normal(size=(50, N_DIMENSIONS)).astype(np.float32)
    rows = middle[rng.integers(50, size=n)]
    for start in range(0, n, 100_000):
        part = rows[start : start + 100_000]
        part += 1.5 * rng.standard_normal(size=part.shape, dtype=np.float32)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return rows


def probabilities(n: int) -> npt.NDArray[np.float64]:
    """Some sure, some in doubt."""
    return np.random.default_rng(1).dirichlet(np.full(N_CLASSES, 0.3), size=n)


def radius(rows: Floats, picks: list[int]) -> float:
    """Distance of the item that is farthest from what is known or picked."""
    return float(np.sqrt(nearest(rows, picks).max()))


def coverage(rows: Floats, picks: list[int]) -> float:
    """Mean of exp(−d²)."""
    return float(np.exp(-nearest(rows, picks)).mean())


def nearest(rows: Floats, picks: list[int]) -> Floats:
    """Squared distance of each item to the nearest that is known or picked."""
    centres = rows[[*range(N_KNOWN), *picks]]
    least = [2 - 2 * (rows[start : start + 10_000] @ centres.T).max(axis=1) for start in range(0, len(rows), 10_000)]
    return np.maximum(np.concatenate(least), 0)


def pick_by_labelmill(name: str, n: int) -> Callable[[int], Places]:
    from labelmill import registry
    from labelmill.domain.ports import Pool
    from labelmill.domain.vote_table import VoteTable

    names = [str(i) for i in range(n)]
    votes = VoteTable(names, [], [str(k) for k in range(N_CLASSES)], [], [], [])
    pool = Pool(probabilities(n), votes, 0, vectors(n), np.arange(n) < N_KNOWN)
    strategy = registry.find("query_strategy", name)()
    return lambda count: strategy.pick(pool, count)


def pick_in_parts(_: str, n: int) -> Callable[[int], Places]:
    """As on an engine: eight parts pick, and the batch is picked among what they picked."""
    from labelmill.selection._k_center import farthest_first

    rows = vectors(n)
    known = rows[:N_KNOWN]

    def pick(count: int) -> Places:
        offered = []
        for part in np.array_split(np.arange(N_KNOWN, n), 8):
            chosen = farthest_first(rows[part], np.ones(len(part), dtype=bool), known, count)
            offered.append(part[chosen])
        places = np.concatenate(offered)
        return places[farthest_first(rows[places], np.ones(len(places), dtype=bool), known, count)]

    return pick


def pick_plainly(_: str, n: int) -> Callable[[int], Places]:
    """k-center greedy as it is written in the books, one product with a vector for each pick."""
    rows = vectors(n)
    lengths = np.einsum("ij,ij->i", rows, rows)

    def distances(place: int) -> Floats:
        return np.maximum(lengths + lengths[place] - 2 * (rows @ rows[place]), 0)

    def pick(count: int) -> Places:
        least = np.full(n, np.inf, dtype=np.float32)
        for place in range(N_KNOWN):
            np.minimum(least, distances(place), out=least)
        least[:N_KNOWN] = -1
        chosen: list[int] = []
        while len(chosen) < count:
            chosen.append(int(least.argmax()))
            np.minimum(least, distances(chosen[-1]), out=least)
            least[chosen[-1]] = -1
        return np.array(chosen)

    return pick


def pick_by_activeml(name: str, n: int) -> Callable[[int], Places]:
    import warnings

    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import Badge, CoreSet, MaxHerding, ProbCover, TypiClust
    from sklearn.linear_model import LogisticRegression

    warnings.simplefilter("ignore")
    rows = vectors(n)
    answers = np.full(n, np.nan)
    answers[:N_KNOWN] = np.arange(N_KNOWN) % N_CLASSES
    if name == "badge":
        head = SklearnClassifier(LogisticRegression(), classes=list(range(N_CLASSES))).fit(rows, answers)
        badge = Badge(random_state=0)
        return lambda count: badge.query(rows, answers, head, fit_clf=False, batch_size=count)
    made = {
        "core_set": lambda: CoreSet(random_state=0),
        "typiclust": lambda: TypiClust(random_state=0),
        "probcover": lambda: ProbCover(n_classes=N_CLASSES, random_state=0),
        "herding": lambda: MaxHerding(random_state=0),
    }[name]()
    return lambda count: made.query(rows, answers, batch_size=count)


def pick_by_alipy(_: str, n: int) -> Callable[[int], Places]:
    import collections
    import collections.abc

    collections.Iterable = collections.abc.Iterable  # type: ignore[attr-defined]  # it was written for Python before 3.10
    from alipy.query_strategy import QueryInstanceCoresetGreedy

    rows = vectors(n)
    chooser = QueryInstanceCoresetGreedy(rows, np.zeros(n), np.arange(n))
    known = list(range(N_KNOWN))
    return lambda count: chooser.select(known, list(range(N_KNOWN, n)), batch_size=count)


def many_probabilities(n: int) -> Floats:
    """Rows of float32 that sum to one."""
    rows = np.random.default_rng(2).random((n, N_CLASSES), dtype=np.float32)
    rows **= 3
    rows /= rows.sum(axis=1, keepdims=True)
    return rows


def top_by_labelmill(name: str, n: int) -> Callable[[int], Places]:
    from labelmill.selection._doubts import doubts, highest
    from labelmill.selection._spread import normalised_entropy

    rows = many_probabilities(n)
    score = doubts if name == "top_margin" else normalised_entropy
    return lambda count: highest(lambda part: score(rows[part]), n, count)


def top_by_numpy(name: str, n: int) -> Callable[[int], Places]:
    rows = many_probabilities(n)

    def pick(count: int) -> Places:
        if name == "top_margin":
            two = np.partition(rows, -2, axis=1)[:, -2:]
            scores = two[:, 0] - two[:, 1]
        else:
            scores = -(rows * np.log(rows, where=rows > 0, out=np.zeros_like(rows))).sum(axis=1)
        best = np.argpartition(-scores, count)[:count]
        return best[np.argsort(-scores[best])]

    return pick


def top_by_activeml(name: str, n: int) -> Callable[[int], Places]:
    from skactiveml.pool import uncertainty_scores

    rows = many_probabilities(n)
    method = "margin_sampling" if name == "top_margin" else "entropy"

    def pick(count: int) -> Places:
        scores = uncertainty_scores(rows, method=method)
        best = np.argpartition(-scores, count)[:count]
        return best[np.argsort(-scores[best])]

    return pick


Maker = Callable[[str, int], Callable[[int], Places]]
PICKERS: Mapping[str, Maker] = {
    "labelmill": pick_by_labelmill,
    "parts": pick_in_parts,
    "plain": pick_plainly,
    PEER: pick_by_activeml,
    "alipy": pick_by_alipy,
}
TOP: Mapping[str, Maker] = {"labelmill": top_by_labelmill, "numpy": top_by_numpy, PEER: top_by_activeml}


if __name__ == "__main__":
    main()
