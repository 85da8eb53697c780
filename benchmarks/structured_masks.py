"""Masks of simulated people around known pictures, against a plain vote and crowd-kit; and what large pictures cost.

    python benchmarks/structured_masks.py [--seeds 3] [--pictures 12] [--cache FOLDER]

Pictures and people are made by `tests/aggregation/structured/painted.py`: patches of three classes on an empty ground,
96 x 128 pixels; each person paints patches too large or too small, lets outlines wander, leaves patches out, takes one
class for another, and invents. The figure is the mean IoU with the truth over classes and pictures.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.aggregation.structured.made_up import plain
from tests.aggregation.structured.painted import CLASSES, SHAPE, Painter, answers_of, mean_iou, pictures, value_of

from aggregation import interpreter
from labelmill import registry
from labelmill.domain.answers import AnswerTable
from labelmill.domain.rle import decode, encode

PEERS = {"masks": ["crowd-kit==1.*"]}
CARELESS = Painter(jitter=2.5, miss=0.3, confuse=0.3, spurious=2.0)
CROWDS = {
    "five alike": [Painter()] * 5,
    "three alike": [Painter()] * 3,
    "two good, three careless": [Painter()] * 2 + [CARELESS] * 3,
    "one good, two careless": [Painter()] + [CARELESS] * 2,
    "five with faults of their own": [
        *(Painter(), Painter(grow=3), Painter(grow=-2), Painter(miss=0.4), Painter(confuse=0.5))
    ],
    "three of five miss much": [Painter()] * 2 + [Painter(miss=0.45)] * 3,
    "two of five invent much": [Painter()] * 3 + [Painter(spurious=5.0)] * 2,
    "three of five paint too small": [Painter()] * 2 + [Painter(grow=-2)] * 3,
    "three of five paint too large": [Painter()] * 2 + [Painter(grow=3)] * 3,
}
METHODS = ("SegmentationMajorityVote", "SegmentationEM", "SegmentationRASA")


def main(arguments: list[str] | None = None) -> str:
    """Measure, print and return Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=12)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "labelmill-peers")
    options = parser.parse_args(arguments)
    python = interpreter("masks", options.cache, PEERS)
    parts = [crowds(options.seeds, options.pictures, python), large()]
    print("\n\n".join(parts))
    return "\n\n".join(parts)


def report() -> str:
    """The tables, as Markdown."""
    return main([])


def crowds(seeds: int, n: int, python: str) -> str:
    """Mean IoU of each method on each crowd."""
    names = ["best person", "plain vote", *METHODS, "`mask`"]
    rows, seconds = [], dict.fromkeys(names, 0.0)
    for crowd, painters in CROWDS.items():
        scores: dict[str, list[float]] = {name: [] for name in names}
        for seed in range(seeds):
            rng = np.random.default_rng(1000 + seed)
            truths = pictures(n, rng)
            table = answers_of(truths, painters, rng)
            before = time.process_time()
            merged = registry.find("structured_model", "mask")().fit(table).predict(table)
            seconds["`mask`"] += time.process_time() - before
            before = time.process_time()
            scores["plain vote"].append(mean_iou(truths, plain(table)))
            seconds["plain vote"] += time.process_time() - before
            scores["`mask`"].append(mean_iou(truths, [value for value, *_ in merged]))
            scores["best person"].append(max(mean_iou(truths, _of(table, j)) for j in range(table.n_annotators)))
            for method, told in _peers(table, python).items():
                scores[method].append(mean_iou(truths, told["values"]))
                seconds[method] += told["seconds"]
        rows.append([crowd, *(f"{statistics.mean(scores[name]):.3f}" for name in names)])
    rows.append(["CPU seconds, all", "", *(f"{seconds[name]:.1f}" for name in names[1:])])
    head = f"Mean IoU with the truth over {seeds} seeds of {n} pictures; crowd-kit takes each class alone."
    return "\n".join([head, "", *_lines(["people", *names], rows)])


def large() -> str:
    """CPU seconds for pictures of 4096 x 4096 pixels."""
    rng = np.random.default_rng(5)
    small = pictures(4, rng)
    table = answers_of(small, CROWDS["five with faults of their own"], rng)
    grown = [[{"label": m["label"], **encode(_grown(decode(m)))} for m in value] for value in table.values]
    wide = AnswerTable(
        table.kind, table.items, table.annotators, table.item_index, table.annotator_index, grown, classes=CLASSES
    )
    runs = sum(len(mask["counts"]) for value in grown for mask in value)
    before = time.process_time()
    registry.find("structured_model", "mask")().fit(wide).predict(wide)
    took = time.process_time() - before
    return (
        f"Four pictures of 4096 x 4096 pixels by five people ({runs:,} characters of run lengths): "
        f"{took:.2f} CPU seconds to fit and merge."
    )


def _grown(pixels: Any) -> Any:
    return np.kron(pixels, np.ones((4096 // SHAPE[0] + 1, 4096 // SHAPE[1]), dtype=bool))[:4096, :4096]


def _of(table: AnswerTable, j: int) -> list[Any]:
    return [
        value for annotator, value in zip(table.annotator_index.tolist(), table.values, strict=True) if annotator == j
    ]


def _peers(table: AnswerTable, python: str) -> dict[str, Any]:
    """The peers' masks as values, and their seconds."""
    answers: list[list[Any]] = [[] for _ in table.items]
    for i, j, value in zip(table.item_index.tolist(), table.annotator_index.tolist(), table.values, strict=True):
        there = {mask["label"]: decode(mask) for mask in value}
        for label in CLASSES:
            pixels = there.get(label, np.zeros(SHAPE, dtype=np.bool_))
            answers[i].append([str(j), label, "".join("01"[int(x)] for x in pixels.ravel())])
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.json", Path(folder) / "out.json"
        source.write_text(json.dumps([{"shape": SHAPE, "pictures": answers}]))
        script = Path(__file__).with_name("mask_peers.py")
        subprocess.run([python, script, source, target], check=True, capture_output=True)
        [told] = json.loads(target.read_text())
    return {
        name: {"seconds": one["seconds"], "values": _values(one["masks"], len(answers))} for name, one in told.items()
    }


def _values(masks: dict[str, str], n: int) -> list[Any]:
    values = []
    for picture in range(n):
        labels = np.zeros(SHAPE, dtype=np.intp)
        for k, label in enumerate(CLASSES, start=1):
            text = masks[f"{picture} {label}"]
            labels[(np.frombuffer(text.encode("ascii"), dtype=np.uint8) == ord("1")).reshape(SHAPE)] = k
        values.append(value_of(labels))
    return values


def _lines(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (head, ["---", *["--:"] * (len(head) - 1)], *rows)]


if __name__ == "__main__":
    main()
