"""Whether probabilities mean what they say: the reliability diagram."""

from __future__ import annotations

import math

from markupsafe import Markup

from labelmill.report.figures._drawing import WIDE, drawing, element, label, line
from labelmill.report.figures._scale import Scale, round_below, ticks
from labelmill.report.story import Calibration, CalibrationBin
from labelmill.report.wording import amount, known, percent

__all__ = ["reliability"]

TOP, COUNTS = 34, 54
"""Room above the square; height of the histogram below it, px."""


def reliability(calibration: Calibration, *, width: int = WIDE) -> Markup:
    """Points on the diagonal are honest, below it too sure; the bars below count the items behind each point."""
    bins = [b for b in calibration.bins if b.n > 0 and known(b.mean_probability) is not None]
    if not any(known(b.accuracy) is not None for b in bins):
        return Markup("")
    side = 400.0 if width >= WIDE else width - 62.0
    x = Scale(round_below(min(b.low for b in bins)), 1.0, 50, 50 + side)
    y = Scale(round_below(min(x.low, *(_lowest(b) for b in bins))), 1.0, TOP + side * 0.8, TOP)
    base = y.start + 18 + COUNTS
    drawn = [_axes(x, y, base), line([(x(x.low), y(x.low)), (x(1), y(1))], "diagonal")]
    drawn.append(line([(x(b.mean_probability), y(b.accuracy)) for b in bins if b.accuracy is not None], "line release"))
    drawn += [_point(b, x, y) for b in bins]
    drawn += _histogram(bins, x, base)
    if width >= WIDE:
        drawn.append(_remarks(calibration, x, y))
    return drawing("reliability", width, base + 40, "Calibration", _described(calibration, bins), *drawn)


def _lowest(b: CalibrationBin) -> float:
    ends = [b.mean_probability, known(b.accuracy), b.interval.low if b.interval else None]
    return min(end for end in ends if end is not None and math.isfinite(end))


def _axes(x: Scale, y: Scale, base: float) -> Markup:
    drawn: list[str] = [label(0, 14, "share of labels that are right", class_="axis-name")]
    for t in ticks(y.low, 1.0, 5):
        drawn.append(element("line", x1=x.start, y1=y(t), x2=x.end, y2=y(t), class_="grid"))
        drawn.append(label(x.start - 8, y(t) + 4, percent(t), at="end", class_="tick"))
    drawn += [label(x(t), base + 16, percent(t), at="middle", class_="tick") for t in ticks(x.low, 1.0, 5)]
    drawn.append(element("line", x1=x.start, y1=base, x2=x.end, y2=base, class_="axis"))
    drawn.append(label((x.start + x.end) / 2, base + 35, "probability of the label", at="middle", class_="axis-name"))
    return element("g", *drawn)


def _point(b: CalibrationBin, x: Scale, y: Scale) -> Markup:
    accuracy = known(b.accuracy)
    if accuracy is None:
        return Markup("")
    place = x(b.mean_probability)
    drawn = [element("title", _told(b))]
    if b.interval is not None:
        ends = {"y1": y(b.interval.low), "y2": y(b.interval.high)}
        drawn.append(element("line", x1=place, x2=place, **ends, class_="interval release"))
    drawn.append(element("circle", cx=place, cy=y(accuracy), r=4.2, class_="fill-release"))
    return element("g", *drawn)


def _histogram(bins: list[CalibrationBin], x: Scale, base: float) -> list[Markup]:
    most = max(b.n for b in bins)
    heights = Scale(0, most, 0, COUNTS - 18)
    drawn = []
    for b in bins:
        start, end = x(b.low), x(b.high)
        height = max(heights(b.n), 1.0)
        bar = {"x": start + 1, "y": base - height, "width": max(end - start - 2, 1.0), "height": height}
        drawn.append(element("g", element("title", _told(b)), element("rect", **bar, class_="track-strong")))
        if b.n == most:
            items = amount(b.n, "item", "items")
            drawn.append(label(end - 1, base - height - 5, items, at="end", class_="note"))
    return drawn


def _remarks(calibration: Calibration, x: Scale, y: Scale) -> Markup:
    left = x.end + 40
    drawn = [label(x(1.0) + 8, y(1.0) + 4, "honest", class_="note")]
    if known(calibration.error) is not None:
        drawn.append(label(left, y.end + 60, percent(calibration.error), class_="big"))
        drawn.append(label(left, y.end + 82, "mean gap between probability and truth", class_="note"))
    if calibration.source:
        for n, part in enumerate(f"checked against {calibration.source}".split(", ")):  # a line each: room is scarce
            drawn.append(label(left, y.end + 102 + 20 * n, part, class_="note"))
    return element("g", *drawn)


def _told(b: CalibrationBin) -> str:
    right = f", {percent(b.accuracy)} right" if known(b.accuracy) is not None else ""
    items = amount(b.n, "item", "items")
    return f"probability {percent(b.low)} to {percent(b.high)}: {items}, mean {percent(b.mean_probability)}{right}"


def _described(calibration: Calibration, bins: list[CalibrationBin]) -> str:
    gap = f" Mean gap {percent(calibration.error)}." if known(calibration.error) is not None else ""
    return "; ".join(_told(b) for b in bins) + "." + gap
