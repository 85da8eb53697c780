"""What every kind of label promises.

The factory takes no argument and gives the kind; the kind's `examples(schema)` gives some of its valid values::

    from labelmill.testing import label_kind
    for promise in label_kind.PROMISES:
        promise(MyKind)
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from labelmill.domain.schema import LabelSchema
from labelmill.errors import SchemaError

__all__ = ["PROMISES"]

SCHEMA = LabelSchema("topic", ("sport", "politics", "art", "a b", "é"))

_RUBBISH: list[Any] = [
    None,
    "ABSTAIN",
    "",
    "no such class",
    -1,
    99,
    1.5,
    True,
    object(),
    b"sport",
    {"sport": 1},
    [None],
]


def promise_it_has_a_name_and_a_widget(factory: Callable[[], Any]) -> None:
    """The name is an identifier, the widget a custom element's tag."""
    kind = factory()
    assert kind.name.isidentifier()
    assert "-" in kind.widget


def promise_there_are_examples(factory: Callable[[], Any]) -> None:
    """`examples(schema)` gives at least two different values, so that the other promises mean something."""
    assert len(_examples(factory())) >= 2


def promise_valid_values_stay(factory: Callable[[], Any]) -> None:
    """`validate` gives a valid value back as it is: it is idempotent."""
    kind = factory()
    for value in _examples(kind):
        assert value == kind.validate(value, SCHEMA)


def promise_validating_changes_no_argument(factory: Callable[[], Any]) -> None:
    """`validate` leaves the value it was given as it was."""
    kind = factory()
    for value in _examples(kind):
        before = repr(value)
        kind.validate(value, SCHEMA)
        assert before == repr(value)


def promise_rubbish_is_refused(factory: Callable[[], Any]) -> None:
    """What is no value raises SchemaError, never another exception."""
    kind = factory()
    for value in _rubbish_for(kind):
        try:
            found = kind.validate(value, SCHEMA)
        except SchemaError:
            continue
        raise AssertionError(f"{value!r} was taken for {found!r}")


def promise_equals_have_no_distance(factory: Callable[[], Any]) -> None:
    """The distance of a value to itself is 0."""
    kind = factory()
    for value in _examples(kind):
        assert kind.distance(value, value) == 0.0


def promise_distance_is_symmetric(factory: Callable[[], Any]) -> None:
    """The distance from a to b is that from b to a."""
    kind = factory()
    for a, b in itertools.combinations(_examples(kind), 2):
        assert kind.distance(a, b) == kind.distance(b, a)


def promise_distance_lies_between_0_and_1(factory: Callable[[], Any]) -> None:
    """Different values are more than 0 and at most 1 apart."""
    kind = factory()
    for a, b in itertools.combinations(_examples(kind), 2):
        assert 0.0 < kind.distance(a, b) <= 1.0


def promise_merge_of_equals_is_the_value(factory: Callable[[], Any]) -> None:
    """However many say the same, and however little they are trusted, it is what they say."""
    kind = factory()
    for value in _examples(kind):
        for weights in ([1.0], [0.2, 0.7, 0.1], [0.0, 0.0]):
            assert value == kind.merge([value] * len(weights), weights)


def promise_merge_ignores_the_order(factory: Callable[[], Any]) -> None:
    """The same values with the same weights in another order merge to the same."""
    kind = factory()
    values = _examples(kind)[:4]
    weights = [0.1 * (i + 1) for i in range(len(values))]
    expected = kind.merge(values, weights)
    for order in itertools.permutations(range(len(values))):
        assert expected == kind.merge([values[i] for i in order], [weights[i] for i in order])


def promise_merge_is_valid(factory: Callable[[], Any]) -> None:
    """A merged value is a valid one."""
    kind = factory()
    for n in range(1, len(_examples(kind)) + 1):
        merged = kind.merge(_examples(kind)[:n], [1.0] * n)
        assert merged == kind.validate(merged, SCHEMA)


def _rubbish_for(kind: Any) -> list[Any]:
    """What cannot be a value; a kind whose examples are numbers, or free texts, takes any number, or any text."""
    examples = _examples(kind)
    takes_texts = any(isinstance(value, str) and value not in SCHEMA.classes for value in examples)
    takes_numbers = any(isinstance(value, int | float) for value in examples)
    return [
        value
        for value in _RUBBISH
        if not (takes_texts and isinstance(value, str) and value != "ABSTAIN")
        and not (takes_numbers and isinstance(value, int | float) and not isinstance(value, bool))
    ]


def _examples(kind: Any) -> list[Any]:
    assert hasattr(kind, "examples"), f"{type(kind).__name__} needs a method examples(schema) that lists valid values"
    return list(kind.examples(SCHEMA))


PROMISES = [
    promise_it_has_a_name_and_a_widget,
    promise_there_are_examples,
    promise_valid_values_stay,
    promise_validating_changes_no_argument,
    promise_rubbish_is_refused,
    promise_equals_have_no_distance,
    promise_distance_is_symmetric,
    promise_distance_lies_between_0_and_1,
    promise_merge_of_equals_is_the_value,
    promise_merge_ignores_the_order,
    promise_merge_is_valid,
]
