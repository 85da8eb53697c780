"""What label models have in common that learn by rounds, and those of them that predict by a mixture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from labelmill.aggregation._alignment import aligned, fitted_names
from labelmill.aggregation._known import Known, informed, set_apart
from labelmill.aggregation._mixture import LeftOut, Mixture
from labelmill.aggregation._tally import Floats, Tally
from labelmill.domain.history import History
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

    def fit(
        self, votes: Any, *, gold: Mapping[str, str] | None = None, history: History | Mapping[str, Any] | None = None
    ) -> Self:
        """Learn about the annotators and the class balance; see `LabelModel.fit`.

        Parameters
        ----------
        gold : mapping of str to str, optional
            Item -> true class. Votes on these items teach who is right, in every M-step; items not voted on are passed
            over. Predictions are by votes alone: who wants gold answers in them puts them there.
        history : History or its plain data, optional
            What annotators did before, as `history` gave it: a prior in every M-step.

        Raises
        ------
        UsageError
            If a gold answer is no class, or the history is none.
        """
        table = VoteTable.of(votes)
        past = history if history is None or isinstance(history, History) else History.from_dict(history)
        self._past, self._gold = past, dict(gold or {})
        rest, known = set_apart(table, self._gold, past)
        learning = self.informed_learning(table.annotators, table.classes, table.kinds, known)
        drive(learning, lambda ask: ask(rest))
        return self

    def informed_learning(
        self,
        annotators: Sequence[str],
        classes: Sequence[str],
        kinds: Sequence[AnnotatorKind | None],
        known: Known | None,
    ) -> Rounds[None]:
        """Learn from sums over shards, and from what is known of other items; see `LearnsByRounds`."""
        return informed(self.learning(annotators, classes, kinds), known)

    def history(self, votes: Any) -> History:
        """What is known of the annotators after the votes that were fitted: earlier history and these together.

        Parameters
        ----------
        votes : VoteTable or table
            Those of the fit.
        """
        table = aligned(votes, self)
        past, gold = getattr(self, "_past", None), getattr(self, "_gold", {})
        rest, known = set_apart(table, gold, None)
        counts = Tally.by_item(rest).counts(self.predict_proba(rest))
        now = History(
            table.classes, dict(zip(table.annotators, counts if known is None else counts + known.votes, strict=True))
        )
        return now if past is None else past.merged(now)

    @abstractmethod
    def predict_proba(self, votes: Any) -> Floats:
        """Class probabilities, shape (n_items, n_classes)."""


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
