"""How right one annotator is as its votes go by."""

from __future__ import annotations

from markupsafe import Markup

from labelmill.report.check_story import TrendLine
from labelmill.report.figures._drawing import WIDE, drawing, element, fitted, label, line
from labelmill.report.figures._scale import Scale, ticks
from labelmill.report.wording import count, percent

__all__ = ["trend_lines"]

PANEL, GAP, TOP = 150, 44, 26


def trend_lines(trends: list[TrendLine], *, width: int = WIDE) -> Markup:
    """A panel for each annotator on one scale: its share of right votes, the change, the levels before and after."""
    shown = [trend for trend in trends if len(trend.points) > 1]
    if not shown:
        return Markup("")
    columns = 2 if width >= WIDE and len(shown) > 1 else 1
    room = (width - 28 * (columns - 1)) / columns
    low = min(min(point.low for point in trend.points) for trend in shown)
    drawn = []
    for i, trend in enumerate(shown):
        left, top = (i % columns) * (room + 28), (i // columns) * (PANEL + GAP + TOP)
        drawn += _panel(trend, left, left + room, top, max(low - 0.02, 0.0))
    rows = -(-len(shown) // columns)
    height = rows * (PANEL + GAP + TOP) - 4
    return drawing("trends", width, height, "Right votes over time", _described(shown), *drawn)


def _panel(trend: TrendLine, left: float, right: float, top: float, low: float) -> list[str]:
    last = trend.points[-1].n_votes
    x = Scale(0, last, left + 44, right)
    y = Scale(low, 1.0, top + TOP + PANEL, top + TOP)
    drawn: list[str] = [label(left, top + 13, fitted(trend.name, right - left), class_="end-label")]
    for t in ticks(low, 1.0, 3):
        drawn.append(element("line", x1=x.start, y1=y(t), x2=x.end, y2=y(t), class_="grid"))
        drawn.append(label(x.start - 6, y(t) + 4, percent(t), at="end", class_="tick"))
    whole = [t for t in ticks(0, last, 4) if t == round(t)]
    drawn += [label(x(t), y.start + 16, count(t) if t else "0 votes", at="middle", class_="tick") for t in whole]
    edge = [(x(p.n_votes), y(p.high)) for p in trend.points] + [
        (x(p.n_votes), y(p.low)) for p in reversed(trend.points)
    ]
    drawn.append(element("polygon", points=" ".join(f"{a:.1f},{b:.1f}" for a, b in edge), class_="band"))
    drawn.append(line([(x(p.n_votes), y(p.right)) for p in trend.points], "line curve-3"))
    if trend.is_found:
        change = x(trend.n_before)
        drawn.append(element("line", x1=change, y1=y.end - 4, x2=change, y2=y.start, class_="reference"))
        drawn.append(line([(x.start, y(trend.before)), (change, y(trend.before))], "line baseline"))
        drawn.append(line([(change, y(trend.after)), (x.end, y(trend.after))], "line baseline"))
    return drawn


def _described(trends: list[TrendLine]) -> str:
    told = [
        f"{trend.name}: {percent(trend.before)} right until vote {count(trend.n_before)}, {percent(trend.after)} after"
        for trend in trends
    ]
    return "; ".join(told) + "."
