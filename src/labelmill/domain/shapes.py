"""Boxes, polygons and points as numbers: areas, overlaps, corners; lengths are pixels of the original image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "apart_table",
    "area",
    "bounds",
    "box_table",
    "corners",
    "crossing",
    "edges",
    "iou",
    "iou_table",
    "outline",
    "overlap",
    "rings",
]

Floats = npt.NDArray[np.float64]

DIGITS = 12
"""Shares are rounded to so many digits: the order of the summands moves the last bits."""


def edges(box: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a box, before its rotation."""
    return box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]


def corners(box: Mapping[str, Any]) -> Floats:
    """Where the four corners of a box lie after its rotation, clockwise on the screen from its top left.

    Parameters
    ----------
    box : mapping
        `x`, `y` (top left before rotation), `width`, `height`, and `rotation` in degrees, clockwise on the screen
        (whose y points down) about the centre; 0 where it is missing.

    Returns
    -------
    ndarray of float64, shape (4, 2)

    Examples
    --------
    >>> corners({"x": 0, "y": 1, "width": 4, "height": 2, "rotation": 90}).round(6).tolist()
    [[3.0, 0.0], [3.0, 4.0], [1.0, 4.0], [1.0, 0.0]]
    """
    half = np.array([box["width"], box["height"]], dtype=np.float64) / 2
    centre = np.array([box["x"], box["y"]], dtype=np.float64) + half
    turn = math.radians(box.get("rotation", 0.0))
    c, s = math.cos(turn), math.sin(turn)
    signs: Floats = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    return np.asarray(centre + (signs * half) @ np.array([[c, s], [-s, c]]))


def outline(shape: Mapping[str, Any]) -> Floats:
    """The corners of a box, or the points of a polygon, shape (n_points, 2)."""
    return np.asarray(shape["points"], dtype=np.float64) if "points" in shape else corners(shape)


def bounds(shapes: Sequence[Mapping[str, Any]]) -> Floats:
    """Left, top, right and bottom of each shape as it lies, shape (n_shapes, 4)."""
    found = [
        edges(shape) if "width" in shape and not shape.get("rotation") else _extent(outline(shape)) for shape in shapes
    ]
    return np.array(found, dtype=np.float64).reshape(len(shapes), 4)


