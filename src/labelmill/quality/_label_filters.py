"""Which labels are flagged, and how good each label looks: from what two passes left in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from labelmill.quality._confident_joint import SLACK
from labelmill.quality._label_passes import FirstPass, SecondPass, rows_of

__all__ = ["FILTERS", "RANKINGS", "FilterBy", "RankBy", "flagged", "scores_of"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

FilterBy = Literal[
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "predicted_neq_given",
    "low_self_confidence",
    "low_normalized_margin",
    "low_self_confidence_batched",
]
RankBy = Literal["self_confidence", "normalized_margin", "confidence_weighted_entropy"]

FILTERS: tuple[FilterBy, ...] = get_args(FilterBy)
RANKINGS: tuple[RankBy, ...] = get_args(RankBy)

SMALLEST = 1e-6
"""A smaller score or probability is divided by as if it were this."""


def flagged(
    filter_by: FilterBy,
    first: FirstPass,
    second: SecondPass,
    probabilities: Any,
    keep: npt.NDArray[np.int64],
    min_examples_per_class: int,
) -> Flags:
    """Shape (n_items,): True for labels that are probably wrong.

    Parameters
    ----------
    keep : ndarray of int64, shape (n_classes, n_classes)
        `[k, j]`: labels k to flag as truly j; `[k, k]`: labels k that stay.
    """
    doubted = first.predicted != first.given
    large = first.counts > max(min_examples_per_class, 1)
    filters: dict[str, Callable[[], Flags]] = {
        "prune_by_noise_rate": lambda: _by_noise_rate(first, second, probabilities, keep, large),
        "prune_by_class": lambda: doubted & _by_class(first, keep, large),
        "both": lambda: _by_class(first, keep, large) & _by_noise_rate(first, second, probabilities, keep, large),
        "confident_learning": lambda: doubted & (second.confident >= 0) & (second.confident != first.given),
        "predicted_neq_given": lambda: doubted,
        "low_self_confidence": lambda: _lowest(first.self_confidence, _n_confident_errors(first, second)),
        "low_normalized_margin": lambda: _lowest(_doubted_margins(first), _n_confident_errors(first, second)),
        "low_self_confidence_batched": lambda: _led(first) & _lowest(first.self_confidence, _n_predicted_errors(first)),
    }
    return filters[filter_by]()


def scores_of(rank_by: RankBy, first: FirstPass, probabilities: Any, items: Places) -> Floats:
    """How good the labels of these items look, 1 best, 0 worst; items ascend.

    self_confidence: the probability of the given class. normalized_margin: (that less the highest other + 1) / 2.
    confidence_weighted_entropy: log(1 + e) / e with e the entropy, 1 at most, over the self-confidence.
    """
    own = first.self_confidence[items]
    if rank_by == "self_confidence":
        return own
    if rank_by == "normalized_margin":
        return (own - _highest_other(first, probabilities, items) + 1) / 2
    entropy = _entropy(probabilities, items)
    weighted = entropy / np.maximum(own, SMALLEST)
    return np.asarray(np.log(weighted + 1) / np.maximum(weighted, SMALLEST))


def _by_class(first: FirstPass, keep: npt.NDArray[np.int64], large: Flags) -> Flags:
    """In each class the labels with the lowest probability, as many as are expected to be wrong."""
    order, starts = _grouped(first.given, first.n_classes)
    flags = np.zeros(len(first.given), dtype=np.bool_)
    for k in np.flatnonzero(large):
        items = order[starts[k] : starts[k + 1]]
        flags[items] = _lowest(first.self_confidence[items], int(first.counts[k] - keep[k, k]))
    return flags


def _by_noise_rate(
    first: FirstPass, second: SecondPass, probabilities: Any, keep: npt.NDArray[np.int64], large: Flags
) -> Flags:
    """Of labels k those by which class j leads most, as many as are expected to be j; never the predicted class.

    Nearly all of them are challenges, whose margins are known. All labels k are looked at where the last place is
    shared by equal margins, or where more places than challenges by j could go to a label that nothing has flagged.
    """
    n = first.n_classes
    wanted = np.where(large[:, None], keep, 0)
    np.fill_diagonal(wanted, 0)
    challenges, flags = second.challenges, np.zeros(len(first.given), dtype=np.bool_)
    pair = first.given[challenges.item].astype(np.int64) * n + challenges.by
    order, starts = _grouped(pair, n * n)
    undecided = np.diff(starts).reshape(n, n) < wanted
    for cell in np.flatnonzero((np.diff(starts) > 0) & (wanted.ravel() > 0)):
        entries = order[starts[cell] : starts[cell + 1]]
        most = _clearly_lowest(-challenges.margin[entries], int(wanted.flat[cell]))
        if most is None:
            undecided.flat[cell] = True
        else:
            flags[challenges.item[entries[most]]] = True
    doubted = first.predicted != first.given
    for k in np.unique(first.given[doubted & ~flags]):
        rivals = np.flatnonzero(undecided[k])
        if len(rivals):
            items = np.flatnonzero(first.given == k)
            for j in rivals:
                behind = first.self_confidence[items] - _column(probabilities, items, int(j))
                flags[items] |= _lowest(behind, int(wanted[k, j]))
    return np.asarray(flags & doubted)


def _column(probabilities: Any, items: Places, j: int) -> Floats:
    return np.concatenate([rows[:, j] for _, rows in rows_of(probabilities, items)] or [np.zeros(0)])


def _lowest(values: Floats, n: int) -> Flags:
    """True for the n lowest values; which of equal ones is left to NumPy's sort, as cleanlab does."""
    flags = _clearly_lowest(values, n)
    if flags is None:
        flags = np.zeros(len(values), dtype=np.bool_)
        flags[np.argsort(values)[:n]] = True
    return flags


