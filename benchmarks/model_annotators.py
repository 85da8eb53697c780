"""Models that vote, against people's gold in ../shared/data: a detector, voice activity, forced alignment, speed.

    python benchmarks/model_annotators.py [--images 128]

Settings are the models' own (FastestDet's input and post-processing, Silero's thresholds); nothing is tuned here.
CPU seconds are of this process, which holds the models; nothing else is measured.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.annotators import tiny_models
from tests.annotators.model_server import serving

from aggregation import DATA
from labelmill.annotators.alignment import PHONES, Alignment
from labelmill.annotators.http_predictor import HttpPredictor
from labelmill.annotators.onnx_detector import OnnxDetector
from labelmill.annotators.onnx_predictor import OnnxPredictor
from labelmill.annotators.voice_activity import VoiceActivity
from labelmill.domain.item import Item, ItemBatch
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import VoteBatch
from labelmill.quality.detection import COCO_IOU, detection_scores

COCO, SPEECH, DIGITS = DATA / "images" / "coco128", DATA / "audio" / "phones_words", DATA / "audio" / "fsdd"
MODELS = DATA / "models"
QUIET = {"sil", "sp", "", "SIL", "silence", "spn"}
NEAR = (0.01, 0.02, 0.03, 0.05)
"""Seconds."""


def main(arguments: list[str] | None = None) -> str:
    """Measure, print and return Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=128)
    options = parser.parse_args(arguments)
    if not MODELS.is_dir():
        return f"No models at {MODELS}."
    parts = []
    for part in (lambda: boxes(options.images), voices, phones, speed):
        parts.append(part())
        print(parts[-1], end="\n\n", flush=True)
    return "\n\n".join(parts)


def report() -> str:
    """The tables, as Markdown."""
    return main([])


def boxes(n_images: int) -> str:
    """FastestDet on coco128."""
    names = tuple(json.loads((MODELS / "coco80.json").read_text()))
    schema = LabelSchema("things", names, kind="box", modality="image")
    pictures = sorted(path.name for path in (COCO / "images").iterdir())[:n_images]
    gold: dict[str, list[dict[str, Any]]] = {name: [] for name in pictures}
    for row in _rows(COCO / "boxes.csv"):
        if row["item"] in gold:
            gold[row["item"]].append(_box(row))
    lines = ["| resampling | mAP at IoU .5 | mAP .5 to .95 | boxes | CPU s an image |", "|---|--:|--:|--:|--:|"]
    for resample in ("bilinear", "antialias"):
        model = OnnxDetector(
            MODELS / "FastestDet.onnx",
            classes=names,
            layout="grid",
            picture={"size": [352, 352], "channels": "bgr", "resample": resample},
            threshold=0.01,
            folder=COCO / "images",
            name="fastestdet",
        )
        started = time.process_time()
        votes = model.annotate(ItemBatch.from_texts(pictures, pictures), schema)
        seconds = (time.process_time() - started) / len(pictures)
        refuse_faults(votes)
        scores = detection_scores([gold[name] for name in pictures], votes.labels, iou=COCO_IOU)
        n_boxes = sum(len(value) for value in votes.labels)
        lines.append(f"| {resample} | {scores.by_iou[0.5]:.3f} | {scores.mean:.3f} | {n_boxes:,} | {seconds:.4f} |")
    head = f"FastestDet (1 MB) on {len(pictures)} pictures of coco128, every box from a score of .01 on."
    return "\n".join([head, "", *lines])


def voices() -> str:
    """Silero against the words marked by hand: what lies in a word is speech."""
    schema = LabelSchema("speech", ("speech",), kind="segment", modality="audio")
    events = _events("word")
    lines = ["| recording | seconds | words | precision | recall | CPU s |", "|---|--:|--:|--:|--:|--:|"]
    for item in _rows(SPEECH / "items.csv"):
        name, seconds = item["item"], float(item["seconds"])
        if not events.get(name):
            continue
        model = VoiceActivity("speech", folder=SPEECH / "audio", name="silero")
        started = time.process_time()
        votes = model.annotate(ItemBatch.from_texts([name]), schema)
        spent = time.process_time() - started
        step = 0.01
        said, told = (_frames(marks, seconds, step) for marks in (events[name], votes.labels[0]))
        both = (said & told).sum()
        lines.append(
            f"| {name.split('.')[0]} | {seconds:.1f} | {len(events[name])} | {both / max(told.sum(), 1):.3f} "
            f"| {both / max(said.sum(), 1):.3f} | {spent:.2f} |"
        )
    return "\n".join(["Silero, frames of 10 ms, against words marked by hand.", "", *lines])