def area(points: npt.ArrayLike) -> float:
    """Area inside a simple polygon, by the shoelace formula.

    Examples
    --------
    >>> area([[0, 0], [4, 0], [0, 3]])
    6.0
    """
    ring = np.asarray(points, dtype=np.float64)
    x, y = (ring - ring.min(axis=0)).T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def overlap(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    r"""Area that two simple polygons share, convex or not, in closed form.

    The inside of a polygon is the signed sum of the strips under its edges. Two strips share what lies under the lower
    edge wherever both are, so that, with s the sign of an edge's run along x,

    .. math:: |A \cap B| = \Big| \sum_{e \in A} \sum_{f \in B} s_e s_f \int_{e \cap f} \min(y_e, y_f) \,dx \Big|

    and each integral is that of two straight lines that cross at most once. Nothing is clipped, and concave polygons
    need no cutting; the cost is the product of the numbers of points.

    Parameters
    ----------
    a, b : array of float, shape (n_points, 2)
        Either direction of turning.

    Examples
    --------
    >>> overlap([[0, 0], [2, 0], [2, 2], [0, 2]], [[1, 1], [3, 1], [3, 3], [1, 3]])
    1.0
    """
    one, other = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    base = np.minimum(one.min(axis=0), other.min(axis=0))
    e, f = _strips(one - base), _strips(other - base)
    low = np.maximum(e.low[:, None], f.low)
    run = np.minimum(e.high[:, None], f.high) - low
    i, j = np.nonzero(run > 0)
    left, run = low[i, j], run[i, j]
    e_left, e_right = e.at(i, left), e.at(i, left + run)
    f_left, f_right = f.at(j, left), f.at(j, left + run)
    apart = _mean_absolute(e_left - f_left, e_right - f_right)
    lower = ((e_left + e_right + f_left + f_right) / 2 - apart) / 2
    return abs(float((e.sign[i] * f.sign[j] * lower * run).sum()))


def iou(a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
    """Intersection over union of two boxes or polygons, 0 to 1, exactly 1 for equal ones.

    Examples
    --------
    >>> iou({"x": 0, "y": 0, "width": 2, "height": 2}, {"x": 1, "y": 0, "width": 2, "height": 2})
    0.333333333333
    """
    return float(iou_table([a], [b])[0, 0])


def iou_table(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> Floats:
    """Intersection over union of each shape of one list with each of another, shape (n_a, n_b), 0 to 1.

    Boxes that are not rotated are compared at once; other pairs one by one, where their bounds meet.
    """
    around_a, around_b = bounds(a), bounds(b)
    table = box_table(around_a, around_b)
    slanted_a, slanted_b = ([i for i, shape in enumerate(s) if _is_slanted(shape)] for s in (a, b))
    if not (slanted_a or slanted_b):
        return table
    rings_a, rings_b = rings(a), rings(b)
    area_a, area_b = [area(ring) for ring in rings_a], [area(ring) for ring in rings_b]
    slanted = np.zeros(table.shape, dtype=np.bool_)
    slanted[slanted_a, :], slanted[:, slanted_b] = True, True
    for i, j in np.argwhere(slanted & (table > 0)).tolist():
        table[i, j] = _share(overlap(rings_a[i], rings_b[j]), area_a[i], area_b[j])
    return table


def rings(shapes: Sequence[Mapping[str, Any]]) -> list[Floats]:
    """The outline of each shape."""
    return [outline(shape) for shape in shapes]


def box_table(a: Floats, b: Floats) -> Floats:
    """Intersection over union of boxes given by left, top, right and bottom, shapes (n_a, 4) and (n_b, 4)."""
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    shared = np.prod(np.maximum(sides, 0.0), axis=2)
    size_a, size_b = np.prod(a[:, 2:] - a[:, :2], axis=1), np.prod(b[:, 2:] - b[:, :2], axis=1)
    union = size_a[:, None] + size_b[None, :] - shared
    share = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return np.asarray(np.clip(np.round(share, DIGITS), 0.0, 1.0))


def apart_table(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> Floats:
    """Distance of each point of one list from each of another in pixels, shape (n_a, n_b)."""
    one, other = (np.array([[p["x"], p["y"]] for p in s], dtype=np.float64).reshape(len(s), 2) for s in (a, b))
    difference = one[:, None] - other[None]
    return np.hypot(difference[..., 0], difference[..., 1])


def crossing(points: npt.ArrayLike) -> tuple[int, int] | None:
    """Two edges of a polygon that meet where they should not, by the index of their first points; None if simple.

    Neighbours may share only their common point; all others nothing. Points that repeat the one before are skipped.

    Examples
    --------
    >>> crossing([[0, 0], [2, 2], [2, 0], [0, 2]])
    (0, 2)
    """
    given = np.asarray(points, dtype=np.float64)
    kept = np.flatnonzero((given != np.roll(given, 1, axis=0)).any(axis=1))
    start, n = given[kept], len(kept)
    end = np.roll(start, -1, axis=0)
    side_start, side_end = _side(start, end, start), _side(start, end, end)
    meet = (side_start * side_end <= 0) & (side_start * side_end <= 0).T & _bounds_meet(start, end)
    index = np.arange(n)
    step = (index[None] - index[:, None]) % n
    meet &= (step > 1) & (step < n - 1)
    # A neighbour that turns back onto its edge: it points the other way along the same line.
    ahead = end - start
    after = np.roll(ahead, -1, axis=0)
    back = (ahead[:, 0] * after[:, 1] == ahead[:, 1] * after[:, 0]) & ((ahead * after).sum(axis=1) <= 0)
    meet[index[back], (index[back] + 1) % n] = True
    found = np.argwhere(meet)
    return (int(kept[found[0, 0]]), int(kept[found[0, 1]])) if len(found) else None


class _strips:  # noqa: N801 - reads as what it makes
    """The strips under the edges of a polygon; where they lie along x, and how high."""

    def __init__(self, ring: Floats) -> None:
        after = np.roll(ring, -1, axis=0)
        runs = ring[:, 0] != after[:, 0]
        ring, after = ring[runs], after[runs]
        self.sign = np.sign(after[:, 0] - ring[:, 0])
        self.low, self.high = np.minimum(ring[:, 0], after[:, 0]), np.maximum(ring[:, 0], after[:, 0])
        forward = self.sign > 0
        self.y_low = np.where(forward, ring[:, 1], after[:, 1])
        self.y_high = np.where(forward, after[:, 1], ring[:, 1])

    def at(self, index: npt.NDArray[np.intp], x: Floats) -> Floats:
        """Height of the edges at x."""
        share = (x - self.low[index]) / (self.high[index] - self.low[index])
        return np.asarray(self.y_low[index] * (1.0 - share) + self.y_high[index] * share)


def _mean_absolute(left: Floats, right: Floats) -> Floats:
    """Mean of the absolute value of a straight line, from its values at both ends."""
    a, b = np.abs(left), np.abs(right)
    total = np.maximum(a + b, np.finfo(np.float64).tiny)
    return np.where(left * right >= 0, (a + b) / 2, (a**2 + b**2) / (2 * total))


def _share(shared: float, a: float, b: float) -> float:
    union = a + b - shared
    return min(max(round(shared / union, DIGITS), 0.0), 1.0) if union > 0 else 0.0


def _is_slanted(shape: Mapping[str, Any]) -> bool:
    return "points" in shape or bool(shape.get("rotation"))


def _extent(ring: Floats) -> tuple[float, float, float, float]:
    (left, top), (right, bottom) = ring.min(axis=0).tolist(), ring.max(axis=0).tolist()
    return left, top, right, bottom


def _side(start: Floats, end: Floats, points: Floats) -> Floats:
    """On which side of edge i point j lies: the sign, shape (n_edges, n_points)."""
    ahead = end - start
    to = points[None] - start[:, None]
    return np.sign(ahead[:, None, 0] * to[..., 1] - ahead[:, None, 1] * to[..., 0])


def _bounds_meet(start: Floats, end: Floats) -> npt.NDArray[np.bool_]:
    low, high = np.minimum(start, end), np.maximum(start, end)
    return np.asarray(((low[:, None] <= high[None]) & (low[None] <= high[:, None])).all(axis=2))
