"""What the peers make of the same boxes; runs in their environment, reads and writes JSON.

    python benchmarks/box_peers.py IN OUT

Boxes are `[left, top, right, bottom, score, class]`, in shares of the image for the fusion, in pixels elsewhere.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

SCORE = 0.3
"""Score from which cleanlab may take a predicted box for sure; its own 0.95 is never reached by small detectors."""


def main(source: str, target: str) -> None:
    """Answer every question of the file."""
    asked = json.loads(Path(source).read_text())
    answers = {"fusion": fused, "average_precision": average_precision, "issues": issues}
    Path(target).write_text(json.dumps([answers[one["what"]](**one["given"]) for one in asked]))


def fused(images: list[list[list[list[float]]]]) -> list[Any]:
    """Weighted boxes fusion (Solovyev 2021) of each image's lists, one an annotator; as its authors call it."""
    from ensemble_boxes import weighted_boxes_fusion

    found = []
    for lists in images:
        columns = [np.array(rows, dtype=float).reshape(-1, 6) for rows in lists]
        boxes, scores, labels = weighted_boxes_fusion(
            [c[:, :4].tolist() for c in columns],
            [c[:, 4].tolist() for c in columns],
            [c[:, 5].astype(int).tolist() for c in columns],
            iou_thr=0.55,
        )
        found.append([[*map(float, b), float(s), int(k)] for b, s, k in zip(boxes, scores, labels, strict=True)])
    return found


def average_precision(
    gold: list[list[list[float]]],
    predicted: list[list[list[float]]],
    n_classes: int,
    iou: list[float],
    points: int | None,
) -> float:
    """Pycocotools' mean average precision, without its limits on area and number.

    For all points, recall is asked for at 1/n ... n/n of each class of n gold boxes, where it can change.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def told(images: list[list[list[float]]]) -> list[dict[str, Any]]:
        rows = [(i, box) for i, boxes in enumerate(images) for box in boxes]
        return [
            {
                "id": n + 1,
                "image_id": i,
                "category_id": int(box[5]) + 1,
                "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
                "score": box[4],
                "area": (box[2] - box[0]) * (box[3] - box[1]),
                "iscrowd": 0,
            }
            for n, (i, box) in enumerate(rows)
            if box[5] >= 0
        ]

    found = []
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": i} for i in range(len(gold))],
            "categories": [{"id": k + 1} for k in range(n_classes)],
            "annotations": told(gold),
        }
        coco.createIndex()
        results = coco.loadRes(told(predicted))
        for k in range(n_classes):
            n = sum(box[5] == k for boxes in gold for box in boxes)
            if not n:
                continue
            run = COCOeval(coco, results, "bbox")
            run.params.catIds, run.params.iouThrs, run.params.maxDets = [k + 1], np.array(iou), [10**5]
            run.params.areaRng, run.params.areaRngLbl = [[0, 1e12]], ["all"]
            run.params.recThrs = np.arange(1, n + 1) / n if points is None else np.linspace(0, 1, points)
            run.evaluate()
            run.accumulate()
            found.append(run.eval["precision"][..., 0, 0, 0].mean())
    return float(np.mean(found))


def issues(
    given: list[list[list[float]]], predicted: list[list[list[float]]], n_classes: int
) -> dict[str, list[list[float]]]:
    """Cleanlab's box scores: of each predicted box (in the order given), and twice of each given box; low is bad."""
    from cleanlab.object_detection import rank

    labels = [
        {"bboxes": np.array(boxes, dtype=float).reshape(-1, 6)[:, :4], "labels": np.array([int(b[5]) for b in boxes])}
        for boxes in given
    ]
    predictions, orders = [], []
    for boxes in predicted:
        rows = [[n for n, b in enumerate(boxes) if b[5] == k] for k in range(n_classes)]
        orders.append([n for row in rows for n in row])
        table = np.empty(n_classes, dtype=object)
        for k, row in enumerate(rows):
            table[k] = np.array([boxes[n][:5] for n in row], dtype=float).reshape(-1, 5)
        predictions.append(table)
    both = {"labels": labels, "predictions": predictions}
    overlooked = rank.compute_overlooked_box_scores(**both, high_probability_threshold=SCORE)
    moved = rank.compute_badloc_box_scores(**both, low_probability_threshold=0.1)
    swapped = rank.compute_swap_box_scores(**both, high_probability_threshold=SCORE)
    in_order = []
    for scores, order in zip(overlooked, orders, strict=True):
        row = np.ones(len(order))
        row[order] = np.nan_to_num(np.asarray(scores, dtype=float), nan=1.0)
        in_order.append(row.tolist())
    return {
        "overlooked": in_order,
        "badly_located": [np.asarray(row, dtype=float).tolist() for row in moved],
        "swapped": [np.asarray(row, dtype=float).tolist() for row in swapped],
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
