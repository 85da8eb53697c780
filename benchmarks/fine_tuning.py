"""Fine-tuning on few labels beside frozen features, and a teacher beside its student: accuracy and CPU seconds.

    python benchmarks/fine_tuning.py [--seeds N] [--labels N] [--data FOLDER]

Reads `trec_questions` (items.csv with a column `split`, truth.csv) and all-MiniLM-L6-v2, which must be on this machine.
Learns from labels drawn at random from the training split; accuracy is that on the test split, which nothing was chosen
by. One thread; CPU seconds of the process, without the loading of libraries.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import torch

from labelmill.domain.item import ItemBatch
from labelmill.learners._softmax_fit import fit_softmax
from labelmill.learners.distilled import Distilled
from labelmill.learners.fine_tuned import FineTuned

Floats = npt.NDArray[np.float64]
Made = tuple[Callable[[ItemBatch], Floats], float]


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument("--unlabelled", type=int, default=2_000)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data" / "text")
    parser.add_argument("--without", nargs="*", default=[], help="ways to leave out, e.g. full")
    given = parser.parse_args()
    torch.set_num_threads(1)
    questions = Questions(given.data / "trec_questions")
    ways = {"frozen + regression": frozen, "LoRA": lora, "full": full}
    print(f"trec_questions, {given.labels} labels: accuracy on {len(questions.test)} test questions (CPU seconds)")
    rows: dict[str, list[tuple[float, float]]] = {name: [] for name in ways if name not in given.without}
    for seed in range(given.seeds):
        labelled, targets = questions.draw(given.labels, seed)
        for name in rows:
            predict, seconds = ways[name](labelled, targets, seed)
            rows[name].append((questions.accuracy(predict), seconds))
            print(f"  seed {seed}  {name:<22}{rows[name][-1][0]:.3f}  ({seconds:.1f})", flush=True)
    for name, found in rows.items():
        accuracies = [accuracy for accuracy, _ in found]
        seconds = float(np.median([each for _, each in found]))
        print(f"{name:<24}{np.mean(accuracies):.3f} ({min(accuracies):.3f} to {max(accuracies):.3f}), {seconds:.1f} s")
    distillation(questions, given.labels, given.unlabelled)


class Questions:
    """The set, its training split shuffled by a seed."""

    def __init__(self, folder: Path) -> None:
        items = pl.read_csv(folder / "items.csv", infer_schema=False)
        rows = items.join(pl.read_csv(folder / "truth.csv", infer_schema=False), on="item")
        self.classes = sorted(rows["label"].unique())
        self.training, held_out = rows.filter(pl.col("split") == "train"), rows.filter(pl.col("split") == "test")
        self.test, self.truth = _batch(held_out), self._indices(held_out)

    def draw(self, n: int, seed: int, skip: int = 0) -> tuple[ItemBatch, Floats]:
        """So many questions and their classes."""
        rows = self.training.sample(n + skip, shuffle=True, seed=seed).tail(n)
        return _batch(rows), np.eye(len(self.classes))[self._indices(rows)]

    def accuracy(self, predict: Callable[[ItemBatch], Floats]) -> float:
        """On the test split."""
        return float((predict(self.test).argmax(axis=1) == self.truth).mean())

    def _indices(self, rows: pl.DataFrame) -> npt.NDArray[np.intp]:
        return np.array([self.classes.index(label) for label in rows["label"]])


def _batch(rows: pl.DataFrame) -> ItemBatch:
    return ItemBatch.from_texts(rows["text"], rows["item"])


def lora(batch: ItemBatch, targets: Floats, seed: int) -> Made:
    """Adapters."""
    return _fitted(FineTuned(seed=seed), batch, targets)


def full(batch: ItemBatch, targets: Floats, seed: int) -> Made:
    """The whole model."""
    return _fitted(FineTuned(method="full", seed=seed), batch, targets)


def frozen(batch: ItemBatch, targets: Floats, seed: int) -> Made:
    """Softmax regression (C = 10) on the model's vectors as they are: the mean over tokens, at length 1."""
    model = FineTuned(seed=seed)
    module = model._module(targets.shape[1], is_new=True).eval()

    def vectors(items: ItemBatch) -> npt.NDArray[np.float32]:
        tokens, found = model._examples(items), []
        module.head = torch.nn.Identity()
        with torch.inference_mode():
            for start in range(0, len(items), 32):
                rows = np.arange(start, min(start + 32, len(items)))
                found.append(module(**tokens.inputs(rows, torch.device("cpu"))).numpy())
        stacked = np.concatenate(found)
        return np.asarray(stacked / np.linalg.norm(stacked, axis=1, keepdims=True), dtype=np.float32)

    began = time.process_time()
    fitted = fit_softmax(vectors(batch), targets, np.ones(len(batch)), regularization=0.1)
    return (lambda items: fitted.predict_proba(vectors(items))), time.process_time() - began


def _fitted(learner: Any, batch: ItemBatch, targets: Floats) -> Made:
    began = time.process_time()
    learner.fit(batch, targets)
    return learner.predict_proba, time.process_time() - began


def distillation(questions: Questions, n_labels: int, n_unlabelled: int) -> None:
    """A tuned teacher, a student of its probabilities on unlabelled questions, and one of the labels alone."""
    labelled, targets = questions.draw(n_labels, seed=0)
    unlabelled, _ = questions.draw(n_unlabelled, seed=0, skip=n_labels)
    teacher = FineTuned(seed=0).fit(labelled, targets)
    everything = ItemBatch(pl.concat([labelled.frame, unlabelled.frame]))
    weights = np.append(np.ones(n_labels), np.zeros(n_unlabelled))
    padded = np.vstack([targets, np.full((n_unlabelled, targets.shape[1]), 1 / targets.shape[1])])
    taught = Distilled(seed=0).fit(everything, padded, weights, teacher=teacher.predict_proba(everything))
    alone = Distilled(seed=0).fit(labelled, targets)
    print(f"\ndistilled from {n_labels} labels and {n_unlabelled} questions without: accuracy, items a CPU second")
    for name, learner in (("teacher (LoRA)", teacher), ("student", taught), ("student, no teacher", alone)):
        print(f"{name:<24}{questions.accuracy(learner.predict_proba):.3f}  {_rate(learner, questions.test):>10,.0f}")


def _rate(learner: Any, batch: ItemBatch) -> float:
    learner.predict_proba(batch.slice(0, 8))
    began = time.process_time()
    learner.predict_proba(batch)
    return len(batch) / (time.process_time() - began)


if __name__ == "__main__":
    main()
