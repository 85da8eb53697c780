"""What label models have in common that learn by rounds, and those of them that predict by a mixture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from labelmill.aggregation._alignment import aligned, fitted_names
from labelmill.aggregation._mixture import LeftOut, Mixture
from labelmill.aggregation._tally import Floats
from labelmill.domain.sums import Rounds, drive
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable

__all__ = ["BalancedMixture", "ByMixture", "ByRounds"]


class ByRounds(ABC):
    """A label model that learns from sums over shards; of a single table the whole is its only shard."""

    annotators_: tuple[str, ...]
    classes_: tuple[str, ...]
    class_balance_: Floats
    reliability_: Floats
    details_: dict[str, Any]

    @abstractmethod
    def learning(
        self, annotators: Sequence[str], classes: Sequence[str], kinds: Sequence[AnnotatorKind | None]
    ) -> Rounds[None]:
        """Learn from sums over shards; see `LearnsByRounds`."""

    def fit(self, votes: Any) -> Self:
        """Learn about the annotators and the class balance; see `LabelModel.fit`."""
        table = VoteTable.of(votes)
        drive(self.learning(table.annotators, table.classes, table.kinds), lambda ask: ask(table))
        return self


class ByMixture(ByRounds):
    """One that predicts by one sum of evidence an item; `learning` leaves it in `_mixture`."""

    _mixture: Mixture

    def predict_proba(self, votes: Any) -> Floats:
        """Class probabilities, shape (n_items, n_classes).

        Raises
        ------
        NotFittedError
            Before `fit`.
        UsageError
            If an annotator was not among those fitted.
        """
        return self._predicted(aligned(votes, self))

    def left_out(self, votes: VoteTable) -> LeftOut:
        """Beliefs about each item with and without each of its votes."""
        fitted_names(self)
        return self._mixture.left_out(votes, self._credited())

    def _predicted(self, table: VoteTable) -> Floats:
        return self._mixture.predict(table)

    def _credited(self) -> Floats | None:
        """Votes `[j, l, s]` that annotators are credited with beforehand; None for the crowd's."""
        return None


class BalancedMixture(ByMixture):
    """One whose class balance is that of its answers: items without votes get it, and not the mixture's own."""

    def _predicted(self, table: VoteTable) -> Floats:
        return np.where(table.counts.any(axis=1, keepdims=True), self._mixture.predict(table), self.class_balance_)
