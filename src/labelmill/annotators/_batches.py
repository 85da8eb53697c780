"""Work on many items at once, where one that fails must not take the others along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from labelmill.annotators._faults import FaultLog
from labelmill.domain.item import ItemBatch
from labelmill.domain.vote import VoteBatch

__all__ = ["Rows", "in_batches", "prepared_rows", "rows_of", "values_by_batches"]

Rows = npt.NDArray[np.intp]
T = TypeVar("T")


def in_batches(
    rows: Rows,
    size: int | None,
    log: FaultLog,
    work: Callable[[Rows], None],
    *,
    whole: tuple[type[BaseException], ...] = (),
) -> None:
    """Do the work on all rows, at most `size` at once.

    A batch on which it fails is done again by halves, down to the rows at fault; these go into the log.

    Parameters
    ----------
    rows : ndarray of intp, shape (n_rows,)
    size : int or None
        Rows at once; all of them without it.
    log : FaultLog
    work : callable
        Takes some of the rows.
    whole : tuple of exception types
        Failures that are not about a row (a server that is gone): all rows of the batch are faults at once.
    """
    step = size or max(len(rows), 1)
    waiting = [rows[start : start + step] for start in range(0, len(rows), step)][::-1]
    while waiting:
        part = waiting.pop()
        try:
            work(part)
        except KeyboardInterrupt:
            raise
        except BaseException as failure:  # noqa: BLE001 - whatever the model raises is a fault of its items
            if len(part) == 1 or isinstance(failure, whole):
                for row in part.tolist():
                    log.add(row, failure)
            else:
                waiting += [part[len(part) // 2 :], part[: len(part) // 2]]


def prepared_rows(
    rows: Rows, fail: Callable[[int, BaseException], object], prepare: Callable[[int], T]
) -> tuple[Rows, list[T]]:
    """The rows that can be prepared, and what became of them; `fail` is told of the others."""
    kept, made = [], []
    for row in rows.tolist():
        try:
            made.append(prepare(row))
        except KeyboardInterrupt:
            raise
        except BaseException as failure:  # noqa: BLE001 - whatever a file does to its decoder is a fault of its item
            fail(row, failure)
        else:
            kept.append(row)
    return np.array(kept, dtype=np.intp), made


def rows_of(batch: ItemBatch, rows: Rows) -> ItemBatch:
    """Some items of a batch."""
    if len(rows) == len(batch):
        return batch
    return ItemBatch(batch.frame[rows], None if batch.features is None else batch.features[rows])


def values_by_batches(
    name: str, batch: ItemBatch, size: int, answers: Callable[[Rows, FaultLog], tuple[Rows, Sequence[Any]]]
) -> VoteBatch:
    """Votes whose values are more than classes, made so many items at once.

    Parameters
    ----------
    name : str
        Of the annotator.
    answers : callable
        Takes rows and the log; gives the rows that have an answer, and their values.
    """
    log = FaultLog(name)
    values: list[Any] = [None] * len(batch)

    def work(rows: Rows) -> None:
        for row, value in zip(*answers(rows, log), strict=True):
            values[int(row)] = value

    present = np.flatnonzero(batch.frame["data"].is_not_null().to_numpy())
    in_batches(present, size, log, work)
    return VoteBatch(values, log.faults(batch.ids) if log else [])
