"""The headline as a picture: what is promised, what is true, what chance would have given, on one ruler."""

from __future__ import annotations

from markupsafe import Markup

from labelmill.report.figures._drawing import WIDE, drawing, element, label, text_width
from labelmill.report.figures._scale import Scale, ticks
from labelmill.report.story import Headline
from labelmill.report.wording import amount, bound_percent, known, percent

__all__ = ["error_ruler"]

LINE = 62.0
"""Height of the ruler's line, px."""

BOLD = 15.0
"""Size by which the room of bold labels is estimated, px: bold runs wider than its size."""


def error_ruler(headline: Headline, *, width: int = WIDE) -> Markup:
    """Error of the release from 0, with the promise as a band; empty when nothing of it is known."""
    bound = known(headline.certified_bound)
    values = [v for v in (bound, known(headline.real_error), known(headline.random_error)) if v is not None]
    if not values:
        return Markup("")
    scale = Scale(0, min(1.0, max(values) * 1.18) or 0.01, 8, width - 8)
    marks = _marks(headline)
    rows = _rows([(scale(value), text_width(text, BOLD)) for value, text, _ in marks], width)
    drawn = [_ruler(scale, [scale(value) for value, _, _ in marks], width)]
    if bound is not None:
        drawn.append(_promise(bound, headline, scale))
    drawn += [_mark(mark, row, scale, width) for mark, row in zip(marks, rows, strict=True)]
    height = LINE + (30 if not marks else 58 + 22 * max(rows))
    return drawing("error-ruler", width, height, "Errors in the release", _described(headline), *drawn)


def _ruler(scale: Scale, taken: list[float], width: int) -> Markup:
    """The line and its numbers, without those that a mark's own line would cross."""
    drawn: list[str] = [element("line", x1=scale.start, y1=LINE, x2=scale.end, y2=LINE, class_="axis")]
    for t in ticks(0, scale.high, 6 if width >= WIDE else 3):
        drawn.append(element("line", x1=scale(t), y1=LINE, x2=scale(t), y2=LINE + 5, class_="axis"))
        if any(abs(scale(t) - place) < 24 for place in taken):
            continue
        at = "start" if t == 0 else "middle"
        drawn.append(label(scale(t), LINE + 20, percent(t), at=at, class_="tick"))
    return element("g", *drawn)


def _promise(bound: float, headline: Headline, scale: Scale) -> Markup:
    sure = "" if known(headline.confidence) is None else f", {percent(headline.confidence)} confidence"
    text = f"promised: at most {bound_percent(bound)}{sure}"
    end = scale(bound)
    room_before = end >= text_width(text, 13)
    return element(
        "g",
        element("rect", x=scale.start, y=LINE - 26, width=end - scale.start, height=26, class_="promise-band"),
        element("line", x1=end, y1=LINE - 34, x2=end, y2=LINE, class_="promise-end"),
        label(
            end if room_before else scale.start, LINE - 42, text, at="end" if room_before else "start", class_="name"
        ),
    )


def _marks(headline: Headline) -> list[tuple[float, str, str]]:
    """Value, label and colour of each measured error."""
    real, chance = known(headline.real_error), known(headline.random_error)
    marks = []
    if real is not None:
        marks.append((real, f"{percent(real)} measured against gold", "release"))
    if chance is not None:
        marks.append((chance, f"{percent(chance)} with random answers", "baseline"))
    return marks


def _mark(mark: tuple[float, str, str], row: int, scale: Scale, width: int) -> Markup:
    value, text, colour = mark
    place, y = scale(value), LINE + 46 + 22 * row
    half = text_width(text, BOLD) / 2
    return element(
        "g",
        element("line", x1=place, y1=LINE - 13, x2=place, y2=y - 13, class_="leader"),
        element("circle", cx=place, cy=LINE - 13, r=6.5, class_=f"fill-{colour} ring"),
        label(min(max(place, half), width - half), y, text, at="middle", class_=f"end-label text-{colour}"),
    )


def _rows(marks: list[tuple[float, float]], width: int) -> list[int]:
    """Which row each label stands in: the second goes below the first where they would touch."""
    if len(marks) < 2:
        return [0] * len(marks)
    middles = [min(max(place, wide / 2), width - wide / 2) for place, wide in marks]
    needed = (marks[0][1] + marks[1][1]) / 2 + 12
    return [0, 0] if abs(middles[0] - middles[1]) >= needed else [0, 1]


def _described(headline: Headline) -> str:
    parts = []
    if known(headline.certified_bound) is not None:
        parts.append(f"promised at most {bound_percent(headline.certified_bound)}")
    if known(headline.real_error) is not None:
        gold = "" if headline.n_gold is None else f" on {amount(headline.n_gold, 'label', 'labels')}"
        parts.append(f"measured against gold{gold} {percent(headline.real_error)}")
    if known(headline.random_error) is not None:
        parts.append(f"with as many random answers {percent(headline.random_error)}")
    return "Share of wrong labels: " + "; ".join(parts) + "."
