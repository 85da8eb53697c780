"""Masks of pixels as run lengths: areas, overlaps and shares without painting a pixel.

Pixels are counted down the columns, the first column first, as in COCO. A mask is told in three ways:

- `counts`: lengths of runs, outside first, so that the first may be 0;
- packed: the text COCO makes of them ("compressed RLE");
- `edges`: where runs inside start and end, `[start, end, start, end, ...]`, strictly increasing: what is computed with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.errors import UsageError

__all__ = [
    "area",
    "counts_of",
    "decode",
    "edges_in",
    "edges_of",
    "encode",
    "iou",
    "iou_table",
    "pack",
    "shared",
    "unpack",
]

Ints = npt.NDArray[np.int64]

FIRST = 48
"""Code of the character that stands for 0 in the packed text."""

BITS = 5
"""Of a number in each character; the sixth says that more follow."""

MORE, SIGN, LOW = 32, 16, 31

LONGEST = 7
"""Characters of a number: 35 bits count the pixels of any picture."""

DIGITS = 12
"""Shares are rounded to so many digits."""


def unpack(text: str) -> Ints:
    """Run lengths of COCO's packed text.

    Each number is written in groups of five bits, the lowest first, with its sign in the last group; from the fourth
    on it is the difference from the number two before (`rleFrString` of the COCO API).

    Raises
    ------
    UsageError
        If it is no such text.

    Examples
    --------
    >>> unpack("14P").tolist()
    [1, 4, 32]
    """
    raw = np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8).astype(np.int64) - FIRST
    if not len(raw) or raw.min() < 0 or raw.max() > MORE + LOW:
        raise UsageError("is no packed run lengths: expected the text that COCO calls compressed RLE")
    last = np.flatnonzero((raw & MORE) == 0)
    if not len(last) or last[-1] != len(raw) - 1:
        raise UsageError("is cut off: its last character says that more follow")
    first = np.concatenate([[0], last[:-1] + 1])
    width = last - first + 1
    if width.max() > LONGEST:
        raise UsageError("is no packed run lengths: it holds a number larger than any picture")
    place = np.arange(len(raw)) - np.repeat(first, width)
    counts = np.add.reduceat((raw & LOW) << (BITS * place), first)
    counts -= np.where(raw[last] & SIGN, np.int64(1) << (BITS * width), 0)
    counts[1::2] = np.cumsum(counts[1::2])
    counts[2::2] = np.cumsum(counts[2::2])
    return counts


def pack(counts: npt.ArrayLike) -> str:
    """The packed text of run lengths, as `unpack` reads it.

    Examples
    --------
    >>> pack([1, 4, 32])
    '14P1'
    """
    given = np.asarray(counts, dtype=np.int64)
    left = given.copy()
    left[3:] -= given[1:-2]
    columns, written = [], []
    is_open = np.ones(len(left), dtype=np.bool_)
    while is_open.any():
        low = left & LOW
        left = left >> BITS
        follows = np.where(low & SIGN, left != -1, left != 0)
        columns.append(low + np.where(follows, MORE, 0) + FIRST)
        written.append(is_open)
        is_open = is_open & follows
    if not columns:
        return ""
    return np.stack(columns, axis=1)[np.stack(written, axis=1)].astype(np.uint8).tobytes().decode("ascii")


def edges_of(counts: str | npt.ArrayLike, n_pixels: int) -> Ints:
    """Where runs inside start and end, of run lengths or their packed text.

    Raises
    ------
    UsageError
        If a length is negative or none, or their sum is not the number of pixels.

    Examples
    --------
    >>> edges_of([1, 4, 0, 2, 3], 10).tolist()
    [1, 7]
    """
    lengths = unpack(counts) if isinstance(counts, str) else _whole(counts)
    if (lengths < 0).any():
        raise UsageError(f"has a run of {int(lengths.min())} pixels: a run has none or more")
    total = int(lengths.sum())
    if total != n_pixels:
        raise UsageError(f"tells of {total} pixels, the mask has {n_pixels}")
    turns, times = np.unique(np.cumsum(lengths)[:-1], return_counts=True)
    # A run of no pixels is turning twice at the same place.
    edges = turns[(times % 2 == 1) & (turns < n_pixels)]
    return np.append(edges, n_pixels) if len(edges) % 2 else edges


def counts_of(edges: Ints, n_pixels: int) -> Ints:
    """Run lengths: the first outside, every other positive.

    Examples
    --------
    >>> counts_of(np.array([1, 7]), 10).tolist()
    [1, 6, 3]
    """
    lengths = np.diff(np.concatenate([[0], edges, [n_pixels]]))
    return lengths[:-1] if lengths[-1] == 0 else lengths


def edges_in(mask: Mapping[str, Any]) -> Ints:
    """Those of a mask `{"size": [height, width], "counts": ...}`."""
    height, width = mask["size"]
    return edges_of(mask["counts"], height * width)


def encode(pixels: npt.ArrayLike) -> dict[str, Any]:
    """`size` and packed `counts` of a picture of true and false, shape (height, width).

    Examples
    --------
    >>> encode([[0, 1], [1, 1]])
    {'size': [2, 2], 'counts': '13'}
    """
    picture = np.asarray(pixels, dtype=np.bool_)
    if picture.ndim != 2:
        raise UsageError(f"a mask is a picture of shape (height, width), found shape {picture.shape}")
    height, width = picture.shape
    column_wise = np.concatenate([[False], picture.T.ravel(), [False]])
    edges = np.flatnonzero(column_wise[1:] != column_wise[:-1]).astype(np.int64)
    return {"size": [height, width], "counts": pack(counts_of(edges, picture.size))}


def decode(mask: Mapping[str, Any]) -> npt.NDArray[np.bool_]:
    """The pixels of a mask, shape (height, width), true inside.

    Examples
    --------
    >>> decode({"size": [2, 2], "counts": "13"}).astype(int).tolist()
    [[0, 1], [1, 1]]
    """
    height, width = mask["size"]
    turns = np.zeros(height * width + 1, dtype=np.int8)
    edges = edges_in(mask)
    turns[edges[::2]], turns[edges[1::2]] = 1, -1
    return np.ascontiguousarray(np.cumsum(turns[:-1], dtype=np.int8).reshape(width, height).T.astype(np.bool_))


def area(edges: Ints) -> int:
    """Pixels inside."""
    return int((edges[1::2] - edges[::2]).sum())


def shared(a: Ints, b: Ints) -> int:
    """Pixels that two masks of the same size have in common, given by their edges.

    Examples
    --------
    >>> shared(np.array([0, 4, 6, 9]), np.array([3, 7]))
    2
    """
    if not (len(a) and len(b)):
        return 0
    inside = np.concatenate([[0], np.cumsum(b[1::2] - b[::2])])
    # How many pixels of b lie before each edge of a: whole numbers, on lines of slope 0 or 1.
    before = np.interp(a, b, np.repeat(inside, 2)[1:-1])
    return int((before[1::2] - before[::2]).sum())


def iou(a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
    """Intersection over union of two masks, 0 to 1; 0 for those of pictures of different size.

    Examples
    --------
    >>> iou({"size": [2, 2], "counts": "13"}, {"size": [2, 2], "counts": "031"})
    0.5
    """
    return float(iou_table([a], [b])[0, 0])


def iou_table(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.float64]:
    """Intersection over union of each mask of one list with each of another, shape (n_a, n_b)."""
    edges_a, edges_b = [edges_in(mask) for mask in a], [edges_in(mask) for mask in b]
    area_a, area_b = [area(edges) for edges in edges_a], [area(edges) for edges in edges_b]
    table = np.zeros((len(a), len(b)))
    for i, one in enumerate(edges_a):
        for j, other in enumerate(edges_b):
            meet = len(one) and len(other) and one[0] < other[-1] and other[0] < one[-1]
            if meet and list(a[i]["size"]) == list(b[j]["size"]):
                both = shared(one, other)
                table[i, j] = round(both / (area_a[i] + area_b[j] - both), DIGITS)
    return table


def _whole(counts: npt.ArrayLike) -> Ints:
    given = np.asarray(counts)
    if given.ndim != 1 or not len(given) or given.dtype.kind not in "iu":
        raise UsageError("must be a list of whole numbers, or COCO's packed text of them")
    return given.astype(np.int64)
