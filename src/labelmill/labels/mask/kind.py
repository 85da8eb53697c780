"""What an answer that says which pixels belong to what is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from labelmill.domain.attribute_merging import merged_attributes
from labelmill.domain.attributes import Attribute
from labelmill.domain.item import Item
from labelmill.domain.mask_merging import first_pixel, of_one_picture, pieces_of, voted
from labelmill.domain.matching import one_to_one
from labelmill.domain.rle import counts_of, edges_in, edges_of, encode, iou, pack, shared
from labelmill.domain.schema import LabelSchema
from labelmill.errors import UsageError
from labelmill.labels._attributes import attributes_of, exemplified, with_attributes
from labelmill.labels._shapes import Complaint, class_name, image_size, score_of, shapes_of
from labelmill.labels._weights import checked_weights

__all__ = ["Mask"]

EXAMPLE = '{"label": "sky", "size": [480, 640], "counts": "PkY5P>"}'

MOST_PIXELS = 2**31 - 1

DIGITS = 12
"""Distances are rounded to so many digits."""

Value = list[dict[str, Any]]


class Mask:
    """Masks with a class each, on the pixels of the original image; `[]` for "looked, nothing is there".

    A mask is `{"label", "size", "counts"}`: size is [height, width], counts are COCO's run lengths, packed into a text
    or as a list of numbers; optionally `score`, 0 to 1, how sure a model is of it. One mask for each class tells what
    every pixel is (semantic segmentation), several of one class are objects of it. A pixel belongs to one mask at
    most, since it is one thing that is seen there: a vote on each pixel, and a count of how often each annotator is
    right, mean something only then. Outlines of what is hidden behind another are polygons. Masks without a pixel are
    refused, and masks are sorted by their first pixel, down the columns. A mask may have `attributes`, a mapping of
    what the schema declares.

    Parameters
    ----------
    classes : sequence of str
        Class order, for ties in a merge.
    attributes : sequence of Attribute
        What masks tell besides their class, as the schema declares it.
    """

    name: ClassVar[str] = "mask"
    widget: ClassVar[str] = "labelmill-mask"

    def __init__(self, *, classes: Sequence[str] = (), attributes: Sequence[Attribute] = ()) -> None:
        self.classes = classes
        self.attributes = attributes

    def validate(self, value: Any, schema: LabelSchema, item: Item | None = None) -> Value:
        """The masks of a list, or of its JSON text, packed and sorted.

        Raises
        ------
        SchemaError
            If it is no list of masks, or a mask has an unknown class or field, counts that are none or tell of another
            number of pixels, no pixel, another size than the image (where the item's facts tell it) or the first mask,
            pixels of another mask, an attribute that the schema does not allow, or lacks one it requires. Names the
            mask, from 0.

        Examples
        --------
        >>> schema = LabelSchema("ground", ("sky", "sea"), kind="mask")
        >>> Mask().validate([{"label": "sea", "size": [2, 3], "counts": [1, 2, 3]}], schema)
        [{'label': 'sea', 'size': [2, 3], 'counts': '123'}]
        """
        size = image_size(item)
        masks: Value = []
        complaints: list[Complaint] = []
        for shape, complain in shapes_of(
            value,
            schema,
            what="mask",
            needed=("label", "size", "counts"),
            optional=("score", "attributes"),
            example=EXAMPLE,
        ):
            label = class_name(shape, schema, complain)
            height, width = _size(shape["size"], size, masks, complain)
            counts = _counts(shape["counts"], height * width, complain)
            told = score_of(shape, complain) | attributes_of(shape, label, schema, complain)
            masks.append({"label": label, "size": [height, width], "counts": counts, **told})
            complaints.append(complain)
        _refuse_overlaps(masks, complaints)
        return sorted(masks, key=first_pixel)

    def distance(self, a: Value, b: Value) -> float:
        """One minus the mean over classes of the IoU: over those that either answer has.

        Where a class has several masks, they are matched one to one for the greatest sum of IoU, and the class has
        that sum over the number of objects there are, matched or not. Scores do not count, and attributes only where
        they are declared to.
        """
        labels = sorted({mask["label"] for mask in (*a, *b)})
        if not labels:
            return 0.0
        alike = with_attributes(iou, self.attributes)
        shares = [_nearness(_of_class(a, label), _of_class(b, label), alike) for label in labels]
        return min(max(round(1.0 - math.fsum(shares) / len(shares), DIGITS), 0.0), 1.0)

    def merge(self, values: Sequence[Value], weights: Sequence[float]) -> Value:
        """Each pixel goes to the object that most of the weight has there; ties to nothing, then by class order.

        Answers about a picture of another size than most of the weight's do not count. Attributes are voted on by those
        who have the object. What is merged has no score.

        Raises
        ------
        UsageError
            If there are no values, or the weights do not fit them.
        """
        checked = checked_weights(values, weights)
        if all(value == values[0] for value in values):
            return values[0]
        # The order of the answers must not count: neither in sums nor where masks are equally alike.
        pairs = sorted(zip(values, checked, strict=True), key=lambda pair: (repr(pair[0]), pair[1]))
        kept = [pairs[place] for place in of_one_picture(*zip(*pairs, strict=True))]
        pieces = pieces_of([value for value, _ in kept], self.classes)
        said, trust = pieces.patterns(), [weight for _, weight in kept]

        def told(number: int) -> dict[str, Any]:
            drawn = pieces.drawn[number]
            weighed = [trust[owner] for owner, _ in drawn]
            return merged_attributes([mask for _, mask in drawn], weighed, pieces.labels[number], self.attributes)

        return pieces.masks(voted(said, trust, len(pieces.labels))[said.of_piece], told)

    def examples(self, schema: LabelSchema) -> list[Value]:
        """Some valid values, for promise suites and forms."""
        first, last = schema.classes[0], schema.classes[-1]
        rows, columns = np.mgrid[0:24, 0:32]
        disc = {"label": first, **encode((rows - 10) ** 2 + (columns - 9) ** 2 <= 49)}
        ground = {"label": last, **encode(rows + columns / 8 > 19)}
        moved = {"label": first, **encode((rows - 11) ** 2 + (columns - 10) ** 2 <= 36)}
        other = {"label": first, **encode((rows - 6) ** 2 + (columns - 25) ** 2 <= 20)}
        return exemplified([[], [disc], [ground, moved], [disc, other], [ground]], schema)


def _size(given: Any, image: tuple[float, float] | None, before: Value, complain: Complaint) -> tuple[int, int]:
    is_pair = isinstance(given, list | tuple) and len(given) == 2
    if not is_pair or any(isinstance(side, bool) or not isinstance(side, int) or side < 1 for side in given):
        raise complain(f"size must be [height, width] in whole pixels, found {given!r:.80}")
    height, width = given
    if height * width > MOST_PIXELS:
        raise complain(f"size has {height * width} pixels, a mask at most {MOST_PIXELS}")
    if image is not None and (width, height) != image:
        raise complain(
            f"size is {height} x {width}, the image is {image[1]:g} x {image[0]:g} (height x width): "
            "give the mask in pixels of the original image"
        )
    if before and [height, width] != before[0]["size"]:
        raise complain(f"size is {height} x {width}, that of mask 0 {before[0]['size'][0]} x {before[0]['size'][1]}")
    return height, width


def _counts(given: Any, n_pixels: int, complain: Complaint) -> str:
    if not isinstance(given, str | list | tuple):
        raise complain(f"counts must be COCO's packed text or a list of whole numbers, found {given!r:.80}")
    try:
        edges = edges_of(given, n_pixels)
    except (UsageError, ValueError, OverflowError) as error:
        raise complain(f"counts {given!r:.40} {error}") from None
    if not len(edges):
        raise complain("covers no pixel: leave it out")
    return pack(counts_of(edges, n_pixels))


def _refuse_overlaps(masks: Value, complaints: Sequence[Complaint]) -> None:
    edges = [edges_in(mask) for mask in masks]
    owner = np.repeat(np.arange(len(masks)), [len(each) // 2 for each in edges])
    starts, ends = (np.concatenate([np.zeros(0, dtype=np.int64), *(each[k::2] for each in edges)]) for k in (0, 1))
    order = np.argsort(starts, kind="stable")
    starts, ends, owner = starts[order], ends[order], owner[order]
    met = np.flatnonzero(starts[1:] < np.maximum.accumulate(ends)[:-1])
    if not len(met):
        return
    over = int(met[0]) + 1
    under = int(ends[:over].argmax())
    first, second = sorted((int(owner[under]), int(owner[over])))
    raise complaints[second](
        f"({masks[second]['label']}) covers {shared(edges[first], edges[second])} pixels that mask {first} "
        f"({masks[first]['label']}) covers too: a pixel belongs to one mask, so take them out of one of the two"
    )


def _of_class(value: Value, label: str) -> Value:
    return [mask for mask in value if mask["label"] == label]


def _nearness(
    a: Sequence[Mapping[str, Any]],
    b: Sequence[Mapping[str, Any]],
    alike: Callable[[Mapping[str, Any], Mapping[str, Any]], float],
) -> float:
    """Of the masks of one class: the summed likeness of matched ones over how many objects there are."""
    table = np.array([[alike(one, other) for other in b] for one in a], dtype=np.float64).reshape(len(a), len(b))
    pairs = one_to_one(table)
    return math.fsum(float(table[i, j]) for i, j in pairs) / (len(a) + len(b) - len(pairs))
