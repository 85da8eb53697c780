"""What an answer that names one class is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from labelmill.domain.item import Item
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.errors import SchemaError
from labelmill.labels._weights import checked_weights

__all__ = ["Choice"]


class Choice:
    """One class out of several; the value is its name.

    Parameters
    ----------
    classes : sequence of str
        Class order that ties follow; without it, and for names not in it, code point order.
    """

    name: ClassVar[str] = "choice"
    widget: ClassVar[str] = "labelmill-choice"

    def __init__(self, *, classes: Sequence[str] = ()) -> None:
        self.classes = classes

    def validate(self, value: Any, schema: LabelSchema, item: Item | None = None) -> str:  # noqa: ARG002 - the role's signature
        """The class name of a class name or index.

        Raises
        ------
        SchemaError
            If it names no class; an abstention (None, "ABSTAIN") is not a value either.

        Examples
        --------
        >>> Choice().validate(0, LabelSchema("spam", ("spam", "ham")))
        'spam'
        """
        index = schema.index(value)
        if index == ABSTAIN:
            raise SchemaError(f"{value!r} is an abstention, not an answer to {schema.name!r}: expected a class name")
        return schema.classes[index]

    def distance(self, a: str, b: str) -> float:
        """0 for the same class, else 1."""
        return 0.0 if a == b else 1.0

    def merge(self, values: Sequence[str], weights: Sequence[float]) -> str:
        """The class with the greatest sum of weights; ties go to the first in class order.

        The order of the values changes nothing.

        Raises
        ------
        UsageError
            If there are no values, or the weights do not fit them.
        """
        shares: dict[str, list[float]] = {}
        for value, weight in zip(values, checked_weights(values, weights), strict=True):
            shares.setdefault(value, []).append(weight)
        order = {name: position for position, name in enumerate(self.classes)}
        return min(shares, key=lambda name: (-math.fsum(shares[name]), order.get(name, len(order)), name))

    def examples(self, schema: LabelSchema) -> list[str]:
        """Some valid values, for promise suites and forms."""
        return list(schema.classes)
