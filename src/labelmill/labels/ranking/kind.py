"""What an answer that puts classes in order is."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, ClassVar

from labelmill.domain.item import Item
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.errors import SchemaError
from labelmill.labels._lists import listed
from labelmill.labels._medians import lower_median
from labelmill.labels._weights import checked_weights
from labelmill.labels.ranking._kemeny import best_order

__all__ = ["Ranking"]


class Ranking:
    """All or some of the classes, best first, each once; the value is the list of their names.

    Classes left out stand behind all that are named and are tied with one another; other ties cannot be said. A list
    that leaves out a single class says as much as one with that class at its end, which is its canonical form.

    Parameters
    ----------
    classes : sequence of str
        All classes; ties of a merge follow their order. Without them, two values are compared as if there were one
        class more than they name, and ties follow the code points of the names.
    """

    name: ClassVar[str] = "ranking"
    widget: ClassVar[str] = "labelmill-ranking"

    def __init__(self, *, classes: Sequence[str] = ()) -> None:
        self.classes = tuple(classes)

    def validate(self, value: Any, schema: LabelSchema, item: Item | None = None) -> list[str]:  # noqa: ARG002 - the role's signature
        """The class names of a list (or tuple) of names or indices, or of a JSON list of names.

        Raises
        ------
        SchemaError
            If an element names no class, a class is named twice, or none is named (decline to answer instead).

        Examples
        --------
        >>> Ranking().validate('["b", "a"]', LabelSchema("taste", ("a", "b", "c"), kind="ranking"))
        ['b', 'a', 'c']
        """
        names = [_class_name(part, place, schema) for place, part in enumerate(_parts(value, schema))]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise SchemaError(
                    f"{value!r:.80}: element {place} names the class {name!r} again: rank each class once"
                )
        return _completed(names, schema.classes)

    def distance(self, a: Sequence[str], b: Sequence[str]) -> float:
        """Share of the pairs of classes that stand the other way round; a pair tied in one of the two counts half.

        Kendall's distance with penalty 1/2 (Fagin, Kumar and Sivakumar 2003, "Comparing top k lists",
        https://doi.org/10.1137/S0895480102412856), a metric.

        Examples
        --------
        >>> Ranking(classes="abc").distance(["a", "b", "c"], ["a", "c", "b"])
        0.3333333333333333
        """
        first, second = ({name: place for place, name in enumerate(ranking)} for ranking in (a, b))
        everything: list[str | None] = [*dict.fromkeys([*self.classes, *a, *b])]
        if not self.classes:
            everything.append(None)  # somebody neither of them named
        if len(everything) < 2:
            return 0.0
        apart, n_pairs = 0.0, 0
        for x, y in itertools.combinations(everything, 2):
            here, there = _order(first, x, y), _order(second, x, y)
            apart += abs(here - there) / 2
            n_pairs += 1
        return apart / n_pairs

    def merge(self, values: Sequence[Sequence[str]], weights: Sequence[float]) -> list[str]:
        """The order that contradicts the least weight, cut to the median length; see `best_order`.

        The order of the values changes nothing.

        Raises
        ------
        UsageError
            If there are no values, or the weights do not fit them.
        """
        checked = checked_weights(values, weights)
        length = lower_median([len(value) for value in values], checked, key=lambda n: n)
        known = {name: place for place, name in enumerate(self.classes)}
        named = sorted({name for value in values for name in value}, key=lambda n: (known.get(n, len(known)), n))
        return _completed(best_order(named, values, checked)[:length], self.classes)

    def examples(self, schema: LabelSchema) -> list[list[str]]:
        """Some valid values, for promise suites and forms."""
        names = list(schema.classes)
        listed = [names, names[::-1], [*names[1:], *names[:1]]]
        if len(names) > 2:
            listed += [names[:1], names[-1:]]
        return [ranking for place, ranking in enumerate(listed) if ranking not in listed[:place]]


def _order(place: dict[str, int], x: str | None, y: str | None) -> int:
    """1 if x stands before y, -1 if behind, 0 if they are tied."""
    last = len(place)
    here, there = place.get(x, last) if x is not None else last, place.get(y, last) if y is not None else last
    return (here < there) - (here > there)


def _completed(names: list[str], classes: Sequence[str]) -> list[str]:
    missing = [name for name in classes if name not in names]
    return [*names, *missing] if len(missing) == 1 else names


def _parts(value: Any, schema: LabelSchema) -> Sequence[Any]:
    parts = listed(value, lambda other: _unknown(other, schema))
    if not parts:
        raise _unknown(parts, schema)
    return parts


def _unknown(value: Any, schema: LabelSchema) -> SchemaError:
    return SchemaError(
        f"{value!r:.80} is no answer to {schema.name!r}: expected a list of one or more class names, best first, or a "
        f'JSON list of them such as ["{schema.classes[0]}"]. Known: {", ".join(schema.classes)}.'
    )


def _class_name(part: Any, place: int, schema: LabelSchema) -> str:
    try:
        index = schema.index(part)
    except SchemaError as error:
        raise SchemaError(f"element {place}: {error}") from None
    if index == ABSTAIN:
        raise SchemaError(f"element {place} is an abstention, {part!r}: one stands alone, in place of the whole list")
    return schema.classes[index]
