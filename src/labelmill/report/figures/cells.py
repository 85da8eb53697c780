"""Small pictures inside the cells of tables and cards."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from labelmill.report.check_story import CheckedRow
from labelmill.report.figures._drawing import element, kind_mark, label
from labelmill.report.figures._scale import Scale, round_below
from labelmill.report.story import AnnotatorRow, Interval
from labelmill.report.wording import known, percent

__all__ = [
    "accuracy_axis",
    "accuracy_dots",
    "accuracy_scale",
    "answers_bar",
    "coverage_bar",
    "mark",
    "probability_bar",
    "quality_dots",
    "quality_scale",
]

COVERAGE_WIDTH, ACCURACY_WIDTH, PROBABILITY_WIDTH = 100, 140, 240


def mark(kind: str) -> Markup:
    """The mark of an annotator's kind, as high as the text beside it."""
    return element(
        "svg", kind_mark(kind, 6, 6, 4), class_="mark", viewBox="0 0 12 12", width=12, height=12, aria_hidden="true"
    )


def coverage_bar(row: AnnotatorRow) -> Markup:
    """Coverage, in it the overlaps, in them the conflicts: three bars, each inside the one before."""
    scale = Scale(0, 1, 0, COVERAGE_WIDTH)
    shares = [
        (known(row.coverage), 14, "cover"),
        (known(row.overlaps), 14, "overlap"),
        (known(row.conflicts), 14, "quarrel"),
    ]
    bars = [
        element("rect", x=0, y=1, width=scale(share), height=height, class_=f"{class_} fill-{row.kind}")
        for share, height, class_ in shares
        if share
    ]
    track = element("rect", x=0, y=1, width=COVERAGE_WIDTH, height=14, class_="track")
    return _cell(COVERAGE_WIDTH, 16, track, *bars)


def accuracy_scale(rows: Sequence[AnnotatorRow]) -> Scale:
    """One scale for all rows: from one half, or a round number below the worst accuracy, to 1."""
    values = [v for row in rows for v in _accuracies(row) if v is not None]
    return Scale(round_below(min([0.5, *values])), 1.0, 8, ACCURACY_WIDTH - 8)


def accuracy_dots(row: AnnotatorRow, scale: Scale) -> Markup:
    """The learned accuracy as an open mark, the true one as a filled mark on its interval."""
    learned, true = known(row.learned_accuracy), known(row.true_accuracy)
    drawn: list[str] = [element("line", x1=scale.start, y1=10, x2=scale.end, y2=10, class_="grid")]
    if row.true_interval is not None:
        drawn.append(_interval(row.true_interval, row.kind, scale))
    if learned is not None:
        drawn.append(kind_mark(row.kind, scale(learned), 10, 4.8, extra="open"))
    if true is not None:
        drawn.append(kind_mark(row.kind, scale(true), 10, 2.9))
    return _cell(ACCURACY_WIDTH, 20, *drawn)


def quality_scale(rows: Sequence[CheckedRow]) -> Scale:
    """One scale for all annotators of a check: from a round number below the lowest interval to 1."""
    ends = [end for row in rows for end in (row.learned_interval, row.true_interval) if end is not None]
    return Scale(round_below(min([0.5, *(known(end.low) or 0.0 for end in ends)])), 1.0, 8, ACCURACY_WIDTH - 8)


def quality_dots(row: CheckedRow, scale: Scale) -> Markup:
    """The learned share of right votes as an open mark, the true one as a filled mark below, each on its interval."""
    drawn: list[str] = [element("line", x1=scale.start, y1=13, x2=scale.end, y2=13, class_="grid")]
    for value, interval, y, open_ in (
        (row.learned, row.learned_interval, 9, "open"),
        (row.true_accuracy, row.true_interval, 17, ""),
    ):
        if interval is not None:
            ends = {"x1": scale(interval.low), "x2": scale(interval.high)}
            drawn.append(element("line", **ends, y1=y, y2=y, class_=f"interval {row.kind}"))
        if known(value) is not None:
            drawn.append(kind_mark(row.kind, scale(float(value or 0.0)), y, 3.4, extra=open_))
    return _cell(ACCURACY_WIDTH, 26, *drawn)


def accuracy_axis(scale: Scale) -> Markup:
    """The scale of the dots, for the head of their column."""
    marks = [scale.low, (scale.low + scale.high) / 2, scale.high]
    ends = ["start", "middle", "end"]
    drawn = [
        label(scale(t) + (-8 if end == "start" else 8 if end == "end" else 0), 11, percent(t), at=end, class_="tick")
        for t, end in zip(marks, ends, strict=True)
    ]
    return _cell(ACCURACY_WIDTH, 14, *drawn)


def probability_bar(probabilities: Sequence[float]) -> Markup:
    """The probabilities of the classes as parts of one bar, in class order, the likeliest dark."""
    shares = [known(p) or 0.0 for p in probabilities]
    total = sum(shares)
    if total <= 0:
        return Markup("")
    likeliest = shares.index(max(shares))
    drawn, start = [], 0.0
    for k, share in enumerate(shares):
        wide = share / total * PROBABILITY_WIDTH
        class_ = "likely" if k == likeliest else "unlikely"
        drawn.append(element("rect", x=start, y=0, width=max(wide - 1, 0.5), height=8, class_=class_))
        start += wide
    return _cell(PROBABILITY_WIDTH, 8, *drawn)


def answers_bar(parts: Sequence[int]) -> Markup:
    """Human answers by reason, as parts of one bar, from dark to light."""
    total = sum(parts)
    if total <= 0:
        return Markup("")
    drawn, start = [], 0.0
    for i, n in enumerate(parts):
        wide = n / total * PROBABILITY_WIDTH
        drawn.append(
            element("rect", x=start, y=0, width=max(wide - 1.5, 0.5), height=8, class_=f"fill-person part-{i}")
        )
        start += wide
    return _cell(PROBABILITY_WIDTH, 8, *drawn)


def _accuracies(row: AnnotatorRow) -> list[float | None]:
    low = row.true_interval.low if row.true_interval else None
    return [known(row.learned_accuracy), known(row.true_accuracy), known(low)]


def _interval(interval: Interval, kind: str, scale: Scale) -> Markup:
    return element("line", x1=scale(interval.low), y1=10, x2=scale(interval.high), y2=10, class_=f"interval {kind}")


def _cell(width: int, height: int, *content: str) -> Markup:
    return element(
        "svg",
        *content,
        class_="cell-picture",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        preserveAspectRatio="none",
        aria_hidden="true",
    )
