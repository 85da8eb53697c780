"""What each annotator answers on items of each class, counted softly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["Habits"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STRENGTH: Final = 6.0
"""Votes that the crowd's habits count for in a row of an annotator's confusions."""

ACCURACY_STRENGTH: Final = 4.0
"""The same for its accuracy."""

ANCHOR: Final = 2.0
"""Votes that the class balance counts for in the precision of a rule."""


@dataclass(frozen=True)
class Habits:
    """Soft counts n[j, k, l] of items of class k that annotator j called l, kept only for the l that j ever names.

    Parameters
    ----------
    key : ndarray of int64, shape (n_cells,)
        Annotator times n_classes plus label, ascending.
    cell : ndarray of float64, shape (n_cells, n_classes)
        Items of each class that got this label.
    seen : ndarray of float64, shape (n_annotators, n_classes)
        Items of each class that the annotator voted on.
    accuracy : ndarray of float64, shape (n_annotators,)
        Share of its votes that are right, drawn to that of all.
    errors : ndarray of float64, shape (n_classes, n_classes)
        `[k, l]`: of the wrong answers on items of class k, those that say l; over all annotators.
    is_rule : ndarray of bool, shape (n_annotators,)
        Those that choose their items.
    balance : ndarray of float64, shape (n_classes,)
    """

    key: Ints
    cell: Floats
    seen: Floats
    accuracy: Floats
    errors: Floats
    is_rule: npt.NDArray[np.bool_]
    balance: Floats

    @classmethod
    def of(
        cls, annotator: Ints, label: Ints, posterior: Floats, is_rule: npt.NDArray[np.bool_], balance: Floats
    ) -> Habits:
        """Counted over votes, whose items have the posterior of shape (n_votes, n_classes)."""
        n, n_classes = len(is_rule), len(balance)
        key, place = np.unique(annotator * n_classes + label, return_inverse=True)
        cell = _summed(place.reshape(-1), posterior, len(key))
        seen = _summed(key // max(n_classes, 1), cell, n)
        said = key % max(n_classes, 1)
        by_label = _summed(said, cell, n_classes).T
        right = np.bincount(key // max(n_classes, 1), cell[np.arange(len(key)), said], minlength=n)
        wrong = by_label * (1 - np.eye(n_classes)) + 0.5 * (1 - np.eye(n_classes))
        errors = wrong / np.maximum(wrong.sum(axis=1, keepdims=True), 1e-12)
        usual = max((right.sum() + 4) / (seen.sum() + 6), 1 / max(n_classes, 1) + 0.02)
        accuracy = (right + ACCURACY_STRENGTH * usual) / (seen.sum(axis=1) + ACCURACY_STRENGTH)
        return cls(key, cell, seen, np.clip(accuracy, 0.01, 0.995), errors, is_rule, balance)

    @property
    def n_annotators(self) -> int:
        """Annotators of the table, silent ones too."""
        return len(self.is_rule)

    def chances(self, annotator: Ints, label: Ints) -> Floats:
        """Shape (n, n_classes): P(annotator says label | class), drawn to its accuracy and the crowd's errors."""
        counted = self.counts(annotator, label)
        mean = self._mean(annotator, label)
        return np.asarray((counted + STRENGTH * mean) / (self.seen[annotator] + STRENGTH))

    def without_own(self, annotator: Ints, label: Ints, posterior: Floats) -> Floats:
        """Shape (n, n_classes): the same with the vote's own item, of this posterior, left out of the counts."""
        counted = np.maximum(self.counts(annotator, label) - posterior, 0.0)
        seen = np.maximum(self.seen[annotator] - posterior, 0.0)
        return np.asarray((counted + STRENGTH * self._mean(annotator, label)) / (seen + STRENGTH))

    def evidence(self, annotator: Ints, label: Ints) -> Floats:
        """Shape (n, n_classes): what such a vote says for each class, log likelihood up to a constant.

        Of a rule, which chooses its items, log P(class | vote) - log P(class): that it votes at all is told by the
        same counts.
        """
        found = np.log(self.chances(annotator, label))
        of_rules = self.is_rule[annotator]
        if of_rules.any():
            counted = self.counts(annotator[of_rules], label[of_rules]) + ANCHOR * self.balance
            found[of_rules] = np.log(counted / counted.sum(axis=1, keepdims=True)) - np.log(self.balance)
        return found

    def confusion(self, annotator: int) -> Floats:
        """Shape (n_classes, n_classes): soft counts `[k, l]` of one annotator."""
        k = len(self.balance)
        labels = np.arange(k)
        return self.counts(np.full(k, annotator), labels).T

    def pooled(self) -> Floats:
        """Shape (n_classes, n_classes): soft counts `[k, l]` of all annotators."""
        k = len(self.balance)
        return _summed(self.key % max(k, 1), self.cell, k).T

    def counts(self, annotator: Ints, label: Ints) -> Floats:
        wanted = annotator * len(self.balance) + label
        place = np.minimum(np.searchsorted(self.key, wanted), max(len(self.key) - 1, 0))
        if not len(self.key):
            return np.zeros((len(wanted), len(self.balance)))
        return np.where((self.key[place] == wanted)[:, None], self.cell[place], 0.0)

    def _mean(self, annotator: Ints, label: Ints) -> Floats:
        right = self.accuracy[annotator][:, None]
        is_it = label[:, None] == np.arange(len(self.balance))
        return np.maximum(np.where(is_it, right, (1 - right) * self.errors[:, label].T), 1e-4)


def _summed(group: npt.NDArray[np.integer], rows: Floats, n: int) -> Floats:
    """Shape (n, n_columns): rows summed by group."""
    columns = [np.bincount(group, rows[:, k], minlength=n) for k in range(rows.shape[1])]
    return np.stack(columns, axis=1) if columns else np.zeros((n, 0))
