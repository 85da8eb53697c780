from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from labelmill.domain.clusters import one_of_each
from labelmill.domain.contours import rings_above_zero, simplified
from labelmill.domain.polygon_merging import medoid, voted_outline
from labelmill.domain.shapes import area, corners, crossing, iou, iou_table, overlap

SQUARE = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]]
COMB = [
    [0.0, 0.0],
    [5.0, 0.0],
    [5.0, 3.0],
    [4.0, 3.0],
    [4.0, 1.0],
    [3.0, 1.0],
    [3.0, 3.0],
    [2.0, 3.0],
    [2.0, 1.0],
    [1.0, 1.0],
    [1.0, 3.0],
    [0.0, 3.0],
]
"""Three teeth of 1 x 2 on a bar of 5 x 1."""


def _star(rng: np.random.Generator, n: int) -> list[list[float]]:
    """A concave polygon that does not cross itself."""
    turn = np.sort(rng.uniform(0, 2 * np.pi, n))
    radius = rng.uniform(1.0, 5.0, n)
    ring = rng.uniform(-2, 2, 2) + np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
    return [list(point) for point in ring.tolist()]


def test_overlap_of_concave_polygons() -> None:
    """A bar across the three teeth of a comb shares three squares with it."""
    bar = [[-1.0, 2.0], [6.0, 2.0], [6.0, 3.0], [-1.0, 3.0]]

    assert overlap(COMB, bar) == pytest.approx(3.0, abs=1e-12)
    assert overlap(COMB, COMB) == pytest.approx(area(COMB), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_overlap_is_the_share_of_a_fine_grid(seed: int) -> None:
    """Against counting the points of a grid inside both polygons."""
    rng = np.random.default_rng(seed)
    a, b = _star(rng, 9), _star(rng, 14)
    axis = np.linspace(-8, 8, 641)
    x, y = np.meshgrid(axis, axis)

    counted = (_inside(a, x, y) & _inside(b, x, y)).sum() * (axis[1] - axis[0]) ** 2

    assert overlap(a, b) == pytest.approx(counted, abs=0.15)
    assert overlap(a, b) == pytest.approx(overlap(b[::-1], a), abs=1e-9)


def _inside(ring: list[list[float]], x: Any, y: Any) -> Any:
    found = np.zeros(x.shape, dtype=bool)
    for (x0, y0), (x1, y1) in zip(ring, ring[1:] + ring[:1], strict=True):
        found ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return found


def test_rotated_boxes_share_an_octagon() -> None:
    """A unit square turned by 45 degrees shares 2 (sqrt 2 - 1) with itself unturned."""
    box = {"x": 3.0, "y": 5.0, "width": 1.0, "height": 1.0}
    shared = 2 * (math.sqrt(2) - 1)

    assert iou(box, {**box, "rotation": 45.0}) == pytest.approx(shared / (2 - shared), abs=1e-9)
    assert iou({**box, "rotation": 10.0}, {**box, "rotation": 100.0}) == pytest.approx(1.0, abs=1e-9)


def test_rotation_is_clockwise_on_the_screen() -> None:
    """The top left corner of a wide box goes to the top right when it is turned by 90 degrees; y points down."""
    turned = corners({"x": 0, "y": 0, "width": 4, "height": 2, "rotation": 90})

    assert turned[0].tolist() == pytest.approx([3.0, -1.0])


def test_iou_table_mixes_shapes() -> None:
    """Straight boxes, turned ones and polygons in one table, symmetric and with ones for equals."""
    shapes: list[dict[str, Any]] = [
        {"x": 0.0, "y": 0.0, "width": 4.0, "height": 4.0},
        {"points": SQUARE},
        {"x": 1.0, "y": 1.0, "width": 4.0, "height": 4.0, "rotation": 20.0},
        {"points": COMB},
    ]

    table = iou_table(shapes, shapes)

    assert (table == table.T).all()
    assert np.diag(table).tolist() == [1.0] * 4
    assert table[0, 1] == 1.0


@pytest.mark.parametrize(
    ("points", "found"),
    [
        (SQUARE, None),
        (COMB, None),
        ([[0, 0], [2, 2], [2, 0], [0, 2]], (0, 2)),
        ([[0, 0], [4, 0], [2, 0], [2, 3]], (0, 1)),
        ([[0, 0], [4, 0], [4, 4], [2, 0], [0, 4]], (0, 2)),
    ],
    ids=["square", "comb", "bow tie", "turns back", "touches"],
)
def test_crossing(points: list[list[float]], found: tuple[int, int] | None) -> None:
    """An outline that crosses, touches or retraces itself is told by two of its edges."""
    assert found == crossing(points)


def test_an_owner_is_in_a_cluster_once() -> None:
    """The second drawing of an owner stands alone, however alike."""
    alike = np.full((4, 4), 0.9)

    clusters = one_of_each(alike, np.array([0, 0, 1, 2]), least=0.5)

    assert clusters.tolist() == [0, 1, 0, 0]


def test_average_linkage_does_not_chain() -> None:
    """A is like b and b like c, but a and c are not: the stronger pair stays alone."""
    alike = np.array([[1.0, 0.8, 0.0], [0.8, 1.0, 0.6], [0.0, 0.6, 1.0]])

    assert one_of_each(alike, np.arange(3), least=0.4).tolist() == [0, 0, 1]


def test_contours_of_a_disc() -> None:
    """One ring at the radius, and the simplified one nearly so with fewer points."""
    y, x = np.mgrid[-10:11, -10:11]
    (ring,) = rings_above_zero(7.3 - np.hypot(x, y))

    few = simplified(ring, 0.05)

    assert np.hypot(*(ring - 10).T) == pytest.approx(7.3, abs=0.05)
    assert len(few) < len(ring)
    assert area(few) == pytest.approx(math.pi * 7.3**2, rel=0.02)


def test_contours_of_a_saddle_do_not_cross() -> None:
    """Two corners that touch are joined or not by the middle of their cell; every ring is simple."""
    height = np.full((4, 4), -1.0)
    height[1, 1] = height[2, 2] = 2.0
    apart = height.copy()
    apart[1, 2] = apart[2, 1] = -5.0

    assert len(rings_above_zero(height)) == 1
    assert len(rings_above_zero(apart)) == 2
    assert all(crossing(ring) is None for h in (height, apart) for ring in rings_above_zero(h))


def test_voted_outline_leaves_a_careless_one_out() -> None:
    """Two squares outvote one that is far larger; a trusted one wins alone."""
    square = {"points": (np.array(SQUARE) * 25).tolist()}
    large = {"points": (np.array(SQUARE) * 40).tolist()}

    voted = voted_outline([square, square, large], [1.0, 1.0, 1.0])
    trusted = voted_outline([square, square, large], [1.0, 1.0, 5.0])

    assert iou(voted, square) > 0.98
    assert iou(trusted, large) > 0.98
    assert medoid([square, large, square], [1.0, 1.0, 1.0]) == 0


def test_voted_outline_of_what_does_not_meet_is_the_medoid() -> None:
    """Where no place has a majority, the answer is one of those given."""
    apart = [{"points": (np.array(SQUARE) + 10.0 * i).tolist()} for i in range(3)]

    assert voted_outline(apart, [1.0, 1.0, 1.0])["points"] == apart[0]["points"]
