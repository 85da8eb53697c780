"""The items of a partition as query strategies see them."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill import registry
from labelmill.domain.ports import Pool
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote_table import VoteTable

__all__ = ["PICKED", "RIGHT_OR_WRONG", "doubtful_probabilities", "margins", "number_of", "silent"]

Floats = npt.NDArray[np.float64]

PICKED: Final[dict[str, Any]] = {
    "score": pl.Float64,
    "tie": pl.Float64,
    "item": pl.String,
    "partition": pl.String,
    "row": pl.Int64,
    "label": pl.String,
    "confidence": pl.Float64,
    "margin": pl.Float64,
    "why": pl.String,
    "at_random": pl.Boolean,
}
"""An item worth asking about: its score, its place among equals, where it lies, the consensus on it, and why it is."""

RIGHT_OR_WRONG: Final = ("right", "wrong")


def doubtful_probabilities(frame: pl.DataFrame, schema: LabelSchema) -> Floats:
    """Probabilities that say of each row of the consensus how doubtful it is, shape (n_items, n_classes).

    Those of the classes, where one is chosen. A structured value is right or wrong, and so is the most doubtful class
    where several may be chosen: two classes, of which the first is never the less likely.
    """
    if schema.is_structured:
        return two_sided(frame["confidence"].to_numpy())
    probabilities = np.asarray(frame.select(f"p_{name}" for name in schema.classes).to_numpy(), dtype=np.float64)
    if schema.kind != "multi_choice":
        return probabilities
    return two_sided(np.abs(2.0 * probabilities - 1.0).min(axis=1, initial=1.0))


def two_sided(sure: Floats) -> Floats:
    """Probabilities of right and wrong whose margin is this, shape (n_items, 2)."""
    right = (1.0 + sure) / 2.0
    return np.stack([right, 1.0 - right], axis=1)


def margins(probabilities: Floats) -> Floats:
    """Lead of the likeliest class over the second, shape (n_items,)."""
    scored = registry.find("query_strategy", "margin")().score(Pool(probabilities, silent([])))
    return np.asarray(1.0 - scored, dtype=np.float64)


def silent(items: list[str], classes: tuple[str, ...] = RIGHT_OR_WRONG) -> VoteTable:
    """Items of which nobody has said anything that a strategy looks at."""
    return VoteTable(items, (), classes, [], [], [])


def number_of(text: str) -> int:
    """A number that stands for a text, below 2^63."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1
