"""The current best answer for each item, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.strict_json import dumps

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Consensus", "StructuredConsensus"]


@dataclass(frozen=True)
class Consensus:
    """What the label model makes of the votes.

    Parameters
    ----------
    items : sequence of str
        Item ids.
    classes : tuple of str
        Class names in schema order.
    probabilities : ndarray of float64, shape (n_items, n_classes)
        Row i: probability of each class for item i. Rows sum to 1; with `multi_choice` each cell stands alone.
    has_votes : ndarray of bool, shape (n_items,)
        False where nobody voted: the row is then the class balance and the label an abstention.
    model : str
        Name of the label model.
    details : mapping
        What the label model says about itself: the choice among candidates, iterations, reasons.
    kind : {"choice", "multi_choice"}
        With `multi_choice` an item's label is the set of classes whose probability is above one half.
    """

    items: Sequence[str]
    classes: tuple[str, ...]
    probabilities: npt.NDArray[np.float64]
    has_votes: npt.NDArray[np.bool_]
    model: str
    details: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "choice"

    @cached_property
    def label_index(self) -> npt.NDArray[np.int16]:
        """Shape (n_items,): the likeliest class; ties go to the first in class order; ABSTAIN without votes."""
        if not self.probabilities.size:  # no items, or no class was ever named
            return np.full(len(self.items), ABSTAIN, dtype=np.int16)
        return np.where(self.has_votes, np.argmax(self.probabilities, axis=1), ABSTAIN).astype(np.int16)

    @cached_property
    def tied(self) -> npt.NDArray[np.bool_]:
        """Shape (n_items,): True where two classes share the highest probability (within 1e-9)."""
        if self.kind == "multi_choice":
            return np.asarray(self.has_votes & (np.abs(self.probabilities - 0.5) < 5e-10).any(axis=1))
        if self.probabilities.shape[1] < 2:
            return np.zeros(len(self.items), dtype=np.bool_)
        top = np.partition(self.probabilities, -2, axis=1)[:, -2:]
        return np.asarray(self.has_votes & (top[:, 1] - top[:, 0] < 1e-9))

    @cached_property
    def confidence(self) -> npt.NDArray[np.float64]:
        """Shape (n_items,): the probability of the label; with `multi_choice` of its least sure class."""
        if self.kind == "multi_choice":
            return np.asarray(np.maximum(self.probabilities, 1 - self.probabilities).min(axis=1, initial=1.0))
        return np.asarray(self.probabilities.max(axis=1, initial=0.0))

    @property
    def labels(self) -> list[str | None]:
        """Class name for each item (`multi_choice`: JSON list of them), None where nobody voted."""
        if self.kind == "multi_choice":
            return [
                dumps([name for name, p in zip(self.classes, row, strict=True) if p > 0.5]) if voted else None
                for row, voted in zip(self.probabilities.tolist(), self.has_votes.tolist(), strict=True)
            ]
        return [None if i == ABSTAIN else self.classes[i] for i in self.label_index.tolist()]

    def to_frame(self) -> pl.DataFrame:
        """Columns `item`, `label`, `confidence`, `tied` and one `p_<class>` per class."""
        import polars as pl

        columns: dict[str, Any] = {
            "item": list(self.items),
            "label": self.labels,
            "confidence": self.confidence,
            "tied": self.tied,
        }
        columns |= {f"p_{name}": self.probabilities[:, k] for k, name in enumerate(self.classes)}
        return pl.DataFrame(columns, schema_overrides={"item": pl.String, "label": pl.String})


@dataclass(frozen=True)
class StructuredConsensus(Consensus):
    """What a structured model makes of the answers: values that are more than a class, and no probabilities.

    Parameters
    ----------
    texts : sequence of (str or None)
        Each item's value as it stands in files: texts as they are, the rest as JSON; None without answers.
    sure : sequence of float
        How likely each value is right as a whole.
    parts : sequence of list of float
        The same for each element of a value that is a list.
    """

    texts: Sequence[str | None] = ()
    sure: Sequence[float] = ()
    parts: Sequence[list[float]] = ()

    @classmethod
    def of_frame(
        cls, frame: pl.DataFrame, schema: LabelSchema, model: str, details: Mapping[str, Any] | None = None
    ) -> StructuredConsensus:
        """The consensus that `to_frame` made a frame of."""
        return cls(
            frame["item"].to_list(),
            schema.classes,
            np.zeros((frame.height, 0)),
            frame["label"].is_not_null().to_numpy(),
            model,
            details or {},
            schema.kind,
            frame["label"].to_list(),
            frame["confidence"].to_list(),
            frame["parts"].to_list(),
        )

    @cached_property
    def tied(self) -> npt.NDArray[np.bool_]:
        """Shape (n_items,): False; a merge of values has no ties."""
        return np.zeros(len(self.items), dtype=np.bool_)

    @cached_property
    def confidence(self) -> npt.NDArray[np.float64]:
        """Shape (n_items,): how likely the value is right as a whole."""
        return np.asarray(self.sure, dtype=np.float64)

    @property
    def labels(self) -> list[str | None]:
        """The values as they stand in files."""
        return list(self.texts)

    def to_frame(self) -> pl.DataFrame:
        """Columns `item`, `label`, `confidence`, `tied`, `parts`."""
        import polars as pl

        columns = {
            "item": list(self.items),
            "label": self.labels,
            "confidence": self.confidence,
            "tied": self.tied,
            "parts": list(self.parts),
        }
        types: dict[str, Any] = {"item": pl.String, "label": pl.String, "parts": pl.List(pl.Float64)}
        return pl.DataFrame(columns, schema_overrides=types)
