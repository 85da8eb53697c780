"""Labels that are probably wrong, by confident learning: given labels against a model's probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from labelmill.errors import UsageError, nearest
from labelmill.quality._confident_joint import calibrated, prune_counts
from labelmill.quality._label_filters import FILTERS, RANKINGS, FilterBy, RankBy, flagged, scores_of
from labelmill.quality._label_passes import FirstPass, first_pass, second_pass

if TYPE_CHECKING:
    import polars as pl

__all__ = ["FILTERS", "RANKINGS", "FilterBy", "LabelErrors", "RankBy", "find_label_errors"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Classes = npt.NDArray[np.int32]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class LabelErrors:
    """Labels that are probably wrong, the worst first, and what they are judged by.

    Parameters
    ----------
    index : ndarray of int, shape (n_errors,)
        Positions of the flagged items, by score.
    score : ndarray of float64, shape (n_errors,)
        How good each flagged label looks: 0 worst, 1 best.
    given, suggested : ndarray of int32, shape (n_errors,)
        Its class, and the likeliest one; they are the same where a filter flags what the model merely doubts.
    self_confidence : ndarray of float64, shape (n_items,)
        Probability of the given class, of every item.
    thresholds : ndarray of float64, shape (n_classes,)
        Mean probability of the class among items given it: from there up a prediction of it is confident. 2 for a
        class that no item was given.
    joint : ndarray of int64, shape (n_classes, n_classes)
        `[k, j]`: estimated number of items given k that truly are j; rows sum to the items given each class.
    confident_joint : ndarray of int64, shape (n_classes, n_classes)
        The counts of confident items that the estimate rests on; 1 at least on the diagonal.
    """

    index: Places
    score: Floats
    given: Classes
    suggested: Classes
    self_confidence: Floats
    thresholds: Floats
    joint: Ints
    confident_joint: Ints

    @property
    def n_items(self) -> int:
        """Number of labels judged."""
        return len(self.self_confidence)

    @property
    def noise(self) -> float:
        """Estimated share of wrong labels, by the joint; 0 without items."""
        total = int(self.joint.sum())
        return (total - int(np.trace(self.joint))) / total if total else 0.0

    @property
    def noise_by_class(self) -> Floats:
        """Shape (n_classes,): estimated share of wrong labels among the items given each class; 0 where none was."""
        given = self.joint.sum(axis=1)
        wrong = given - self.joint.diagonal()
        return np.asarray(np.divide(wrong, given, out=np.zeros(len(given)), where=given > 0))

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Shape (n_items,): True for flagged labels."""
        flags = np.zeros(self.n_items, dtype=np.bool_)
        flags[self.index] = True
        return flags

    def to_frame(self, *, items: Sequence[str] | None = None, classes: Sequence[str] | None = None) -> pl.DataFrame:
        """A row for each flagged label, the worst first: `item`, `given`, `suggested`, `score`, `self_confidence`.

        Parameters
        ----------
        items : sequence of str, optional
            Ids of all items; positions without it.
        classes : sequence of str, optional
            Names of the classes; indices without it.
        """
        import polars as pl

        def named(index: Classes) -> Any:
            return index if classes is None else [classes[k] for k in index.tolist()]

        return pl.DataFrame(
            {
                "item": self.index if items is None else [items[i] for i in self.index.tolist()],
                "given": named(self.given),
                "suggested": named(self.suggested),
                "score": self.score,
                "self_confidence": self.self_confidence[self.index],
            },
            schema_overrides=_texts(items, classes),
        )


