from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from labelmill.domain.mask_merging import pieces_of
from labelmill.domain.rle import (
    area,
    counts_of,
    decode,
    edges_in,
    edges_of,
    encode,
    iou,
    iou_table,
    pack,
    shared,
    unpack,
)
from labelmill.errors import UsageError

VECTORS = json.loads((Path(__file__).parents[2] / "web/tests/engines/rle_vectors.json").read_text(encoding="utf-8"))
"""Masks as pycocotools 2.0 packs them; the browser's tests read them too."""


def _blots(seed: int, height: int = 40, width: int = 60) -> npt.NDArray[np.bool_]:
    """Some discs."""
    draw = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    pixels = np.zeros((height, width), dtype=np.bool_)
    for y, x, r in zip(draw.uniform(0, height, 5), draw.uniform(0, width, 5), draw.uniform(2, 12, 5), strict=True):
        pixels |= (rows - y) ** 2 + (columns - x) ** 2 < r**2
    return pixels


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_coco_packs_the_same(vector: dict[str, object]) -> None:
    """Run lengths and their packed text are those of COCO, in both directions."""
    counts, packed = vector["counts"], vector["packed"]
    assert isinstance(packed, str)

    assert packed == pack(counts)  # type: ignore[arg-type]
    assert counts == unpack(packed).tolist()


@pytest.mark.parametrize("seed", range(4))
def test_a_picture_survives(seed: int) -> None:
    """Pixels to run lengths and back, also where the first or the last pixel is inside."""
    pixels = _blots(seed)
    pixels[0, 0], pixels[-1, -1] = seed % 2, seed // 2

    np.testing.assert_array_equal(pixels, decode(encode(pixels)))
    assert area(edges_in(encode(pixels))) == pixels.sum()


def test_pixels_are_counted_down_the_columns() -> None:
    """As in COCO: the pixel below comes before the pixel beside."""
    pixels = np.zeros((3, 2), dtype=np.bool_)
    pixels[2, 0] = pixels[0, 1] = True

    assert [2, 4] == edges_in(encode(pixels)).tolist()


def test_empty_runs_are_taken_out() -> None:
    """A run of no pixels joins its neighbours; full and empty masks have their own forms."""
    assert [1, 6, 3] == counts_of(edges_of([1, 4, 0, 2, 3], 10), 10).tolist()
    assert [0, 10] == counts_of(edges_of([0, 4, 0, 6, 0], 10), 10).tolist()
    assert [10] == counts_of(edges_of([4, 0, 6], 10), 10).tolist()


@pytest.mark.parametrize("seed", range(4))
def test_overlaps_are_those_of_pixels(seed: int) -> None:
    """What two masks share, and their IoU, without painting either."""
    one, other = _blots(seed), _blots(seed + 10)
    both, either = (one & other).sum(), (one | other).sum()

    assert both == shared(edges_in(encode(one)), edges_in(encode(other)))
    assert iou(encode(one), encode(other)) == pytest.approx(both / either, abs=1e-12)
    assert iou_table([encode(one)], [encode(one), encode(one.T)]).tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ("", "no packed run lengths"),
        ("5é", "no packed run lengths"),
        ("5~z\x7f", "no packed run lengths"),
        ("5P", "is cut off"),
        ("oooooooo1", "a number larger than any picture"),
        ([5, 6], "tells of 11 pixels, the mask has 10"),
        ([11, -1], "a run of -1 pixels"),
        ([5.0, 5.0], "a list of whole numbers"),
        ([], "a list of whole numbers"),
    ],
)
def test_what_is_no_mask_is_refused(counts: object, message: str) -> None:
    """The message says what is wrong with the run lengths."""
    with pytest.raises(UsageError, match=message):
        edges_of(counts, 10)  # type: ignore[arg-type]


def test_a_large_picture_costs_its_runs() -> None:
    """Two masks of 16 million pixels are cut into pieces whose number follows from their runs."""
    column = np.array([[500, 700], [900, 1000]])
    edges = [(np.arange(0, 4096, 2)[:, None, None] * 4096 + column + k).reshape(-1) for k in (0, 20)]
    masks = [{"label": "a", "size": [4096, 4096], "counts": pack(counts_of(e, 4096**2))} for e in edges]

    pieces = pieces_of([[mask] for mask in masks], ["a"])

    assert len(pieces.cuts) == 2 + 2 * len(edges[0])
    assert masks[0] == pieces.masks(pieces.said[0])[0]
    said = pieces.patterns()
    assert sorted(said.n_pixels.tolist())[:2] == [2048 * 40, 2048 * 40]
