"""Which boxes of a labelled image are likely wrong: overlooked, badly located, or of another class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.domain.shapes import iou_table
from labelmill.errors import UsageError

__all__ = ["BoxSuspicions", "box_suspicions"]

Floats = npt.NDArray[np.float64]
Shapes = Sequence[Mapping[str, Any]]

SAME_PLACE = 0.5
"""IoU from which two boxes are around the same object."""

NEAR = 0.1
"""IoU from which a predicted box may be where a badly located one belongs."""


class BoxSuspicions(NamedTuple):
    """How suspicious boxes are, 0 to 1; one array an image.

    Attributes
    ----------
    overlooked : list of ndarray
        Of each predicted box, of the first detector and then the others: that it is an object nobody labelled.
    badly_located : list of ndarray
        Of each given box: that it belongs elsewhere.
    swapped : list of ndarray
        Of each given box: that it is of another class.
    """

    overlooked: list[Floats]
    badly_located: list[Floats]
    swapped: list[Floats]


def box_suspicions(given: Sequence[Shapes], *detectors: Sequence[Shapes]) -> BoxSuspicions:
    r"""Hold given boxes against what detectors see, which should not have been trained on them.

    With s a detection's score, g a given box, p a predicted one:

    - overlooked, p: :math:`\bar s_p \, (1 - \max_g IoU(p, g))`, where :math:`\bar s_p` is the mean over detectors of
      their best score x IoU with p, in p's class;
    - badly located, g: :math:`(1 + m_{away} - m_{here}) / 2` with the best :math:`\sqrt s` x IoU of boxes of g's class
      with g, and the best :math:`\sqrt s` x (1 - IoU) of those that are nearer to g than to any other given box,
      averaged over detectors; 0.5 where nothing is seen.
    - swapped, g: :math:`(1 + m_{other} - m_{own}) / 2` with the best :math:`\sqrt s` x IoU of boxes with g, of other
      classes and of g's own, averaged over detectors; 0.5 where nothing is seen.

    The three kinds of error are those of Tkachenko, Thyagarajan and Mueller (2023, ObjectLab,
    https://arxiv.org/abs/2309.00832); the scores are our own.

    Parameters
    ----------
    given : sequence of sequence of mapping, length n_images
        Boxes or polygons with a `label`.
    *detectors : sequence of sequence of mapping, length n_images
        What each detector sees, with a `score`.

    Raises
    ------
    UsageError
        If there is no detector, lists differ in length, or a predicted box has no score.

    Examples
    --------
    >>> cat = {"label": "cat", "x": 0, "y": 0, "width": 10, "height": 10}
    >>> seen = [[{**cat, "label": "dog", "score": 0.9}]]
    >>> box_suspicions([[cat]], seen).swapped[0].round(2).tolist()
    [0.97]
    """
    if not detectors:
        raise UsageError("give the boxes of one detector at least")
    for seen in detectors:
        _check(given, seen)
    images = [_Image(boxes, [seen[i] for seen in detectors]) for i, boxes in enumerate(given)]
    return BoxSuspicions(
        [image.overlooked() for image in images],
        [image.badly_located() for image in images],
        [image.swapped() for image in images],
    )


class _Image:
    """One image: given boxes, and what each detector sees."""

    def __init__(self, given: Shapes, seen: list[Shapes]) -> None:
        boxes = [box for row in seen for box in row]
        self.n_detectors = len(seen)
        self.detector = np.repeat(np.arange(len(seen)), [len(row) for row in seen])
        self.score = np.array([box["score"] for box in boxes], dtype=np.float64)
        self.alike = iou_table(boxes, given)
        self.among = iou_table(boxes, boxes)
        label = np.array([box["label"] for box in boxes], dtype=object)
        own = np.array([box["label"] for box in given], dtype=object)
        self.same_class = np.array(label[:, None] == own[None, :], dtype=np.bool_).reshape(self.alike.shape)
        self.same_among = np.array(label[:, None] == label[None, :], dtype=np.bool_).reshape(self.among.shape)

    def overlooked(self) -> Floats:
        """Scores of predicted boxes that no given box explains."""
        near = np.where(self.same_among & (self.among >= SAME_PLACE), self.among, 0.0) * self.score[:, None]
        return np.asarray(self._best(near) * (1.0 - self.alike.max(axis=1, initial=0.0)))

    def badly_located(self) -> Floats:
        """How much more is seen beside each given box, but nearest to it, than where it is."""
        alike = np.where(self.same_class, self.alike, 0.0)
        nearest = (alike >= NEAR) & (alike == alike.max(axis=1, keepdims=True, initial=0.0))
        sure = np.sqrt(self.score)[:, None]
        away, here = self._best(nearest * (1.0 - alike) * sure), self._best(alike * sure)
        return np.asarray((1.0 + away - here) / 2.0)

    def swapped(self) -> Floats:
        """How much more is seen of other classes than of its own at the place of each given box."""
        here = self.alike * np.sqrt(self.score)[:, None]
        other, own = self._best(here * ~self.same_class), self._best(here * self.same_class)
        return np.asarray((1.0 + other - own) / 2.0)

    def _best(self, table: Floats) -> Floats:
        """The greatest value of each column for each detector, averaged over them."""
        best = [table[self.detector == d].max(axis=0, initial=0.0) for d in range(self.n_detectors)]
        return np.asarray(np.mean(best, axis=0))


def _check(given: Sequence[Shapes], seen: Sequence[Shapes]) -> None:
    if len(given) != len(seen):
        raise UsageError(f"{len(given)} images with given boxes, {len(seen)} of a detector: give one list for each")
    if any(box.get("score") is None for row in seen for box in row):
        raise UsageError("every predicted box needs a score from 0 to 1")
