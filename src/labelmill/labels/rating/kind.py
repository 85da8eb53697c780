"""What an answer on an ordered scale is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from labelmill.domain.item import Item
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.errors import SchemaError
from labelmill.labels._medians import lower_median

__all__ = ["Rating"]


class Rating:
    """One class of an ordered schema; the value is its name.

    Parameters
    ----------
    classes : sequence of str
        The classes from low to high. Without them nothing is known of the order: two different answers are as far
        apart as can be, and a median follows the code points of the names.
    """

    name: ClassVar[str] = "rating"
    widget: ClassVar[str] = "labelmill-rating"

    def __init__(self, *, classes: Sequence[str] = ()) -> None:
        self.classes = tuple(classes)
        self._level = {name: level for level, name in enumerate(self.classes)}

    def validate(self, value: Any, schema: LabelSchema, item: Item | None = None) -> str:  # noqa: ARG002 - the role's signature
        """The class name of a class name or index.

        Raises
        ------
        SchemaError
            If it names no class; an abstention (None, "ABSTAIN") is not a value either.

        Examples
        --------
        >>> Rating().validate(2, LabelSchema("stars", ("poor", "fair", "good"), kind="rating"))
        'good'
        """
        index = schema.index(value)
        if index == ABSTAIN:
            raise SchemaError(f"{value!r} is an abstention, not an answer to {schema.name!r}: expected a class name")
        return schema.classes[index]

    def distance(self, a: str, b: str) -> float:
        """Steps between the two as a share of the longest way.

        Examples
        --------
        >>> Rating(classes=("poor", "fair", "good")).distance("poor", "fair")
        0.5
        """
        if a == b:
            return 0.0
        if a not in self._level or b not in self._level:
            return 1.0
        return abs(self._level[a] - self._level[b]) / (len(self.classes) - 1)

    def merge(self, values: Sequence[str], weights: Sequence[float]) -> str:
        """The weighted median; of two middle ones the lower.

        The order of the values changes nothing.

        Raises
        ------
        UsageError
            If there are no values, or the weights do not fit them.
        """
        last = len(self.classes)
        return lower_median(values, weights, key=lambda name: (self._level.get(name, last), name))

    def examples(self, schema: LabelSchema) -> list[str]:
        """Some valid values, for promise suites and forms."""
        return list(schema.classes)
