"""Boxes, polygons and points of simulated people and real detectors around gold shapes of ../shared/data/images.

    python benchmarks/structured_boxes.py [--seeds 3] [--cache FOLDER]

People miss, invent, displace and mix up at stated rates (`tests/aggregation/structured/drawn.py`; the habits are
printed). Every figure is the mean over seeds, with the least and the greatest. Peers in an environment of their own:
weighted boxes fusion (ensemble-boxes), pycocotools for mAP, cleanlab for label errors.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.aggregation.structured import drawn

from aggregation import DATA, interpreter
from labelmill import registry
from labelmill.domain.shapes import apart_table, iou_table
from labelmill.quality.box_errors import box_suspicions
from labelmill.quality.detection import COCO_IOU, detection_scores, precision_recall

PEERS = {"boxes": ["cleanlab==2.9.*", "ensemble-boxes==1.0.*", "pycocotools==2.0.*"]}
FOLDER = DATA / "images"
DETECTORS = {"nanodet": "model_nanodet_m.csv", "fastestdet": "model_fastestdet.csv"}
PANELS = {
    "five people": (0, 1, 2, 3, 4),
    "five people, two detectors": (0, 1, 2, 3, 4, "d"),
    "three careless people": (1, 3, 4),
    "three careless people, two detectors": (1, 3, 4, "d"),
}
REACH = 40.0
"""Pixels at which two points have nothing in common, for the scores."""


def main(arguments: list[str] | None = None) -> str:
    """Measure, print and return Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "labelmill-peers")
    options = parser.parse_args(arguments)
    if not FOLDER.is_dir():
        return f"No images at {FOLDER}."
    peers = interpreter("boxes", options.cache, PEERS)
    parts = []
    for part in (habits, lambda: boxes(options.seeds, peers), lambda: others(options.seeds), speed):
        parts.append(part())
        print(parts[-1], end="\n\n", flush=True)
    parts.append(errors(options.seeds, peers))
    print(parts[-1])
    return "\n\n".join(parts)


def report() -> str:
    """The tables, as Markdown."""
    return main([])


def habits() -> str:
    rows = [
        f"| {j} | {h.miss:.2f} | {h.spurious:.1f} | {h.jitter:.2f} | {h.confuse:.2f} |"
        for j, h in enumerate(drawn.PEOPLE)
    ]
    head = "| person | objects missed | false alarms an image | jitter of an edge / side | class at random |"
    return "\n".join(
        ["Simulated people; one drawing in ten has three times the jitter.", "", head, "|---|--:|--:|--:|--:|", *rows]
    )


def boxes(seeds: int, peers: str) -> str:
    """mAP50, mAP50-95 and F1 on coco128 of every merge and the best annotator."""
    sizes = drawn.read_sizes(FOLDER / "coco128")
    gold = drawn.read_boxes(FOLDER / "coco128" / "boxes.csv", sizes)
    classes = drawn.classes_of(gold)
    detected = {name: drawn.read_boxes(FOLDER / "coco128" / file, sizes) for name, file in DETECTORS.items()}
    lines = []
    drawings = [drawn.people(gold, sizes, classes, seed, drawn.draw_box, drawn.invent_box) for seed in range(seeds)]
    known = {
        id(images): _figures(list(gold.values()), list(images.values()))
        for one in (*drawings, detected)
        for images in one.values()
    }
    for panel, members in PANELS.items():
        found: dict[str, list[tuple[float, ...]]] = {}
        for people in drawings:
            answers = {f"person {j}": people[f"person {j}"] for j in members if j != "d"}
            answers |= detected if "d" in members else {}
            best = tuple(max(column) for column in zip(*(known[id(i)] for i in answers.values()), strict=True))
            for name, row in {"best annotator": best, **_merges(gold, answers, sizes, classes, peers)}.items():
                found.setdefault(name, []).append(row)
        lines += [
            f"| {panel}: {name} | " + " | ".join(map(_spread, zip(*rows, strict=True))) + " |"
            for name, rows in found.items()
        ]
    same = _same_as_pycocotools(gold, detected["nanodet"], classes, peers)
    return "\n".join(
        [
            f"**Boxes on coco128** (128 images, 929 gold boxes, {seeds} seeds)",
            "",
            "| | mAP50 | mAP50-95 | F1 at IoU 0.5 |",
            "|---|--:|--:|--:|",
            *lines,
            "",
            "Best annotator: of each seed and figure. labelmill, ranked: all candidates likelier than 0.05, by their "
            "chance, as mAP asks. Weighted boxes fusion: people's boxes have the score 1; its F1 is at the threshold "
            "that suits it best on gold.",
            "",
            f"mAP differs from pycocotools by at most {same:.0e} (mAP50 and mAP50-95, all points and 101 points).",
        ]
    )


