"""Given labels against what they truly are, as estimated: a matrix of squares."""

from __future__ import annotations

import math

from markupsafe import Markup

from labelmill.report.evidence import ErrorMatrix
from labelmill.report.figures._drawing import WIDE, drawing, element, fitted, label, text_width
from labelmill.report.wording import amount, count, percent, shortened

__all__ = ["MOST_SHOWN", "error_matrix", "most_mistaken"]

MOST_SHOWN = 24
"""More classes than this are not legible side by side; those with the most errors are shown."""

MOST_NARROW = 10
"""The same on a phone."""

LEAN = math.sin(math.radians(40))
"""Height of a column's name, for its length: it leans, so that names stand close."""


def error_matrix(matrix: ErrorMatrix, *, width: int = WIDE) -> Markup:
    """A row for each given class, a column for each true one: the darker a square, the more labels are wrong that way.

    The diagonal, labels that are right, is grey: it would outshine the rest. Depth goes with the square root of the
    count, so that small ones are seen. Empty without an estimated error.
    """
    shown = most_mistaken(matrix, MOST_SHOWN if width >= WIDE else MOST_NARROW)
    most = max((matrix.counts[k][j] for k in shown for j in shown if j != k), default=0)
    if not most:
        return Markup("")
    names = [matrix.classes[k] for k in shown]
    left, longest = (190, 130) if width >= WIDE else (92, 92)
    room = min(max(map(text_width, names)) + 8, longest)
    cell = min((width - left - room * 0.75) / len(shown), 58.0)
    height = min(max(cell, 14.0), 32.0)
    top = room * LEAN + 18
    drawn = [_corner(left - 10, top - 8, width)]
    for row, k in enumerate(shown):
        y = top + row * height
        drawn.append(label(left - 10, y + height / 2 + 4, fitted(names[row], left - 12), at="end", class_="name"))
        drawn += [_square(matrix, (k, j), (left + i * cell, y, cell, height), most) for i, j in enumerate(shown)]
    drawn += [_column_name(name, left + (i + 0.5) * cell, top - 8, room) for i, name in enumerate(names)]
    bottom = top + len(shown) * height
    drawn.append(_legend(most, left, bottom + 18))
    if len(shown) < len(matrix.classes):
        said = f"The {len(shown)} of {count(len(matrix.classes))} classes with the most errors."
        drawn.append(label(0, bottom + 62, said, class_="note"))
        bottom += 20
    return drawing("error-matrix", width, bottom + 48, "Given and true classes", _described(matrix), *drawn)


def most_mistaken(matrix: ErrorMatrix, n_most: int = MOST_SHOWN) -> list[int]:
    """Indices of the classes to show, in their order; all of them if they are few enough."""
    n = len(matrix.classes)
    errors = [sum(matrix.counts[k][j] + matrix.counts[j][k] for j in range(n) if j != k) for k in range(n)]
    return sorted(sorted(range(n), key=lambda k: (-errors[k], k))[:n_most])


def _square(matrix: ErrorMatrix, pair: tuple[int, int], box: tuple[float, float, float, float], most: int) -> Markup:
    k, j = pair
    x, y, w, h = box
    n = matrix.counts[k][j]
    depth = math.sqrt(n / most) if j != k else 0.0
    square = {"x": x + 0.75, "y": y + 0.75, "width": w - 1.5, "height": h - 1.5}
    if j == k:
        drawn = element("rect", **square, class_="track")
    else:
        drawn = element("rect", **square, class_="heat", fill_opacity=f"{_opacity(depth):.2f}")
    parts = [element("title", _told(matrix, k, j)), drawn]
    if w >= 26 and (n or j == k):
        class_ = "note" if j == k else "cell on-heat" if depth > 0.62 else "cell"
        parts.append(label(x + w / 2, y + h / 2 + 4, _compact(n), at="middle", class_=class_))
    return element("g", *parts)


def _corner(x: float, y: float, width: int) -> Markup:
    given, truly = "given \N{DOWNWARDS ARROW}", "truly \N{RIGHTWARDS ARROW}"
    return label(x, y, f"{given}  {truly}" if width >= WIDE else given, at="end", class_="note")


def _column_name(name: str, x: float, y: float, room: float) -> Markup:
    return element("text", fitted(name, room), transform=f"translate({x:.1f} {y:.1f}) rotate(-40)", class_="name")


def _legend(most: int, x: float, y: float) -> Markup:
    squares = [
        element("rect", x=x + i * 22, y=y, width=22, height=10, class_="heat", fill_opacity=f"{_opacity(i / 4):.2f}")
        for i in range(5)
    ]
    ends = [label(x, y + 25, "0", class_="note"), label(x + 110, y + 25, count(most), at="end", class_="note")]
    right = [
        element("rect", x=x + 134, y=y, width=22, height=10, class_="track"),
        label(x + 162, y + 9, "right", class_="note"),
    ]
    return element("g", *squares, *ends, *right)


def _opacity(depth: float) -> float:
    return 0.05 + 0.9 * depth if depth else 0.03


def _compact(n: int) -> str:
    """A count in four characters at most: 847, 1.5k, 12k, 3.4M."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if n >= size:
            return f"{n / size:.1f}{unit}" if n < 9.95 * size else f"{n / size:.0f}{unit}"
    return str(n)


def _told(matrix: ErrorMatrix, k: int, j: int) -> str:
    given, true = (shortened(matrix.classes[i], 40) for i in (k, j))
    total = sum(matrix.counts[k])
    share = f" ({percent(matrix.counts[k][j] / total)})" if total else ""
    what = f"{amount(total, 'label', 'labels')} {given}"
    if k == j:
        return f"of {what}, {count(matrix.counts[k][k])} are right{share}"
    return f"of {what}, {count(matrix.counts[k][j])} truly are {true}{share}"


def _described(matrix: ErrorMatrix) -> str:
    n = len(matrix.classes)
    pairs = [(k, j) for k in range(n) for j in range(n) if j != k]
    k, j = max(pairs, key=lambda pair: matrix.counts[pair[0]][pair[1]])
    wrong = sum(matrix.counts[a][b] for a, b in pairs)
    total = sum(map(sum, matrix.counts))
    return (
        f"{count(wrong)} of {amount(total, 'label', 'labels')} are estimated wrong; most often: {_told(matrix, k, j)}."
    )
