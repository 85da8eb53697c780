"""Masks of several answers laid over each other: cut where any of them changes, put together by what wins each piece.

No picture is painted: a picture of 16 million pixels whose masks have 20,000 runs is 40,000 pieces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.domain.clusters import one_of_each
from labelmill.domain.rle import counts_of, edges_in, iou_table, pack

__all__ = ["NOTHING", "Pieces", "Said", "first_pixel", "of_one_picture", "pieces_of", "voted"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = Mapping[str, Any]

NOTHING = 0
"""Number of what is there where nobody's mask is."""

SAME_OBJECT = 0.4
"""Mean IoU from which masks of one class are taken for the same object."""

DIGITS = 12
"""Weights are rounded to so many digits before they are compared."""


class Said(NamedTuple):
    """What was said of pixels: the different combinations, and how many pixels each has.

    Parameters
    ----------
    objects : ndarray of int, shape (n_answers, n_patterns)
        Number of the object that each answer has there, or `NOTHING`.
    n_pixels : ndarray of int64, shape (n_patterns,)
    of_piece : ndarray of int, shape (n_pieces,)
        Pattern of each piece.
    """

    objects: npt.NDArray[np.intp]
    n_pixels: Ints
    of_piece: npt.NDArray[np.intp]


class Pieces(NamedTuple):
    """The stretches of a picture, down its columns, in which no answer changes.

    Parameters
    ----------
    size : (int, int)
        Height and width.
    labels : tuple of str
        Class of each object; that of `NOTHING`, the first, is empty. Objects follow the order of classes, and within
        a class their first pixels.
    cuts : ndarray of int64, shape (n_pieces + 1,)
        Where the pieces start, and the number of pixels at the end.
    said : ndarray of int, shape (n_answers, n_pieces)
        Number of the object that each answer has there, or `NOTHING`.
    drawn : tuple of tuples of (int, mask)
        For each object the answers that have it, and their masks.
    """

    size: tuple[int, int]
    labels: tuple[str, ...]
    cuts: Ints
    said: npt.NDArray[np.intp]
    drawn: tuple[tuple[tuple[int, Mask], ...], ...]

    def patterns(self) -> Said:
        """The different combinations of what the answers say."""
        if not len(self.said):
            return Said(self.said[:, :0], np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.intp))
        objects, of_piece = np.unique(self.said, axis=1, return_inverse=True)
        pixels = np.bincount(of_piece.ravel(), weights=np.diff(self.cuts), minlength=objects.shape[1])
        return Said(objects, pixels.astype(np.int64), of_piece.ravel())

    def masks(
        self, chosen: npt.NDArray[np.intp], told: Callable[[int], Mapping[str, Any]] = lambda _: {}
    ) -> list[dict[str, Any]]:
        """The masks of the objects chosen for each piece, shape (n_pieces,), by their first pixel.

        Parameters
        ----------
        told : callable
            What else is said of an object, by its number.
        """
        numbers = np.unique(chosen[chosen != NOTHING]).tolist()
        found = [(_edges(self.cuts, chosen == number), number) for number in numbers]
        found.sort(key=lambda pair: int(pair[0][0]))
        n_pixels = int(self.cuts[-1])
        return [
            {
                "label": self.labels[number],
                "size": list(self.size),
                "counts": pack(counts_of(edges, n_pixels)),
                **told(number),
            }
            for edges, number in found
        ]


def first_pixel(mask: Mask) -> int:
    """Number of the first pixel inside, down the columns; masks that do not overlap differ in it."""
    return int(edges_in(mask)[0])


def of_one_picture(values: Sequence[Sequence[Mask]], weights: Sequence[float]) -> list[int]:
    """Which answers are about a picture of the size that most of the weight speaks of; empty answers always are."""
    sizes: Counter[tuple[int, int]] = Counter()
    for value, weight in sorted(zip(values, weights, strict=True), key=lambda pair: (repr(pair[0]), pair[1])):
        if value:
            sizes[_size(value)] += weight  # type: ignore[assignment]  # a counter of weights
    if len(sizes) < 2:
        return list(range(len(values)))
    wanted = min(sizes, key=lambda size: (-round(sizes[size], DIGITS), size))
    return [place for place, value in enumerate(values) if not value or _size(value) == wanted]


