"""Votes as agreement reads them: labels in an order, several spellings of one number made one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.columns import frame_of
from labelmill.domain.vote_columns import vote_texts
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import SchemaError, UsageError, nearest
from labelmill.quality._units import Units, units_of
from labelmill.quality.distances import Counts, Level, numbers_of

__all__ = ["Answers", "answers_of"]

DENSE = 8
"""Cells for each vote up to which counts are a plain table: mostly zeros beyond."""


@dataclass(frozen=True)
class Answers:
    """Votes that name a label, by unit.

    Parameters
    ----------
    units : Units
        `label` is an index into `names`.
    names : tuple of str
        Labels in their order.
    items, annotators : sequence of str
    """

    units: Units
    names: tuple[str, ...]
    items: Sequence[str]
    annotators: Sequence[str]

    def counts(self) -> Counts:
        """Votes of each unit for each label."""
        units, k = self.units, max(len(self.names), 1)
        if units.n_units * k <= max(DENSE * len(units.unit), 1_000_000):
            flat = np.bincount(_cells(units, k), minlength=units.n_units * k)
            table = flat.reshape(units.n_units, k).astype(np.float64)
            return Counts(table, (table @ np.ones(k)).astype(np.int64))
        from scipy import sparse

        ones = np.ones(len(units.unit))
        sparse_table = sparse.csr_array((ones, (units.unit, units.label)), shape=(units.n_units, k))
        sparse_table.sum_duplicates()
        return Counts(sparse_table, np.bincount(units.unit, minlength=units.n_units))


def _cells(units: Units, k: int) -> npt.NDArray[np.int64]:
    """Shape (n_votes,): unit times k plus label, in one stretch of memory: a fresh one costs more than the sums."""
    cells: npt.NDArray[np.int64] = np.multiply(units.unit, k, dtype=np.int64)
    cells += units.label
    return cells


def answers_of(
    votes: Any, level: Level | Callable[[Any, Any], float], *, classes: Sequence[str] | None = None
) -> Answers:
    """The votes of a table.

    Parameters
    ----------
    votes : VoteTable or table
        Columns `item`, `annotator`, `label` (`task` and `worker` are aliases). The later of two votes of an annotator
        on an item counts; a VoteTable that holds several is taken as it is.
    level : str or callable
        Where it is about numbers, labels are put in their order, and `1` and `1.0` are one.
    classes : sequence of str, optional
        Labels in their order; without it those seen, as numbers if they are, else by code point.

    Raises
    ------
    SchemaError
        If a label is not among the classes.
    UsageError
        If a column is missing, or the level needs an order that names do not have.
    """
    if isinstance(votes, VoteTable):
        answers = Answers(units_of(votes), votes.classes, votes.items, votes.annotators)
    else:
        answers = _answers_of_frame(frame_of(votes), classes)
        is_ordered = classes is not None or numbers_of(answers.names) is not None
        if level in ("ordinal", "linear", "quadratic") and not is_ordered:
            raise UsageError(
                f"the level {level} needs labels that are numbers, or their order: name the classes from low to high, "
                f"such as --classes {','.join(answers.names[:3])}"
            )
    return answers if level == "nominal" else _by_number(answers)


def _by_number(answers: Answers) -> Answers:
    numbers = numbers_of(answers.names)
    if numbers is None or not len(numbers):
        return answers
    if bool((np.diff(numbers) > 0).all()):  # in order already, each spelled once
        return answers
    _, first, place = np.unique(numbers, return_index=True, return_inverse=True)
    units = replace(answers.units, label=place.reshape(-1)[answers.units.label])
    return replace(answers, units=units, names=tuple(answers.names[i] for i in first))


def _answers_of_frame(frame: Any, classes: Sequence[str] | None) -> Answers:
    import polars as pl

    cast = vote_texts(frame).unique(["item", "annotator"], keep="last", maintain_order=True)
    items, annotators = (cast[role].unique(maintain_order=True) for role in ("item", "annotator"))
    cast = cast.filter(~pl.col("label").fill_null("").is_in(["", "ABSTAIN"]))
    order = _order(cast["label"].unique().to_list(), classes)
    unit, annotator = _codes(cast["item"], items), _codes(cast["annotator"], annotators)
    label = _codes(cast["label"], pl.Series(order, dtype=pl.String))
    ones = np.ones(len(items), dtype=np.int64)
    units = Units(unit, annotator, label, ones, None, None, len(annotators))
    return Answers(units, tuple(order), items.to_list(), annotators.to_list())


def _codes(values: Any, known: Any) -> npt.NDArray[np.int64]:
    """Position of each value among those known."""
    import polars as pl

    codes = values.cast(pl.Enum(known)).to_physical() if len(known) else pl.Series([], dtype=pl.Int64)
    return np.asarray(codes.cast(pl.Int64).to_numpy())


def _order(seen: list[str], classes: Sequence[str] | None) -> list[str]:
    if classes is None:
        numbers = numbers_of(seen)
        if numbers is None:
            return sorted(seen)
        return [name for _, name in sorted(zip(numbers.tolist(), seen, strict=True))]
    for name in sorted(seen):
        if name not in classes:
            raise SchemaError(f"unknown class {name!r} among the votes: {nearest(name, classes)}")
    return list(classes)