def _merges(gold: Any, answers: Mapping[str, Any], sizes: Any, classes: Sequence[str], peers: str) -> dict[str, Any]:
    truth = list(gold.values())
    kind = registry.find("label_kind", "box")(classes=classes)
    table = drawn.table(kind, answers, sizes, classes)
    plain = [kind.merge([table.values[p] for p in rows], [1.0] * len(rows)) for rows in table.by_item]
    found: dict[str, Any] = {"majority of clusters": _figures(truth, plain)}
    fusion = _fused(answers, sizes, sorted({*classes, *drawn.classes_of(*answers.values())}), peers)
    best = max(precision_recall(truth, fusion, least_score=s / 8).f1 for s in range(8))
    found["weighted boxes fusion"] = (*_figures(truth, fusion)[:2], best)
    model = registry.find("structured_model", "box")().fit(table)
    merged = model.predict(table)
    found["labelmill"] = _figures(truth, [m.value for m in merged], [m.parts for m in merged])
    model.least = 0.05
    ranked = model.predict(table)
    ranks = _figures(truth, [m.value for m in ranked], [m.parts for m in ranked])
    found["labelmill, ranked"] = (*ranks[:2], found["labelmill"][2])
    return found


def _figures(truth: Any, found: Any, scores: Any = None) -> tuple[float, float, float]:
    precision = detection_scores(truth, found, scores=scores, iou=COCO_IOU)
    return precision.by_iou[0.5], precision.mean, precision_recall(truth, found).f1


def others(seeds: int) -> str:
    """Polygons and points: distance to gold and F1."""
    polygons = drawn.read_polygons(FOLDER / "coco128" / "polygons.jsonl")
    sizes = {item: size for item, size in drawn.read_sizes(FOLDER / "coco128").items() if item in polygons}
    polygons = {item: polygons[item] for item in sizes}
    n = sum(map(len, polygons.values()))
    lines = [
        f"**Polygons and points** ({len(sizes)} images of coco128, {n} polygons and their centres, {seeds} seeds)",
        "",
        "| | distance to gold | F1 | location error of what is found |",
        "|---|--:|--:|--:|",
    ]
    for name, gold, draw, invent in (
        ("polygon", polygons, drawn.draw_polygon, drawn.invent_polygon),
        ("point", drawn.centres(polygons), drawn.draw_point, drawn.invent_point),
    ):
        found: dict[str, list[tuple[float, ...]]] = {}
        for seed in range(seeds):
            for who, row in _other_merges(name, gold, sizes, draw, invent, seed).items():
                found.setdefault(who, []).append(row)
        lines += [
            f"| {name}: {who} | " + " | ".join(map(_spread, zip(*rows, strict=True))) + " |"
            for who, rows in found.items()
        ]
    return "\n".join(
        [*lines, "", "Distance: the kind's own, 1 - soft F1. Found: F1 at IoU 0.5, for points within 20 pixels."]
    )


def _other_merges(name: str, gold: Any, sizes: Any, draw: Any, invent: Any, seed: int) -> dict[str, tuple[float, ...]]:
    classes = drawn.classes_of(gold)
    options = {"reach": REACH} if name == "point" else {}
    kind = registry.find("label_kind", name)(classes=classes, **options)
    answers = drawn.people(gold, sizes, classes, seed, draw, invent)
    table = drawn.table(kind, answers, sizes, classes)
    truth = list(gold.values())

    def alike(a: Any, b: Any) -> Any:
        return np.maximum(1.0 - apart_table(a, b) / REACH, 0.0) if name == "point" else iou_table(a, b)

    def figures(found: Any) -> tuple[float, ...]:
        far = statistics.mean(kind.distance(a, b) for a, b in zip(truth, found, strict=True))
        near = [alike(a, b).max(axis=1) for a, b in zip(truth, found, strict=True) if len(b)]
        every = np.concatenate(near)
        return far, precision_recall(truth, found, similarity=alike).f1, float(1.0 - every[every >= 0.5].mean())

    each = [figures(list(images.values())) for images in answers.values()]
    best = (min(row[0] for row in each), max(row[1] for row in each), min(row[2] for row in each))
    plain = [kind.merge([table.values[p] for p in rows], [1.0] * len(rows)) for rows in table.by_item]
    models = {"labelmill by_distance": "by_distance", f"labelmill {name}": name}
    fitted = {who: registry.find("structured_model", model)().fit(table) for who, model in models.items()}
    return {
        "best person": best,
        "majority": figures(plain),
        **{who: figures([m.value for m in model.predict(table)]) for who, model in fitted.items()},
    }


