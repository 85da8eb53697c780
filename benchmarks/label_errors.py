"""Label errors against cleanlab: CPU time with the same flags, and how many real errors are among them.

    python benchmarks/label_errors.py [--items 1000000] [--classes 10 100] [--repeats 3] [--cache FOLDER]

Both systems run in a process of their own, single-threaded, cleanlab in a virtual environment that this script makes
once under the cache folder, on the same arrays. Times are medians of CPU seconds. Real sets are read from
../shared/data where present.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

PEERS = {"cleanlab": ["cleanlab==2.9.*"]}
SYSTEMS = ("labelmill", "cleanlab")
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
PRUNING = ("prune_by_noise_rate", "prune_by_class", "both")
FILTERS = (*PRUNING, "confident_learning", "predicted_neq_given", "low_self_confidence", "low_normalized_margin")
BATCHED = "low_self_confidence_batched"
QUICK = ("prune_by_noise_rate", BATCHED)
"""Filters that are timed, on large arrays."""


def main(arguments: list[str] | None = None) -> str:
    """Measure, print Markdown and return it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, nargs="+", default=[10])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "labelmill-peers")
    parser.add_argument("--worker", nargs=2, metavar=("SYSTEM", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        work(*options.worker, repeats=options.repeats)
        return ""
    with tempfile.TemporaryDirectory() as folder:
        text = "\n\n".join([*timed(Path(folder), options), *reviewed(Path(folder), options)])
    print(text)
    return text


def report() -> str:
    """The tables, as Markdown."""
    return main([])


def timed(folder: Path, options: argparse.Namespace) -> list[str]:
    """CPU seconds and flags on made-up labels of a large set."""
    parts = []
    for n_classes in options.classes:
        given, p, truth = noisy(options.items, n_classes)
        found = ask(folder, {"given": given, "p": p}, {"flags": QUICK, "repeats": options.repeats}, options)
        lines = [
            f"**{options.items:,} labels of {n_classes} classes, made up, {np.mean(given != truth):.1%} wrong**",
            "",
            "| flags | labelmill CPU s | cleanlab CPU s | times faster | flagged | by one alone | wrong |",
            "|---|--:|--:|--:|--:|--:|--:|",
        ]
        for name in QUICK:
            (ours, flags), (theirs, others) = (found[system][name] for system in SYSTEMS)
            precision = np.mean((given != truth)[flags]) if len(flags) else 0.0
            lines.append(
                f"| {shown(name)} | {ours:.3f} | {theirs:.3f} | {theirs / ours:.1f} | {len(flags):,} "
                f"| {len(np.setxor1d(flags, others)):,} | {precision:.1%} |"
            )
        parts.append("\n".join(lines))
    return parts


def shown(name: str) -> str:
    """A filter, and cleanlab's call for it."""
    call = "find_label_issues_batched" if name == BATCHED else "find_label_issues(n_jobs=1)"
    return f"{name}, `{call}`"


def reviewed(folder: Path, options: argparse.Namespace) -> list[str]:
    """Flags on real labels of which people reviewed the suspects."""
    if not (DATA / "labelerr").is_dir():
        return []
    parts = []
    for path in sorted((DATA / "labelerr").iterdir()):
        given, p, items, is_wrong = read_reviewed(path)
        found = ask(folder, {"given": given, "p": p}, {"flags": (*FILTERS, BATCHED), "repeats": 1}, options)
        quality = p[np.arange(len(given)), given][items]
        margin = quality - np.where(np.eye(p.shape[1])[given[items]] > 0, -1, p[items]).max(axis=1)
        area, by_margin = (auroc(is_wrong, scores) for scores in (quality, margin))
        lines = [
            f"**{path.name}: {len(given):,} labels, {len(items)} reviewed by five people, {is_wrong.sum()} found wrong "
            f"by three or more** (AUROC among the reviewed: self-confidence {area:.3f}, margin {by_margin:.3f}, which "
            "are the same in both systems)",
            "",
            "| flags | flagged | by one system alone | reviewed | of these found wrong |",
            "|---|--:|--:|--:|--:|",
        ]
        for name in (*FILTERS, BATCHED):
            flags, others = (found[system][name][1] for system in SYSTEMS)
            seen = np.isin(items, flags)
            precision = f"{is_wrong[seen].mean():.0%}" if seen.any() else ""
            alone = len(np.setxor1d(flags, others))
            lines.append(f"| {name} | {len(flags):,} | {alone} | {seen.sum()} | {precision} |")
        parts.append("\n".join(lines))
    return parts


def read_reviewed(path: Path) -> tuple[Any, Any, Any, Any]:
    """Given labels, probabilities that sum to 1, reviewed items and whether people found their label wrong."""
    import polars as pl

    data, review = np.load(path / "given_and_probs.npz"), pl.read_csv(path / "reviewed.csv")
    p = data["probs"].astype(np.float64)
    is_wrong = ~review["consensus3of5"].is_in(["given", "none"]).to_numpy()
    return data["given"].astype(np.int64), p / p.sum(axis=1, keepdims=True), review["item"].to_numpy(), is_wrong


def auroc(is_wrong: Any, quality: Any) -> float:
    """Chance that a wrong one has less quality than a right one, equal ones counted half."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(is_wrong, -quality))


def noisy(n_items: int, n_classes: int, seed: int = 0) -> tuple[Any, Any, Any]:
    """Given labels with 5 % errors that follow class pairs, probabilities, true labels."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(n_classes, size=n_items, p=rng.dirichlet(np.full(n_classes, 50.0)))
    p = rng.normal(size=(n_items, n_classes))
    p[np.arange(n_items), truth] += 3.0
    np.exp(p, out=p)
    p /= p.sum(axis=1, keepdims=True)
    habits, given = rng.dirichlet(np.full(n_classes, 0.3), size=n_classes), truth.copy()
    flipped = rng.random(n_items) < 0.05
    for k in range(n_classes):
        of_class = np.flatnonzero(flipped & (truth == k))
        given[of_class] = rng.choice(n_classes, size=len(of_class), p=habits[k])
    return given, p, truth


def ask(folder: Path, arrays: dict[str, Any], asked: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """What each system answers, in a process of its own."""
    from aggregation import interpreter

    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    (folder / "asked.json").write_text(json.dumps(asked))
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
    answers: dict[str, Any] = {}
    for system in SYSTEMS:
        python = interpreter(system, options.cache, PEERS)
        words = ["--repeats", str(asked["repeats"]), "--worker", system, str(folder)]
        subprocess.run([python, __file__, *words], check=True, env=os.environ | single)
        answers[system] = np.load(folder / "answer.npy", allow_pickle=True).item()
    return answers


def work(system: str, folder: str, *, repeats: int) -> None:
    """In the system's own process: answer what is asked, with times."""
    asked = json.loads(Path(folder, "asked.json").read_text())
    names = ("item", "annotator", "label", "probabilities") if "crowd" in asked else ("given", "p")
    arrays = [np.load(Path(folder, f"{name}.npy")) for name in names]
    if "crowd" in asked:
        answer = SCORERS[system](*arrays, asked["crowd"], uses_classifier=asked["uses_classifier"])
    else:
        answer = {}
        for name in asked["flags"]:
            flag = FLAGGERS[system](name)
            cpu = []
            for _ in range(repeats):
                started = time.process_time()
                flags = flag(*arrays)
                cpu.append(time.process_time() - started)
            answer[name] = (statistics.median(cpu), np.asarray(flags))
    np.save(Path(folder, "answer.npy"), np.array(answer, dtype=object), allow_pickle=True)


def flag_by_labelmill(name: str) -> Callable[..., Any]:
    from labelmill import find_label_errors

    return lambda given, p: np.sort(find_label_errors(given, p, filter_by=name).index)


def flag_by_cleanlab(name: str) -> Callable[..., Any]:
    import warnings

    from cleanlab.experimental.label_issues_batched import find_label_issues_batched
    from cleanlab.filter import find_label_issues

    warnings.simplefilter("ignore")
    if name == BATCHED:
        return lambda given, p: find_label_issues_batched(given, p, verbose=False, batch_size=100_000)
    return lambda given, p: np.flatnonzero(find_label_issues(given, p, filter_by=name, n_jobs=1))


def score_by_labelmill(
    item: Any, annotator: Any, label: Any, p: Any, n_annotators: int, *, uses_classifier: bool
) -> dict[str, Any]:
    from labelmill import VoteTable, score_votes

    n, n_classes = p.shape
    names = [[str(i) for i in range(size)] for size in (n, n_annotators, n_classes)]
    started = time.process_time()
    table = VoteTable(*names, item, annotator, label, kinds=["person"] * n_annotators)
    found = score_votes(table, probabilities=p if uses_classifier else None)
    mean = np.bincount(annotator, weights=found.of_votes, minlength=n_annotators)
    cpu = time.process_time() - started
    return {
        "label": np.maximum(found.consensus, 0),
        "of_label": found.of_consensus,
        "of_votes": found.of_votes,
        "of_annotators": mean / np.maximum(np.bincount(annotator, minlength=n_annotators), 1),
        "support": found.support,
        "cpu": cpu,
    }


def score_by_cleanlab(
    item: Any, annotator: Any, label: Any, p: Any, n_annotators: int, **_options: Any
) -> dict[str, Any]:
    import warnings

    from cleanlab.multiannotator import get_label_quality_multiannotator

    warnings.simplefilter("ignore")
    votes = np.full((len(p), n_annotators), np.nan)
    votes[item, annotator] = label
    kept = np.flatnonzero(~np.isnan(votes).all(axis=1))
    whole: dict[str, Any] = {}
    for method, (name, quality) in {
        "majority_vote": ("majority", "of_majority"),
        "best_quality": ("label", "of_theirs"),
    }.items():
        started = time.process_time()
        found = get_label_quality_multiannotator(votes[kept], p[kept], consensus_method=method, verbose=False)
        whole["cpu"] = time.process_time() - started
        whole[name], whole[quality] = np.zeros(len(p), dtype=np.int64), np.zeros(len(p))
        whole[name][kept] = found["label_quality"]["consensus_label"]
        whole[quality][kept] = found["label_quality"]["consensus_quality_score"]
    each = np.full(votes.shape, np.nan)
    each[kept] = found["detailed_label_quality"]
    stats = found["annotator_stats"]["annotator_quality"].sort_index()
    return {
        **whole,
        "of_label": whole["of_theirs"],
        "of_votes": each[item, annotator],
        "of_annotators": np.array(stats),
    }


FLAGGERS = {"labelmill": flag_by_labelmill, "cleanlab": flag_by_cleanlab}
SCORERS = {"labelmill": score_by_labelmill, "cleanlab": score_by_cleanlab}

if __name__ == "__main__":
    main()
