"""Label models against crowd-kit and Snorkel: CPU time from integer codes to probabilities, and accuracy on gold.

    python benchmarks/aggregation.py [--repeats 5] [--cache FOLDER] [--items 100000]

Every system runs in a process of its own, single-threaded, the peers each in a virtual environment that this script
makes once under the cache folder. All get the same arrays (item, annotator, label) and build from them what they take:
a VoteTable, a DataFrame, a label matrix. "Auto, 50 gold" is given the truth of 50 items, two draws, and judged on the
others. Times are medians. Ties count 1/m in the accuracy, for everybody; log loss takes probabilities as at least
1e-6. crowd-kit runs on people's votes only; Snorkel on rules' votes only, since its label matrix of 100,000 items by
1,000 people does not fit, and with three seeds, of which the accuracy is the mean and the time the sum. Real sets are
read from ../shared/data where present.
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
from typing import Any, NamedTuple

import numpy as np

from made_up_votes import Votes, families, synthetic_crowd

PEERS = {
    "crowd-kit": ["crowd-kit==1.4.*"],
    "snorkel": ["snorkel==0.10.*"],
}
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
METHODS = {
    "people": {
        "labelmill": ["MajorityVote", "ShrinkageDawidSkene", "DawidSkene", "EBCC", "Auto", "Auto, 50 gold"],
        "crowd-kit": ["MajorityVote", "DawidSkene"],
    },
    "rules": {"labelmill": ["MajorityVote", "AnchoredNaiveBayes", "Auto"], "snorkel": ["LabelModel"]},
}
MANY = 10_000
"""Items beyond which nothing is fitted over and over with some gold."""
YARDSTICK = {"people": ("crowd-kit", "DawidSkene"), "rules": ("snorkel", "LabelModel")}


class Row(NamedTuple):
    """One system's method on one set."""

    set: str
    by: str
    system: str
    method: str
    cpu_seconds: float
    wall_seconds: float
    accuracy: float
    log_loss: float = float("nan")


def main(arguments: list[str] | None = None) -> list[Row]:
    """Measure, print Markdown tables, and return the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "labelmill-peers")
    parser.add_argument("--worker", nargs=3, metavar=("SYSTEM", "IN", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        work(*options.worker, repeats=options.repeats)
        return []
    sets = [
        synthetic_crowd(options.items),
        *real_sets("crowd", "people"),
        *families(options.items // 5),
        *real_sets("weak", "rules"),
    ]
    rows = measure(sets, repeats=options.repeats, cache=options.cache)
    print(markdown(rows))
    return rows


def report() -> str:
    """The tables, as Markdown."""
    return markdown(main([]))


def measure(sets: list[Votes], *, repeats: int, cache: Path) -> list[Row]:
    """Rows of all systems on all sets."""
    rows = []
    for system in ("labelmill", *PEERS):
        mine = [votes for votes in sets if system in METHODS[votes.by]]
        if mine:
            rows += run_system(system, mine, repeats=repeats, python=interpreter(system, cache))
    return rows


def run_system(system: str, sets: list[Votes], *, repeats: int, python: str) -> list[Row]:
    """Start one process of the system on all its sets and score what it returns."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.npz"), Path(folder, "out")
        arrays: dict[str, Any] = {}
        for i, votes in enumerate(sets):
            arrays |= {f"{i}:{column}": getattr(votes, column) for column in ("item", "annotator", "label")}
            arrays[f"{i}:shape"] = np.array([len(votes.gold), votes.n_annotators, votes.n_classes])
            arrays[f"{i}:by"] = np.array(votes.by)
            arrays[f"{i}:gold"] = votes.gold
        np.savez(source, **arrays)
        command = [python, __file__, "--repeats", str(repeats), "--worker", system, str(source), str(target)]
        single = dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
        )
        subprocess.run(command, check=True, env=os.environ | single)
        results = json.loads(target.with_suffix(".json").read_text())
        answers = np.load(target.with_suffix(".npz"))
        return [
            Row(sets[i].name, sets[i].by, system, method, cpu, wall, *scored(answers[f"{i}:{method}"], sets[i].gold))
            for i, method, cpu, wall in results
        ]