def phones() -> str:
    """Forced alignment against phones marked by hand."""
    classes = tuple(PHONES)
    schema = LabelSchema("phones", classes, kind="segment", modality="audio")
    lines = ["| recording | phones | matched | median | mean | " + " | ".join(f"within {n * 1e3:.0f} ms" for n in NEAR)
             + " | CPU s |", "|---|--:|--:|--:|--:|" + "--:|" * (len(NEAR) + 1)]  # fmt: skip
    gold_phones, gold_words = _events("phone"), _events("word")
    known = {"yknow": "Y AH N OW"}
    for name, words in gold_words.items():
        gold = gold_phones[name]
        if statistics.mean(_plain(phone) in PHONES for phone in gold) < 0.8:
            continue  # written in another alphabet
        transcript = " ".join(word["label"] for word in words)
        item = Item(name, name, meta={"transcript": transcript})
        model = Alignment(folder=SPEECH / "audio", pronunciations=known, name="pocketsphinx")
        started = time.process_time()
        votes = model.annotate(ItemBatch.from_items([item]), schema)
        spent = time.process_time() - started
        if votes.labels[0] is None:
            lines.append(f"| {name.split('.')[0]} | {len(gold)} | 0, a fault |" + " |" * 7)
            continue
        apart = _apart(gold, votes.labels[0])
        shares = " | ".join(f"{np.mean(np.array(apart) <= limit):.2f}" for limit in NEAR)
        lines.append(
            f"| {name.split('.')[0]} | {len(gold)} | {len(apart) // 2} | {statistics.median(apart) * 1e3:.0f} ms "
            f"| {statistics.mean(apart) * 1e3:.0f} ms | {shares} | {spent:.2f} |"
        )
    head = (
        "Forced alignment (pocketsphinx) of the words marked by hand, against the phones marked by hand: how far apart "
        "starts and ends lie, over phones of one name, matched in order. Where two people speak at once (overlapped) "
        "the transcript is not found."
    )
    return "\n".join([head, "", *lines])


def speed() -> str:
    """What a vote costs beside the model's own work."""
    n_items = 20_000
    numbers = np.random.default_rng(0).normal(size=(n_items, 2))
    items = ItemBatch.from_items([Item(str(i), "", meta={"p": p, "q": q}) for i, (p, q) in enumerate(numbers.tolist())])
    schema = LabelSchema("spam", ("ham", "spam"))
    options: dict[str, Any] = {"classes": ["ham", "spam"], "takes": "numbers", "fields": ["p", "q"]}
    lines = ["| model | items | batch | CPU µs an item |", "|---|--:|--:|--:|"]
    with tempfile.TemporaryDirectory() as folder:
        file = tiny_models.classifier_of_numbers(Path(folder) / "m.onnx")
        for size in (32, 512):
            model: Any = OnnxPredictor(file, batch_size=size, **options)
            lines += [_timed("ONNX, two numbers", model, items, schema)]
    with serving(lambda _, question: (200, {"predictions": [[0.5, 0.5] for _ in question["instances"]]})) as asked:
        for size in (32, 512):
            model = HttpPredictor(asked.url, model="m", dialect="tensorflow", private=True, batch_size=size, **options)
            lines += [_timed("HTTP, server in the same process", model, items.slice(0, 4_096), schema)]
    return "\n".join(["What a vote costs with models that do nothing.", "", *lines])


def _timed(name: str, model: Any, items: ItemBatch, schema: LabelSchema) -> str:
    model.annotate(items.slice(0, 64), schema)
    started = time.process_time()
    votes = model.annotate(items, schema)
    spent = time.process_time() - started
    refuse_faults(votes)
    return f"| {name} | {len(items):,} | {model.batch_size} | {spent / len(items) * 1e6:.0f} |"


def refuse_faults(votes: VoteBatch) -> None:
    if votes.faults:
        raise SystemExit(votes.faults[0].error)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _box(row: dict[str, str]) -> dict[str, Any]:
    left, top, right, bottom = (float(row[name]) for name in ("x1", "y1", "x2", "y2"))
    return {"label": row["label"], "x": left, "y": top, "width": right - left, "height": bottom - top}


def _events(tier: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(SPEECH / "events.csv"):
        if row["tier"] == tier and row["label"].lower() not in QUIET:
            event = {"label": row["label"], "start": float(row["start"]), "end": float(row["end"])}
            found.setdefault(row["item"], []).append(event)
    return found


def _plain(phone: dict[str, Any]) -> str:
    """Its name without stress."""
    return "".join(c for c in phone["label"].upper() if c.isalpha())


def _frames(marks: Sequence[dict[str, Any]], seconds: float, step: float) -> Any:
    frames = np.zeros(round(seconds / step) + 1, dtype=bool)
    for mark in marks:
        frames[round(mark["start"] / step) : round(mark["end"] / step)] = True
    return frames


def _apart(gold: Sequence[dict[str, Any]], told: Sequence[dict[str, Any]]) -> list[float]:
    """Seconds between starts and ends of phones that are the same in both, in order (longest common subsequence)."""
    one = [_plain(phone) for phone in gold]
    other = [t["label"] for t in told]
    best = np.zeros((len(one) + 1, len(other) + 1), dtype=int)
    for i in range(len(one) - 1, -1, -1):
        for j in range(len(other) - 1, -1, -1):
            best[i, j] = best[i + 1, j + 1] + 1 if one[i] == other[j] else max(best[i + 1, j], best[i, j + 1])
    i = j = 0
    apart: list[float] = []
    while i < len(one) and j < len(other):
        if one[i] == other[j] and best[i, j] == best[i + 1, j + 1] + 1:
            apart += [abs(gold[i][edge] - told[j][edge]) for edge in ("start", "end")]
            i, j = i + 1, j + 1
        elif best[i + 1, j] >= best[i, j + 1]:
            i += 1
        else:
            j += 1
    return apart


if __name__ == "__main__":
    main()