def find_label_errors(
    labels: npt.ArrayLike,
    probabilities: Any,
    *,
    filter_by: FilterBy = "prune_by_noise_rate",
    rank_by: RankBy = "self_confidence",
    min_examples_per_class: int = 1,
    frac_noise: float = 1.0,
    tolerance: float | None = 0.01,
) -> LabelErrors:
    r"""Labels that are probably wrong, from given labels and a model's probabilities.

    Confident learning (Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset
    Labels", https://doi.org/10.1613/jair.1.12125). An item is confidently of class j if p_ij reaches the mean of j
    among the items given j; the counts of given against confident classes, scaled to all items, estimate how many
    labels k truly are j, and a filter picks that many. The flags are those of cleanlab's `find_label_issues`, item for
    item and in its order.

    The probabilities are read twice, some rows at a time, the second time only rows that are open, so that the array
    may be a memory map larger than memory (`numpy.load(path, mmap_mode="r")`): some 80 bytes an item are needed,
    whatever the number of classes. Sums follow the rows in order, so that the same input gives the same bits. The
    probabilities must be out of sample: predicted by a model that did not learn from the item's own label.

    Parameters
    ----------
    labels : array of int, shape (n_items,)
        Class index each item was given.
    probabilities : array of float, shape (n_items, n_classes)
        Probability of each class; a row sums to 1. In half precision rows are divided by their sum first, since its
        rounding leaves them off by up to a percent.
    filter_by : str
        Which labels are flagged. `prune_by_noise_rate`: for each pair of classes as many as the joint estimates, those
        that the true class leads most. `prune_by_class`: in each class as many as are estimated to be wrong, the least
        probable ones. `both`: what these two agree on. `confident_learning`: what is confidently of another class.
        `predicted_neq_given`: what is predicted otherwise. `low_self_confidence`, `low_normalized_margin`: the lowest
        scores, as many as `confident_learning` finds. `low_self_confidence_batched`: of the lowest scores, as many as
        are predicted otherwise with confidence, those predicted otherwise: what cleanlab's `find_label_issues_batched`
        flags.
    rank_by : {"self_confidence", "normalized_margin", "confidence_weighted_entropy"}
        Score that orders the flagged labels.
    min_examples_per_class : int
        So many labels of each class are kept (the filters that prune).
    frac_noise : float
        Share of the estimated errors to flag, from 0 to 1 (the filters that prune).
    tolerance : float or None
        How far the sum of a row may be from 1; None allows any.

    Raises
    ------
    UsageError
        If an option is impossible, the shapes do not fit, a label is no class, or a probability is none.

    Examples
    --------
    >>> given = [0, 0, 0, 1, 1, 1]
    >>> p = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7]]
    >>> found = find_label_errors(given, p)
    >>> found.index.tolist(), found.suggested.tolist()
    ([2], [1])
    """
    _check_options(filter_by, rank_by, min_examples_per_class, frac_noise)
    matrix = probabilities if hasattr(probabilities, "dtype") else np.asarray(probabilities, dtype=np.float64)
    given = _classes_of(labels, matrix)
    first = first_pass(given, matrix, tolerance=tolerance)
    second = second_pass(first, matrix, wants_challenges=filter_by in {"prune_by_noise_rate", "both"})
    confident_joint = second.joint.copy()
    np.fill_diagonal(confident_joint, np.maximum(confident_joint.diagonal(), 1))
    joint = calibrated(confident_joint, first.counts)
    keep = prune_counts(joint, min_examples_per_class=min_examples_per_class, frac_noise=frac_noise)
    flags = flagged(filter_by, first, second, matrix, keep, min_examples_per_class)
    return _ranked(np.flatnonzero(flags), rank_by, first, matrix, joint, confident_joint)


def _ranked(
    items: Places, rank_by: RankBy, first: FirstPass, matrix: Any, joint: Ints, confident_joint: Ints
) -> LabelErrors:
    scores = scores_of(rank_by, first, matrix, items)
    order = np.argsort(scores)  # equal scores in the order that cleanlab gives them
    index = items[order]
    return LabelErrors(
        index,
        scores[order],
        first.given[index],
        first.predicted[index],
        first.self_confidence,
        first.thresholds,
        joint,
        confident_joint,
    )


def _check_options(filter_by: str, rank_by: str, min_examples_per_class: int, frac_noise: float) -> None:
    if filter_by not in FILTERS:
        raise UsageError(f"unknown filter_by {filter_by!r}: {nearest(filter_by, FILTERS)}")
    if rank_by not in RANKINGS:
        raise UsageError(f"unknown rank_by {rank_by!r}: {nearest(rank_by, RANKINGS)}")
    if min_examples_per_class < 0:
        raise UsageError(f"min_examples_per_class counts labels that stay: from 0 up, found {min_examples_per_class}")
    if not 0 <= frac_noise <= 1:
        raise UsageError(f"frac_noise is a share of the estimated errors: from 0 to 1, found {frac_noise}")


def _classes_of(labels: npt.ArrayLike, matrix: Any) -> Classes:
    if matrix.ndim != 2:
        raise UsageError(f"probabilities have two axes (items, classes), found shape {matrix.shape}")
    if not np.issubdtype(matrix.dtype, np.floating) and not np.issubdtype(matrix.dtype, np.integer):
        raise UsageError(f"probabilities are numbers, found {matrix.dtype}")
    found = np.asarray(labels)
    if found.size == 0:
        found = found.astype(np.int32)
    if found.ndim != 1 or len(found) != matrix.shape[0]:
        raise UsageError(f"labels have shape {found.shape} for {matrix.shape[0]} rows of probabilities: one label each")
    if not np.issubdtype(found.dtype, np.integer):
        raise UsageError(
            f"labels are class indices 0 to {matrix.shape[1] - 1}, found {found.dtype}: turn names into indices with "
            "classes.index(name), or use `labelmill errors`, which reads names"
        )
    off = np.flatnonzero((found < 0) | (found >= matrix.shape[1]))
    if len(off):
        raise UsageError(
            f"label {found[off[0]]} of item {off[0]} is no class: there are {matrix.shape[1]} columns of probabilities"
        )
    return found.astype(np.int32)


def _texts(items: Sequence[str] | None, classes: Sequence[str] | None) -> dict[str, Any]:
    import polars as pl

    texts = ([] if items is None else ["item"]) + ([] if classes is None else ["given", "suggested"])
    return dict.fromkeys(texts, pl.String)