def work(system: str, source: str, target: str, *, repeats: int) -> None:
    """In the system's own process: time every method on every set, write times and probabilities."""
    arrays = np.load(source)
    results, answers = [], {}
    for i in range(sum(name.endswith(":item") for name in arrays.files)):
        votes = [arrays[f"{i}:{column}"] for column in ("item", "annotator", "label")]
        shape = arrays[f"{i}:shape"].tolist()
        GOLD[int(shape[0]), len(votes[0])] = arrays[f"{i}:gold"]
        for method in METHODS[str(arrays[f"{i}:by"])][system]:
            if method == "Auto, 50 gold" and shape[0] > MANY:
                continue
            solve = SOLVERS[system](method, str(arrays[f"{i}:by"]))
            cpu, wall = [], []
            for _ in range(repeats):
                started, clock = time.process_time(), time.perf_counter()
                probabilities = solve(*votes, *shape)
                cpu.append(time.process_time() - started)
                wall.append(time.perf_counter() - clock)
            results.append((i, method, statistics.median(cpu), statistics.median(wall)))
            answers[f"{i}:{method}"] = probabilities
    Path(target).with_suffix(".json").write_text(json.dumps(results))
    np.savez(Path(target).with_suffix(".npz"), **answers)


def solve_labelmill(method: str, by: str) -> Callable[..., Any]:
    from labelmill import registry
    from labelmill.domain.vote_table import VoteTable

    names = {
        "MajorityVote": "majority_vote",
        "ShrinkageDawidSkene": "shrinkage_dawid_skene",
        "DawidSkene": "dawid_skene",
        "EBCC": "ebcc",
        "Auto": "auto",
    }
    model = registry.find("label_model", names.get(method, "anchored_naive_bayes"))
    if method == "Auto, 50 gold":
        return solve_with_gold
    kind = {"people": "person", "rules": "rule"}[by]

    def solve(item: Any, annotator: Any, label: Any, n_items: int, n_annotators: int, n_classes: int) -> Any:
        annotators, classes = [f"a{j}" for j in range(n_annotators)], [f"c{k}" for k in range(n_classes)]
        kinds = [kind] * n_annotators
        table = VoteTable(range(n_items), annotators, classes, item, annotator, label, kinds=kinds)
        return model().fit(table).predict_proba(table)

    return solve


def solve_with_gold(item: Any, annotator: Any, label: Any, n_items: int, n_annotators: int, n_classes: int) -> Any:
    """`aggregate_votes` with 50 gold answers drawn three times over; NaN on those, which are not judged."""
    from labelmill.domain.vote_table import VoteTable
    from labelmill.pipeline.aggregate import aggregate_votes

    annotators, classes = [f"a{j}" for j in range(n_annotators)], [f"c{k}" for k in range(n_classes)]
    items = [str(i) for i in range(n_items)]
    table = VoteTable(items, annotators, classes, item, annotator, label, kinds=["person"] * n_annotators)
    found = []
    for seed in range(2):
        drawn = np.random.default_rng(seed).permutation(np.flatnonzero(GOLD[n_items, len(item)] >= 0))[:50]
        gold = {items[i]: classes[GOLD[n_items, len(item)][i]] for i in drawn}
        answer = aggregate_votes(table, gold=gold).consensus.probabilities.copy()
        answer[drawn] = np.nan
        found.append(answer)
    return np.stack(found)


GOLD: dict[tuple[int, int], Any] = {}
"""Truth of the sets, by number of items and of votes, for the method that is given some of it."""


