"""One polygon that stands for many drawings of the same object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.contours import rings_above_zero, simplified
from labelmill.domain.shapes import area, crossing, iou_table

__all__ = ["medoid", "voted_outline"]

Floats = npt.NDArray[np.float64]

CELLS = 64
"""Cells of the grid along the longer side of what is merged."""

KEPT = 0.1
"""Share of a cell within which points of the merged outline may be left out."""

NOTHING = 1e-6
"""Share of a cell that counts as no depth."""


def medoid(polygons: Sequence[Mapping[str, Any]], weights: Sequence[float]) -> int:
    """Index of the polygon with the greatest weighted IoU with the others; the first of equals."""
    nearness = iou_table(polygons, polygons) @ np.asarray(weights, dtype=np.float64)
    return int(np.round(nearness, 9).argmax())


def voted_outline(polygons: Sequence[Mapping[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
    """The outline of what more than half of the weight has inside; the largest ring of it.

    Each polygon is taken as the signed distance from its outline, on a grid of `CELLS` along the longer side; where the
    weighted median is above zero, the majority is inside, and between the grid's points the line is where it is zero.
    Distances instead of votes (as in shape-based averaging, Rohlfing and Maurer 2007,
    https://doi.org/10.1109/TIP.2006.884936) make the line smooth; medians instead of means keep a careless outline from
    moving it. Where there is no such area, the answer is the medoid.

    Parameters
    ----------
    weights : sequence of float
        One for each polygon, not all 0.
    """
    outlines = [np.asarray(polygon["points"], dtype=np.float64) for polygon in polygons]
    low = np.min([ring.min(axis=0) for ring in outlines], axis=0)
    high = np.max([ring.max(axis=0) for ring in outlines], axis=0)
    cell = float((high - low).max()) / CELLS
    columns, rows = (int(np.ceil(side / cell)) + 3 for side in (high - low).tolist())
    origin = low - cell
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1) * cell + origin
    depth = np.stack([_depth(ring, grid.reshape(-1, 2)) for ring in outlines])
    share = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    found = rings_above_zero(_bordered(_weighted_median(depth, share).reshape(rows, columns), cell * NOTHING))
    if found:
        ring = max(found, key=area)
        for candidate in (simplified(ring, KEPT), ring):
            points = np.clip(candidate * cell + origin, low, high)
            if len(points) > 2 and area(points) > 0 and crossing(points) is None:
                return {"points": points.tolist()}
    return {"points": [list(point) for point in polygons[medoid(polygons, weights)]["points"]]}


def _bordered(height: Floats, nothing: float) -> Floats:
    """Below zero along the border, and nowhere zero: a ring through a point of the grid would touch itself."""
    height = np.where(np.abs(height) < nothing, -nothing, height)
    inner = np.zeros(height.shape, dtype=np.bool_)
    inner[1:-1, 1:-1] = True
    return np.where(inner, height, np.minimum(height, -nothing))


def _depth(ring: Floats, at: Floats) -> Floats:
    """How deep points lie inside a polygon, in pixels; negative outside."""
    start, along = ring, np.roll(ring, -1, axis=0) - ring
    length = np.maximum((along**2).sum(axis=1), np.finfo(np.float64).tiny)
    nearest = np.full(len(at), np.inf)
    inside = np.zeros(len(at), dtype=np.bool_)
    x, y = at.T
    for (x0, y0), (dx, dy), squared in zip(start.tolist(), along.tolist(), length.tolist(), strict=True):
        to_x, to_y = x - x0, y - y0
        share = np.clip((to_x * dx + to_y * dy) / squared, 0.0, 1.0)
        np.minimum(nearest, (to_x - share * dx) ** 2 + (to_y - share * dy) ** 2, out=nearest)
        if dy != 0.0:
            inside ^= ((to_y < 0) != (to_y - dy < 0)) & (to_x < dx * to_y / dy)
    return np.asarray(np.where(inside, 1.0, -1.0) * np.sqrt(nearest))


def _weighted_median(depth: Floats, share: Floats) -> Floats:
    order = np.argsort(-depth, axis=0, kind="stable")
    reached = np.cumsum(share[order], axis=0) > 0.5 + 1e-9
    chosen = np.take_along_axis(order, reached.argmax(axis=0)[None], axis=0)
    return np.asarray(np.take_along_axis(depth, chosen, axis=0)[0])
