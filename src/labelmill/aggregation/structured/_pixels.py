"""Votes on pixels, item by item, as combinations of what the answers say and how many pixels each has."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from labelmill.aggregation.structured._rows import Rows, all_equal
from labelmill.domain.mask_merging import NOTHING, Pieces, Said, of_one_picture, pieces_of

__all__ = ["Laid", "PixelVotes", "laid_out"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

PIXELS_AN_ITEM = 50.0
"""What the painted pixels of an item count together, whatever its size: they are no independent votes."""

GROUND = 2.0
"""Pixels that nobody painted count at most so many times those that somebody did."""


class Laid(NamedTuple):
    """The answers on one item, laid over each other.

    Parameters
    ----------
    values : list
        Answers about a picture of one size, by annotator.
    annotators : list of int
        Who gave them.
    pieces : Pieces
    said : Said
    class_of_object : ndarray of int, shape (n_objects,)
        0 for `NOTHING`, else one more than the place of the class.
    """

    values: list[Any]
    annotators: list[int]
    pieces: Pieces
    said: Said
    class_of_object: Ints

    @property
    def is_unanimous(self) -> bool:
        """Whether all say the same, or one alone says anything."""
        return all_equal(self.values)

    def in_order(self, chosen: Ints) -> list[int]:
        """Numbers of the objects chosen for some pattern, by their first pixel."""
        of_piece = chosen[self.said.of_piece]
        numbers, first = np.unique(of_piece, return_index=True)
        return [number for number in numbers[np.argsort(first)].tolist() if number != NOTHING]


def laid_out(rows: Rows, classes: Sequence[str]) -> list[Laid]:
    """The answers of each item, items by sorted id."""
    place = {label: k for k, label in enumerate(classes, start=1)} | {"": NOTHING}
    bounds = np.searchsorted(rows.item, np.arange(rows.n_items + 1)).tolist()
    return [
        _laid(rows.values[start:end], rows.annotator[start:end].tolist(), classes, place)
        for start, end in pairwise(bounds)
    ]


def _laid(values: list[Any], annotators: list[int], classes: Sequence[str], place: dict[str, int]) -> Laid:
    kept = of_one_picture(values, [1.0] * len(values))
    values, annotators = [values[i] for i in kept], [annotators[i] for i in kept]
    pieces = pieces_of(values, classes)
    class_of_object = np.array([place.get(label, NOTHING) for label in pieces.labels], dtype=np.intp)
    return Laid(values, annotators, pieces, pieces.patterns(), class_of_object)


class PixelVotes(NamedTuple):
    """What a fit learns from: combinations of votes on the pixels of items that two or more have answered.

    Parameters
    ----------
    weight : ndarray of float64, shape (n_rows,)
        Pixels of the combination; those that somebody painted count `PIXELS_AN_ITEM` for each item.
    row, annotator, label : ndarray of int, shape (n_votes,)
        Labels are 0 for nothing, else one more than the place of the class.
    n_labels, n_annotators : int
    """

    weight: Floats
    row: Ints
    annotator: Ints
    label: Ints
    n_labels: int
    n_annotators: int

    @classmethod
    def of(cls, items: Sequence[Laid], classes: Sequence[str], n_annotators: int) -> Self:
        """The votes on all items on which somebody painted."""
        weight: list[Floats] = [np.zeros(0)]
        row, annotator, label = ([np.zeros(0, dtype=np.intp)] for _ in range(3))
        n_rows = 0
        for laid in items:
            if len(laid.values) < 2 or not (laid.said.objects != NOTHING).any():
                continue
            n_answers, n_here = laid.said.objects.shape
            weight.append(_weights(laid.said))
            row.append(np.tile(np.arange(n_rows, n_rows + n_here), n_answers))
            annotator.append(np.repeat(np.array(laid.annotators, dtype=np.intp), n_here))
            label.append(laid.class_of_object[laid.said.objects].ravel())
            n_rows += n_here
        columns = [np.concatenate(parts) for parts in (row, annotator, label)]
        return cls(np.concatenate(weight), columns[0], columns[1], columns[2], len(classes) + 1, n_annotators)

    def shares(self) -> Floats:
        """Share of the votes for each label on each row, shape (n_rows, n_labels)."""
        n = len(self.weight) * self.n_labels
        votes = np.bincount(self.row * self.n_labels + self.label, minlength=n).reshape(-1, self.n_labels)
        return np.asarray(votes / votes.sum(axis=1, keepdims=True))

    def counts(self, believed: Floats) -> Floats:
        """Expected votes `[j, l, k]`: label l by annotator j on pixels of class k."""
        size = self.n_annotators * self.n_labels
        cell = self.annotator * self.n_labels + self.label
        weight = self.weight[self.row]
        columns = [np.bincount(cell, weight * believed[self.row, k], minlength=size) for k in range(self.n_labels)]
        return np.stack(columns, axis=1).astype(np.float64).reshape(self.n_annotators, self.n_labels, self.n_labels)

    def sums(self, scores: Floats) -> Floats:
        """Sums over the votes of each row of `scores[j, l, k]`, shape (n_rows, n_labels)."""
        n = len(self.weight)
        told = scores[self.annotator, self.label]
        columns = [np.bincount(self.row, told[:, k], minlength=n) for k in range(self.n_labels)]
        return np.stack(columns, axis=1).astype(np.float64).reshape(n, self.n_labels)


def _weights(said: Said) -> Floats:
    is_painted = (said.objects != NOTHING).any(axis=0)
    painted = said.n_pixels[is_painted].sum()
    counted = np.where(is_painted, said.n_pixels, np.minimum(said.n_pixels, GROUND * painted))
    return np.asarray(PIXELS_AN_ITEM * counted / painted)
