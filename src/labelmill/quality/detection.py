"""How good lists of shapes are against gold: average precision, precision and recall."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.domain.shapes import iou_table
from labelmill.errors import UsageError

__all__ = ["COCO_IOU", "DetectionScores", "Hits", "detection_scores", "precision_recall"]

Floats = npt.NDArray[np.float64]
Shapes = Sequence[Mapping[str, Any]]
Similarity = Callable[[Shapes, Shapes], Floats]

COCO_IOU = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""The IoUs over which mAP50-95 is the mean."""


class DetectionScores(NamedTuple):
    """Average precision over classes and thresholds.

    Attributes
    ----------
    mean : float
        Mean average precision over the classes that gold has, and over thresholds; 0 to 1; 0.0 without gold shapes.
    by_iou : dict of float to float
        The mean over classes at each threshold: `by_iou[0.5]` is mAP50.
    by_class : dict of str to float
        The mean over thresholds of each class.
    """

    mean: float
    by_iou: dict[float, float]
    by_class: dict[str, float]


class Hits(NamedTuple):
    """How many shapes are right: `precision` = hits / predicted, `recall` = hits / gold; 1.0 where there are none."""

    hits: int
    n_predicted: int
    n_gold: int

    @property
    def precision(self) -> float:
        """Share of the predicted shapes that are gold ones."""
        return self.hits / self.n_predicted if self.n_predicted else 1.0

    @property
    def recall(self) -> float:
        """Share of the gold shapes that were predicted."""
        return self.hits / self.n_gold if self.n_gold else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        total = self.n_predicted + self.n_gold
        return 2.0 * self.hits / total if total else 1.0


def detection_scores(
    gold: Sequence[Shapes],
    predicted: Sequence[Shapes],
    *,
    scores: Sequence[Sequence[float]] | None = None,
    iou: Sequence[float] = (0.5,),
    recall_points: int | None = None,
    similarity: Similarity = iou_table,
) -> DetectionScores:
    r"""Mean average precision, as COCO's evaluation matches shapes.

    Of each class, predicted shapes are gone through by falling score, over all images; each takes the gold shape on its
    image that is most like it and not yet taken, if their IoU reaches the threshold. Precision is made monotone from
    the right and integrated over recall:

    .. math:: AP = \sum_k (R_k - R_{k-1}) \max_{k' \ge k} P_{k'}

    over all points (Everingham et al. 2015, https://doi.org/10.1007/s11263-014-0733-5), or as the mean at evenly spaced
    recalls (Lin et al. 2014, https://doi.org/10.1007/978-3-319-10602-1_48). Equal scores go in the order of the images.

    Parameters
    ----------
    gold, predicted : sequence of sequence of mapping, length n_images
        Boxes or polygons with a `label`.
    scores : sequence of sequence of float, optional
        One for each predicted shape; without it their own `score`, or 1.
    iou : sequence of float
        Thresholds; `COCO_IOU` for mAP50-95.
    recall_points : int, optional
        101 for COCO's interpolation; without it all points.
    similarity : callable
        Of two lists of shapes, in the place of IoU: for points.

    Raises
    ------
    UsageError
        If gold, predicted and scores do not belong together, or there is no threshold.

    Examples
    --------
    >>> cat = {"label": "cat", "x": 0, "y": 0, "width": 10, "height": 10}
    >>> detection_scores([[cat], [cat]], [[cat], []]).mean
    0.5
    """
    if not len(iou):
        raise UsageError("name at least one IoU threshold, for example iou=(0.5,)")
    told = _scores_of(gold, predicted, scores)
    classes = sorted({shape["label"] for shapes in gold for shape in shapes})
    tables = _tables(gold, predicted, told, similarity)
    precision = np.array(
        [[_average_precision(tables.get(name, []), threshold, recall_points) for threshold in iou] for name in classes]
    ).reshape(len(classes), len(iou))
    by_iou = precision.mean(axis=0) if classes else np.zeros(len(iou))
    return DetectionScores(
        float(by_iou.mean()),
        {float(threshold): float(mean) for threshold, mean in zip(iou, by_iou, strict=True)},
        dict(zip(classes, precision.mean(axis=1).tolist(), strict=True)),
    )