def _clearly_lowest(values: Floats, n: int) -> Flags | None:
    """True for the n lowest values; None if the last place is shared by equal ones."""
    if n <= 0 or n >= len(values):
        return np.full(len(values), n > 0, dtype=np.bool_)
    flags = values <= np.partition(values, n - 1)[n - 1]
    return flags if np.count_nonzero(flags) == n else None


def _grouped(codes: npt.NDArray[Any], n_codes: int) -> tuple[Places, Places]:
    """Positions ordered by code, and where each code begins, (n_codes + 1,)."""
    short = codes.astype(np.min_scalar_type(max(n_codes - 1, 0)))  # a radix sort, for short integers
    order = np.argsort(short, kind="stable")
    starts = np.zeros(n_codes + 1, dtype=np.intp)
    np.cumsum(np.bincount(codes, minlength=n_codes), out=starts[1:])
    return order, starts


def _n_confident_errors(first: FirstPass, second: SecondPass) -> int:
    """How many items that are predicted otherwise are confidently of another class than given."""
    return int(np.count_nonzero(_led(first) & (second.confident >= 0) & (second.confident != first.given)))


def _n_predicted_errors(first: FirstPass) -> int:
    """How many items are predicted otherwise by a class that reaches its own threshold."""
    return int(np.count_nonzero((first.predicted != first.given) & (first.highest >= first.reached[first.predicted])))


def _led(first: FirstPass) -> Flags:
    """True for items that another class leads by more than a slack."""
    lifted = first.self_confidence + SLACK
    level = (lifted > first.highest) | ((lifted == first.highest) & (first.given < first.predicted))
    return np.asarray((first.predicted != first.given) & ~level)


def _doubted_margins(first: FirstPass) -> Floats:
    """Margins of the items predicted otherwise; all others lie above every one of these."""
    return np.where(first.predicted != first.given, first.self_confidence - first.highest, np.inf)


def _highest_other(first: FirstPass, probabilities: Any, items: Places) -> Floats:
    highest = first.highest[items]
    agreed = np.flatnonzero(first.predicted[items] == first.given[items])
    at = 0
    for part, rows in rows_of(probabilities, items[agreed]):
        others = rows.copy()
        others[np.arange(len(part)), first.given[part]] = -np.inf
        highest[agreed[at : at + len(part)]] = others.max(axis=1)
        at += len(part)
    return highest


def _entropy(probabilities: Any, items: Places) -> Floats:
    from scipy.special import xlogy

    n_classes = probabilities.shape[1]
    parts = [-xlogy(rows, rows).sum(axis=1) for _, rows in rows_of(probabilities, items)]
    return np.asarray(np.concatenate(parts or [np.zeros(0)]) / np.log(max(n_classes, 2)))
