"""Label models of people at scale, against crowd-kit; rules against Snorkel; votes one by one against a full fit.

    python benchmarks/sweeps.py [--repeats 3] [--cache FOLDER]

Every measurement is a process of its own, single-threaded, ours and the peer's in turn, each after a small set to warm
up; CPU seconds from integer codes to probabilities, of the repeats the best, which other work on the machine disturbed
least; memory is what the process takes at its peak beyond the loaded arrays. crowd-kit's GLAD and MACE run once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from aggregation import interpreter

SINGLE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
N_PEOPLE, N_RULES = 1000, 20
UPDATES = 10_000


class Duel(NamedTuple):
    """Who does what on how many items; `peer` is None where nobody else is asked."""

    title: str
    votes: str
    n_items: int
    ours: str
    peer: tuple[str, str] | None
    aim: str


OURS = "shrinkage_dawid_skene"
DUELS = (
    Duel(
        "Dawid-Skene, 1M votes, 20 sweeps",
        "people",
        200_000,
        f"{OURS} 20",
        ("crowd-kit", "DawidSkene 20"),
        "30",
    ),
    Duel(
        "Dawid-Skene, 1M votes, until it stops",
        "people",
        200_000,
        OURS,
        ("crowd-kit", "DawidSkene"),
        "",
    ),
    Duel("GLAD, 100k votes", "people", 20_000, "glad", ("crowd-kit", "GLAD"), "50"),
    Duel("MACE, 100k votes", "people", 20_000, "mace", ("crowd-kit", "MACE"), "50"),
    Duel("Rules, 1M x 20", "rules", 1_000_000, "anchored_naive_bayes", ("snorkel", "LabelModel"), "3"),
    Duel("Dawid-Skene, 10M votes, 20 sweeps", "people", 2_000_000, f"{OURS} 20", None, "5 s, 1 GB"),
)


class Took(NamedTuple):
    """CPU seconds, memory beyond the arrays in MB, and accuracy in percent."""

    seconds: float
    megabytes: float
    accuracy: float


def main(arguments: list[str] | None = None) -> str:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "labelmill-peers")
    parser.add_argument("--worker", nargs=3, metavar=("SYSTEM", "TASK", "VOTES"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        work(*options.worker)
        return ""
    tables = f"{duels(options.repeats, options.cache)}\n\n{one_by_one()}"
    print(tables)
    return tables


def report() -> str:
    """The tables, as Markdown."""
    return main([])


def duels(repeats: int, cache: Path) -> str:
    """One line for each duel."""
    lines = [
        "| | labelmill CPU s | MB | accuracy % | peer | CPU s | MB | accuracy % | times faster | aim |",
        "|---|--:|--:|--:|---|--:|--:|--:|--:|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for duel in DUELS:
            votes = Path(folder, f"{duel.votes}-{duel.n_items}.npz")
            if not votes.exists():
                np.savez(votes, **{"people": people, "rules": rules}[duel.votes](duel.n_items))
            contenders = [("labelmill", duel.ours)] + ([duel.peer] if duel.peer else [])
            n_runs = 1 if duel.peer and duel.peer[1] in {"GLAD", "MACE"} else repeats
            runs = [[measure(*contender, votes, cache) for contender in contenders] for _ in range(n_runs)]
            lines.append(_line(duel, [min(of_one) for of_one in zip(*runs, strict=True)]))
            print(lines[-1], file=sys.stderr)
    return "\n".join(lines)


def _line(duel: Duel, took: list[Took]) -> str:
    cells = [f"{mine.seconds:.3g} | {mine.megabytes:.0f} | {mine.accuracy:.2f}" for mine in took]
    if duel.peer is None:
        return f"| {duel.title} | {cells[0]} | | | | | | {duel.aim} |"
    ratio = f"{took[1].seconds / took[0].seconds:.1f}"
    return f"| {duel.title} | {cells[0]} | {duel.peer[0]} | {cells[1]} | {ratio} | {duel.aim} |"


def measure(system: str, task: str, votes: Path, cache: Path) -> Took:
    """One run in a process of its own."""
    command = [interpreter(system, cache), __file__, "--worker", system, task, str(votes)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | SINGLE)
    return Took(*json.loads(done.stdout.splitlines()[-1]))


def work(system: str, task: str, votes: str) -> None:
    """In the system's own process: solve once and print what it took."""
    arrays = dict(np.load(votes))
    gold = arrays.pop("gold")
    method, _, sweeps = task.partition(" ")
    solve = SOLVERS[system](method, int(sweeps) if sweeps else None)
    solve(**few(arrays))
    before, started = _peak_megabytes(), time.process_time()
    probabilities = solve(**arrays)
    seconds, megabytes = time.process_time() - started, _peak_megabytes() - before
    judged = gold >= 0
    print(json.dumps([seconds, megabytes, 100.0 * float((probabilities.argmax(axis=1) == gold)[judged].mean())]))


