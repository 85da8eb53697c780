"""Boxes of many annotators and detectors, made one list of objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.aggregation.structured._drawings import Drawings, Grouped, Shape, members_of
from labelmill.aggregation.structured._noise import Spread, robust_means, spread_of
from labelmill.aggregation.structured._objects import Objects
from labelmill.domain.shape_merging import LEAST_SIDE, aligned_boxes, as_box
from labelmill.domain.shapes import edges, iou_table

__all__ = ["BoxModel"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

DEGREES_OF_A_SIZE = 90.0
"""Degrees of rotation that count like an edge off by the whole size of the box."""


class BoxModel(Objects):
    r"""Learns who overlooks, invents, mixes up and misplaces boxes; keeps what is likely there, where it likely lies.

    Boxes of different annotators are drawings of the same object when their IoU is large, at most one of each answer
    (average linkage). Each cluster c of drawings with labels :math:`l_j` is an object of class k, or a false alarm that
    one annotator began and others may have followed; those who were asked and drew nothing count too:

    .. math::
        \text{object:}\quad & \mu \, \pi_k \prod_{j \in c} r_{jk} \, \theta_{jk l_j} \, g_j(s_j)
            \prod_{j \notin c} (1 - r_{jk}) \\
        \text{false alarm:}\quad & \pi_k \Big( \sum_{j \in c} \frac{\lambda_j}{f_j} \Big)
            \prod_{j \in c} f_j \, \theta_{jk l_j} \prod_{j \notin c} (1 - f_j)

    with the objects :math:`\mu` and own false alarms :math:`\lambda_j` of an image, the shares :math:`r_{jk}` of
    objects found, :math:`f_j` of false alarms followed, :math:`\theta` of labels given to a class, and :math:`g_j`,
    how much likelier a detector's score is for an object than for a false alarm, by a sigmoid fitted to what is
    believed of its boxes. All are learned by EM, with each annotator's shrunk to the crowd's. People's misses and the
    number of objects are learned from what people drew, so that objects that only detectors see, rightly or not, do
    not make people blind. Misses, false alarms and noise
    for each worker are the model of Branson, Van Horn and Perona (2017,
    https://resolver.caltech.edu/CaltechAUTHORS:20180111-152555984); followed false alarms, confusions, classes' own
    shares, what nobody drew and calibrated scores are added.

    An object lies at the mean of its drawings, weighted by 1 / variance of each annotator's edges relative to the size,
    robustly (errors follow Student's t with 4 degrees of freedom). Answers that all share, and sole ones, stay as they
    are. In a merged answer boxes carry no scores: `parts` says how likely each is there and of its class. Attributes
    move nothing; those who drew an object vote on its own, each by its reliability
    (`labelmill.domain.attribute_merging`).

    Parameters
    ----------
    max_iterations : int
        At most so many rounds of EM.
    least : float
        Objects must be likelier than this to be in the answer. Lower it to rank candidates, as for mAP.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    reliability_ : ndarray of float64, shape (n_annotators,)
        Expected soft F1 of the annotator's boxes against the truth: found, of the right class, and how well placed.
    details_ : dict
        `model`, `iterations`, `converged`, `objects_per_item`, `candidates`, and for each annotator `found`,
        `false_alarms_per_item`, `right_class`, `location_error` (1 - IoU with the truth).
    """

    _name = "box"

    def _new_places(self) -> BoxPlaces:
        return BoxPlaces()


class BoxPlaces:
    """Boxes lie at the robust weighted means of their edges."""

    def learn_scale(self, drawings: Drawings) -> None:
        """Nothing: IoU has no scale."""

    @staticmethod
    def similarity(shapes: Sequence[Shape], facts: Mapping[str, Any]) -> Floats:  # noqa: ARG004 - the role's signature
        """IoU."""
        return iou_table(shapes, shapes)

    def learn_noise(self, drawings: Drawings, groups: Grouped, exists: Floats, error: Floats) -> None:
        """Learn the variance of everybody's edges relative to the size of the box."""
        spread = _spread(drawings, groups, np.arange(len(groups.item)))
        self._variance = spread_of(spread._replace(numbers=spread.numbers[:, :4]), exists, error)

    def placed(self, drawings: Drawings, groups: Grouped, clusters: Ints) -> list[dict[str, Any]]:
        """The box of each of these clusters."""
        if not len(clusters):
            return []
        spread = _spread(drawings, groups, clusters)
        means, _ = robust_means(spread, self._variance)
        first = np.searchsorted(spread.cluster, np.arange(len(clusters)))
        means[:, 4] *= DEGREES_OF_A_SIZE / spread.size[first]
        return [as_box(row) for row in means]


def _spread(drawings: Drawings, groups: Grouped, clusters: Ints) -> Spread:
    """Edges and rotations of the boxes of these clusters, which are counted anew; degrees as shares of the size."""
    rows, cluster = members_of(groups, clusters)
    numbers = _numbers([drawings.shapes[row] for row in rows.tolist()], cluster, len(clusters))
    own = np.sqrt(np.prod(np.maximum(numbers[:, 2:4] - numbers[:, :2], LEAST_SIDE), axis=1))
    count = np.maximum(np.bincount(cluster, minlength=len(clusters)), 1)
    size = (np.bincount(cluster, weights=own, minlength=len(clusters)) / count)[cluster]
    numbers[:, 4] *= size / DEGREES_OF_A_SIZE
    return Spread(cluster, drawings.annotator[rows], numbers, size, len(clusters))


def _numbers(boxes: Sequence[Shape], cluster: Ints, n_clusters: int) -> Floats:
    """Edges and rotation; those of one cluster told in the same way."""
    if not any(box.get("rotation") for box in boxes):
        numbers = np.zeros((len(boxes), 5))
        numbers[:, :4] = np.array([edges(box) for box in boxes]).reshape(len(boxes), 4)
        return numbers
    bounds = np.searchsorted(cluster, np.arange(n_clusters + 1)).tolist()
    return np.concatenate([aligned_boxes(boxes[low:high]) for low, high in pairwise(bounds)])
