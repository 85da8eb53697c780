"""From the numbers of a detector to boxes: the layouts that are in use, and one box for each object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.annotators._scores import softmax
from labelmill.domain.shapes import box_table
from labelmill.errors import SchemaError

__all__ = ["LAYOUTS", "Detections", "kept"]

Floats = npt.NDArray[np.float64]

CANDIDATES: Final = 5_000
"""The surest boxes of a picture that are compared with each other."""


class Detections(NamedTuple):
    """Boxes of one picture, in pixels of what the model saw.

    Parameters
    ----------
    corners : ndarray of float64, shape (n_boxes, 4)
        Left, top, right, bottom.
    scores : ndarray of float64, shape (n_boxes,)
    classes : ndarray of intp, shape (n_boxes,)
        By the model's own number.
    """

    corners: Floats
    scores: Floats
    classes: npt.NDArray[np.intp]


def grid(outputs: Sequence[Floats], size: tuple[int, int], n_classes: int) -> Detections:
    """One box for each cell of a grid, as FastestDet gives them: shape (5 + n_classes, rows, columns).

    Channels: whether there is an object, o; where its middle lies in its cell, by tanh; how wide and high it is as a
    share of the picture, by the logistic function; the classes' probabilities. The score is o^0.6 c^0.4.
    https://github.com/dog-qiuqiu/FastestDet (its `handle_preds`).
    """
    cells = outputs[0]
    if cells.ndim != 3 or cells.shape[0] != 5 + n_classes:
        raise SchemaError(
            f"a grid for {n_classes} classes has shape ({5 + n_classes}, rows, columns), found {cells.shape}"
        )
    _, n_rows, n_columns = cells.shape
    rows, columns = np.mgrid[0:n_rows, 0:n_columns]
    middle_x = (columns + np.tanh(cells[1])) / n_columns * size[0]
    middle_y = (rows + np.tanh(cells[2])) / n_rows * size[1]
    width, height = _logistic(cells[3]) * size[0], _logistic(cells[4]) * size[1]
    best = cells[5:].argmax(axis=0)
    sure = np.clip(cells[5:].max(axis=0), 0, 1)
    scores = np.clip(cells[0], 0, 1) ** 0.6 * sure**0.4
    middles = np.stack([middle_x, middle_y, width, height], axis=-1).reshape(-1, 4)
    return Detections(_corners(middles), scores.ravel(), best.ravel())


def rows(outputs: Sequence[Floats], _size: tuple[int, int], n_classes: int) -> Detections:
    """One row for each box, as the YOLO family gives them, either way round.

    Middle and size in pixels of the input, then the classes' probabilities (YOLOv8 and later, shape
    (4 + n_classes, n_boxes)), or first whether there is an object at all (YOLOv5 and v7, shape
    (n_boxes, 5 + n_classes)).
    """
    table = outputs[0]
    if table.ndim != 2 or not {4 + n_classes, 5 + n_classes} & set(table.shape):
        raise SchemaError(
            f"rows for {n_classes} classes have {4 + n_classes} or {5 + n_classes} numbers, found shape {table.shape}"
        )
    if table.shape[1] not in {4 + n_classes, 5 + n_classes}:
        table = table.T
    has_object = table.shape[1] == 5 + n_classes
    sure = table[:, 5:] * table[:, 4:5] if has_object else table[:, 4:]
    return Detections(_corners(table[:, :4]), np.clip(sure.max(axis=1, initial=0), 0, 1), sure.argmax(axis=1))


def corners(outputs: Sequence[Floats], _size: tuple[int, int], n_classes: int) -> Detections:
    """Boxes, classes and scores apart, as torchvision's detectors give them: boxes (n, 4), labels (n,), scores (n,).

    Left, top, right, bottom in pixels of the input. What is what is told by shape and by whole numbers; a table
    (n, n_classes) in place of labels and scores is taken as probabilities, with logits made such.
    """
    boxes = [one for one in outputs if one.ndim == 2 and one.shape[1] == 4]
    tables = [
        one for one in outputs if one.ndim == 2 and one.shape[1] == n_classes and not any(one is b for b in boxes)
    ]
    lists = [one for one in outputs if one.ndim == 1]
    if boxes and tables:
        table = tables[0] if tables[0].min(initial=0) >= 0 and tables[0].max(initial=0) <= 1 else softmax(tables[0])
        return Detections(boxes[0], table.max(axis=1, initial=0), table.argmax(axis=1))
    whole = [one for one in lists if np.equal(one, np.round(one)).all()]
    parts = [one for one in lists if 0 <= one.min(initial=0) and one.max(initial=0) <= 1]
    scores = next((one for one in parts if not any(one is w for w in whole)), None)
    if scores is None and len(parts) and not len(parts[0]):
        scores = parts[0]
    if not boxes or not whole or scores is None:
        found = ", ".join(str(one.shape) for one in outputs)
        raise SchemaError(f"corners need boxes (n, 4), labels (n,) and scores (n,), found {found}")
    return Detections(boxes[0], scores, whole[0].astype(np.intp))


Layout = Callable[[Sequence[Floats], tuple[int, int], int], Detections]
LAYOUTS: Final[Mapping[str, Layout]] = {"grid": grid, "rows": rows, "corners": corners}
"""Name in a project file -> how the outputs of one picture are read."""


def kept(found: Detections, *, least: float, overlap: float, most: int) -> Detections:
    """The boxes that count: sure enough, and of those of one class that overlap more than allowed, the surest.

    Greedy non-maximum suppression by class, at equal scores in the order they came. Deterministic.

    Parameters
    ----------
    found : Detections
    least : float
        Boxes with a lower score are left out.
    overlap : float
        Intersection over union.
    most : int
        Boxes of a picture.
    """
    usable = np.isfinite(found.corners).all(axis=1) & np.isfinite(found.scores)
    candidates = np.flatnonzero(usable & (found.scores >= least))
    order = candidates[np.argsort(-found.scores[candidates], kind="stable")][:CANDIDATES]
    chosen: list[Any] = []
    for number in dict.fromkeys(found.classes[order].tolist()):
        left = order[found.classes[order] == number]
        while len(left):
            chosen.append(left[0])
            shares = box_table(found.corners[left[:1]], found.corners[left[1:]])[0]
            left = left[1:][shares <= overlap]
    chosen.sort(key=lambda place: (-found.scores[place], place))
    index = np.array(chosen[:most], dtype=np.intp)
    return Detections(found.corners[index], found.scores[index], found.classes[index])


def _corners(middles: Floats) -> Floats:
    half = middles[:, 2:] / 2
    return np.concatenate([middles[:, :2] - half, middles[:, :2] + half], axis=1)


def _logistic(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -700, 700))))
