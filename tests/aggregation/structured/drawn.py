"""People who draw boxes, polygons and points around gold ones, with stated rates of what goes wrong."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.domain.answers import AnswerTable
from labelmill.domain.shapes import area, crossing

Shape = dict[str, Any]
Images = dict[str, list[Shape]]
Sizes = dict[str, tuple[float, float]]

SLOPPY, HOW_SLOPPY = 0.1, 3.0
"""Share of drawings that are off so many times as much as the person's others."""


class Habit(NamedTuple):
    """How often what goes wrong.

    `miss`: share of objects overlooked; `spurious`: false alarms an image; `jitter`: standard deviation of an edge
    relative to the side (of a point in pixels over 120); `confuse`: share of objects that get a class at random.
    """

    miss: float
    spurious: float
    jitter: float
    confuse: float


PEOPLE = (
    Habit(0.10, 0.1, 0.04, 0.03),
    Habit(0.25, 0.3, 0.08, 0.08),
    Habit(0.15, 0.8, 0.06, 0.15),
    Habit(0.40, 0.2, 0.12, 0.05),
    Habit(0.30, 1.5, 0.15, 0.20),
)
"""One careful, one careless, and three who each have a weakness."""

Draw = Callable[[Shape, float, np.random.Generator, tuple[float, float]], Shape | None]
Invent = Callable[[np.random.Generator, tuple[float, float]], Shape | None]


def person(
    gold: Images, sizes: Sizes, classes: Sequence[str], habit: Habit, seed: int, draw: Draw, invent: Invent
) -> Images:
    """What one person answers on every image."""
    rng = np.random.default_rng(seed)
    answers = {}
    for item, objects in gold.items():
        value = []
        for shape in objects:
            if rng.random() < habit.miss:
                continue
            jitter = habit.jitter * (HOW_SLOPPY if rng.random() < SLOPPY else 1.0)
            drawn = draw(shape, jitter, rng, sizes[item])
            if drawn is not None:
                is_mixed_up = rng.random() < habit.confuse
                label = classes[int(rng.integers(len(classes)))] if is_mixed_up else shape["label"]
                value.append({**drawn, "label": label})
        for _ in range(rng.poisson(habit.spurious)):
            found = invent(rng, sizes[item])
            if found is not None:
                value.append({**found, "label": classes[int(rng.integers(len(classes)))]})
        answers[item] = sorted(value, key=place)
    return answers


def people(
    gold: Images,
    sizes: Sizes,
    classes: Sequence[str],
    seed: int,
    draw: Draw,
    invent: Invent,
    habits: Sequence[Habit] = PEOPLE,
) -> dict[str, Images]:
    """The answers of several people."""
    return {
        f"person {j}": person(gold, sizes, classes, habit, 100 * seed + j, draw, invent)
        for j, habit in enumerate(habits)
    }


def table(kind: Any, answers: Mapping[str, Images], sizes: Sizes, classes: Sequence[str]) -> AnswerTable:
    """Everybody answers every image."""
    items, names = list(sizes), list(answers)
    return AnswerTable(
        kind,
        items,
        names,
        np.repeat(np.arange(len(items)), len(names)),
        np.tile(np.arange(len(names)), len(items)),
        [answers[name][item] for item in items for name in names],
        classes=classes,
        facts=[{"width": sizes[item][0], "height": sizes[item][1]} for item in items],
    )


def place(shape: Shape) -> tuple[Any, ...]:
    """The canonical order of each kind."""
    if "points" in shape:
        return shape["points"], shape["label"]
    return (*(shape.get(key, 0.0) for key in ("x", "y", "width", "height", "rotation")), shape["label"])


def draw_box(box: Shape, jitter: float, rng: np.random.Generator, size: tuple[float, float]) -> Shape | None:
    """Each edge is off by a Gaussian of the side's length times jitter."""
    left, right, top, bottom = rng.normal(size=4) * jitter
    x = np.array([box["x"] + left * box["width"], box["x"] + box["width"] * (1 + right)])
    y = np.array([box["y"] + top * box["height"], box["y"] + box["height"] * (1 + bottom)])
    return _box(np.sort(np.clip(x, 0.0, size[0])), np.sort(np.clip(y, 0.0, size[1])), box["label"])


def invent_box(rng: np.random.Generator, size: tuple[float, float]) -> Shape | None:
    """A box anywhere, its sides 5 to 40 % of the image's."""
    sides = np.array(size) * rng.uniform(0.05, 0.4, 2)
    corner = rng.uniform(0.0, np.array(size) - sides)
    x, y = np.stack([corner, corner + sides], axis=1)
    return _box(x, y, "")


