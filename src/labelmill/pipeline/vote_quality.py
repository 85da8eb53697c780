"""Quality of consensus labels, votes and annotators: a label model's answer, judged with the votes behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill import registry
from labelmill.domain.ports import LabelModel
from labelmill.domain.vote import AnnotatorKind
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError
from labelmill.quality.vote_quality import VoteQuality, vote_quality

__all__ = ["score_votes"]


def score_votes(
    votes: Any,
    *,
    probabilities: npt.ArrayLike | None = None,
    items: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    kinds: Mapping[str, AnnotatorKind] | None = None,
    model: str = "auto",
    seed: int = 0,
) -> VoteQuality:
    """How good each consensus label, each vote and each annotator is; see `labelmill.quality.vote_quality`.

    Parameters
    ----------
    votes : VoteTable or table
        Columns `item`, `annotator`, `label`; any dataframe, see `VoteTable.of`.
    probabilities : array of float, shape (n_items, n_classes), optional
        A classifier's class probabilities, out of sample, in the order of `items` and `classes`.
    items : sequence of str, optional
        Item of each row of `probabilities`; without it the order in which items first appear among the votes. Items
        that nobody voted on are left out.
    classes : sequence of str, optional
        Class order; without it the labels seen, sorted.
    kinds : mapping of str to str, optional
        Annotator -> person, rule or model.
    model : str
        Name of a label model.
    seed : int
        For label models that draw.

    Raises
    ------
    UsageError
        If the shapes do not fit, or a vote's item has no probabilities.

    Examples
    --------
    >>> votes = {"item": list("aaabbb"), "annotator": list("xyzxyz"), "label": list("110001")}
    >>> score_votes(votes).votes()["item", "annotator"].head(1).rows()
    [('a', 'z')]
    """
    table = VoteTable.of(votes, classes=classes, kinds=kinds)
    given = None if probabilities is None else _rows(table, np.asarray(probabilities, dtype=np.float64), items)
    fitted = registry.find("label_model", model)(seed=seed).fit(table)
    return vote_quality(table, _untempered(fitted, table), fitted.reliability_, model=given)


def _untempered(fitted: LabelModel, votes: VoteTable) -> npt.NDArray[np.float64]:
    """The posterior as it is if votes are independent: how far that holds is for `vote_quality` to judge."""
    probabilities, power = fitted.predict_proba(votes), fitted.details_.get("temperature")
    if not isinstance(power, float) or not probabilities.size:
        return probabilities
    raised = probabilities ** (1.0 / power)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _rows(
    votes: VoteTable, probabilities: npt.NDArray[np.float64], items: Sequence[str] | None
) -> npt.NDArray[np.float64]:
    """The probabilities in the order of the table's items."""
    names = list(votes.items) if items is None else list(items)
    if probabilities.shape != (len(names), votes.n_classes):
        raise UsageError(
            f"probabilities have shape {probabilities.shape} for {len(names)} items and {votes.n_classes} classes "
            f"({', '.join(votes.classes)}): one row an item, one column a class; name both with `items` and `classes`"
        )
    row = {name: i for i, name in enumerate(names)}
    missing = next((name for name in votes.items if name not in row), None)
    if missing is not None:
        raise UsageError(f"item {missing!r} has votes but no probabilities: give a row for every item")
    return probabilities[[row[name] for name in votes.items]]
