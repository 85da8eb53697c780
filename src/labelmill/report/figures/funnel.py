"""How many items reached each step from import to release, as bars."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from labelmill.report.figures._drawing import WIDE, drawing, element, fitted, label, text_width
from labelmill.report.figures._scale import Scale
from labelmill.report.story import FunnelStep
from labelmill.report.wording import count, percent

__all__ = ["funnel"]

BAR = 16
NAMES = 190
"""Room for the names of the steps in the wide drawing, px."""


def funnel(steps: Sequence[FunnelStep], *, width: int = WIDE) -> Markup:
    """One bar for each step, in the colour of who made it; lengths are items, so that they compare.

    Parameters
    ----------
    steps : sequence of FunnelStep
    width : int
        px; names stand above the bars when it is narrow.
    """
    if not steps:
        return Markup("")
    is_narrow = width < WIDE
    row = 46 if is_narrow else 34
    left = 0 if is_narrow else NAMES
    most = max(step.n_items for step in steps)
    widest = max(text_width(_numbers(step, most)) for step in steps)
    scale = Scale(0, max(most, 1), left, width - widest - 14)
    rows = [_step(step, scale, most, i * row, width=width) for i, step in enumerate(steps)]
    told = "; ".join(f"{step.name}: {count(step.n_items)}" for step in steps)
    return drawing("funnel", width, row * len(steps), "From import to release", f"Items at each step: {told}.", *rows)


def _step(step: FunnelStep, scale: Scale, most: int, top: float, *, width: int) -> Markup:
    is_narrow = width < WIDE
    bar_top = top + (24 if is_narrow else 6)
    length = scale(step.n_items) - scale.start
    name_room = width if is_narrow else NAMES - 12
    name = fitted(step.name, name_room)
    drawn = [
        label(0, top + 18, name, class_="name"),
        element("rect", x=scale.start, y=bar_top, width=scale.end - scale.start, height=BAR, class_="track"),
        element(
            "rect",
            x=scale.start,
            y=bar_top,
            width=max(length, 1.5) if step.n_items else 0,
            height=BAR,
            class_=f"fill-{step.step}",
        ),
        label(scale.end + 10, bar_top + 13, _numbers(step, most), class_="value"),
    ]
    if step.detail:
        drawn.append(_detail(step, scale, length, top, width=width, name=name))
    return element("g", *drawn)


def _detail(step: FunnelStep, scale: Scale, length: float, top: float, *, width: int, name: str) -> Markup:
    if width < WIDE:
        taken = text_width(name) + 14
        return label(width, top + 18, fitted(step.detail, width - taken, 12), at="end", class_="note")
    inside = length > text_width(step.detail, 12) + 16
    if inside:
        return label(scale.start + 8, top + 18, step.detail, class_="note on-fill")
    room = scale.end - scale.start - length - 16
    return label(scale.start + length + 8, top + 18, fitted(step.detail, room, 12), class_="note")


def _numbers(step: FunnelStep, most: int) -> str:
    share = "" if step.n_items == most or most == 0 else f" · {percent(step.n_items / most)}"
    return f"{count(step.n_items)}{share}"
