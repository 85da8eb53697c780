"""What an answer that is a number is."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any, ClassVar

from labelmill.domain.item import Item
from labelmill.domain.schema import LabelSchema
from labelmill.domain.strict_json import loads
from labelmill.errors import BadInputError, SchemaError, UsageError
from labelmill.labels._medians import middle_pair

__all__ = ["Number"]


class Number:
    """A finite number; the value is a float.

    Parameters
    ----------
    classes : sequence of str
        Not used: numbers have no classes.
    between : (float, float), optional
        Smallest and largest number that may be answered. Distances are then shares of the way between them.

    Raises
    ------
    UsageError
        If the range is not finite or empty.
    """

    name: ClassVar[str] = "number"
    widget: ClassVar[str] = "labelmill-number"
    right_from: ClassVar[float] = 0.95
    """Likeness from which an answer is as good as the known one: within a tenth of it."""

    def __init__(self, *, classes: Sequence[str] = (), between: tuple[float, float] | None = None) -> None:
        if between is not None and not (-math.inf < between[0] < between[1] < math.inf):
            raise UsageError(f"between must be two finite numbers, the smaller first, found {between}")
        self.classes = tuple(classes)
        self.between = between

    def validate(self, value: Any, schema: LabelSchema, item: Item | None = None) -> float:  # noqa: ARG002 - the role's signature
        """The float of a number, or of the JSON text of one.

        Raises
        ------
        SchemaError
            If it is no finite number (True is none), or lies outside the range.

        Examples
        --------
        >>> Number().validate(" 12 ", LabelSchema("price", (), kind="number"))
        12.0
        """
        found = _parsed(value)
        if not _is_number(found):
            raise SchemaError(f"{value!r:.80} is no answer to {schema.name!r}: expected a finite number such as 12.5")
        number = float(found) + 0.0  # -0.0 becomes 0.0
        if self.between is not None and not self.between[0] <= number <= self.between[1]:
            low, high = self.between
            raise SchemaError(f"{value!r:.80} is no answer to {schema.name!r}: expected a number from {low} to {high}")
        return number

    def distance(self, a: float, b: float) -> float:
        """|a - b| / (|a| + |b|), or with a range |a - b| as a share of it.

        The first is the Canberra metric of Lance and Williams (1967, https://doi.org/10.1093/comjnl/9.4.373): no unit
        matters, but the zero does, and numbers of different sign are as far apart as can be.

        Examples
        --------
        >>> Number().distance(1.0, 3.0), Number(between=(0.0, 1000.0)).distance(90.0, 110.0)
        (0.5, 0.02)
        """
        if a == b:
            return 0.0
        if self.between is not None:
            low, high = self.between
            return min(abs(a / 2 - b / 2) / (high / 2 - low / 2), 1.0)
        if math.isinf(abs(a) + abs(b)):
            a, b = a / 2, b / 2
        return abs(a - b) / (abs(a) + abs(b))

    def merge(self, values: Sequence[float], weights: Sequence[float]) -> float:
        """The weighted median; half way between two middle ones.

        The order of the values changes nothing.

        Raises
        ------
        UsageError
            If there are no values, or the weights do not fit them.
        """
        low, high = middle_pair(values, weights, key=lambda value: value)
        return low if low == high else low / 2 + high / 2

    def examples(self, schema: LabelSchema) -> list[float]:  # noqa: ARG002 - the role's signature
        """Some valid values, for promise suites and forms."""
        if self.between is not None:
            low, high = self.between
            return [low, low / 2 + high / 2, high]
        return [0.0, 1.0, 2.5, 40.0, -3.0]


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return loads(value)
    except BadInputError:
        return None


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the floats
        return False
