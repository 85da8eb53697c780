"""What an answer that names any number of classes is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from labelmill.domain.item import Item
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.errors import SchemaError
from labelmill.labels._lists import listed
from labelmill.labels._weights import checked_weights

__all__ = ["MultiChoice"]


class MultiChoice:
    """Any number of classes; the value is the list of their names in schema order, `[]` for "none applies".

    Parameters
    ----------
    classes : sequence of str
        Class order of merged values; without it, the order that the values themselves agree on.
    """

    name: ClassVar[str] = "multi_choice"
    widget: ClassVar[str] = "labelmill-multi-choice"
    right_from: ClassVar[float] = 1.0
    """Likeness from which an answer is as good as the known one: every class, and no other."""

    def __init__(self, *, classes: Sequence[str] = ()) -> None:
        self.classes = classes

    def validate(self, value: Any, schema: LabelSchema, item: Item | None = None) -> list[str]:  # noqa: ARG002 - the role's signature
        """The class names of a list (or tuple, set) of names or indices, a JSON list of names, or a single name.

        Raises
        ------
        SchemaError
            If a part names no class, a class is named twice, or it is an abstention (None, "ABSTAIN").

        Examples
        --------
        >>> MultiChoice().validate('["b", "a"]', LabelSchema("topic", ("a", "b", "c")))
        ['a', 'b']
        """
        indices = [_index(part, schema) for part in _parts(value, schema)]
        for index in indices:
            if indices.count(index) > 1:
                raise SchemaError(f"{value!r} names the class {schema.classes[index]!r} twice: name each class once")
        return [schema.classes[index] for index in sorted(indices)]

    def distance(self, a: Sequence[str], b: Sequence[str]) -> float:
        """Jaccard distance: 1 - |a ∩ b| / |a ∪ b|; two empty answers are equal.

        Jaccard, P. (1912). The distribution of the flora in the alpine zone. doi:10.1111/j.1469-8137.1912.tb05611.x
        """
        union = set(a) | set(b)
        return 1.0 - len(set(a) & set(b)) / len(union) if union else 0.0

    def merge(self, values: Sequence[Sequence[str]], weights: Sequence[float]) -> list[str]:
        """The classes that more than half of the weight names; exactly half is not enough.

        The order of the values changes nothing.

        Raises
        ------
        UsageError
            If there are no values, or the weights do not fit them.
        """
        checked = checked_weights(values, weights)
        half = math.fsum(checked) / 2
        shares: dict[str, list[float]] = {}
        for value, weight in zip(values, checked, strict=True):
            for name in value:
                shares.setdefault(name, []).append(weight)
        chosen = {name for name, share in shares.items() if math.fsum(share) > half}
        return _ordered(chosen, [self.classes, *values])

    def examples(self, schema: LabelSchema) -> list[list[str]]:
        """Some valid values, for promise suites and forms."""
        names = list(schema.classes)
        return [[], *([name] for name in names), names[:2], names]


def _parts(value: Any, schema: LabelSchema) -> Iterable[Any]:
    if isinstance(value, str) and value in schema.classes:
        return [value]
    if isinstance(value, set | frozenset):
        return value
    return listed(value, lambda other: _unknown(other, schema))


def _unknown(value: Any, schema: LabelSchema) -> SchemaError:
    return SchemaError(
        f"{value!r:.80} is no answer to {schema.name!r}: expected a list of class names, or a JSON list of them "
        f'such as ["{schema.classes[0]}"]; [] for none. Known: {", ".join(schema.classes)}.'
    )


def _index(part: Any, schema: LabelSchema) -> int:
    index = schema.index(part)
    if index == ABSTAIN:
        raise SchemaError(f"{part!r} inside a list is no class of {schema.name!r}: an abstention stands alone")
    return index


def _ordered(names: set[str], orders: Sequence[Sequence[str]]) -> list[str]:
    """The names in an order that all `orders` agree with; where they leave it open, or disagree, by code point."""
    before: dict[str, set[str]] = {name: set() for name in names}
    for order in orders:
        known = [name for name in order if name in names]
        for i, name in enumerate(known):
            before[name].update(known[:i])
    result: list[str] = []
    waiting = sorted(names)
    while waiting:
        name = next((name for name in waiting if not before[name] & set(waiting)), waiting[0])
        result.append(name)
        waiting.remove(name)
    return result
