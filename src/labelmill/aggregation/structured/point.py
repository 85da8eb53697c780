"""Points of many annotators, made one list of objects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.aggregation.structured._drawings import Drawings, Grouped, Shape, members_of
from labelmill.aggregation.structured._noise import Spread, robust_means, spread_of
from labelmill.aggregation.structured._objects import Objects
from labelmill.domain.shapes import apart_table

__all__ = ["PointModel"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

LEAST_REACH, MOST_REACH = 0.005, 0.1
"""Shares of the diagonal between which the reach of a point is learned."""

REACH_OF_GAP = 4.0
"""The reach, in medians of the gap between a point and the nearest by somebody else."""


class PointModel(Objects):
    """Learns who overlooks, invents, mixes up and misplaces points; keeps what is likely there, where it likely lies.

    As `BoxModel`, with the nearness of two points in the place of IoU: 1 at the same place, falling evenly to 0 at a
    reach that is learned, four times the median gap between a point and the nearest one by each other annotator, as a
    share of the image's diagonal (where width and height are unknown: of the extent of the points on it).

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
        Expected soft F1 of the annotator's points against the truth.
    details_ : dict
        As `BoxModel`'s; `location_error` is the distance from the truth in reaches.
    """

    _name = "point"

    def _new_places(self) -> PointPlaces:
        return PointPlaces()


class PointPlaces:
    """Points lie at the robust weighted means of their coordinates."""

    def learn_scale(self, drawings: Drawings) -> None:
        """Learn the reach, as a share of the diagonal."""
        bounds = np.searchsorted(drawings.item, np.arange(drawings.n_items + 1)).tolist()
        gaps: list[float] = []
        for i in range(drawings.n_items):
            low, high = bounds[i], bounds[i + 1]
            shapes, who = drawings.shapes[low:high], drawings.annotator[low:high]
            apart = apart_table(shapes, shapes) / _diagonal(shapes, drawings.facts[i])
            for j in np.unique(who).tolist():
                gaps += apart[np.ix_(who != j, who == j)].min(axis=1).tolist()
        gap = float(np.median(gaps)) if gaps else 0.0
        self._reach = min(max(REACH_OF_GAP * gap, LEAST_REACH), MOST_REACH)

    def similarity(self, shapes: Sequence[Shape], facts: Mapping[str, Any]) -> Floats:
        """Nearness, 1 to 0."""
        return np.maximum(1.0 - apart_table(shapes, shapes) / (self._reach * _diagonal(shapes, facts)), 0.0)

    def learn_noise(self, drawings: Drawings, groups: Grouped, exists: Floats, error: Floats) -> None:
        """Learn the variance of everybody's coordinates."""
        self._variance = spread_of(_spread(drawings, groups, np.arange(len(groups.item)), self._reach), exists, error)

    def placed(self, drawings: Drawings, groups: Grouped, clusters: Ints) -> list[dict[str, Any]]:
        """The point of each of these clusters."""
        if not len(clusters):
            return []
        means, _ = robust_means(_spread(drawings, groups, clusters, self._reach), self._variance)
        return [{"x": x, "y": y} for x, y in means.tolist()]


def _spread(drawings: Drawings, groups: Grouped, clusters: Ints, reach: float) -> Spread:
    """The points of these clusters, which are counted anew; the size of an object is the reach."""
    rows, cluster = members_of(groups, clusters)
    shapes = [drawings.shapes[row] for row in rows.tolist()]
    numbers = np.array([[shape["x"], shape["y"]] for shape in shapes], dtype=np.float64).reshape(-1, 2)
    bounds = np.searchsorted(drawings.item, np.arange(drawings.n_items + 1)).tolist()
    diagonal = np.array(
        [
            _diagonal(drawings.shapes[low:high], facts)
            for (low, high), facts in zip(pairwise(bounds), drawings.facts, strict=True)
        ]
    )
    size = reach * diagonal[drawings.item[rows]] if len(rows) else np.empty(0)
    return Spread(cluster, drawings.annotator[rows], numbers, size, len(clusters))


def _diagonal(shapes: Sequence[Shape], facts: Mapping[str, Any]) -> float:
    width, height = facts.get("width"), facts.get("height")
    if width and height:
        return math.hypot(width, height)
    return max(math.hypot(*(max((abs(p[axis]) for p in shapes), default=0.0) for axis in ("x", "y"))), 1.0)
