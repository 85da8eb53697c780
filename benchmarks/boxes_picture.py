"""The picture of docs/how-to/merge-boxes.md: one made-up street, five people's boxes, and what is made of them.

    python benchmarks/boxes_picture.py

The street is drawn here; the boxes are those of the simulated people of the tests, merged by the real model, which
learned from them and 60 more streets.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.aggregation.structured import drawn

from labelmill.aggregation.structured.box import BoxModel
from labelmill.domain.shapes import iou_table
from labelmill.labels.box import Box

TARGET = Path(__file__).resolve().parents[1] / "docs" / "images" / "merge-boxes.svg"
WIDTH, HEIGHT, GAP, TITLE = 480, 300, 16, 30
CLASSES = ("car", "person", "tree")
STREET = [
    ("tree", 52, 78),
    ("car", 40, 196),
    ("person", 184, 178),
    ("tree", 392, 70),
    ("car", 232, 208),
    ("person", 420, 186),
]
SIDES = {"car": (124, 62), "person": (34, 88), "tree": (78, 124)}
COLOURS = ("#c2410c", "#1d4ed8", "#15803d", "#a21caf", "#b45309")
MERGED = "#0f172a"
SEED = 9


def main() -> None:
    """Learn, merge and draw."""
    rng = np.random.default_rng(SEED)
    streets = {"street": _gold(STREET), **{f"other {n}": _gold(_random_street(rng)) for n in range(60)}}
    sizes = dict.fromkeys(streets, (float(WIDTH), float(HEIGHT)))
    answers = drawn.people(streets, sizes, CLASSES, SEED, drawn.draw_box, drawn.invent_box)
    table = drawn.table(Box(classes=CLASSES), answers, sizes, CLASSES)
    merged = BoxModel().fit(table).predict(table)[0]
    gold_boxes = streets["street"]
    people = [
        _box(box, COLOURS[j], _wrong_class(box, gold_boxes), width=1.8)
        for j, name in enumerate(answers)
        for box in answers[name]["street"]
    ]
    result = [
        _box(box, MERGED, f"{box['label']} {part:.2f}", width=2.4)
        for box, part in zip(merged.value, merged.parts, strict=True)
    ]
    gold = [_box(box, "#ffffff", "", width=1.2, dashes="4 3") for box in gold_boxes]
    TARGET.write_text(
        _page(
            [
                ("what five people drew; named where the class is wrong", people),
                ("merged, with the chance of each; gold dashed", [*gold, *result]),
            ]
        )
    )


def _wrong_class(box: drawn.Shape, gold: Sequence[drawn.Shape]) -> str:
    near = iou_table([box], gold)[0]
    right = near.max() > 0.1 and gold[int(near.argmax())]["label"] == box["label"]
    return "" if right else str(box["label"])


def _gold(street: Sequence[tuple[str, int, int]]) -> list[drawn.Shape]:
    boxes: list[drawn.Shape] = [
        {
            "label": label,
            "x": float(x),
            "y": float(y),
            "width": float(SIDES[label][0]),
            "height": float(SIDES[label][1]),
        }
        for label, x, y in street
    ]
    return sorted(boxes, key=drawn.place)


def _random_street(rng: np.random.Generator) -> list[tuple[str, int, int]]:
    labels = rng.choice(CLASSES, 5)
    return [(str(label), 5 + 92 * n, int(rng.integers(40, 170))) for n, label in enumerate(labels)]


def _page(panels: Sequence[tuple[str, Sequence[str]]]) -> str:
    width, height = len(panels) * (WIDTH + GAP) - GAP, HEIGHT + TITLE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif">',
        "<title>Boxes of five people around the objects of a street, and the boxes made of them</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for n, (title, boxes) in enumerate(panels):
        parts.append(f'<g transform="translate({n * (WIDTH + GAP)} 0)">')
        parts.append(f'<text x="2" y="20" font-size="15" fill="#0f172a">{title}</text>')
        parts.append(f'<svg y="{TITLE}" width="{WIDTH}" height="{HEIGHT}">{_scene()}{"".join(boxes)}</svg></g>')
    return "\n".join([*parts, "</svg>\n"])


def _scene() -> str:
    sky = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#dbe7f0"/>'
    houses = "".join(
        f'<rect x="{x}" y="{y}" width="{w}" height="{200 - y}" fill="{fill}"/>'
        for x, y, w, fill in (
            (0, 60, 120, "#cdb9a5"),
            (120, 30, 150, "#bfc4b2"),
            (270, 80, 110, "#c9b0ac"),
            (380, 45, 100, "#b8bcc9"),
        )
    )
    windows = "".join(
        f'<rect x="{x}" y="{y}" width="16" height="22" fill="#8fa3b5" opacity="0.7"/>'
        for x in range(136, 260, 34)
        for y in range(48, 180, 40)
    )
    ground = (
        '<rect y="200" width="480" height="100" fill="#8b8f94"/><rect y="196" width="480" height="10" fill="#b4b5b0"/>'
    )
    painters = {"car": _car, "person": _person, "tree": _tree}
    return sky + houses + windows + ground + "".join(painters[label](x, y) for label, x, y in STREET)


def _car(x: int, y: int) -> str:
    fill = "#9f3a38" if x < 200 else "#39618f"
    return (
        f'<path d="M{x} {y + 50} v-18 q2-10 20-12 l16-18 q4-2 10-2 h38 q8 0 14 8 l12 14 q14 4 14 16 v12 z" '
        f'fill="{fill}"/>'
        f'<path d="M{x + 42} {y + 18} l10-12 h18 v12 z M{x + 76} {y + 6} h14 l10 12 h-24 z" fill="#d7e3ee"/>'
        f'<circle cx="{x + 28}" cy="{y + 50}" r="12" fill="#24272b"/>'
        f'<circle cx="{x + 98}" cy="{y + 50}" r="12" fill="#24272b"/>'
    )


def _person(x: int, y: int) -> str:
    return (
        f'<circle cx="{x + 17}" cy="{y + 11}" r="11" fill="#d8a989"/>'
        f'<path d="M{x} {y + 56} v-20 q0-12 12-12 h10 q12 0 12 12 v20 h-6 v-16 '
        f'h-2 v48 h-8 v-26 h-2 v26 h-8 v-48 h-2 v16 z" '
        f'fill="{"#5a4a78" if x < 300 else "#3f6b5c"}"/>'
    )


def _tree(x: int, y: int) -> str:
    return (
        f'<rect x="{x + 33}" y="{y + 70}" width="12" height="54" fill="#6b4f3a"/>'
        f'<path d="M{x + 39} {y} q26 4 28 26 q14 10 10 28 '
        f'q-4 26 -38 26 q-34 0 -38 -26 q-4 -18 10 -28 q2 -22 28 -26 z" fill="#5c8256"/>'
    )


def _box(box: Any, colour: str, text: str, *, width: float, dashes: str = "") -> str:
    x, y = box["x"], box["y"]
    frame = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{box["width"]:.1f}" height="{box["height"]:.1f}" fill="none" '
        f'stroke="{colour}" stroke-width="{width}"{f" stroke-dasharray={chr(34)}{dashes}{chr(34)}" if dashes else ""}/>'
    )
    if not text:
        return frame
    wide = len(text) * 6.6 + 6
    left, top = min(x - 1.0, WIDTH - wide), max(y - 14.0, 0.0)
    behind = f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide:.0f}" height="14" fill="{colour}"/>'
    return f'{frame}{behind}<text x="{left + 3:.1f}" y="{top + 10.5:.1f}" font-size="11" fill="#ffffff">{text}</text>'


if __name__ == "__main__":
    main()