def solve_crowd_kit(method: str, _by: str) -> Callable[..., Any]:
    import crowdkit.aggregation
    import pandas as pd

    model = getattr(crowdkit.aggregation, method)

    def solve(item: Any, annotator: Any, label: Any, n_items: int, _n_annotators: int, n_classes: int) -> Any:
        votes = pd.DataFrame({"task": item, "worker": annotator, "label": label})
        found = model().fit_predict_proba(votes)
        return found.reindex(index=range(n_items), columns=range(n_classes)).fillna(0.0).to_numpy()

    return solve


def solve_snorkel(_method: str, _by: str) -> Callable[..., Any]:
    from snorkel.labeling.model import LabelModel

    def solve(item: Any, annotator: Any, label: Any, n_items: int, n_annotators: int, n_classes: int) -> Any:
        matrix = np.full((n_items, n_annotators), -1)
        matrix[item, annotator] = label
        found = []
        for seed in range(3):
            model = LabelModel(cardinality=n_classes, verbose=False)
            model.fit(matrix, seed=seed, progress_bar=False)
            found.append(model.predict_proba(matrix))
        return np.stack(found)

    return solve


SOLVERS = {"labelmill": solve_labelmill, "crowd-kit": solve_crowd_kit, "snorkel": solve_snorkel}


