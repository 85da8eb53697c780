"""Pictures of three classes, and people who paint them with stated faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from labelmill.domain.answers import AnswerTable
from labelmill.domain.rle import decode, encode
from labelmill.labels.mask import Mask

CLASSES = ("sky", "sea", "land")
SHAPE = (96, 128)

Labels = npt.NDArray[np.intp]
"""What each pixel is: 0 for nothing, else one more than the place of the class."""


@dataclass(frozen=True)
class Painter:
    """How somebody errs.

    Parameters
    ----------
    grow : int
        Pixels by which each patch is painted too large, or too small.
    jitter : float
        Pixels by which outlines wander.
    miss, confuse : float
        Share of patches that are left out, and of those that get another class.
    spurious : float
        Discs an image that stand for nothing.
    """

    grow: int = 0
    jitter: float = 0.6
    miss: float = 0.05
    confuse: float = 0.03
    spurious: float = 0.3


def pictures(n: int, rng: np.random.Generator) -> list[Labels]:
    """Smooth patches of each class on an empty ground."""
    made = []
    for _ in range(n):
        hills = np.stack([_smooth(rng, rng.uniform(5, 12)) for _ in CLASSES])
        is_high = hills.max(axis=0) > rng.uniform(0.8, 1.8)
        made.append(np.where(is_high, hills.argmax(axis=0) + 1, 0))
    return made


def painted(truth: Labels, painter: Painter, rng: np.random.Generator) -> Labels:
    """What somebody paints of a picture."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    found = np.zeros(SHAPE, dtype=np.intp)
    y = np.clip(np.rint(rows + painter.jitter * _smooth(rng, 6)), 0, SHAPE[0] - 1).astype(np.intp)
    x = np.clip(np.rint(columns + painter.jitter * _smooth(rng, 6)), 0, SHAPE[1] - 1).astype(np.intp)
    moved = truth[y, x]
    for k in range(1, len(CLASSES) + 1):
        patches, n = ndimage.label(moved == k)
        for patch in range(1, n + 1):
            if rng.random() < painter.miss:
                continue
            pixels = patches == patch
            if painter.grow:
                reshape = ndimage.binary_dilation if painter.grow > 0 else ndimage.binary_erosion
                pixels = reshape(pixels, iterations=abs(painter.grow))
            others = [other for other in range(1, len(CLASSES) + 1) if other != k]
            found[pixels & (found == 0)] = rng.choice(others) if rng.random() < painter.confuse else k
    for _ in range(rng.poisson(painter.spurious)):
        away = np.hypot(rows - rng.uniform(0, SHAPE[0]), columns - rng.uniform(0, SHAPE[1]))
        found[away < rng.uniform(3, 10)] = rng.integers(1, len(CLASSES) + 1)
    return found


def answers_of(truths: Sequence[Labels], painters: Sequence[Painter], rng: np.random.Generator) -> AnswerTable:
    """Everybody paints every picture."""
    n, m = len(truths), len(painters)
    return AnswerTable(
        Mask(classes=CLASSES),
        [f"{i:03}" for i in range(n)],
        [f"person {j}" for j in range(m)],
        np.repeat(np.arange(n), m),
        np.tile(np.arange(m), n),
        [value_of(painted(truth, painter, rng)) for truth in truths for painter in painters],
        classes=CLASSES,
    )


def value_of(labels: Labels) -> list[dict[str, Any]]:
    """One mask for each class that is there, canonical."""
    masks = [{"label": name, **encode(labels == k)} for k, name in enumerate(CLASSES, start=1) if (labels == k).any()]
    return sorted(masks, key=lambda mask: int(np.flatnonzero(decode(mask).T.ravel())[0]))


def mean_iou(truths: Sequence[Labels], values: Sequence[list[dict[str, Any]]]) -> float:
    """Mean over pictures of one minus the distance from the truth."""
    kind = Mask()
    near = [1.0 - kind.distance(value_of(truth), value) for truth, value in zip(truths, values, strict=True)]
    return float(np.mean(near))


def _smooth(rng: np.random.Generator, scale: float) -> npt.NDArray[np.float64]:
    """Noise that changes over so many pixels, of standard deviation 1."""
    noise = ndimage.gaussian_filter(rng.normal(size=SHAPE), scale)
    return np.asarray(noise / noise.std())
