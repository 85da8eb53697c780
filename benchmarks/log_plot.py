"""A small plot with two logarithmic axes, as SVG that follows the reader's light or dark theme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 78, 150, 20, 52
LABEL = 16
COLOURS = ("#3b6fb6", "#2a8f7a", "#8a6bbf", "#c0662b", "#b23a5b", "#6b7280")

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.grid { stroke: #d0d7de; stroke-width: 1 }
@media (prefers-color-scheme: dark) { text { fill: #d5dae0 } .grid { stroke: #3a414a } }
"""


class Line(NamedTuple):
    """Points from left to right, and dots of the same colour."""

    name: str
    points: Sequence[tuple[float, float]]
    dots: Sequence[tuple[float, float]] = ()


def drawn(
    lines: Sequence[Line], *, x: str, y: str, x_ticks: Sequence[tuple[float, str]], y_ticks: Sequence[tuple[float, str]]
) -> str:
    """The plot. Ticks are (value, label); the axes reach from the first tick to the last."""
    across = _scale([value for value, _ in x_ticks], LEFT, WIDTH - RIGHT)
    up = _scale([value for value, _ in y_ticks], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{y} by {x}">',
        f"<style>{STYLE}</style>",
    ]
    for value, label in x_ticks:
        at = across(value)
        parts.append(f'<line class="grid" x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{label}</text>')
    for value, label in y_ticks:
        at = up(value)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{label}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{x}</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(f'<text transform="translate(16 {middle}) rotate(-90)" text-anchor="middle">{y}</text>')
    heights: dict[str, float] = {}
    free: dict[float, float] = {}  # labels stand one over the other where lines end side by side, the lowest first
    for height, end, name in sorted((up(line.points[-1][1]), line.points[-1][0], line.name) for line in lines)[::-1]:
        free[end] = heights[name] = min(height, free.get(end, math.inf) - LABEL)
    for line, colour in zip(lines, COLOURS, strict=False):
        parts += _drawn_line(line, colour, [(across(a), up(b)) for a, b in line.points], heights[line.name])
        for a, b in line.dots:
            parts.append(f'<circle cx="{across(a):.1f}" cy="{up(b):.1f}" r="4.5" fill="{colour}"/>')
    return "\n".join([*parts, "</svg>", ""])


def _drawn_line(line: Line, colour: str, points: Sequence[tuple[float, float]], height: float) -> list[str]:
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    a = points[-1][0]
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.2"/>',
        f'<text x="{a + 8:.1f}" y="{height + 4:.1f}" style="fill:{colour}">{line.name}</text>',
    ]


def _scale(values: Sequence[float], start: float, stop: float):  # type: ignore[no-untyped-def]
    low, high = math.log(min(values)), math.log(max(values))
    return lambda value: start + (math.log(value) - low) / (high - low) * (stop - start)
