"""Lines of equal height on a grid, as closed rings of points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["rings_above_zero", "simplified"]

Floats = npt.NDArray[np.float64]
Crossing = tuple[int, int, int]
"""Where a ring crosses an edge of the grid: 0 for an edge along x and 1 along y, row, column of its first end."""

_STEPS = {
    1: ((3, 0),),
    2: ((0, 1),),
    3: ((3, 1),),
    4: ((1, 2),),
    6: ((0, 2),),
    7: ((3, 2),),
    8: ((2, 3),),
    9: ((2, 0),),
    11: ((2, 1),),
    12: ((1, 3),),
    13: ((1, 0),),
    14: ((0, 3),),
}
"""From which side of a cell to which the ring runs (top, right, bottom, left), by which corners are above zero (1 top
left, 2 top right, 4 bottom right, 8 bottom left), the inside on one hand all along."""

_SADDLES = {
    (5, True): ((3, 2), (1, 0)),
    (5, False): ((3, 0), (1, 2)),
    (10, True): ((0, 3), (2, 1)),
    (10, False): ((0, 1), (2, 3)),
}
"""Where opposite corners are above zero: by whether the cell's middle is too."""


def rings_above_zero(height: Floats) -> list[Floats]:
    """Rings around the parts of a grid that are above zero, by marching squares.

    Lorensen and Cline 1987, https://doi.org/10.1145/37402.37422, in the plane; a saddle is decided by the mean of its
    corners.

    Parameters
    ----------
    height : array of float, shape (n_rows, n_columns)
        At or below zero along its border.

    Returns
    -------
    list of ndarray, shape (n_points, 2)
        Column and row of each point, between the grid's nodes where the height crosses zero in a straight line.
    """
    after = _next_crossings(height)
    rings = []
    while after:
        start, here = next(iter(after.items()))
        ring = [start]
        while here != start:
            ring.append(here)
            here = after.pop(here)
        after.pop(start)
        rings.append(_points(ring, height))
    return rings


def simplified(ring: Floats, tolerance: float) -> Floats:
    """The ring without points that lie within the tolerance of what is left (Douglas and Peucker 1973).

    https://doi.org/10.3138/FM57-6770-U75U-7727
    """
    start = int(ring[:, 0].argmin())
    closed = np.concatenate([ring[start:], ring[: start + 1]])
    farthest = int(((closed - closed[0]) ** 2).sum(axis=1).argmax())
    kept = {0, farthest}
    waiting = [(0, farthest), (farthest, len(closed) - 1)]
    while waiting:
        low, high = waiting.pop()
        if high - low < 2:
            continue
        off = _off_the_line(closed[low + 1 : high], closed[low], closed[high])
        worst = int(off.argmax())
        if off[worst] > tolerance:
            middle = low + 1 + worst
            kept.add(middle)
            waiting += [(low, middle), (middle, high)]
    return closed[sorted(kept)]


def _next_crossings(height: Floats) -> dict[Crossing, Crossing]:
    above = height > 0
    case = above[:-1, :-1] * 1 + above[:-1, 1:] * 2 + above[1:, 1:] * 4 + above[1:, :-1] * 8
    after = {}
    for row, column in np.argwhere((case > 0) & (case < 15)).tolist():
        number = int(case[row, column])
        if number in _STEPS:
            steps: tuple[tuple[int, int], ...] = _STEPS[number]
        else:
            steps = _SADDLES[number, bool(height[row : row + 2, column : column + 2].sum() > 0)]
        sides = ((0, row, column), (1, row, column + 1), (0, row + 1, column), (1, row, column))
        for start, end in steps:
            after[sides[start]] = sides[end]
    return after


def _points(ring: list[Crossing], height: Floats) -> Floats:
    axis, row, column = np.array(ring).T
    first, second = height[row, column], height[row + axis, column + (1 - axis)]
    share = first / (first - second)
    return np.stack([column + np.where(axis == 0, share, 0.0), row + np.where(axis == 1, share, 0.0)], axis=1)


def _off_the_line(points: Floats, start: Floats, end: Floats) -> Floats:
    along = end - start
    length = float(np.hypot(*along))
    to = points - start
    if length == 0.0:
        return np.hypot(to[:, 0], to[:, 1])
    return np.asarray(np.abs(along[0] * to[:, 1] - along[1] * to[:, 0]) / length)
