"""What encoders do alike with items: texts out of their fields, vectors back to their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.item import ItemBatch
from labelmill.domain.ports import Encoded
from labelmill.domain.vote import Fault
from labelmill.errors import UsageError

__all__ = ["EMPTY", "checked_fields", "placed", "texts_of"]

EMPTY = "the text is empty"
"""What is said of an item without a character to encode."""


def checked_fields(fields: Sequence[str] | str) -> tuple[str, ...]:
    """The fields, of which there is at least one."""
    named = (fields,) if isinstance(fields, str) else tuple(fields)
    if not named:
        raise UsageError("fields must name at least one field, e.g. ['text']")
    return named


def texts_of(batch: ItemBatch, fields: Sequence[str]) -> list[str]:
    """The fields of each item as one text, a line for each; missing values are empty."""
    columns = [pl.lit(batch.column(name)).cast(pl.String).fill_null("") for name in fields]
    return pl.select(pl.concat_str(columns, separator="\n")).to_series().to_list() if len(batch) else []


def placed(
    batch: ItemBatch,
    n_dimensions: int,
    places: npt.NDArray[np.intp] | Sequence[int],
    vectors: npt.NDArray[np.float32],
    reasons: Mapping[int, str],
    encoder: str,
) -> Encoded:
    """Vectors at their places in the batch; NaN and a fault where there is a reason why there is none.

    A vector that is not finite is a fault too.

    Parameters
    ----------
    places : of shape (n_vectors,)
        Row of the batch that each vector is of.
    vectors : ndarray of float32, shape (n_vectors, n_dimensions)
    reasons : mapping of int to str
        Row -> why it has no vector.
    encoder : str
        Its name, for the faults.
    """
    features = np.full((len(batch), n_dimensions), np.nan, dtype=np.float32)
    rows = np.asarray(places, dtype=np.intp)
    features[rows] = vectors
    finite = np.isfinite(vectors).all(axis=1)
    features[rows[~finite]] = np.nan
    told = {**dict.fromkeys(rows[~finite].tolist(), "the model gave numbers that are not finite"), **reasons}
    ids = batch.frame["id"]
    return Encoded(features, [Fault(ids[row], encoder, told[row]) for row in sorted(told)])
