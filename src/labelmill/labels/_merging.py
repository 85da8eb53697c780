"""Lists of shapes by majority: which objects most of the weight has drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.attribute_merging import merged_attributes
from labelmill.domain.attributes import Attribute
from labelmill.domain.clusters import one_of_each
from labelmill.domain.shape_merging import heaviest
from labelmill.labels._weights import checked_weights

__all__ = ["OTHER_CLASS", "SAME_OBJECT", "merged_shapes"]

SAME_OBJECT = 0.4
"""Mean similarity from which drawings are taken for the same object."""

OTHER_CLASS = 0.9
"""Similarity of two drawings of different classes, for each of the same class."""

NO_PLACE = frozenset({"label", "score", "attributes"})
"""What a shape tells besides where it lies."""

Shape = dict[str, Any]


def merged_shapes(
    values: Sequence[list[Shape]],
    weights: Sequence[float],
    *,
    similarity: Callable[[list[Shape], list[Shape]], npt.NDArray[np.float64]],
    locate: Callable[[list[Shape], list[float]], Shape],
    classes: Sequence[str],
    attributes: Sequence[Attribute] = (),
) -> list[Shape]:
    """The objects that more than half of the weight has drawn, each at the weighted mean; equals stay as they are."""
    checked = checked_weights(values, weights)
    if all(value == values[0] for value in values):
        return values[0]
    # The order of the answers must not count: neither in sums nor where two pairs are equally alike.
    sorted_pairs = sorted(zip(values, checked, strict=True), key=lambda pair: (repr(pair[0]), pair[1]))
    shapes = [shape for value, _ in sorted_pairs for shape in value]
    owner = np.array([i for i, (value, _) in enumerate(sorted_pairs) for _ in value], dtype=np.intp)
    cluster = _clustered(shapes, owner, similarity)
    half = math.fsum(checked) / 2
    merged = []
    for number in range(int(cluster.max(initial=-1)) + 1):
        rows = np.flatnonzero(cluster == number).tolist()
        share = [sorted_pairs[owner[row]][1] for row in rows]
        if math.fsum(share) > half:
            merged.append(_one([shapes[row] for row in rows], share, locate, classes, attributes))
    return merged


def _clustered(
    shapes: list[Shape], owner: npt.NDArray[np.intp], similarity: Callable[..., npt.NDArray[np.float64]]
) -> npt.NDArray[np.intp]:
    if not shapes:
        return np.empty(0, dtype=np.intp)
    labels = np.unique([shape["label"] for shape in shapes], return_inverse=True)[1]
    alike = similarity(shapes, shapes) * np.where(labels[:, None] == labels[None, :], 1.0, OTHER_CLASS)
    return one_of_each(alike, owner, least=SAME_OBJECT)


def _one(
    shapes: list[Shape],
    weights: list[float],
    locate: Callable[..., Shape],
    classes: Sequence[str],
    attributes: Sequence[Attribute],
) -> Shape:
    if all(shape == shapes[0] for shape in shapes):
        return {key: value for key, value in shapes[0].items() if key != "score"}
    trusted = weights if any(weights) else [1.0] * len(weights)
    label = heaviest([shape["label"] for shape in shapes], trusted, classes)
    places = [{key: value for key, value in shape.items() if key not in NO_PLACE} for shape in shapes]
    place = places[0] if all(one == places[0] for one in places) else locate(shapes, trusted)
    return {"label": label, **place, **merged_attributes(shapes, trusted, label, attributes)}
