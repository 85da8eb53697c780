"""How many suggestions people take over, day by day or week by week, by source and version."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from markupsafe import Markup

from labelmill.report.figures._drawing import WIDE, drawing, element, fitted, label, line
from labelmill.report.figures._scale import Scale, spread, ticks
from labelmill.report.suggestion_story import SuggestionPeriod, SuggestionStory
from labelmill.report.wording import amount, percent

__all__ = ["acceptance"]

TOP, BOTTOM = 34, 30


def acceptance(story: SuggestionStory, *, width: int = WIDE) -> Markup:
    """A line for each version, in its source's colour; a new version begins a new line at an upright mark."""
    if not story.periods:
        return Markup("")
    right, height = (170, 300) if width >= WIDE else (110, 240)
    days = sorted({_number(period) for period in story.periods})
    x = Scale(days[0], max(days[-1], days[0] + 1), 50, width - right)
    y = Scale(0.0, 1.0, height - BOTTOM, TOP)
    sources = list(dict.fromkeys(period.source for period in story.periods))
    colours = {source: f"curve-{n % 4}" for n, source in enumerate(sources)}
    lines = _by_version(story.periods)
    drawn = [_axes(x, y, days, width)]
    drawn += [_new_version(periods[0], x, y) for periods in _later(lines)]
    drawn += [_line(periods, colours[periods[0].source], x, y) for periods in lines]
    drawn.append(_end_labels(lines, colours, x, y, right))
    return drawing("acceptance", width, height, "Suggestions accepted over time", _described(story), *drawn)


def _by_version(periods: Sequence[SuggestionPeriod]) -> list[list[SuggestionPeriod]]:
    found: dict[tuple[str, str], list[SuggestionPeriod]] = {}
    for period in periods:
        found.setdefault((period.source, period.version), []).append(period)
    return list(found.values())


def _later(lines: Sequence[list[SuggestionPeriod]]) -> list[list[SuggestionPeriod]]:
    """Those whose source had a version before."""
    seen: set[str] = set()
    found = []
    for periods in lines:
        if periods[0].source in seen:
            found.append(periods)
        seen.add(periods[0].source)
    return found


def _axes(x: Scale, y: Scale, days: Sequence[int], width: int) -> Markup:
    drawn: list[str] = [label(0, 14, "share of suggestions accepted as they are", class_="axis-name")]
    for t in ticks(0.0, 1.0, 4):
        drawn.append(element("line", x1=x.start, y1=y(t), x2=x.end, y2=y(t), class_="grid"))
        drawn.append(label(x.start - 8, y(t) + 4, percent(t), at="end", class_="tick"))
    middle = {days[len(days) // 2]} if width >= WIDE and len(days) > 4 else set()
    for day in sorted({days[0], days[-1], *middle}):
        drawn.append(element("line", x1=x(day), y1=y.start, x2=x(day), y2=y.start + 4, class_="axis"))
        at = "start" if day == days[0] else "middle"
        drawn.append(label(x(day), y.start + 20, date.fromordinal(day).isoformat(), at=at, class_="tick"))
    drawn.append(element("line", x1=x.start, y1=y.start, x2=x.end, y2=y.start, class_="axis"))
    return element("g", *drawn)


def _new_version(first: SuggestionPeriod, x: Scale, y: Scale) -> Markup:
    at = x(_number(first))
    told = element("title", f"{first.source}: version {first.version or 'unknown'} from {first.day}")
    return element("g", told, element("line", x1=at, x2=at, y1=y.end, y2=y.start, class_="diagonal"))


def _line(periods: Sequence[SuggestionPeriod], colour: str, x: Scale, y: Scale) -> Markup:
    points = [(x(_number(period)), y(period.accepted)) for period in periods]
    drawn = [line(points, f"line {colour}")]
    for period, (left, top) in zip(periods, points, strict=True):
        marks = [element("title", _told(period))]
        if period.interval is not None:
            ends = {"y1": y(period.interval.low), "y2": y(period.interval.high)}
            marks.append(element("line", x1=left, x2=left, **ends, class_=f"line {colour} thin"))
        drawn.append(element("g", *marks, element("circle", cx=left, cy=top, r=3.6, class_=f"dot {colour}")))
    return element("g", *drawn)


def _end_labels(
    lines: Sequence[Sequence[SuggestionPeriod]], colours: dict[str, str], x: Scale, y: Scale, right: float
) -> Markup:
    """The last version of each source by its name."""
    last = {periods[0].source: periods[-1] for periods in lines}
    places = spread([y(period.accepted) for period in last.values()], 16, TOP, y.start)
    drawn = [
        label(
            x.end + 13,
            place + 4,
            fitted(f"{percent(period.accepted)} {source}", right - 14, 13),
            class_=f"end-label text-{colours[source]}",
        )
        for (source, period), place in zip(last.items(), places, strict=True)
    ]
    return element("g", *drawn)


def _number(period: SuggestionPeriod) -> int:
    return date.fromisoformat(period.day).toordinal()


def _told(period: SuggestionPeriod) -> str:
    version = f", version {period.version}" if period.version else ""
    shown = amount(period.n, "suggestion", "suggestions")
    return f"{period.source}{version}, {period.day}: {percent(period.accepted)} of {shown} accepted"


def _described(story: SuggestionStory) -> str:
    last = [periods[-1] for periods in _by_version(story.periods)]
    return f"By {story.span}; at the end of each line: " + "; ".join(_told(period) for period in last) + "."