def few(votes: dict[str, Any]) -> dict[str, Any]:
    """The votes on a few items: what is loaded on first use is loaded before the clock starts."""
    if "matrix" in votes:
        return {"matrix": votes["matrix"][:500]}
    some = votes["item"] < 500
    return {name: column[some] for name, column in votes.items()}


def _peak_megabytes() -> float:
    # Of this program alone: what getrusage tells begins with the process that started it.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def solve_labelmill(method: str, sweeps: int | None) -> Callable[..., Any]:
    from labelmill import registry
    from labelmill.domain.vote_table import VoteTable

    options = {} if sweeps is None else {"max_iterations": sweeps, "tolerance": 0.0}
    model = registry.find("label_model", method)(**options)

    def solve(**votes: Any) -> Any:
        if "matrix" in votes:
            table = VoteTable.from_matrix(votes["matrix"], classes=("no", "yes"), kinds=["rule"] * N_RULES)
        else:
            names = [f"a{j}" for j in range(N_PEOPLE)]
            columns = (votes["item"], votes["annotator"], votes["label"])
            n_items = int(votes["item"].max()) + 1
            table = VoteTable(range(n_items), names, list("abcd"), *columns, kinds=["person"] * N_PEOPLE)
        return model.fit(table).predict_proba(table)

    return solve


def solve_crowd_kit(method: str, sweeps: int | None) -> Callable[..., Any]:
    import crowdkit.aggregation
    import pandas as pd

    options = {} if sweeps is None else {"n_iter": sweeps, "tol": -1.0}
    model = getattr(crowdkit.aggregation, method)(**options)

    def solve(item: Any, annotator: Any, label: Any) -> Any:
        votes = pd.DataFrame({"task": item, "worker": annotator, "label": label})
        return model.fit_predict_proba(votes).sort_index()[[0, 1, 2, 3]].to_numpy()

    return solve


def solve_snorkel(_method: str, _sweeps: int | None) -> Callable[..., Any]:
    from snorkel.labeling.model import LabelModel

    def solve(matrix: Any) -> Any:
        model = LabelModel(cardinality=2, verbose=False)
        model.fit(matrix.astype(int), seed=0, progress_bar=False)
        return model.predict_proba(matrix.astype(int))

    return solve


SOLVERS = {"labelmill": solve_labelmill, "crowd-kit": solve_crowd_kit, "snorkel": solve_snorkel}


def people(n_items: int) -> dict[str, Any]:
    """Five votes an item on four classes by a thousand people, a tenth of whom answer at random."""
    rng = np.random.default_rng(0)
    truth = rng.choice(4, n_items, p=[0.4, 0.3, 0.2, 0.1])
    activity = rng.pareto(1.5, N_PEOPLE) + 0.2
    teams = np.argsort(rng.exponential(size=(10_000, N_PEOPLE)) / activity, axis=1)[:, :5]
    annotator = teams[rng.integers(len(teams), size=n_items)].ravel()
    confusion = np.empty((N_PEOPLE, 4, 4))
    for j, right in enumerate(rng.beta(8, 3, N_PEOPLE)):
        for k in range(4):
            errors = (1 - right) * rng.dirichlet(np.ones(3))
            confusion[j, k] = rng.dirichlet(np.ones(4)) if j % 10 == 0 else np.insert(errors, k, right)
    item, bounds = np.repeat(np.arange(n_items), 5), confusion.cumsum(axis=2)
    drawn = rng.random(len(item))
    label = np.zeros(len(item), dtype=np.int16)
    for k in range(3):
        label += drawn > bounds[annotator, truth[item], k]
    order = rng.permutation(len(item))
    item, annotator, label = (column[order] for column in (item.astype(np.int32), annotator.astype(np.int32), label))
    return {"item": item, "annotator": annotator, "label": label, "gold": truth}