def interpreter(system: str, cache: Path, peers: dict[str, list[str]] = PEERS) -> str:
    """The system's Python; a peer's environment is made on first use."""
    if system == "labelmill":
        return sys.executable
    folder = cache / system
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        print(f"making an environment for {system} in {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *peers[system]], check=True)
        done.touch()
    return str(python)


def real_sets(folder: str, by: str) -> list[Votes]:
    """Every set of the folder; an annotator's last vote on an item counts."""
    if not (DATA / folder).is_dir():
        print(f"no real votes at {DATA / folder}: left out", file=sys.stderr)
        return []
    return [read(path, by) for path in sorted((DATA / folder).iterdir()) if path.is_dir()]


def read(path: Path, by: str) -> Votes:
    import polars as pl

    from labelmill.domain.vote_table import VoteTable

    votes, truth = (pl.read_csv(path / f"{name}.csv", infer_schema=False) for name in ("votes", "truth"))
    classes = sorted({*votes["label"].drop_nulls(), *truth["label"]})
    table = VoteTable.of(votes, classes=classes)
    known = dict(truth.iter_rows())
    gold = np.array([classes.index(known[item]) if item in known else -1 for item in table.items])
    columns = (table.item_index, table.annotator_index, table.label)
    return Votes(path.name, by, *columns, gold, table.n_annotators, table.n_classes)


def accuracy(probabilities: Any, gold: Any) -> float:
    """Percent right among items with gold; a tie of m classes counts 1/m."""
    judged = np.flatnonzero(gold >= 0)
    chosen = probabilities[judged]
    best = chosen >= chosen.max(axis=1, keepdims=True) - 1e-9
    return 100.0 * float((best[np.arange(len(judged)), gold[judged]] / best.sum(axis=1)).mean())


def scored(probabilities: Any, gold: Any) -> tuple[float, float]:
    """Accuracy, and mean log loss with probabilities of at least 1e-6, on items with gold.

    Of several answers (one for each seed, or each sample of gold, whose own items are NaN), the means.
    """
    every = probabilities if probabilities.ndim == 3 else probabilities[None]
    each = []
    for found in every:
        judged = np.where(np.isnan(found).any(axis=1), -1, gold)
        named = found[judged >= 0][np.arange((judged >= 0).sum()), judged[judged >= 0]]
        each.append((accuracy(found, judged), -float(np.log(np.maximum(named, 1e-6)).mean())))
    right, loss = np.mean(each, axis=0)
    return float(right), float(loss)


def interval(differences: list[float], draws: int = 10_000) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of paired differences over sets."""
    drawn = np.random.default_rng(0).choice(differences, size=(draws, len(differences)))
    low, high = np.percentile(drawn.mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def paired(names: list[str], rows: list[Row]) -> str:
    """What `Auto` gains over each other method on the same sets."""
    found = {(row.system, row.method, row.set): row.accuracy for row in rows}
    lines = ["| labelmill Auto, less | mean points | 95 % interval over sets | worst set |", "|---|--:|--:|--:|"]
    for system, method in dict.fromkeys((row.system, row.method) for row in rows if row.set in names):
        if (system, method) == ("labelmill", "Auto"):
            continue
        both = [name for name in names if (system, method, name) in found]
        gains = [found["labelmill", "Auto", name] - found[system, method, name] for name in both]
        low, high = interval(gains)
        lines.append(
            f"| {system} {method}{_on(both, names)} | {statistics.mean(gains):+.2f} | {low:+.2f} to {high:+.2f} "
            f"| {min(gains):+.2f} |"
        )
    return "\n".join(lines)


def markdown(rows: list[Row]) -> str:
    """One table a set that stands alone, one with means for each family of real sets."""
    parts = []
    for by in ("people", "rules"):
        names = list(dict.fromkeys(row.set for row in rows if row.by == by))
        alone = [name for name in names if name.startswith("made up")]
        parts += [table_of(name, [row for row in rows if row.set == name]) for name in alone]
        real = [name for name in names if name not in alone]
        if real:
            parts += [means_of(by, real, rows), paired(real, rows), sets_of(real, rows)]
    return "\n\n".join(parts)


def table_of(name: str, rows: list[Row]) -> str:
    """CPU, wall, ratio to the yardstick and accuracy on one set."""
    yardstick = next((row for row in rows if (row.system, row.method) == YARDSTICK[row.by]), None)
    lines = [f"**{name}**", "", "| | CPU s | wall s | times faster | accuracy % |", "|---|--:|--:|--:|--:|"]
    for row in rows:
        ratio = f"{yardstick.cpu_seconds / row.cpu_seconds:.1f}" if yardstick else ""
        times = f"{row.cpu_seconds:.3f} | {row.wall_seconds:.3f} | {ratio}"
        lines.append(f"| {row.system} {row.method} | {times} | {row.accuracy:.2f} |")
    return "\n".join(lines)


def means_of(by: str, names: list[str], rows: list[Row]) -> str:
    """Sums of CPU time, means of accuracy and the worst loss against majority vote, over all sets."""
    lines = [
        f"**{len(names)} real sets, votes of {by}**",
        "",
        "| | CPU s, all | mean accuracy % | mean over MV | worst over MV | mean log loss |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    found = {(row.system, row.method, row.set): row for row in rows}
    for system, method in dict.fromkeys((row.system, row.method) for row in rows if row.set in names):
        mine = [found[system, method, name] for name in names if (system, method, name) in found]
        gains = [row.accuracy - found["labelmill", "MajorityVote", row.set].accuracy for row in mine]
        cpu, mean = sum(row.cpu_seconds for row in mine), statistics.mean(row.accuracy for row in mine)
        lines.append(
            f"| {system} {method}{_on(mine, names)} | {cpu:.2f} | {mean:.2f} | {statistics.mean(gains):+.2f} "
            f"| {min(gains):+.2f} "
            f"| {statistics.mean(row.log_loss for row in mine):.3f} |"
        )
    return "\n".join(lines)


def _on(some: list[Any], names: list[str]) -> str:
    """How many sets, if not all."""
    return "" if len(some) == len(names) else f" ({len(some)} sets)"


def sets_of(names: list[str], rows: list[Row]) -> str:
    """Accuracy of every method on every set."""
    methods = list(dict.fromkeys((row.system, row.method) for row in rows if row.set in names))
    found = {(row.system, row.method, row.set): row.accuracy for row in rows}
    head = "| set | " + " | ".join(f"{system} {method}" for system, method in methods) + " |"
    lines = [head, "|---|" + "--:|" * len(methods)]
    for name in names:
        cells = (
            f"{found[system, method, name]:.1f}" if (system, method, name) in found else ""
            for system, method in methods
        )
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
