"""Error and certified bound against the human answers spent."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from labelmill.report.figures._drawing import WIDE, drawing, element, fitted, label, line
from labelmill.report.figures._scale import Scale, spread, ticks
from labelmill.report.story import Curve, CurvePoint
from labelmill.report.wording import bound_percent, count, known, percent

__all__ = ["learning_curve"]

TOP, BOTTOM = 34, 44


def learning_curve(curves: Sequence[Curve], *, promise: float | None = None, width: int = WIDE) -> Markup:
    """One line for each way of choosing, labelled at its end; the bound above it is thin; the promise is a level.

    Parameters
    ----------
    curves : sequence of Curve
    promise : float or None
        The certificate's epsilon, drawn as a level.
    width : int
        px.
    """
    curves = [curve for curve in curves if any(_has_value(point) for point in curve.points)]
    if not curves:
        return Markup("")
    right = 150 if width >= WIDE else 124
    height = 380 if width >= WIDE else 300
    points = [point for curve in curves for point in curve.points if _has_value(point)]
    low, high = min(p.n_answers for p in points), max(p.n_answers for p in points)
    x = Scale(low, high, 50, width - right)
    y = Scale(0, _top_of(points, promise), height - BOTTOM, TOP)
    level = known(promise)
    level = level if level is not None and y.contains(level) else None
    colours = _colours(curves)
    drawn = [_axes(x, y, low, high, width), _promise(level, x, y)]
    drawn += [_band(curve, x, y) for curve in curves]
    drawn += [_lines(curve, colour, x, y) for curve, colour in zip(curves, colours, strict=True)]
    drawn.append(_end_labels(curves, colours, level, x, y, right))
    return drawing("curve", width, height, "Error against human answers", _described(curves), *drawn)


def _has_value(point: CurvePoint) -> bool:
    return known(point.error) is not None or known(point.bound) is not None


def _top_of(points: Sequence[CurvePoint], promise: float | None) -> float:
    """The highest error shown; a bound that starts far above the errors runs in from the top."""
    errors = [e for p in points for e in (known(p.error), known(p.high)) if e is not None]
    bounds = [b for p in points if (b := known(p.bound)) is not None]
    level = known(promise) or 0.0
    if not errors:
        return max([*bounds, level * 1.3, 1e-3])
    return min(max([*errors, *bounds, level]), max(1.6 * max(errors), 1.6 * level)) * 1.04 or 0.01


def _colours(curves: Sequence[Curve]) -> list[str]:
    """Grey for baselines, then one colour each."""
    names, n = [], 0
    for curve in curves:
        names.append("baseline" if curve.is_baseline else f"curve-{n % 4}")
        n += not curve.is_baseline
    return names


def _axes(x: Scale, y: Scale, low: int, high: int, width: int) -> Markup:
    drawn: list[str] = [label(0, 14, "share of labels that are wrong", class_="axis-name")]
    for t in ticks(y.low, y.high, 4):
        drawn.append(element("line", x1=x.start, y1=y(t), x2=x.end, y2=y(t), class_="grid"))
        drawn.append(label(x.start - 8, y(t) + 4, percent(t), at="end", class_="tick"))
    for t in [t for t in ticks(low, high, 5 if width >= WIDE else 3) if t == round(t)]:
        drawn.append(element("line", x1=x(t), y1=y.start, x2=x(t), y2=y.start + 4, class_="axis"))
        drawn.append(label(x(t), y.start + 18, count(t), at="middle", class_="tick"))
    drawn.append(element("line", x1=x.start, y1=y.start, x2=x.end, y2=y.start, class_="axis"))
    drawn.append(label((x.start + x.end) / 2, y.start + 38, "human answers spent", at="middle", class_="axis-name"))
    return element("g", *drawn)


def _promise(promise: float | None, x: Scale, y: Scale) -> Markup:
    if promise is None:
        return Markup("")
    return element("line", x1=x.start, y1=y(promise), x2=x.end, y2=y(promise), class_="promise")


def _band(curve: Curve, x: Scale, y: Scale) -> Markup:
    span = [
        (p.n_answers, low, high)
        for p in curve.points
        if (low := known(p.low)) is not None and (high := known(p.high)) is not None
    ]
    if len(span) < 2:
        return Markup("")
    edge = [(x(n), y(high)) for n, _, high in span] + [(x(n), y(low)) for n, low, _ in reversed(span)]
    return element("polygon", points=" ".join(f"{a:.1f},{b:.1f}" for a, b in edge), class_="band")


def _lines(curve: Curve, colour: str, x: Scale, y: Scale) -> Markup:
    errors = [(x(p.n_answers), y(e)) for p in curve.points if (e := known(p.error)) is not None]
    bounds = _inside([(p.n_answers, b) for p in curve.points if (b := known(p.bound)) is not None], x, y)
    dots = [
        element(
            "g",
            element("title", _told(curve, p)),
            element("circle", cx=x(p.n_answers), cy=y(e), r=3.2, class_=f"dot {colour}"),
        )
        for p in curve.points
        if (e := known(p.error)) is not None
    ]
    return element("g", line(bounds, f"line bound {colour}"), line(errors, f"line {colour}"), *dots)


def _inside(points: list[tuple[int, float]], x: Scale, y: Scale) -> list[tuple[float, float]]:
    """The part of a falling line below the top of the scale, cut where it crosses it."""
    drawn: list[tuple[float, float]] = []
    for i, (n, value) in enumerate(points):
        previous = points[i - 1] if i else None
        if previous and (previous[1] > y.high) != (value > y.high):
            share = (y.high - previous[1]) / (value - previous[1])
            drawn.append((x(previous[0] + share * (n - previous[0])), y(y.high)))
        if value <= y.high:
            drawn.append((x(n), y(value)))
    return drawn


def _end_labels(
    curves: Sequence[Curve], colours: Sequence[str], promise: float | None, x: Scale, y: Scale, right: float
) -> Markup:
    ends = [(x.end, y(promise), f"{bound_percent(promise)} promised", "promise")] if promise is not None else []
    for curve, colour in zip(curves, colours, strict=True):
        errors = [(p.n_answers, e) for p in curve.points if (e := known(p.error)) is not None]
        bounds = [(p.n_answers, b) for p in curve.points if (b := known(p.bound)) is not None]
        if errors:
            n, error = errors[-1]
            ends.append((x(n), y(error), f"{percent(error)} {curve.name}", colour))
        if bounds and bounds[-1][1] <= y.high:
            n, bound = bounds[-1]
            ends.append((x(n), y(bound), f"{bound_percent(bound)} certified", colour))
    places = spread([place for _, place, _, _ in ends], 16, TOP, y.start)
    drawn = []
    for (end, place, text, colour), moved in zip(ends, places, strict=True):
        if abs(place - moved) > 2 and x.end - end < 1:
            drawn.append(element("line", x1=end + 5, y1=place, x2=end + 11, y2=moved, class_="leader"))
        drawn.append(label(x.end + 13, moved + 4, fitted(text, right - 14, 13), class_=f"end-label text-{colour}"))
    return element("g", *drawn)


def _told(curve: Curve, point: CurvePoint) -> str:
    bound = f", certified at most {bound_percent(point.bound)}" if known(point.bound) is not None else ""
    return f"{curve.name}, {count(point.n_answers)} answers: {percent(point.error)} wrong{bound}"


def _described(curves: Sequence[Curve]) -> str:
    ends = [_told(curve, [p for p in curve.points if _has_value(p)][-1]) for curve in curves]
    return "At the end of each line: " + "; ".join(ends) + "."
