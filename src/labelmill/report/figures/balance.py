"""Class balance of votes, consensus and release, beside gold."""

from __future__ import annotations

from markupsafe import Markup

from labelmill.report.figures._drawing import WIDE, drawing, element, fitted, label, text_width
from labelmill.report.figures._scale import Scale, ticks
from labelmill.report.story import Balance, BalanceSeries
from labelmill.report.wording import known, percent

__all__ = ["MOST_SHOWN", "balance_bars"]

MOST_SHOWN = 24
"""Classes shown; the rest are the rarest and are counted in a note."""

BAR, AXIS = 15, 30


def balance_bars(balance: Balance, *, width: int = WIDE) -> Markup:
    """For each class one bar for each set of labels; a reference (gold) is a line the bars should reach."""
    bars = [series for series in balance.series if not series.is_reference]
    references = [series for series in balance.series if series.is_reference]
    shown = _commonest(balance)
    values = [share for series in balance.series for k in shown if (share := _share(series, k)) is not None]
    if not shown or not values:
        return Markup("")
    series_room = max((text_width(series.name, 12) for series in bars), default=0) + 14
    class_room = 0 if width < WIDE else 190
    head = 24 if width < WIDE else 0
    left = class_room + series_room
    scale = Scale(0, min(1.0, max(values) * 1.04) or 1.0, left, width - 60)
    block = head + BAR * max(len(bars), 1) + 16
    bottom = 12 + block * len(shown)
    drawn = [_axis(scale, bottom)]
    for place, k in enumerate(shown):
        top = 12 + place * block
        drawn.append(_class_name(balance, references, k, top, class_room, width))
        crossed = [scale(share) for series in references if (share := _share(series, k)) is not None]
        drawn += [_bar(series, k, i, len(bars), scale, top + head + i * BAR, crossed) for i, series in enumerate(bars)]
        drawn += [_reference(x, top + head - 3, BAR * max(len(bars), 1) + 5) for x in crossed]
    return drawing("balance", width, bottom + AXIS, "Class balance", _described(balance, shown), *drawn)


def _commonest(balance: Balance) -> list[int]:
    n = len(balance.classes)
    if n <= MOST_SHOWN:
        return list(range(n))
    size = [max((_share(series, k) or 0.0 for series in balance.series), default=0.0) for k in range(n)]
    return sorted(sorted(range(n), key=lambda k: (-size[k], k))[:MOST_SHOWN])


def _share(series: BalanceSeries, k: int) -> float | None:
    return known(series.shares[k]) if k < len(series.shares) else None


def _axis(scale: Scale, bottom: float) -> Markup:
    marks = ticks(scale.low, scale.high, 4)
    grid = [element("line", x1=scale(t), y1=6, x2=scale(t), y2=bottom - 4, class_="grid") for t in marks]
    numbers = [label(scale(t), bottom + 14, percent(t), at="middle", class_="tick") for t in marks]
    return element("g", *grid, *numbers)


def _class_name(
    balance: Balance, references: list[BalanceSeries], k: int, top: float, class_room: int, width: int
) -> Markup:
    """The class, and what the reference says of it: below the name, or at the right end of a narrow drawing."""
    said = ", ".join(f"{series.name} {percent(_share(series, k))}" for series in references)
    room = class_room - 12 if class_room else width - text_width(said, 12) - 14
    name = label(0, top + 12, fitted(balance.classes[k], room), class_="name")
    if not said:
        return name
    if class_room:
        return element("g", name, label(0, top + 29, fitted(said, room, 12), class_="note reference-text"))
    return element("g", name, label(width, top + 12, said, at="end", class_="note reference-text"))


def _bar(series: BalanceSeries, k: int, i: int, n_bars: int, scale: Scale, top: float, crossed: list[float]) -> Markup:
    share = _share(series, k)
    drawn = [label(scale.start - 8, top + 11, series.name, at="end", class_="note")]
    if share is not None:
        step = 3 - min(n_bars - 1 - i, 2)
        end = scale(share)
        drawn.append(
            element("rect", x=scale.start, y=top + 2, width=end - scale.start, height=BAR - 5, class_=f"step-{step}")
        )
        text = percent(share)
        free = end
        for x in sorted(crossed):
            if end - 4 < x < free + 12 + text_width(text, 12):
                free = x
        drawn.append(label(free + 7, top + 11, text, class_="value small"))
    return element("g", *drawn)


def _reference(x: float, top: float, height: float) -> Markup:
    return element("line", x1=x, y1=top, x2=x, y2=top + height, class_="reference")


def _described(balance: Balance, shown: list[int]) -> str:
    parts = [
        f"{series.name}: " + ", ".join(f"{balance.classes[k]} {percent(_share(series, k))}" for k in shown)
        for series in balance.series
    ]
    hidden = len(balance.classes) - len(shown)
    return "; ".join(parts) + (f"; {hidden} rarer classes are not drawn." if hidden else ".")