def draw_polygon(polygon: Shape, jitter: float, rng: np.random.Generator, size: tuple[float, float]) -> Shape | None:
    """Some points are left out; the others are moved by a smooth wave along the outline."""
    ring = np.array(polygon["points"])
    scale = jitter * math.sqrt(area(ring))
    for _ in range(20):
        kept = np.sort(
            rng.choice(len(ring), max(min(len(ring), 6), int(len(ring) * rng.uniform(0.6, 1.0))), replace=False)
        )
        turn = np.linspace(0.0, 2 * np.pi, len(kept), endpoint=False)
        wave = sum(np.cos(f * turn + rng.uniform(0, 2 * np.pi))[:, None] * rng.normal(size=2) / 2 for f in range(1, 5))
        moved = ring[kept] + scale * (np.asarray(wave) + rng.normal(size=2) / 2)
        found = simple(np.clip(moved, 0.0, size).tolist())
        if found is not None:
            return {"label": polygon["label"], "points": found}
    return None


def invent_polygon(rng: np.random.Generator, size: tuple[float, float]) -> Shape | None:
    """A heptagon anywhere."""
    turn = np.linspace(0.0, 2 * np.pi, 7, endpoint=False)
    centre, radius = rng.uniform(0.2, 0.8, 2) * size, rng.uniform(0.03, 0.15) * size[0]
    found = simple(np.clip(centre + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1), 0.0, size).tolist())
    return None if found is None else {"label": "", "points": found}


def draw_point(point: Shape, jitter: float, rng: np.random.Generator, size: tuple[float, float]) -> Shape | None:
    """Off by a Gaussian of 120 pixels times jitter."""
    x, y = np.clip([point["x"], point["y"]] + rng.normal(size=2) * jitter * 120.0, 0.0, size).tolist()
    return {"label": point["label"], "x": x, "y": y}


def invent_point(rng: np.random.Generator, size: tuple[float, float]) -> Shape | None:
    """A point anywhere."""
    x, y = rng.uniform(0.0, size).tolist()
    return {"label": "", "x": x, "y": y}


def simple(points: Sequence[Sequence[float]]) -> list[list[float]] | None:
    """The outline without repeated points; None where it crosses itself or is tiny."""
    kept: list[list[float]] = []
    for point in points:
        if not kept or list(point) != kept[-1]:
            kept.append(list(point))
    while len(kept) > 1 and kept[0] == kept[-1]:
        kept.pop()
    return kept if len(kept) > 2 and crossing(kept) is None and area(kept) > 20.0 else None


def read_sizes(folder: Path) -> Sizes:
    """Width and height of each image."""
    return {row["item"]: (float(row["width"]), float(row["height"])) for row in _rows(folder / "images.csv")}


def read_boxes(path: Path, sizes: Sizes) -> Images:
    """Boxes cut to their images, without those that are thinner than a pixel."""
    found: Images = {item: [] for item in sizes}
    for row in _rows(path):
        if row["item"] not in sizes:
            continue
        width, height = sizes[row["item"]]
        x = np.clip([float(row["x1"]), float(row["x2"])], 0.0, width)
        y = np.clip([float(row["y1"]), float(row["y2"])], 0.0, height)
        box = _box(x, y, row["label"])
        if box is not None:
            found[row["item"]].append({**box, "score": float(row["score"])} if "score" in row else box)
    return {item: sorted(boxes, key=place) for item, boxes in found.items()}


def read_polygons(path: Path) -> Images:
    """The simple polygons of at least 100 square pixels, on images that have some."""
    found: Images = {}
    for line in path.read_text().splitlines():
        row = json.loads(line)
        points = simple(row["points"])
        if points is not None and area(points) > 100.0:
            found.setdefault(row["item"], []).append({"label": row["label"], "points": points})
    return {item: sorted(polygons, key=place) for item, polygons in found.items()}


def centres(polygons: Images) -> Images:
    """Points for polygons: the means of their corners."""
    return {
        item: sorted(
            (
                dict(zip(("label", "x", "y"), (p["label"], *np.mean(p["points"], axis=0).tolist()), strict=True))
                for p in row
            ),
            key=place,
        )
        for item, row in polygons.items()
    }


def classes_of(*answers: Images) -> list[str]:
    """The classes that are named, sorted."""
    return sorted({shape["label"] for images in answers for row in images.values() for shape in row})


def _box(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], label: str) -> Shape | None:
    width, height = float(x[1] - x[0]), float(y[1] - y[0])
    if min(width, height) < 1.0:
        return None
    return {"label": label, "x": float(x[0]), "y": float(y[0]), "width": width, "height": height}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
