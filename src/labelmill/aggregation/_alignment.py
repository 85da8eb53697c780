"""Votes at a label model's door: any table becomes a VoteTable in the order the model was fitted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from labelmill.aggregation._fitted import require_fitted
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError

__all__ = ["aligned", "fitted_names"]

SHOWN = 5
"""How many unknown annotators a message names."""


def fitted_names(model: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Annotators and classes the model was fitted on.

    Raises
    ------
    NotFittedError
        If `fit` was never called.
    """
    require_fitted(model, "annotators_", votes="votes")
    known: Mapping[str, Any] = vars(model)
    return known["annotators_"], known["classes_"]


def aligned(votes: Any, model: Any) -> VoteTable:
    """The votes with annotators numbered as in the fit, by name; annotators who cast none are added empty.

    Raises
    ------
    NotFittedError
        If `fit` was never called.
    UsageError
        If an annotator was not among those fitted, or the classes or their order differ.
    """
    annotators, classes = fitted_names(model)
    table = VoteTable.of(votes, classes=classes)
    if table.classes != classes:
        raise UsageError(
            f"the votes have classes {list(table.classes)}, the {type(model).__name__} was fitted on {list(classes)}: "
            "make the table with the same classes in the same order"
        )
    if table.annotators == annotators:
        return table
    return _renumbered(table, annotators, type(model).__name__)


def _renumbered(table: VoteTable, annotators: Sequence[str], model_name: str) -> VoteTable:
    position = {name: j for j, name in enumerate(annotators)}
    unknown = [name for name in table.annotators if name not in position]
    if unknown:
        more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        raise UsageError(
            f"the {model_name} was not fitted on the votes of {', '.join(map(repr, unknown[:SHOWN]))}{more}: "
            "fit it again with these annotators, or leave their votes out"
        )
    new_index = np.array([position[name] for name in table.annotators], dtype=np.int32)
    kinds = dict(zip(table.annotators, table.kinds, strict=True))
    return VoteTable(
        table.items,
        annotators,
        table.classes,
        table.item_index,
        new_index[table.annotator_index] if len(new_index) else table.annotator_index,
        table.label,
        kinds=[kinds.get(name) for name in annotators],
        soft={int(new_index[j]): p for j, p in table.soft.items()},
        multiplicity=table.multiplicity,
    )
