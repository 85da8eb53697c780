"""A consensus that follows every vote as it comes, is changed or is taken back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._confusion import Confusion
from labelmill.aggregation._mixture import Mixture
from labelmill.aggregation._posterior import class_balance, keep_unanimous, posterior, softmax_by_state
from labelmill.aggregation._tally import Floats, Tally
from labelmill.aggregation.shrinkage_dawid_skene import ShrinkageDawidSkene
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import SchemaError, UsageError, nearest

__all__ = ["OnlineConsensus"]

UNIT = 1 << 32
"""What one vote counts in the integer sums: enough for 2^31 votes a sum, each rounded by 1e-10 at most."""

Ints = npt.NDArray[np.int64]
Columns = npt.NDArray[np.int32]
"""The votes on one item as `annotator * n_classes + label`, ascending."""


class OnlineConsensus:
    r"""Dawid-Skene that takes votes one by one: every answer uses all votes so far, without going through them again.

    A fit gives a **reference**: what each vote of each annotator says. Under it every item has a posterior that depends
    on its own votes alone, and the sums of these over items are all that is needed to know the annotators:

    .. math:: n_{jkl} = \sum_i q^{ref}_{ik} [vote_{ij} = l], \qquad N_k = \sum_i q^{ref}_{ik}

    A vote takes its item's old share out of the sums and adds the new one. Annotators' confusions and the class balance
    are those of `ShrinkageDawidSkene` for the sums at this moment, and so is the posterior of every item: one sweep of
    expectation maximisation from the reference, over the votes there are now. Such partial steps are the incremental
    form of Neal and Hinton (1998, https://doi.org/10.1007/978-94-011-5014-9_12). We differ in keeping the reference
    until `refit`, so that the state is a function of the votes and not of their order, and in counting in integers of
    2^-32 votes, so that adding and taking back leaves every bit as it was.

    Annotators and items may be new; classes may not. A newcomer starts as one of the crowd and is known by their votes
    from then on. What no sweep but a new fit learns is how the votes since change the reference: `n_changes` counts
    them, `refit` starts again from all. Not safe for several threads at once.

    Parameters
    ----------
    votes : VoteTable or table
        The votes to start from; see `VoteTable.of`. Repeated votes of an annotator on an item all count until that
        annotator votes on it again.
    model : ShrinkageDawidSkene, optional
        Fitted, on these votes or others with the same classes; or with options of your own to be fitted here.

    Attributes
    ----------
    model : ShrinkageDawidSkene
        The reference.
    classes : tuple of str
        Class names, in the order of every answer.
    n_changes : int
        Votes added, changed or taken back since the reference was fitted.

    Raises
    ------
    UsageError
        If rows of the table stand for several items, the model is another one, or was fitted on other classes.

    Examples
    --------
    >>> votes = {"item": list("aabbcc"), "annotator": list("xyxyxy"), "label": list("001101")}
    >>> online = OnlineConsensus(votes)
    >>> online.posterior("c").round(2).tolist()
    [0.5, 0.5]
    >>> online.add("c", "z", "1").argmax().item()
    1
    >>> online.retract("c", "z").round(2).tolist()
    [0.5, 0.5]
    """

    def __init__(self, votes: Any, *, model: ShrinkageDawidSkene | None = None) -> None:
        classes = None if model is None or not _is_fitted(model) else model.classes_
        table = VoteTable.of(votes, classes=classes)
        if classes not in (None, table.classes):
            raise UsageError(f"the model was fitted on classes {list(classes)}, the votes have {list(table.classes)}")
        if table.multiplicity is not None:
            raise UsageError("votes come one by one: give a table with one row for each item, not one by pattern")
        model = ShrinkageDawidSkene() if model is None else model
        if not isinstance(model, ShrinkageDawidSkene):
            raise UsageError(
                f"votes one by one are weighed by ShrinkageDawidSkene, found {type(model).__name__}: give that"
            )
        self._start(table, model if _is_fitted(model) else model.fit(table))

    def add(self, item: Any, annotator: str, label: str | None) -> Floats:
        """Count a vote and return the item's posterior, shape (n_classes,).

        Parameters
        ----------
        item, annotator : str
            New ones are taken in.
        label : str or None
            A class; what the annotator said of the item before is superseded. None declines, which takes it back.

        Raises
        ------
        SchemaError
            If the label is not among the classes.
        """
        own = [] if label is None else [self._label_index(label)]
        i, j = _place(self._items, item), _place(self._annotators, annotator)
        self._make_room(len(self._annotators))
        self._change(i, j, own)
        return self.posterior(item)

    def retract(self, item: Any, annotator: str) -> Floats:
        """Take back what the annotator said of the item and return its posterior, shape (n_classes,).

        Raises
        ------
        UsageError
            If the annotator has no vote there.
        """
        i, j = self._item_index(item), self._annotator_index(annotator)
        if not (self._columns(i) // len(self.classes) == j).any():
            raise UsageError(f"{annotator!r} has no vote on {item!r} to take back")
        self._change(i, j, [])
        return self.posterior(item)

    def posterior(self, item: Any) -> Floats:
        """Class probabilities of an item by all votes so far, shape (n_classes,); the balance if nobody voted.

        Raises
        ------
        UsageError
            If the item is not known.
        """
        columns = self._columns(self._item_index(item))
        annotators, labels = np.divmod(columns, len(self.classes))
        said = self._confusions(annotators).per_vote[np.arange(len(columns)), labels]
        scores = np.log(self.class_balance) + said.sum(axis=0)
        probabilities, _ = posterior(scores[None])
        only = labels[0] if len(set(labels.tolist())) == 1 else ABSTAIN
        return np.asarray(keep_unanimous(probabilities, np.array([only]))[0])

    def predict_proba(self) -> Floats:
        """Class probabilities of all items in the order of `votes().items`, shape (n_items, n_classes)."""
        everybody = self._confusions(np.arange(len(self._annotators)))
        mixture = Mixture(np.log(self.class_balance), everybody.per_vote, np.arange(len(self.classes)))
        return mixture.predict(self.votes())

    @property
    def class_balance(self) -> Floats:
        """Share of each class, one item of each added, shape (n_classes,)."""
        return class_balance(self._sizes / UNIT)

    def confusion(self, annotator: str) -> Floats:
        """Probability `[k, l]` that the annotator answers l on an item of class k.

        Raises
        ------
        UsageError
            If the annotator is not known.
        """
        return np.asarray(self._confusions(np.array([self._annotator_index(annotator)])).rows[0])

    def reliability(self, annotator: str) -> float:
        """Probability that a vote of the annotator names the true class; NaN without votes.

        Raises
        ------
        UsageError
            If the annotator is not known.
        """
        counts = self._of_annotators(np.array([self._annotator_index(annotator)]))[0]
        total = counts.sum()
        return float(np.trace(counts) / total) if total else float("nan")

    def votes(self) -> VoteTable:
        """All votes there are now."""
        rows = [self._columns(i) for i in range(len(self._items))] if self._touched else None
        columns = self._first_columns if rows is None else np.concatenate([*rows, np.zeros(0, dtype=np.int32)])
        sizes = np.diff(self._starts) if rows is None else np.array([len(row) for row in rows], dtype=np.intp)
        annotators, labels = np.divmod(columns, max(len(self.classes), 1))
        kinds = {**dict.fromkeys(self._annotators), **self._kinds}
        return VoteTable(
            list(self._items),
            list(self._annotators),
            self.classes,
            np.repeat(np.arange(len(sizes)), sizes),
            annotators,
            labels,
            kinds=[kinds[name] for name in self._annotators],
        )

    def refit(self) -> None:
        """Learn a new reference from all votes there are now, from scratch and with the same options."""
        options = {name: getattr(self.model, name) for name in ("max_iterations", "tolerance", "seed")}
        table = self.votes()
        self._start(table, ShrinkageDawidSkene(**options).fit(table))

    def _start(self, table: VoteTable, model: ShrinkageDawidSkene) -> None:
        self.model, self.classes, self.n_changes = model, table.classes, 0
        self._items = {item: i for i, item in enumerate(table.items)}
        self._annotators = {name: j for j, name in enumerate(table.annotators)}
        self._kinds = dict(zip(table.annotators, table.kinds, strict=True))
        tally = Tally.by_item(table)
        self._starts, self._first_columns = tally.one_hot.indptr, tally.one_hot.indices.astype(np.int32)
        self._touched: dict[int, Columns] = {}
        self._refer_to(model)
        self._sum_up(tally)

    def _refer_to(self, model: ShrinkageDawidSkene) -> None:
        fitted, n_classes = model._confusion, len(self.classes)
        nobody = np.zeros((1, n_classes, n_classes))
        newcomer = Confusion.among(nobody, fitted.counts.sum(axis=0), fitted.strength, fitted.accuracy_strength)
        self._log_balance, self._newcomer = model._mixture.log_balance, newcomer.per_vote[0]
        self._strengths = fitted.strength, fitted.accuracy_strength
        known = {name: j for j, name in enumerate(model.annotators_)}
        place = np.array([known.get(name, -1) for name in self._annotators], dtype=np.intp)
        per_vote = np.concatenate([fitted.per_vote, self._newcomer[None]])[place]
        self._reference = per_vote.reshape(len(place) * n_classes, n_classes)

    def _sum_up(self, tally: Tally) -> None:
        """The sums over all votes: integers held in floats, which are exact below 2^53, until they are added up."""
        n_classes = len(self.classes)
        self._counts = np.zeros(self._reference.shape, dtype=np.int64)
        self._sizes = np.zeros(n_classes, dtype=np.int64)
        for block in tally.blocks(n_classes) if n_classes else []:
            shares = self._shares(block.one_hot @ self._reference)
            shares[tally.weights[block.rows] == 0] = 0.0
            self._counts += (block.turned @ shares).astype(np.int64)
            self._sizes += shares.sum(axis=0).astype(np.int64)
        self._pooled = self._counts.reshape(-1, n_classes, n_classes).sum(axis=0)

    def _change(self, i: int, j: int, own: list[int]) -> None:
        """Let annotator j have these labels on item i, and no others."""
        before, n_classes = self._columns(i), len(self.classes)
        others = before[before // n_classes != j].tolist()
        after = np.array(sorted([*others, *(j * n_classes + label for label in own)]), dtype=np.int32)
        self._count(before, -1)
        self._count(after, 1)
        self._touched[i] = after
        self.n_changes += 1

    def _count(self, columns: Columns, times: int) -> None:
        """Add the share of an item with these votes to the sums so many times."""
        if not len(columns):
            return
        evidence = np.zeros((1, len(self.classes)))
        for column in columns:
            evidence[0] += self._reference[column]
        share = times * self._shares(evidence)[0].astype(np.int64)
        np.add.at(self._counts, columns, share)
        np.add.at(self._pooled, columns % len(self.classes), share)
        self._sizes += share

    def _shares(self, evidence: Floats) -> Floats:
        """Posterior of items under the reference in whole units, which add up to one vote, (n_items, n_classes)."""
        by_class = np.add(evidence.T, self._log_balance[:, None], order="C")
        softmax_by_state(by_class)
        by_class *= UNIT
        np.rint(by_class, out=by_class)
        top = by_class.argmax(axis=0)
        by_class[top, np.arange(len(evidence))] += UNIT - by_class.sum(axis=0)
        return np.ascontiguousarray(by_class.T)

    def _confusions(self, annotators: npt.NDArray[Any]) -> Confusion:
        return Confusion.among(self._of_annotators(annotators), self._pooled / UNIT, *self._strengths)

    def _of_annotators(self, annotators: npt.NDArray[Any]) -> Floats:
        """Expected votes `[j, l, k]` of some annotators."""
        n_classes = len(self.classes)
        return np.asarray(self._counts.reshape(-1, n_classes, n_classes)[annotators] / UNIT)

    def _columns(self, i: int) -> Columns:
        touched = self._touched.get(i)
        if touched is not None:
            return touched
        if i + 1 >= len(self._starts):
            return np.zeros(0, dtype=np.int32)
        first: Columns = self._first_columns[self._starts[i] : self._starts[i + 1]]
        return first

    def _make_room(self, n_annotators: int) -> None:
        """Rows for newcomers, doubled at a time."""
        n_classes = len(self.classes)
        missing = n_annotators * n_classes - len(self._counts)
        if missing > 0:
            more = max(n_annotators, -(-missing // n_classes))
            self._counts = np.concatenate([self._counts, np.zeros((more * n_classes, n_classes), dtype=np.int64)])
            self._reference = np.concatenate([self._reference, np.tile(self._newcomer, (more, 1))])

    def _label_index(self, label: str) -> int:
        if label not in self.classes:
            raise SchemaError(f"unknown class {label!r} of a vote: {nearest(label, self.classes)}")
        return self.classes.index(label)

    def _item_index(self, item: Any) -> int:
        if item not in self._items:
            raise UsageError(f"no item is called {item!r}: add a vote on it first")
        return self._items[item]

    def _annotator_index(self, annotator: str) -> int:
        if annotator not in self._annotators:
            raise UsageError(f"no annotator is called {annotator!r}: add a vote of theirs first")
        return self._annotators[annotator]


def _place(known: dict[Any, int], name: Any) -> int:
    return known.setdefault(name, len(known))


def _is_fitted(model: ShrinkageDawidSkene) -> bool:
    return "annotators_" in vars(model)
