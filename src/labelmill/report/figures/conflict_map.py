"""On how many items each pair of annotators disagrees, as a triangle of squares."""

from __future__ import annotations

import math

from markupsafe import Markup

from labelmill.report.figures._drawing import WIDE, drawing, element, fitted, kind_mark, label
from labelmill.report.story import ConflictMatrix
from labelmill.report.wording import amount, count, percent, shortened

__all__ = ["MOST_SHOWN", "conflict_map", "most_quarrelsome"]

MOST_SHOWN = 24
"""More annotators than this are not legible side by side; those who disagree most are shown."""

Box = tuple[float, float, float, float]


def conflict_map(matrix: ConflictMatrix, *, width: int = WIDE) -> Markup:
    """The darker a square, the more items the two label differently; empty when no two annotators meet.

    Every name is written once, at the end of its row, where its column begins. Items are counted rather than rated:
    two rules that vote for one class each agree on all shared items or on none. Depth goes with the square root of
    the count, so that small ones are seen.
    """
    shown = most_quarrelsome(matrix)
    pairs = [(i, j) for row, i in enumerate(shown) for j in shown[:row]]
    if not any(matrix.shared[i][j] for i, j in pairs):
        return Markup("")
    most = max(matrix.conflicts[i][j] for i, j in pairs)
    names_room = 250 if width >= WIDE else 120
    cell = min(50.0, (width - names_room) / (len(shown) - 1))
    cell_height = max(min(cell, 30.0), 13.0)
    drawn = []
    for row, i in enumerate(shown):
        y = row * cell_height
        for column, j in enumerate(shown[:row]):
            drawn.append(_square(matrix, (i, j), (column * cell, y, cell, cell_height), most, width=width))
        drawn.append(_name(matrix, i, row * cell, y + cell_height / 2, width))
    bottom = len(shown) * cell_height
    drawn.append(_legend(most, bottom + 16))
    return drawing("conflict-map", width, bottom + 46, "Who contradicts whom", _described(matrix, pairs), *drawn)


def most_quarrelsome(matrix: ConflictMatrix) -> list[int]:
    """Indices of the annotators to show, in their order; all of them if they are few enough."""
    n = len(matrix.annotators)
    quarrels = [sum(matrix.conflicts[i][j] for j in range(n) if j != i) for i in range(n)]
    return sorted(sorted(range(n), key=lambda i: (-quarrels[i], i))[:MOST_SHOWN])


def _square(matrix: ConflictMatrix, pair: tuple[int, int], box: Box, most: int, *, width: int) -> Markup:
    i, j = pair
    x, y, w, h = box
    if matrix.shared[i][j] == 0:
        return element("circle", cx=x + w / 2, cy=y + h / 2, r=1.2, class_="never")
    n = matrix.conflicts[i][j]
    depth = math.sqrt(n / most) if most else 0.0
    square = {"x": x + 0.75, "y": y + 0.75, "width": w - 1.5, "height": h - 1.5}
    drawn = element("rect", **square, class_="heat", fill_opacity=f"{_opacity(depth):.2f}")
    if width < WIDE:
        return drawn
    parts = [element("title", _told(matrix, i, j)), drawn]
    if w >= 30:
        class_ = "cell on-heat" if depth > 0.62 else "cell"
        parts.append(label(x + w / 2, y + h / 2 + 4, _compact(n), at="middle", class_=class_))
    return element("g", *parts)


def _name(matrix: ConflictMatrix, i: int, x: float, y: float, width: int) -> Markup:
    return element(
        "g",
        kind_mark(matrix.kinds[i], x + 11, y, 4),
        label(x + 22, y + 4, fitted(matrix.annotators[i], width - x - 26), class_="name"),
    )


def _legend(most: int, y: float) -> Markup:
    squares = [
        element("rect", x=i * 22, y=y, width=22, height=10, class_="heat", fill_opacity=f"{_opacity(i / 4):.2f}")
        for i in range(5)
    ]
    never = [
        element("circle", cx=156, cy=y + 5, r=1.2, class_="never"),
        label(164, y + 9, "never meet", class_="note"),
    ]
    ends = [label(0, y + 25, "0", class_="note"), label(110, y + 25, count(most), at="end", class_="note")]
    return element("g", *squares, *never, *ends)


def _opacity(depth: float) -> float:
    return 0.05 + 0.9 * depth


def _compact(n: int) -> str:
    """A count in four characters at most: 847, 1.5k, 12k, 3.4M."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if n >= size:
            return f"{n / size:.1f}{unit}" if n < 9.95 * size else f"{n / size:.0f}{unit}"
    return str(n)


def _told(matrix: ConflictMatrix, i: int, j: int) -> str:
    n, shared = matrix.conflicts[i][j], matrix.shared[i][j]
    one, other = (shortened(matrix.annotators[k], 40) for k in (i, j))
    items = amount(shared, "shared item", "shared items")
    return f"{one} and {other} disagree on {count(n)} of {items} ({percent(n / shared)})"


def _described(matrix: ConflictMatrix, pairs: list[tuple[int, int]]) -> str:
    i, j = max(pairs, key=lambda pair: matrix.conflicts[pair[0]][pair[1]])
    met = sum(matrix.shared[i][j] > 0 for i, j in pairs)
    worst = _told(matrix, i, j) if matrix.shared[i][j] else "none disagree"
    return f"{amount(met, 'pair shares', 'pairs share')} items; the most conflicts: {worst}."
