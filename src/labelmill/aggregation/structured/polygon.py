"""Polygons of many annotators, made one list of objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.aggregation.structured._drawings import Drawings, Grouped, Shape, members_of
from labelmill.aggregation.structured._noise import errors_within
from labelmill.aggregation.structured._objects import Objects
from labelmill.domain.polygon_merging import voted_outline
from labelmill.domain.shapes import iou_table

__all__ = ["PolygonModel"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


class PolygonModel(Objects):
    """Learns who overlooks, invents, mixes up and misdraws polygons; keeps what is likely there, as it likely lies.

    As `BoxModel`. An object covers what more than half of the weight of its drawings covers, with the weight
    1 / error^2, where a drawing's error is the expected 1 - IoU with the truth: its annotator's, corrected by how far
    this drawing is from the others of the object, the distance of two being the sum of their errors.

    Parameters
    ----------
    max_iterations : int
        At most so many rounds of EM.
    least : float
        Objects must be likelier than this to be in the answer.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    reliability_ : ndarray of float64, shape (n_annotators,)
        Expected soft F1 of the annotator's polygons against the truth.
    details_ : dict
        As `BoxModel`'s.
    """

    _name = "polygon"

    def _new_places(self) -> PolygonPlaces:
        return PolygonPlaces()


class PolygonPlaces:
    """Polygons cover what most of their drawings cover."""

    def learn_scale(self, drawings: Drawings) -> None:
        """Nothing: IoU has no scale."""

    @staticmethod
    def similarity(shapes: Sequence[Shape], facts: Mapping[str, Any]) -> Floats:  # noqa: ARG004 - the role's signature
        """IoU."""
        return iou_table(shapes, shapes)

    def learn_noise(self, drawings: Drawings, groups: Grouped, exists: Floats, error: Floats) -> None:  # noqa: ARG002
        """The errors of pairs say it already."""
        self._error = error

    def placed(self, drawings: Drawings, groups: Grouped, clusters: Ints) -> list[dict[str, Any]]:
        """The polygon of each of these clusters."""
        rows, cluster = members_of(groups, clusters)
        bounds = np.searchsorted(cluster, np.arange(len(clusters) + 1)).tolist()
        return [self._placed(drawings, rows[low:high].tolist()) for low, high in pairwise(bounds)]

    def _placed(self, drawings: Drawings, members: list[int]) -> dict[str, Any]:
        polygons = [drawings.shapes[row] for row in members]
        error = errors_within(1.0 - iou_table(polygons, polygons), self._error[drawings.annotator[members]])
        return voted_outline(polygons, (1.0 / error**2).tolist())
