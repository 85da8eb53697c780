"""What merging structured answers shares, in a project and without one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import polars as pl

from labelmill import registry
from labelmill.domain.answers import AnswerTable
from labelmill.domain.item import Item
from labelmill.domain.ports import StructuredModel
from labelmill.domain.strict_json import dumps, loads
from labelmill.errors import BadInputError
from labelmill.pipeline.aggregated import ANNOTATOR_COLUMNS

__all__ = ["as_spelled", "known_facts", "label_text", "model_for", "structured_annotators"]

FALLBACK: Final = "by_distance"
"""Merges every kind of label that has no model of its own."""


def model_for(label_kind: str, model: str | None) -> str:
    """Name of the structured model: the one named, the one of this kind of label, or the one for all kinds."""
    if model is not None:
        return model
    return label_kind if label_kind in registry.names("structured_model") else FALLBACK


def structured_annotators(table: AnswerTable, model: StructuredModel) -> pl.DataFrame:
    """What was learned of each annotator: `annotator`, `kind`, `votes`, `reliability`."""
    given = [j for j, value in zip(table.annotator_index.tolist(), table.values, strict=True) if value is not None]
    return pl.DataFrame(
        {
            "annotator": list(table.annotators),
            "kind": list(table.kinds),
            "votes": np.bincount(np.array(given, dtype=np.int64), minlength=table.n_annotators),
            "reliability": model.reliability_,
        },
        schema=ANNOTATOR_COLUMNS,
    )


def label_text(value: Any) -> str | None:
    """A value as it stands in a file: texts as they are, the rest as JSON; None without answers."""
    return value if value is None or isinstance(value, str) else dumps(value)


def known_facts(item: Item) -> Item:
    """The item with what the user brought among its facts: a file that names width and height tells them."""
    return replace(item, facts={**{name: as_spelled(cell) for name, cell in item.meta.items()}, **item.facts})


def as_spelled(cell: Any) -> Any:
    """The number or the list that a text spells; anything else as it is."""
    if not isinstance(cell, str):
        return cell
    if cell[:1] in {"[", "{"}:
        try:
            return loads(cell)
        except BadInputError:
            return cell
    try:
        number = float(cell)
    except ValueError:
        return cell
    return int(number) if number.is_integer() else number
