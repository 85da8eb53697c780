"""The vote table: every vote on every item as integer-coded columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.domain.columns import frame_of
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote import ANNOTATOR_KINDS, AnnotatorKind
from labelmill.domain.vote_columns import Repeats, once, vote_texts
from labelmill.errors import SchemaError, UsageError, nearest

__all__ = ["Patterns", "VoteTable"]


class Patterns(NamedTuple):
    """Items that got the same votes, counted once.

    `rows` is (n_patterns, n_annotators) of class indices with ABSTAIN, `counts` (n_patterns,) how many items have it,
    multiplicity included, `inverse` (n_items,) the pattern of each row of the table.
    """

    rows: npt.NDArray[np.int16]
    counts: npt.NDArray[np.int64]
    inverse: npt.NDArray[np.intp]


class VoteTable:
    """Who said what, as integers; sparse (one row a vote) or dense (items × annotators), each made from the other.

    Parameters
    ----------
    items : sequence of str
        Item ids; row i of every per-item array is `items[i]`.
    annotators : sequence of str
        Annotator names.
    classes : sequence of str
        Class names in schema order.
    item_index, annotator_index : array of int, shape (n_votes,)
        Which item and annotator each vote belongs to.
    label : array of int, shape (n_votes,)
        Class index, or ABSTAIN (-1): asked and declined. Who was not asked has no row.
    kinds : sequence of {"person", "rule", "model", None}, optional
        Kind of each annotator; None where unknown.
    soft : mapping of int to ndarray of shape (n_items, n_classes), optional
        Annotator index -> its class probabilities; a row of NaN where it gave none. Such an annotator's hard votes
        are in `label` too.
    multiplicity : array of int, shape (n_items,), optional
        Row i stands for so many items that got exactly these votes; without it for one. What is per item, such as
        `counts`, stays one row each.

    Raises
    ------
    UsageError
        If an index points outside its table, the columns differ in length, or a row stands for no item.
    """

    def __init__(
        self,
        items: Sequence[str],
        annotators: Sequence[str],
        classes: Sequence[str],
        item_index: npt.ArrayLike,
        annotator_index: npt.ArrayLike,
        label: npt.ArrayLike,
        *,
        kinds: Sequence[AnnotatorKind | None] | None = None,
        soft: Mapping[int, npt.NDArray[np.floating[Any]]] | None = None,
        multiplicity: npt.ArrayLike | None = None,
    ) -> None:
        self._name(items, annotators, classes, kinds)
        self.multiplicity = _multiplicity(multiplicity, self.n_items)
        self.soft = dict(soft or {})
        self.__dict__["item_index"] = np.asarray(item_index, dtype=np.int32)
        self.__dict__["annotator_index"] = np.asarray(annotator_index, dtype=np.int32)
        self.__dict__["label"] = np.asarray(label, dtype=np.int16)
        if not len(self.item_index) == len(self.annotator_index) == len(self.label):
            raise UsageError("item_index, annotator_index and label must have one entry for each vote")
        _check_range("item_index", self.item_index, 0, self.n_items)
        _check_range("annotator_index", self.annotator_index, 0, self.n_annotators)
        _check_range("label", self.label, ABSTAIN, self.n_classes)

    @classmethod
    def from_matrix(
        cls,
        matrix: npt.ArrayLike,
        *,
        classes: Sequence[str],
        annotators: Sequence[str] | None = None,
        items: Sequence[str] | None = None,
        kinds: Sequence[AnnotatorKind | None] | None = None,
        multiplicity: npt.ArrayLike | None = None,
    ) -> VoteTable:
        """The table of a dense label matrix, as labeling functions give it.

        Parameters
        ----------
        matrix : array of int, shape (n_items, n_annotators)
            Class index, ABSTAIN (-1) where the annotator declined.
        multiplicity : array of int, shape (n_items,), optional
            How many items each row stands for.
        """
        dense = np.asarray(matrix, dtype=np.int16)
        if dense.ndim != 2:
            raise UsageError(f"a label matrix has two axes (items, annotators), found shape {dense.shape}")
        n_items, n_annotators = dense.shape
        table = cls.__new__(cls)
        table._name(
            items if items is not None else list(map(str, range(n_items))),
            annotators if annotators is not None else [f"annotator_{j}" for j in range(n_annotators)],
            classes,
            kinds,
        )
        table.soft = {}
        table.__dict__["matrix"] = dense
        if (len(table.items), table.n_annotators) != dense.shape:
            raise UsageError(f"{len(table.items)} items and {table.n_annotators} annotators for shape {dense.shape}")
        _check_range("label", dense, ABSTAIN, table.n_classes)
        table.multiplicity = _multiplicity(multiplicity, n_items)
        return table

    @classmethod
    def of(
        cls,
        votes: Any,
        *,
        classes: Sequence[str] | None = None,
        kinds: Mapping[str, AnnotatorKind] | None = None,
        repeats: Repeats = "last",
    ) -> VoteTable:
        """The table of anything that holds votes.

        Parameters
        ----------
        votes : VoteTable or table
            A pandas, polars or pyarrow table (or mapping of columns) with `item`, `annotator`, `label`; `task` and
            `worker` are taken as aliases. A label is a class name; empty, null or `ABSTAIN` is an abstention.
            Optional columns: `kind`.
        classes : sequence of str, optional
            Class order; without it the labels seen, sorted by code point.
        kinds : mapping of str to str, optional
            Annotator -> kind; wins over a `kind` column.
        repeats : {"last", "first", "all", "refuse"}
            An annotator who votes twice on an item: the later vote counts, the first, or all; or it is an error where
            the two differ.

        Raises
        ------
        SchemaError
            If a label is not among `classes`.
        UsageError
            If a column is missing, or votes contradict each other and that is refused.
        """
        if isinstance(votes, VoteTable):
            return votes
        return _table_of_frame(frame_of(votes), classes, kinds or {}, repeats)

    @property
    def n_items(self) -> int:
        """Number of rows: items, voted on or not."""
        return len(self.items)

    @property
    def total_items(self) -> int:
        """Number of items that the rows stand for, voted on or not."""
        return self.n_items if self.multiplicity is None else int(self.multiplicity.sum())

    @property
    def n_annotators(self) -> int:
        """Number of annotators."""
        return len(self.annotators)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @property
    def n_votes(self) -> int:
        """Number of votes that name a class, each row counted once."""
        labels = self.label if "label" in self.__dict__ else self.matrix
        return int(np.count_nonzero(labels != ABSTAIN))

    @cached_property
    def item_index(self) -> npt.NDArray[np.int32]:
        """Shape (n_votes,): item of each vote; made of a dense table, it has only the votes that name a class."""
        return np.nonzero(self.matrix != ABSTAIN)[0].astype(np.int32)

    @cached_property
    def annotator_index(self) -> npt.NDArray[np.int32]:
        """Shape (n_votes,): annotator of each vote."""
        return np.nonzero(self.matrix != ABSTAIN)[1].astype(np.int32)

    @cached_property
    def label(self) -> npt.NDArray[np.int16]:
        """Shape (n_votes,): class index of each vote, or ABSTAIN: asked and declined."""
        return np.asarray(self.matrix[self.matrix != ABSTAIN])

    @cached_property
    def matrix(self) -> npt.NDArray[np.int16]:
        """Dense form, shape (n_items, n_annotators): class index; ABSTAIN where declined or not asked."""
        dense = np.full((self.n_items, self.n_annotators), ABSTAIN, dtype=np.int16)
        dense[self.item_index, self.annotator_index] = self.label
        return dense

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """Shape (n_items, n_classes): how many votes each class got."""
        cast = self.label != ABSTAIN
        flat = self.item_index[cast].astype(np.int64) * self.n_classes + self.label[cast]
        return np.bincount(flat, minlength=self.n_items * self.n_classes).reshape(self.n_items, self.n_classes)

    @cached_property
    def has_votes(self) -> npt.NDArray[np.bool_]:
        """Shape (n_items,): True where somebody named a class, softly or not."""
        covered = np.zeros(self.n_items, dtype=np.bool_)
        covered[self.item_index[self.label != ABSTAIN]] = True
        for probabilities in self.soft.values():
            covered |= np.isfinite(probabilities).all(axis=1)
        return covered

    @cached_property
    def patterns(self) -> Patterns:
        """Unique rows of `matrix` with their counts: rules make few, crowds many."""
        rows = np.ascontiguousarray(self.matrix)
        keys = rows.view([("", rows.dtype)] * rows.shape[1]).reshape(-1) if rows.size else np.zeros(len(rows), np.int8)
        packed = _packed(rows, self.n_classes)
        _, first, inverse, counts = np.unique(
            keys if packed is None else packed, return_index=True, return_inverse=True, return_counts=True
        )
        inverse = inverse.reshape(-1)
        if self.multiplicity is not None:
            counts = np.bincount(inverse, weights=self.multiplicity, minlength=len(first))
        return Patterns(rows[first], counts.astype(np.int64), inverse)

    def by_pattern(self) -> VoteTable:
        """One row for each distinct row of `matrix`, with its multiplicity; probabilities are left out."""
        return VoteTable.from_matrix(
            self.patterns.rows,
            classes=self.classes,
            annotators=self.annotators,
            kinds=self.kinds,
            multiplicity=self.patterns.counts,
        )

    def select_annotators(self, index: Sequence[int]) -> VoteTable:
        """The same items with only the annotators at `index`, in that order."""
        position = np.full(self.n_annotators, -1, dtype=np.int32)
        position[list(index)] = np.arange(len(index), dtype=np.int32)
        kept = position[self.annotator_index] >= 0
        return VoteTable(
            self.items,
            [self.annotators[j] for j in index],
            self.classes,
            self.item_index[kept],
            position[self.annotator_index[kept]],
            self.label[kept],
            kinds=[self.kinds[j] for j in index],
            soft={int(position[j]): p for j, p in self.soft.items() if position[j] >= 0},
            multiplicity=self.multiplicity,
        )

    def _name(
        self,
        items: Sequence[str],
        annotators: Sequence[str],
        classes: Sequence[str],
        kinds: Sequence[AnnotatorKind | None] | None,
    ) -> None:
        self.items = items
        self.annotators = tuple(annotators)
        self.classes = tuple(classes)
        self.kinds: tuple[AnnotatorKind | None, ...] = (None,) * len(self.annotators) if kinds is None else tuple(kinds)
        if len(self.kinds) != len(self.annotators):
            raise UsageError(f"{len(self.kinds)} kinds for {len(self.annotators)} annotators: give one for each")
        for kind in self.kinds:
            if kind is not None and kind not in ANNOTATOR_KINDS:
                raise UsageError(f"unknown kind of annotator {kind!r}: {nearest(str(kind), ANNOTATOR_KINDS)}")


def _check_range(name: str, index: npt.NDArray[Any], low: int, n: int) -> None:
    if index.size and (index.min() < low or index.max() >= n):
        raise UsageError(f"{name} must lie in {low}..{n - 1}, found {index.min()}..{index.max()}")


def _multiplicity(multiplicity: npt.ArrayLike | None, n_items: int) -> npt.NDArray[np.int64] | None:
    if multiplicity is None:
        return None
    counted = np.asarray(multiplicity, dtype=np.int64)
    if counted.shape != (n_items,):
        raise UsageError(f"multiplicity has shape {counted.shape} for {n_items} rows: one number of items each")
    if counted.size and counted.min() < 1:
        raise UsageError(
            f"a row stands for at least 1 item, found a multiplicity of {counted.min()}: leave the row out"
        )
    return counted


def _table_of_frame(
    frame: Any,
    classes: Sequence[str] | None,
    kinds: Mapping[str, AnnotatorKind],
    repeats: Repeats,
) -> VoteTable:
    import polars as pl

    kind = [frame["kind"].cast(pl.String)] if "kind" in frame.columns else []
    label = pl.col("label")
    frame = vote_texts(frame).with_columns(
        *kind, label=pl.when(label.is_in(["", "ABSTAIN"])).then(None).otherwise(label)
    )
    seen = sorted(frame["label"].drop_nulls().unique().to_list())
    frame = once(frame, repeats)
    order = seen if classes is None else list(classes)
    for name in seen:
        if name not in order:
            raise SchemaError(f"unknown class {name!r} among the votes: {nearest(name, order)}")
    items = frame["item"].unique(maintain_order=True)
    annotators = frame["annotator"].unique(maintain_order=True)
    known = dict(kinds)
    if "kind" in frame.columns:
        pairs = (
            frame.drop_nulls("kind").select("annotator", "kind").unique("annotator", keep="last", maintain_order=True)
        )
        known = dict(pairs.iter_rows()) | known
    return VoteTable(
        items.to_list(),
        annotators.to_list(),
        order,
        _codes(frame["item"], items),
        _codes(frame["annotator"], annotators),
        _codes(frame["label"], pl.Series("label", order, dtype=pl.String)),
        kinds=[known.get(name) for name in annotators.to_list()],
    )


def _codes(values: Any, known: Any) -> npt.NDArray[np.int32]:
    """Position of each value among `known`, -1 for null."""
    import polars as pl

    codes = values.cast(pl.Enum(known)).to_physical() if len(known) else pl.Series([None] * len(values), dtype=pl.Int32)
    return codes.cast(pl.Int32).fill_null(ABSTAIN).to_numpy()


def _packed(rows: npt.NDArray[np.int16], n_classes: int) -> npt.NDArray[np.uint64] | None:
    """Each row as one integer in base n_classes + 1, or None where 64 bits do not hold it."""
    base = n_classes + 1
    if base ** rows.shape[1] >= 2**63:
        return None
    key = np.zeros(len(rows), dtype=np.uint64)
    for j in range(rows.shape[1]):
        key = key * np.uint64(base) + (rows[:, j] + 1).astype(np.uint64)
    return key