def rules(n_items: int) -> dict[str, Any]:
    """Twenty rules for both classes that fire on 30 percent each and are right 55 to 90 times in 100."""
    rng = np.random.default_rng(1)
    truth = (rng.random(n_items) < 0.3).astype(np.int8)
    matrix = np.full((n_items, N_RULES), -1, dtype=np.int8)
    for j, right in enumerate(np.linspace(0.55, 0.9, N_RULES)):
        fires = rng.random(n_items) < 0.3
        matrix[fires, j] = np.where(rng.random(n_items) < right, truth, 1 - truth)[fires]
    return {"matrix": matrix, "gold": np.where((matrix >= 0).any(axis=1), truth, -1)}


def one_by_one() -> str:
    """How long a vote takes, and how far answers are from a full fit as votes come in."""
    return f"{_latency()}\n\n{_drift()}"


def _table(votes: dict[str, Any], which: Any) -> Any:
    from labelmill.domain.vote_table import VoteTable

    columns = (votes[name][which] for name in ("item", "annotator", "label"))
    return VoteTable(range(len(votes["gold"])), [f"a{j}" for j in range(N_PEOPLE)], list("abcd"), *columns)


def _latency() -> str:
    from labelmill import OnlineConsensus

    votes, rng = people(200_000), np.random.default_rng(2)
    online, seconds = OnlineConsensus(_table(votes, slice(None))), []
    for n in range(UPDATES):
        item = f"new {n}" if n % 20 == 0 else int(rng.integers(200_000))
        annotator, label = f"a{rng.integers(N_PEOPLE + 10)}", "abcd"[rng.integers(4)]
        started = time.process_time()
        online.add(item, annotator, label)
        online.confusion(annotator)
        seconds.append(time.process_time() - started)
    p50, p99, worst = (1000 * q for q in np.quantile(seconds, [0.5, 0.99, 1.0]))
    return (
        f"{UPDATES:,} votes one by one into 1M (a twentieth on new items, a hundredth by newcomers), with the answer "
        f"for the item and the annotator's confusions: p50 {p50:.2f} ms, p99 {p99:.2f} ms, longest {worst:.1f} ms of "
        "CPU (aim: well under 10)."
    )


def _drift() -> str:
    from labelmill import OnlineConsensus, ShrinkageDawidSkene

    votes = people(20_000)
    order = np.random.default_rng(3).permutation(len(votes["item"]))
    online = OnlineConsensus(_table(votes, order[:50_000]))
    lines = [
        "50,000 votes, then others one by one without fitting again; and a full fit on all there are at that moment:",
        "",
        "| votes added | answers that differ % | mean difference of a probability | online accuracy % | full fit % |",
        "|--:|--:|--:|--:|--:|",
    ]
    done = 50_000
    for until in (50_000, 50_500, 55_000, 75_000, 100_000):
        for v in order[done:until]:
            online.add(int(votes["item"][v]), f"a{votes['annotator'][v]}", "abcd"[votes["label"][v]])
        done = until
        full = _table(votes, order[:until])
        found, fitted = online.predict_proba(), ShrinkageDawidSkene().fit(full).predict_proba(full)
        differ = 100 * (found.argmax(axis=1) != fitted.argmax(axis=1)).mean()
        right = (100 * (answer.argmax(axis=1) == votes["gold"]).mean() for answer in (found, fitted))
        accuracies = " | ".join(f"{share:.2f}" for share in right)
        lines.append(f"| {until - 50_000:,} | {differ:.2f} | {np.abs(found - fitted).mean():.5f} | {accuracies} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