def errors(seeds: int, peers: str) -> str:
    """AUROC of planted errors, with one detector and with both, beside cleanlab's scores with one."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for name in ("coco128", "bccd"):
        for seed in range(seeds):
            for key, value in _planted(name, seed, peers).items():
                found.setdefault((name, *key), []).append(value)
    whats, whos = ("overlooked", "badly_located", "swapped"), ("cleanlab", "labelmill", "labelmill, two detectors")
    lines = [
        f"| {name}: {what.replace('_', ' ')} | " + " | ".join(_spread(found[name, what, who]) for who in whos) + " |"
        for name in ("coco128", "bccd")
        for what in whats
    ]
    return "\n".join(
        [
            "**Label errors in boxes, AUROC** (a tenth left out, a tenth moved to IoU 0.1-0.6, a tenth renamed; "
            f"{seeds} seeds)",
            "",
            "| | cleanlab | labelmill | labelmill, two detectors |",
            "|---|--:|--:|--:|",
            *lines,
            "",
            "Overlooked: over all predicted boxes; the others: over all given ones. Detectors on coco128: nanodet, and "
            "fastestdet as the second; on bccd simulated (15 % missed, 1.5 false alarms an image, jitter 0.07, 10 % of "
            "classes at random; scores Beta(5, 2) for right places, Beta(2, 4) for others). cleanlab's thresholds are "
            "lowered to 0.3 and 0.1, because with its own (0.95, 0.5) it says nearly nothing of such detectors.",
        ]
    )


def _planted(name: str, seed: int, peers: str) -> dict[tuple[str, str], float]:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(1000 + seed)
    sizes = dict(list(drawn.read_sizes(FOLDER / name).items())[:128])
    gold = drawn.read_boxes(FOLDER / name / "boxes.csv", sizes)
    seen = _detectors(name, gold, sizes, rng)
    classes = drawn.classes_of(gold, *seen)
    given, wrong, dropped = _spoilt(gold, sizes, classes, rng)
    first, second = (list(images.values()) for images in seen)
    hit = [
        bool(any(box["label"] == lost["label"] and iou_table([box], [lost])[0, 0] >= 0.5 for lost in gone))
        for row, gone in zip(first, dropped, strict=True)
        for box in row
    ]
    truth = {
        "overlooked": hit,
        **{what: [w == what for row in wrong for w in row] for what in ("badly_located", "swapped")},
    }
    asked = {"given": _told(given, classes), "predicted": _told(first, classes), "n_classes": len(classes)}
    peer = _ask(peers, [{"what": "issues", "given": asked}])[0]
    found = {}
    for who, scores in (
        ("labelmill", box_suspicions(given, first)),
        ("labelmill, two detectors", box_suspicions(given, first, second)),
    ):
        for what, wanted in truth.items():
            rows = getattr(scores, what)
            if what == "overlooked":
                rows = [row[: len(boxes)] for row, boxes in zip(rows, first, strict=True)]
            found[what, who] = roc_auc_score(wanted, np.concatenate(rows))
    for what, wanted in truth.items():
        found[what, "cleanlab"] = roc_auc_score(wanted, [-score for row in peer[what] for score in row])
    return found


def _detectors(name: str, gold: Any, sizes: Any, rng: np.random.Generator) -> list[Any]:
    if name == "coco128":
        return [drawn.read_boxes(FOLDER / name / file, sizes) for file in DETECTORS.values()]
    made = []
    for _ in range(2):
        habit = drawn.Habit(0.15, 1.5, 0.07, 0.1)
        images = drawn.person(
            gold, sizes, drawn.classes_of(gold), habit, int(rng.integers(2**31)), drawn.draw_box, drawn.invent_box
        )
        for item, row in images.items():
            right = iou_table(row, gold[item]).max(axis=1, initial=0.0) > 0.5
            images[item] = [
                {**box, "score": float(rng.beta(5, 2) if r else rng.beta(2, 4))}
                for box, r in zip(row, right, strict=True)
            ]
        made.append(images)
    return made


def _spoilt(gold: Any, sizes: Any, classes: Sequence[str], rng: np.random.Generator) -> tuple[list[Any], ...]:
    given, wrong, dropped = [], [], []
    for item, row in gold.items():
        kept, what, gone = [], [], []
        for box in row:
            drawn_lot = rng.random()
            if drawn_lot < 0.1:
                gone.append(box)
                continue
            moved = _moved(box, sizes[item], rng) if drawn_lot < 0.2 else None
            if moved is not None:
                box = moved
            elif 0.2 <= drawn_lot < 0.3:
                box = {**box, "label": str(rng.choice([name for name in classes if name != box["label"]]))}
            kept.append(box)
            what.append("badly_located" if moved else "swapped" if 0.2 <= drawn_lot < 0.3 else "")
        given.append(kept)
        wrong.append(what)
        dropped.append(gone)
    return given, wrong, dropped


def _moved(box: Any, size: Any, rng: np.random.Generator) -> Any:
    tries = (drawn.draw_box(box, 0.4, rng, size) for _ in range(50))
    return next((moved for moved in tries if moved and 0.1 < iou_table([moved], [box])[0, 0] < 0.6), None)


def speed() -> str:
    """CPU seconds on made-up images."""
    rng = np.random.default_rng(0)
    sizes = {f"{i}": (640.0, 480.0) for i in range(2000)}
    classes = list("abcde")
    gold = {
        item: [{**drawn.invent_box(rng, size), "label": classes[rng.integers(5)]} for _ in range(6)]
        for item, size in sizes.items()
    }
    habits = [drawn.PEOPLE[j % 5] for j in range(12)]
    answers = drawn.people(gold, sizes, classes, 0, drawn.draw_box, drawn.invent_box, habits)
    table = drawn.table(registry.find("label_kind", "box")(classes=classes), answers, sizes, classes)
    started = time.process_time()
    registry.find("structured_model", "box")().fit(table).predict(table)
    seconds = time.process_time() - started
    n = sum(map(len, table.values))
    return f"**Speed.** {len(sizes):,} images by 12 people, {n:,} boxes: fit and predict in {seconds:.1f} CPU s."


def _same_as_pycocotools(gold: Any, found: Any, classes: Sequence[str], peers: str) -> float:
    truth, predicted = list(gold.values()), list(found.values())
    told = {"gold": _told(truth, classes), "predicted": _told(predicted, classes), "n_classes": len(classes)}
    settings: list[tuple[tuple[float, ...], int | None]] = [
        (iou, points) for iou in ((0.5,), COCO_IOU) for points in (None, 101)
    ]
    asked = [{"what": "average_precision", "given": {**told, "iou": iou, "points": p}} for iou, p in settings]
    ours = [detection_scores(truth, predicted, iou=iou, recall_points=points).mean for iou, points in settings]
    return max(abs(a - b) for a, b in zip(ours, _ask(peers, asked), strict=True))


def _fused(answers: Mapping[str, Any], sizes: Any, classes: Sequence[str], peers: str) -> list[Any]:
    images = [_told([images[item] for images in answers.values()], classes, size) for item, size in sizes.items()]
    found = _ask(peers, [{"what": "fusion", "given": {"images": images}}])[0]
    keys = ("x", "y", "width", "height")
    return [
        [
            {
                **dict(zip(keys, (x * w, y * h, (right - x) * w, (bottom - y) * h), strict=True)),
                "label": classes[k],
                "score": s,
            }
            for x, y, right, bottom, s, k in rows
        ]
        for rows, (w, h) in zip(found, sizes.values(), strict=True)
    ]


def _told(images: Sequence[Any], classes: Sequence[str], size: tuple[float, float] = (1.0, 1.0)) -> list[Any]:
    """Rows for the peers; the class is -1 where it has no number."""
    place = {name: k for k, name in enumerate(classes)}
    (w, h) = size
    return [
        [
            [
                b["x"] / w,
                b["y"] / h,
                (b["x"] + b["width"]) / w,
                (b["y"] + b["height"]) / h,
                b.get("score", 1.0),
                place.get(b["label"], -1),
            ]
            for b in row
        ]
        for row in images
    ]


def _ask(python: str, asked: list[dict[str, Any]]) -> list[Any]:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.json"), Path(folder, "out.json")
        source.write_text(json.dumps(asked))
        peers = Path(__file__).with_name("box_peers.py")
        subprocess.run([python, "-W", "ignore", peers, source, target], check=True)
        return list(json.loads(target.read_text()))


def _spread(values: Sequence[float]) -> str:
    """Mean, least and greatest."""
    return f"{statistics.mean(values):.3f} ({min(values):.3f}–{max(values):.3f})"


if __name__ == "__main__":
    main()