def precision_recall(
    gold: Sequence[Shapes],
    predicted: Sequence[Shapes],
    *,
    scores: Sequence[Sequence[float]] | None = None,
    least_score: float = 0.0,
    iou: float = 0.5,
    similarity: Similarity = iou_table,
) -> Hits:
    """How many shapes of at least a score are gold ones, of the right class and near enough.

    Raises
    ------
    UsageError
        If gold, predicted and scores do not belong together.

    Examples
    --------
    >>> cat = {"label": "cat", "x": 0, "y": 0, "width": 10, "height": 10}
    >>> dog = {**cat, "label": "dog"}
    >>> precision_recall([[cat]], [[cat, dog]]).precision
    0.5
    """
    told = _scores_of(gold, predicted, scores)
    kept = [
        [shape for shape, score in zip(shapes, row, strict=True) if score >= least_score]
        for shapes, row in zip(predicted, told, strict=True)
    ]
    kept_scores = [[score for score in row if score >= least_score] for row in told]
    tables = _tables(gold, kept, kept_scores, similarity)
    hits = sum(int(_taken(table, order, iou).sum()) for rows in tables.values() for table, order in map(_ordered, rows))
    return Hits(hits, sum(map(len, kept)), sum(map(len, gold)))


class _Pairs(NamedTuple):
    """Of one class on one image: similarity of predicted (rows) and gold (columns), and the scores."""

    table: Floats
    scores: Floats


def _scores_of(
    gold: Sequence[Shapes], predicted: Sequence[Shapes], scores: Sequence[Sequence[float]] | None
) -> list[list[float]]:
    if len(gold) != len(predicted):
        raise UsageError(f"{len(gold)} images of gold for {len(predicted)} of predictions: give one list for each")
    if scores is None:
        return [[float(shape.get("score", 1.0)) for shape in shapes] for shapes in predicted]
    if [len(row) for row in scores] != [len(shapes) for shapes in predicted]:
        raise UsageError("give one score for each predicted shape")
    return [[float(score) for score in row] for row in scores]


def _tables(
    gold: Sequence[Shapes], predicted: Sequence[Shapes], scores: Sequence[Sequence[float]], similarity: Similarity
) -> dict[str, list[_Pairs]]:
    """For each class the pairs on each image that has some."""
    tables: dict[str, list[_Pairs]] = {}
    for wanted, found, told in zip(gold, predicted, scores, strict=True):
        for name in sorted({shape["label"] for shape in [*wanted, *found]}):
            rows = [i for i, shape in enumerate(found) if shape["label"] == name]
            columns = [shape for shape in wanted if shape["label"] == name]
            table = similarity([found[i] for i in rows], columns)
            tables.setdefault(name, []).append(_Pairs(table, np.array([told[i] for i in rows], dtype=np.float64)))
    return tables


def _ordered(pairs: _Pairs) -> tuple[Floats, npt.NDArray[np.intp]]:
    return pairs.table, np.argsort(-pairs.scores, kind="stable")


def _taken(table: Floats, order: npt.NDArray[np.intp], threshold: float) -> npt.NDArray[np.bool_]:
    """Whether each predicted shape takes a gold one."""
    hit = np.zeros(table.shape[0], dtype=np.bool_)
    free = table.copy()
    for row in order.tolist():
        if not table.shape[1]:
            break
        # Of gold shapes that are equally like it COCO takes the last.
        best = table.shape[1] - 1 - int(free[row, ::-1].argmax())
        if free[row, best] >= threshold - 1e-10:
            hit[row] = True
            free[:, best] = -1.0
    return hit


def _average_precision(images: Sequence[_Pairs], threshold: float, recall_points: int | None) -> float:
    n_gold = sum(pairs.table.shape[1] for pairs in images)
    scores = np.concatenate([pairs.scores for pairs in images])
    if not len(scores):
        return 0.0
    # Within an image the order of matching, so that equal scores count as they were matched.
    orders = [_ordered(pairs)[1] for pairs in images]
    hits = np.concatenate([_taken(p.table, order, threshold)[order] for p, order in zip(images, orders, strict=True)])
    falling = np.concatenate([p.scores[order] for p, order in zip(images, orders, strict=True)])
    hits = hits[np.argsort(-falling, kind="stable")]
    right = np.cumsum(hits)
    precision = np.maximum.accumulate((right / np.arange(1, len(hits) + 1))[::-1])[::-1]
    if recall_points is None:
        return float(precision[hits].sum() / n_gold)
    place = np.searchsorted(right / n_gold, np.linspace(0.0, 1.0, recall_points), side="left")
    return float(np.append(precision, 0.0)[place].mean())
