"""Pictures with masks as a segmenter takes them, and its masks as votes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import nn

from labelmill.domain.item import ItemBatch
from labelmill.domain.rle import decode, encode
from labelmill.domain.vote import Fault
from labelmill.learners.encoders._pictures import FORMATS, pictures_of

__all__ = ["Scenes", "masks_of"]

Rows = npt.NDArray[np.intp]

_ORIENTATION: Final = 0x0112
"""The tag of Exif that says how a picture is to be turned; from 5 on its sides change places."""


class Scenes:
    """Pictures pressed into a square, and what is known of their pixels."""

    def __init__(self, batch: ItemBatch, side: int, values: Sequence[Any] | None, classes: Sequence[str]) -> None:
        rows, pictures, reasons = pictures_of(batch, (side, side), crop=False)
        self.sizes = _original_sizes(batch, rows, reasons)
        self.pictures = dict(zip(rows, pictures, strict=True))
        rows = [row for row in rows if row in self.sizes]
        self.faults = [Fault(batch.ids[row], "segmenter", reason) for row, reason in sorted(reasons.items())]
        self.is_readable = np.isin(np.arange(len(batch)), rows)
        self.is_known = np.array([value is not None for value in values or [None] * len(batch)], dtype=np.bool_)
        place = {label: k for k, label in enumerate(classes, start=1)}
        self.canvases = {
            row: _canvas(value, place, side) for row, value in enumerate(values or []) if value is not None
        }

    def pixels(self, rows: Rows, device: torch.device) -> torch.Tensor:
        """Shape (n_items, 3, side, side), -1 to 1."""
        stacked = np.stack([self.pictures[int(row)] for row in rows]).astype(np.float32).transpose(0, 3, 1, 2)
        return torch.from_numpy(np.ascontiguousarray(stacked / 127.5 - 1)).to(device)


def _canvas(value: Sequence[Mapping[str, Any]], place: Mapping[str, int], side: int) -> npt.NDArray[np.int8]:
    """The class of each pixel of the square, 0 for none, shape (side, side)."""
    if not value:
        return np.zeros((side, side), dtype=np.int8)
    canvas = np.zeros(value[0]["size"], dtype=np.uint8)
    for mask in value:
        canvas[decode(mask)] = place[mask["label"]]
    return np.asarray(Image.fromarray(canvas).resize((side, side), Image.Resampling.NEAREST)).astype(np.int8)


def masks_of(
    logits: torch.Tensor, size: tuple[int, int], classes: Sequence[str], smallest: float
) -> list[dict[str, Any]]:
    """A mask for each class that has pixels enough, at the size (height, width) of the original."""
    scores = nn.functional.interpolate(logits[None], size=size, mode="bilinear", align_corners=False)[0]
    found = scores.argmax(dim=0).cpu().numpy()
    sure = torch.softmax(scores, dim=0).amax(dim=0).cpu().numpy()
    masks = []
    for k, label in enumerate(classes, start=1):
        inside = found == k
        if inside.sum() > max(smallest * inside.size, 0):
            masks.append({"label": label, **encode(inside), "score": round(float(sure[inside].mean()), 4)})
    return masks


def _original_sizes(batch: ItemBatch, rows: Sequence[int], reasons: dict[int, str]) -> dict[int, tuple[int, int]]:
    """Height and width of each picture as it is seen: of the item's facts, or of the file."""
    sizes = {}
    for row in rows:
        item = batch.items[row]
        told = [next((m[name] for m in (item.facts, item.meta) if m.get(name)), None) for name in ("height", "width")]
        try:
            sizes[row] = (int(float(told[0])), int(float(told[1]))) if told[0] and told[1] else _seen_size(batch, row)
        except (TypeError, ValueError):
            reasons[row] = f"height and width must be numbers, found {told!r}"
    return sizes


def _seen_size(batch: ItemBatch, row: int) -> tuple[int, int]:
    with Image.open(io.BytesIO(batch.read(batch.items[row].data)), formats=FORMATS) as picture:
        width, height = picture.size
        return (width, height) if picture.getexif().get(_ORIENTATION, 1) >= 5 else (height, width)
