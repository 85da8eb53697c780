"""Where one shape lies that stands for many drawings of the same object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.shapes import edges

__all__ = ["aligned_boxes", "as_box", "heaviest", "weighted_box", "weighted_point"]

Floats = npt.NDArray[np.float64]

LEAST_SIDE = 1e-3
"""Pixels; a box is no thinner."""


def aligned_boxes(boxes: Sequence[Mapping[str, Any]]) -> Floats:
    """Left, top, right, bottom before rotation, and rotation, of boxes that are to be averaged; shape (n_boxes, 5).

    A box of 2 x 4 pixels turned by 90 degrees is one of 4 x 2 pixels: each is told in the way that is turned least
    against the first, so that the numbers of nearly equal boxes are nearly equal.
    """
    reference = boxes[0].get("rotation", 0.0)
    found = np.empty((len(boxes), 5))
    for row, box in zip(found, boxes, strict=True):
        turned = (box.get("rotation", 0.0) - reference + 45.0) % 180.0
        quarter, rest = divmod(turned, 90.0)
        row[:4] = _on_its_side(edges(box)) if quarter else edges(box)
        row[4] = reference + rest - 45.0
    if not any(box.get("rotation") for box in boxes):
        found[:, 4] = 0.0
    return found


def as_box(numbers: npt.ArrayLike) -> dict[str, float]:
    """The box of left, top, right, bottom and rotation."""
    left, top, right, bottom, rotation = np.asarray(numbers, dtype=np.float64).tolist()
    box = {
        "x": left + 0.0,
        "y": top + 0.0,
        "width": max(right - left, LEAST_SIDE),
        "height": max(bottom - top, LEAST_SIDE),
    }
    turned = rotation % 180.0
    return {**box, "rotation": turned} if turned else box


def weighted_box(boxes: Sequence[Mapping[str, Any]], weights: Sequence[float]) -> dict[str, float]:
    """The weighted mean of the edges, and of the rotation where there is any."""
    return as_box(np.average(aligned_boxes(boxes), axis=0, weights=np.asarray(weights, dtype=np.float64)))


def weighted_point(points: Sequence[Mapping[str, Any]], weights: Sequence[float]) -> dict[str, float]:
    """The weighted mean."""
    x, y = np.average([[p["x"], p["y"]] for p in points], axis=0, weights=weights).tolist()
    return {"x": x, "y": y}


def heaviest(labels: Sequence[str], weights: Sequence[float], order: Sequence[str] = ()) -> str:
    """The label of most weight; ties go to the first in `order`, then by code point."""
    total: dict[str, float] = {}
    for label, weight in zip(labels, weights, strict=True):
        total[label] = total.get(label, 0.0) + weight
    place = {label: i for i, label in enumerate(order)}
    return min(total, key=lambda label: (-round(total[label], 12), place.get(label, len(place)), label))


def _on_its_side(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    x, y, half_width, half_height = (left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2
    return x - half_height, y - half_width, x + half_height, y + half_width
