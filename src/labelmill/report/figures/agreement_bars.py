"""How many items people agree on, and how far."""

from __future__ import annotations

from markupsafe import Markup

from labelmill.report.check_story import AgreementBars
from labelmill.report.figures._drawing import WIDE, drawing, element, label
from labelmill.report.figures._scale import Scale, ticks
from labelmill.report.wording import amount, count, percent

__all__ = ["agreement_bars"]

TOP, BOTTOM = 36, 44


def agreement_bars(bars: AgreementBars, *, width: int = WIDE) -> Markup:
    """A bar for each range of agreement, from none to all; empty when no item has two votes."""
    most = max(bars.counts, default=0)
    if not most:
        return Markup("")
    height = 250 if width >= WIDE else 210
    x = Scale(0, 1, 52, width - 12)
    y = Scale(0, most, height - BOTTOM, TOP)
    drawn: list[str] = [label(0, 12, "items", class_="axis-name")]
    for t in [t for t in ticks(0, most, 4) if t == round(t)]:
        drawn.append(element("line", x1=x.start, y1=y(t), x2=x.end, y2=y(t), class_="grid"))
        drawn.append(label(x.start - 8, y(t) + 4, count(t), at="end", class_="tick"))
    step = 1 / len(bars.counts)
    for i, n in enumerate(bars.counts):
        left, right = x(i * step), x((i + 1) * step)
        told = f"{amount(n, 'item', 'items')} with {percent(i * step)} to {percent((i + 1) * step)} equal pairs"
        bar = element("rect", x=left + 1, y=y(n), width=right - left - 2, height=y.start - y(n), class_="step-2")
        drawn.append(element("g", element("title", told), bar))
    drawn.append(element("line", x1=x.start, y1=y.start, x2=x.end, y2=y.start, class_="axis"))
    drawn += [label(x(t), y.start + 17, percent(t), at="middle", class_="tick") for t in (0, 0.25, 0.5, 0.75, 1)]
    drawn.append(element("line", x1=x(bars.mean), y1=TOP - 9, x2=x(bars.mean), y2=y.start, class_="reference"))
    at = "end" if bars.mean > 0.5 else "start"
    drawn.append(
        label(
            x(bars.mean) + (-6 if at == "end" else 6),
            TOP - 12,
            f"mean {percent(bars.mean)}",
            at=at,
            class_="note reference-text",
        )
    )
    drawn.append(
        label((x.start + x.end) / 2, y.start + 36, "equal pairs of votes on an item", at="middle", class_="axis-name")
    )
    described = (
        f"{count(sum(bars.counts))} items have two votes or more; {percent(bars.mean)} of their pairs are equal."
    )
    return drawing("agreement", width, height, "Agreement by item", described, *drawn)
