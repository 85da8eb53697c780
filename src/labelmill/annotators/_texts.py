"""One column of texts, sorted once into what every pattern asks for."""

from __future__ import annotations

import weakref
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.item import ItemBatch

__all__ = ["Texts", "remembered", "texts_of"]

Rows = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


class Texts:
    """A column of texts, parted into ASCII rows and the rest.

    Parameters
    ----------
    column : polars.Series of str
        Null where an item has no text.
    """

    def __init__(self, column: pl.Series) -> None:
        self.column = column
        self.lengths = column.str.len_chars()
        """Characters of each text; null where there is none."""
        is_ascii = column.str.len_bytes() == self.lengths
        self._is_ascii: Mask = is_ascii.fill_null(value=False).to_numpy()
        self._all_ascii = bool(self._is_ascii.all())
        self.readings: dict[bool, Any] = {}
        """Whether case is ignored -> the texts beyond ASCII as `_reading` cuts them."""

    def __len__(self) -> int:
        return len(self.column)

    @cached_property
    def ascii_rows(self) -> Rows:
        """Positions of the texts that are pure ASCII."""
        return np.flatnonzero(self._is_ascii)

    @cached_property
    def other_rows(self) -> Rows:
        """Positions of the texts that are not; items without a text are in neither."""
        return np.flatnonzero(~self._is_ascii & self.column.is_not_null().to_numpy())

    @cached_property
    def ascii(self) -> pl.Series:
        """The ASCII texts."""
        return self.column if self._all_ascii else self.column.gather(self.ascii_rows)

    @cached_property
    def lowered(self) -> pl.Series:
        """The ASCII texts with capitals made small: one copy that serves every pattern that ignores case."""
        return self.ascii.str.to_lowercase()

    @cached_property
    def other(self) -> pl.Series:
        """The texts with characters beyond ASCII."""
        return self.column.gather(self.other_rows)


def texts_of(batch: ItemBatch, field: str) -> Texts:
    """The texts of one field, sorted once for a batch. Values that are no texts are written as `str` writes them.

    Raises
    ------
    SchemaError
        If no item has such a field.
    """
    known = remembered(batch)
    key = ("texts", field)
    if key not in known:
        column = batch.column(field)
        if column.dtype != pl.String:
            column = pl.Series(
                field, [None if value is None else str(value) for value in column.to_list()], dtype=pl.String
            )
        known[key] = Texts(column)
    texts: Texts = known[key]
    return texts


_REMEMBERED: dict[int, tuple[weakref.ref[pl.DataFrame], dict[Any, Any]]] = {}


def remembered(batch: ItemBatch) -> dict[Any, Any]:
    """What the annotators of a batch share; forgotten with the batch's frame."""
    key = id(batch.frame)
    if key in _REMEMBERED and _REMEMBERED[key][0]() is batch.frame:
        return _REMEMBERED[key][1]
    shared: dict[Any, Any] = {}
    _REMEMBERED[key] = (weakref.ref(batch.frame, lambda _: _REMEMBERED.pop(key, None) and None), shared)
    return shared
