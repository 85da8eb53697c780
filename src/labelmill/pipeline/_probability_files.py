"""Files of class probabilities: a row an item and a column a class, or arrays of NumPy."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.ports import Chunk
from labelmill.errors import BadInputError, BadRow, UsageError
from labelmill.formats._bytes import storage_error
from labelmill.pipeline._columns import column_of, text_of
from labelmill.pipeline._data_files import NOTHING, format_of

__all__ = ["ITEM", "Probabilities", "read_probabilities"]

ITEM = ("item", "id", "task")
"""Names of the column with the item's id."""

PREFIX = "p_"
"""Before the class in the columns of a consensus."""

ARRAYS = ("probabilities", "probs", "pred_probs")
"""Names of the array in an .npz file."""


@dataclass(frozen=True)
class Probabilities:
    """What a file of probabilities holds.

    Parameters
    ----------
    source : str
        The file as the user named it.
    items : list of str or None
        Item of each row; None where the file does not say.
    classes : list of str or None
        Class of each column; None where the file does not say.
    values : ndarray of float, shape (n_rows, n_classes)
    lines : sequence of int
        Line of each row in a text file, else its number from 1.
    bad_rows : list of BadRow
        Rows that cannot be read.
    """

    source: str
    items: list[str] | None
    classes: list[str] | None
    values: npt.NDArray[Any]
    lines: Sequence[int]
    bad_rows: list[BadRow]


def read_probabilities(path: Path, *, classes: Sequence[str] | None, encoding: str | None) -> Probabilities:
    """Read a table (by its ending: CSV, Parquet, ...), an .npz or an .npy file.

    A table has a column `item`; of the others those named `p_<class>` are probabilities, or all if none is. An .npz
    file has an array `probabilities` (or `probs`, `pred_probs`) and may have `items` and `classes`.

    Parameters
    ----------
    classes : sequence of str or None
        Class names: the columns to take from a table, in this order; of arrays, what their columns are.

    Raises
    ------
    BadInputError
        If the file cannot be read as one; names what is missing.
    UsageError
        If no format is known by its ending.
    """
    if path.suffix.lower() in {".npz", ".npy"}:
        return _of_arrays(path, classes)
    chunks = list(format_of(path).read(path, encoding=encoding))
    return _of_table(path, chunks, classes)


def _of_table(path: Path, chunks: Sequence[Chunk], classes: Sequence[str] | None) -> Probabilities:
    source, columns = str(path), chunks[0].frame.columns
    bad = [row for chunk in chunks for row in chunk.bad_rows]
    if not columns and bad:
        raise BadInputError(bad, NOTHING)
    item = column_of(source, columns, ITEM, NOTHING)
    named = _class_columns(source, columns, item, classes)
    items: list[str] = []
    lines: list[int] = []
    parts = []
    for chunk in chunks:
        values, wrong = _numbers(source, chunk, named)
        ids = text_of(source, chunk, item, NOTHING)
        wrong |= {i: BadRow(source, chunk.lines[i], item, "is missing") for i in _missing(ids)}
        good = np.array([i not in wrong for i in range(chunk.frame.height)], dtype=np.bool_)
        items += ids.filter(pl.Series(good)).to_list()
        lines += [line for line, is_good in zip(chunk.lines, good.tolist(), strict=True) if is_good]
        parts.append(values[good])
        bad += wrong.values()
    return Probabilities(source, items, list(named), np.concatenate(parts), lines, bad)


def _class_columns(source: str, columns: Sequence[str], item: str, classes: Sequence[str] | None) -> dict[str, str]:
    """Class -> column."""
    prefixed = {name.removeprefix(PREFIX): name for name in columns if name.startswith(PREFIX)}
    found = prefixed or {name: name for name in columns if name != item}
    if classes is None:
        if len(found) < 2:
            reason = "expected a column of probabilities for each class, named by it (or p_<class>)"
            raise BadInputError([BadRow(source, 1, None, f"{reason}; found: {', '.join(found) or 'none'}")], NOTHING)
        return found
    for name in classes:
        if name not in found:
            column_of(source, list(found.values()), [name], f"{NOTHING} --classes names a column for each class.")
    return {name: found[name] for name in classes}


def _numbers(source: str, chunk: Chunk, named: dict[str, str]) -> tuple[npt.NDArray[np.float64], dict[int, BadRow]]:
    """The probabilities of a chunk, and by position the rows in which one is no number."""
    frame = chunk.frame.select(
        pl.col(column).cast(pl.Float64, strict=False).alias(name) for name, column in named.items()
    )
    values = frame.fill_null(np.nan).to_numpy().astype(np.float64).reshape(chunk.frame.height, len(named))
    wrong = {}
    for i in np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist():
        column = list(named.values())[int(np.argmin(np.isfinite(values[i])))]
        found = chunk.frame[column][i]
        wrong[i] = BadRow(source, chunk.lines[i], column, f"expected a probability, found {found!r}")
    return values, wrong


def _missing(ids: pl.Series) -> list[int]:
    return (ids.is_null() | (ids == "")).fill_null(value=True).arg_true().to_list()


def _of_arrays(path: Path, classes: Sequence[str] | None) -> Probabilities:
    source, arrays = str(path), _load(path)
    name = next((name for name in ARRAYS if name in arrays), None)
    if name is None:
        found = ", ".join(sorted(arrays)) or "none"
        raise BadInputError([BadRow(source, None, None, f"no array {ARRAYS[0]!r}; the file has: {found}")], NOTHING)
    values = arrays[name]
    if values.ndim != 2 or not np.issubdtype(values.dtype, np.floating):
        reason = f"expected numbers of shape (items, classes), found {values.dtype} of shape {values.shape}"
        raise BadInputError([BadRow(source, None, name, reason)], NOTHING)
    own = _texts(arrays.get("classes"))
    items = _texts(arrays.get("items"))
    for what, texts, n in (("items", items, values.shape[0]), ("classes", own or classes, values.shape[1])):
        if texts is not None and len(texts) != n:
            reason = f"{len(texts)} {what} for {name} of shape {values.shape}"
            raise BadInputError([BadRow(source, None, what, reason)], NOTHING)
    if own is not None and classes is not None:
        unknown = [name for name in classes if name not in own]
        if unknown or len(classes) != len(own):
            raise UsageError(f"--classes names {', '.join(classes)}; {source} has {', '.join(own)}: name the same")
        values, own = values[:, [own.index(name) for name in classes]], list(classes)
    columns = own if own is not None else None if classes is None else list(classes)
    return Probabilities(source, items, columns, values, range(1, len(values) + 1), [])


def _load(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        if path.suffix.lower() == ".npy":
            return {ARRAYS[0]: np.load(path, mmap_mode="r", allow_pickle=False)}
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = "is no NumPy file, is damaged, or holds Python objects: save numbers and texts with numpy.savez"
        raise BadInputError([BadRow(str(path), None, None, reason)], NOTHING) from error
    except OSError as error:
        raise storage_error(error, path, "read") from error


def _texts(array: npt.NDArray[Any] | None) -> list[str] | None:
    return None if array is None else [str(value) for value in array.tolist()]
