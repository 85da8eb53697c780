from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelmill.domain.strict_json import MAX_DEPTH, dumps, loads
from labelmill.errors import BadInputError

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20)


@given(VALUES)
def test_values_survive(value: Any) -> None:
    """`loads` gives back what `dumps` wrote, type by type."""
    assert repr(value) == repr(loads(dumps(value)))


@given(VALUES)
def test_plain_json_is_read_alike(value: Any) -> None:
    """On JSON without traps it agrees with Python's decoder, escaped or not, as text or as bytes."""
    text = json.dumps(value)

    assert repr(json.loads(text)) == repr(loads(text)) == repr(loads(text.encode()))


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        ('{"a": NaN}', "a", "NaN is not JSON"),
        ('{"a": [1, -Infinity]}', "a[1]", "-Infinity is not JSON"),
        ("Infinity", None, "Infinity is not JSON"),
        ('{"a": {"b": 1e400}}', "a.b", "1e400 is beyond a 64-bit float"),
        ('{"a": 1, "b": 2, "a": 3}', "a", "the key appears twice"),
        ('[{"x": {"a": 1, "a": 1}}]', "[0].x.a", "the key appears twice"),
        ('{"t": "\\ud83d"}', "t", "the lone surrogate U+D83D is no character"),
        ('{"t": "\\ude00\\ud83d"}', "t", "the lone surrogate U+DE00"),
        ('{"\\ud83d": 1}', "\ud83d", "in the key itself: the lone surrogate"),
        ('{"t": "a\\u0000b"}', "t", "a NUL character (U+0000)"),
        ('{"t": "\ud83d"}', "t", "the lone surrogate U+D83D"),
        ('{"n": 9223372036854775808}', "n", "the integer 9223372036854775808 is beyond 64 bits"),
        ('{"n": -9223372036854775809}', "n", "is beyond 64 bits"),
        ('{"n": ' + "9" * 5000 + "}", "n", "(5000 characters) is beyond 64 bits"),
        ("[" * 201 + "]" * 201, None, "nested deeper than 200 levels"),
        ("[" * 200_000, None, "nested deeper than 200 levels"),
        ('{"a":' * 200_000, None, "nested deeper than 200 levels"),
        ("", None, "not valid JSON at column 1: Expecting value, found the end of the text"),
        ("{} x", None, "expected the end of the JSON value at column 4, found 'x'"),
        ('{"a": 1}{"a": 2}', None, "expected the end of the JSON value at column 9"),
        ("{'a': 1}", None, "not valid JSON at column 2"),
        ('{"a": 01}', None, "not valid JSON"),
        ('{"a": "x\ny"}', None, "not valid JSON"),
        ('{"a": "x\0y"}', None, "not valid JSON"),
        ('{"a": 1,}', None, "not valid JSON"),
        ('{"a": undefined}', None, "not valid JSON"),
        ("\ufeff{}", None, "not valid JSON"),
        ('{"a": NaN, "a": ]', None, "not valid JSON"),
        ('{"a": NaN, "b":' + "[" * 100_000, None, "nested deeper"),
    ],
)
def test_what_others_let_through_is_refused(text: str, field: str | None, reason: str) -> None:
    """One error names the key and says what was found."""
    with pytest.raises(BadInputError) as raised:
        loads(text, source="f.jsonl", line=7)

    [bad] = raised.value.bad_rows
    assert ("f.jsonl", 7 + text.count("\n", 0, 8), field) == (bad.source, bad.line, bad.field)
    assert reason in bad.reason
    assert len(str(bad)) < 300


def test_bytes_are_strict_utf_8() -> None:
    """A wrong byte is refused with its offset."""
    with pytest.raises(BadInputError, match="byte 0xff at offset 1 is not valid UTF-8"):
        loads(b'"\xff"')


def test_the_line_inside_a_document_is_counted() -> None:
    """A text of several lines is counted from its first one."""
    with pytest.raises(BadInputError, match="f, line 12: not valid JSON at column 1"):
        loads('{\n"a": 1,\n]', source="f", line=10)


def test_a_surrogate_pair_is_a_character() -> None:
    """Two escapes that belong together are one code point."""
    assert loads('"\\ud83d\\ude00"') == "\U0001f600"


def test_nesting_up_to_the_limit_is_read() -> None:
    """The limit itself is allowed."""
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH

    assert text == dumps(loads(text))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"a": float("nan")}, "field 'a': nan is not JSON"),
        ({"a": [float("inf")]}, r"field 'a\[0\]': inf is not JSON"),
        ({1: "a"}, "the key 1 is no text"),
        ({"a": "\0"}, "NUL"),
        ({"a": "\ud800"}, "lone surrogate"),
        ({"a": 2**63}, "beyond 64 bits"),
        ({"a": dt.date(2024, 1, 1)}, "date is no JSON value"),
        ({"a": np.array([1])}, "ndarray is no JSON value"),
        ({"a": {1, 2}}, "set is no JSON value"),
    ],
)
def test_only_json_is_written(value: Any, reason: str) -> None:
    """What would not come back is not written."""
    with pytest.raises(BadInputError, match=reason):
        dumps(value)


def test_a_cycle_is_refused() -> None:
    """A list that holds itself is too deep, not endless."""
    value: list[Any] = []
    value.append(value)

    with pytest.raises(BadInputError, match="nested deeper"):
        dumps(value)
