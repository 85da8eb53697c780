"""What items of each class are called, as a heat map."""

from __future__ import annotations

import math

from markupsafe import Markup

from labelmill.report.check_story import ConfusionMap
from labelmill.report.figures._drawing import WIDE, drawing, element, fitted, label
from labelmill.report.wording import percent

__all__ = ["MOST_SHOWN", "confusion_map"]

MOST_SHOWN = 20
"""Classes shown, the first ones: more are not legible."""


def confusion_map(confusion: ConfusionMap, *, unique: str, width: int = WIDE) -> Markup:
    """A row for each true class, a column for each label; right answers are grey, mix-ups red."""
    n = min(len(confusion.classes), MOST_SHOWN)
    if n < 2 or not any(confusion.shares[k] for k in range(n)):
        return Markup("")
    room = 150 if width >= WIDE else 84
    cell = min(64.0, (width - room) / n)
    height = min(max(cell, 15.0), 34.0)
    top = 40
    drawn = [label(0, 14, "true class", class_="axis-name"), label(room, 14, "was called", class_="axis-name")]
    for k in range(n):
        drawn.append(_head(confusion.classes[k], room + k * cell, cell, top))
        y = top + k * height
        drawn.append(
            label(room - 8, y + height / 2 + 4, fitted(confusion.classes[k], room - 10), at="end", class_="name")
        )
        shares = confusion.shares[k]
        if shares is not None:
            drawn += [
                _square(confusion, k, said, (room + said * cell, y, cell, height), shares[said]) for said in range(n)
            ]
    bottom = top + n * height + 4
    title = f"What {confusion.name} calls items of each class"
    return drawing(f"confusion-{unique}", width, bottom, title, _described(confusion, n), *drawn)


def _head(name: str, x: float, cell: float, top: float) -> Markup:
    return label(x + cell / 2, top - 7, fitted(name, cell - 4, 12), at="middle", class_="tick")


def _square(
    confusion: ConfusionMap, true: int, said: int, box: tuple[float, float, float, float], share: float
) -> Markup:
    x, y, w, h = box
    depth = math.sqrt(min(max(share, 0.0), 1.0))
    class_ = "never" if true == said else "heat"
    opacity = 0.04 + (0.5 if true == said else 0.9) * depth
    parts = [
        element("title", f"{confusion.classes[true]} called {confusion.classes[said]}: {percent(share)}"),
        element(
            "rect", x=x + 0.75, y=y + 0.75, width=w - 1.5, height=h - 1.5, class_=class_, fill_opacity=f"{opacity:.2f}"
        ),
    ]
    if w >= 34 and h >= 15 and share >= 0.005:
        text = "cell on-heat" if true != said and depth > 0.7 else "cell"
        parts.append(label(x + w / 2, y + h / 2 + 4, f"{100 * share:.0f}", at="middle", class_=text))
    return element("g", *parts)


def _described(confusion: ConfusionMap, n: int) -> str:
    pairs = [
        (row[said], confusion.classes[true], confusion.classes[said])
        for true in range(n)
        if (row := confusion.shares[true]) is not None
        for said in range(n)
        if said != true
    ]
    share, true, said = max(pairs)
    return f"Numbers are per cent of a row. The commonest mix-up: {true} called {said}, {percent(share)}."
