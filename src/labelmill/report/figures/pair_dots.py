"""Pairs of annotators: how often they answer alike, and how often that was to be expected."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from labelmill.report.check_story import PairDot
from labelmill.report.figures._drawing import WIDE, drawing, element, fitted, label
from labelmill.report.figures._scale import Scale, round_below, ticks
from labelmill.report.wording import amount, count, percent, shortened

__all__ = ["pair_dots"]

TOP, BOTTOM, LEFT = 30, 46, 60

MOST_TOLD = 7
"""Pairs told beside the dots."""


def pair_dots(pairs: Sequence[PairDot], *, width: int = WIDE) -> Markup:
    """A dot for each pair, as large as the number of items they share; findings are red and lie above the diagonal."""
    if not pairs:
        return Markup("")
    side = min(width, 520)
    lowest = round_below(min(min(_expected(pair), _equal(pair)) for pair in pairs))
    x = Scale(lowest, 1.0, LEFT, side - 14)
    y = Scale(lowest, 1.0, side * 0.8 - BOTTOM, TOP)
    drawn: list[str] = [label(0, 12, "items they answer alike", class_="axis-name")]
    for t in ticks(lowest, 1.0, 5):
        drawn.append(element("line", x1=x.start, y1=y(t), x2=x.end, y2=y(t), class_="grid"))
        drawn.append(label(x.start - 8, y(t) + 4, percent(t), at="end", class_="tick"))
        drawn.append(label(x(t), y.start + 17, percent(t), at="middle", class_="tick"))
    drawn.append(element("line", x1=x(lowest), y1=y(lowest), x2=x(1), y2=y(1), class_="diagonal"))
    most = max(pair.n_shared for pair in pairs)
    for pair in sorted(pairs, key=lambda pair: (pair.is_found, -pair.n_shared)):
        radius = 2 + 7 * math.sqrt(pair.n_shared / most)
        class_ = "heat pair" if pair.is_found else "never pair"
        dot = element("circle", cx=x(_expected(pair)), cy=y(_equal(pair)), r=radius, class_=class_)
        drawn.append(element("g", element("title", _told(pair)), dot))
    drawn.append(label((x.start + x.end) / 2, y.start + 37, "expected", at="middle", class_="axis-name"))
    if width >= WIDE:
        drawn += _told_beside(pairs, side + 34, width)
    return drawing("pairs", width, side * 0.8, "Pairs of annotators", _described(pairs), *drawn)


def _told_beside(pairs: Sequence[PairDot], left: float, width: int) -> list[str]:
    """The pairs to look into, or else those that come nearest to it."""
    found = [pair for pair in pairs if pair.is_found]
    drawn: list[str] = [label(left, 12, "findings" if found else "no findings; nearest to one", class_="axis-name")]
    for i, pair in enumerate((found or list(pairs))[:MOST_TOLD]):
        y = TOP + 10 + i * 50
        names = fitted(f"{pair.one}, {pair.other}", width - left - 16)
        items = f"{count(pair.n_equal)} of {count(pair.n_shared)} alike, {count(pair.n_expected)} expected"
        errors = f", {count(pair.n_same_errors)} wrong" if pair.n_same_errors >= 1 else ""
        drawn.append(element("circle", cx=left + 4, cy=y - 4, r=4, class_="heat" if pair.is_found else "never"))
        drawn.append(label(left + 14, y, names, class_="name"))
        drawn.append(label(left + 14, y + 18, fitted(items + errors, width - left - 16, 12), class_="note"))
    return drawn


def _expected(pair: PairDot) -> float:
    return min(pair.n_expected / max(pair.n_shared, 1), 1.0)


def _equal(pair: PairDot) -> float:
    return pair.n_equal / max(pair.n_shared, 1)


def _told(pair: PairDot) -> str:
    items = amount(pair.n_shared, "shared item", "shared items")
    names = " and ".join(shortened(name, 40) for name in (pair.one, pair.other))
    return f"{names}: alike on {count(pair.n_equal)} of {items}, {count(pair.n_expected)} expected"


def _described(pairs: Sequence[PairDot]) -> str:
    found = [pair for pair in pairs if pair.is_found]
    told = "; ".join(_told(pair) for pair in found[:5]) if found else "none is a finding"
    return f"{amount(len(pairs), 'pair', 'pairs')}; {told}."
