"""What every figure is drawn with: escaped SVG elements, axes, marks, text that fits.

A figure is drawn for a width in px close to the one it is shown at, so that its text has the size of the page's; the
page shows the wide drawing on a screen and the narrow one on a phone. Colours are CSS classes (`fill-rule`, `dot
curve-0`, ...), given a meaning once in `templates/report.css`, for light, dark and paper.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from markupsafe import Markup, escape

from labelmill.report.wording import safe

__all__ = ["NARROW", "WIDE", "Scalar", "drawing", "element", "fitted", "kind_mark", "label", "line", "text_width"]

WIDE, NARROW = 860, 340
"""Widths of the two drawings of every figure, px."""

Scalar = str | float | int | None

CHARACTER = 0.56
"""Mean width of a Latin character in a sans-serif face, relative to the font size; generous on purpose."""


def element(tag: str, *content: str, **attributes: Scalar) -> Markup:
    """One SVG element. Text content and attribute values are escaped; only `Markup` passes as it is.

    `class_` becomes `class`, `text_anchor` becomes `text-anchor`; None leaves the attribute out.
    """
    spelled = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if not content:
        return Markup(f"<{tag}{spelled}/>")  # noqa: S704 - tag is ours, values are escaped
    inner = Markup("").join(part if isinstance(part, Markup) else escape(safe(part)) for part in content)
    return Markup(f"<{tag}{spelled}>{inner}</{tag}>")  # noqa: S704 - as above


def drawing(name: str, width: float, height: float, title: str, description: str, *content: str) -> Markup:
    """A whole figure with its accessible title and description."""
    unique = f"{name}-{width:.0f}"
    return element(
        "svg",
        element("title", title, id=f"{unique}-title"),
        element("desc", description, id=f"{unique}-desc"),
        *content,
        class_=f"figure {name}",
        role="img",
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        aria_labelledby=f"{unique}-title {unique}-desc",
    )


def label(x: float, y: float, text: str, *, at: str = "start", class_: str = "") -> Markup:
    """Text at a point; `at` is the end of the text that is there: start, middle or end."""
    return element("text", text, x=x, y=y, text_anchor=None if at == "start" else at, class_=class_ or None)


def line(points: Sequence[tuple[float, float]], class_: str) -> Markup:
    """A polyline through the points; nothing for fewer than two."""
    if len(points) < 2:
        return Markup("")
    return element("polyline", points=" ".join(f"{_value(x)},{_value(y)}" for x, y in points), class_=class_)


def kind_mark(kind: str, x: float, y: float, radius: float = 4.5, *, extra: str = "") -> Markup:
    """The mark of an annotator's kind: square = rule, diamond = model, circle = person; any other, a circle.

    Shape says the same as colour, for eyes and printers that see none.
    """
    class_ = f"fill-{kind} {extra}".strip()
    if kind == "rule":
        side = radius * 1.8
        return element("rect", x=x - side / 2, y=y - side / 2, width=side, height=side, class_=class_)
    if kind == "model":
        reach = radius * 1.3
        corners = [(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)]
        return element("polygon", points=" ".join(f"{_value(a)},{_value(b)}" for a, b in corners), class_=class_)
    return element("circle", cx=x, cy=y, r=radius, class_=class_)


def text_width(text: str, size: float = 13) -> float:
    """Estimated width of a text, px; East Asian characters count one em."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return size * (wide + CHARACTER * (len(text) - wide))


def fitted(text: str, room: float, size: float = 13) -> str:
    """The text, with an ellipsis where it must be cut to fit into `room` px."""
    text = safe(text)
    if text_width(text, size) <= room:
        return text
    while text and text_width(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def _value(value: Scalar) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return str(escape(safe(str(value))))