def pieces_of(values: Sequence[Sequence[Mask]], classes: Sequence[str] = ()) -> Pieces:
    """Answers about one picture, laid over each other.

    Where each answer has at most one mask of a class, these are the same object. Where one has several, masks of the
    class are the same object when they have much in common (`one_of_each`).

    Parameters
    ----------
    values : sequence of list of masks
        Masks of one answer do not overlap.
    classes : sequence of str
        Class order.
    """
    masks = [(owner, mask, edges_in(mask)) for owner, value in enumerate(values) for mask in value]
    if not masks:
        return Pieces((1, 1), ("",), np.array([0, 1]), np.zeros((len(values), 1), dtype=np.intp), ((),))
    size = _size([masks[0][1]])
    cuts = np.unique(np.concatenate([[0, size[0] * size[1]], *(edges for *_, edges in masks)]))
    number, labels = _objects(masks, classes)
    turns = np.zeros((len(values), len(cuts)), dtype=np.intp)
    for (owner, _, edges), object_ in zip(masks, number, strict=True):
        np.add.at(turns[owner], np.searchsorted(cuts, edges[::2]), object_)
        np.add.at(turns[owner], np.searchsorted(cuts, edges[1::2]), -object_)
    drawn = tuple(
        tuple((owner, mask) for (owner, mask, _), one in zip(masks, number, strict=True) if one == object_)
        for object_ in range(len(labels))
    )
    return Pieces(size, labels, cuts, np.cumsum(turns, axis=1)[:, :-1], drawn)


def voted(said: Said, weights: npt.ArrayLike, n_objects: int) -> npt.NDArray[np.intp]:
    """The object of most weight in each pattern, shape (n_patterns,); ties go to nothing, then to the first.

    Parameters
    ----------
    weights : array of float, shape (n_answers,) or (n_answers, n_patterns)
    n_objects : int
        With `NOTHING`.
    """
    weight = np.broadcast_to(np.asarray(weights, dtype=np.float64).T, said.objects.T.shape).T
    total = np.zeros((n_objects, said.objects.shape[1]))
    everywhere = np.arange(said.objects.shape[1])
    for objects, share in zip(said.objects, weight, strict=True):
        total[objects, everywhere] += share
    return np.asarray(np.round(total, DIGITS).argmax(axis=0))


def _objects(masks: list[tuple[int, Mask, Ints]], classes: Sequence[str]) -> tuple[list[int], tuple[str, ...]]:
    """Number of each mask's object, from 1, and the class of each number."""
    place = {label: k for k, label in enumerate(classes)}
    named = sorted({mask["label"] for _, mask, _ in masks}, key=lambda label: (place.get(label, len(place)), label))
    number, labels = [0] * len(masks), [""]
    for label in named:
        rows = [row for row, (_, mask, _) in enumerate(masks) if mask["label"] == label]
        rows.sort(key=lambda row: int(masks[row][2][0]))
        owners = np.array([masks[row][0] for row in rows], dtype=np.intp)
        if len(set(owners.tolist())) == len(rows):
            cluster = np.zeros(len(rows), dtype=np.intp)
        else:
            shapes = [masks[row][1] for row in rows]
            cluster = one_of_each(iou_table(shapes, shapes), owners, least=SAME_OBJECT)
        for row, k in zip(rows, cluster.tolist(), strict=True):
            number[row] = len(labels) + k
        labels += [label] * (int(cluster.max()) + 1)
    return number, tuple(labels)


def _edges(cuts: Ints, is_inside: npt.NDArray[np.bool_]) -> Ints:
    padded = np.concatenate([[False], is_inside, [False]])
    return np.asarray(cuts[np.flatnonzero(padded[1:] != padded[:-1])])


def _size(value: Sequence[Mask]) -> tuple[int, int]:
    height, width = value[0]["size"]
    return int(height), int(width)
